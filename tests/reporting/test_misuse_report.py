"""What becomes of misuse, written down; `docs/misuse.md` has each operation and kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.model.verdict import Kind, Verdict
from harness.operations import OPERATIONS, misuse
from harness.reporting.misuse_report import WRITERS, tried

DOCUMENT = (Path(__file__).parents[2] / "docs" / "misuse.md").read_text(encoding="utf-8")


def row(kind: str, mode: str, outcome: str, content: str = "float32[2]", **more: object) -> Verdict:
    fields: dict[str, object] = {
        "case": f"errors/misuse:sparse/float32/{kind}",
        "operation": "sparse_softmax_cross_entropy",
        "subject": f"current:a.loss@{mode}",
        "implementation": "a.loss",
        "framework": "a",
        "environment": "current",
        "mode": mode,
        "device": "cpu",
        "dtype": "float32",
        "output": "value",
        "verdict": Kind.PASS,
        "source": "cases/errors/misuse.yaml:1",
        "domain": "undefined",
        "outcome": outcome,
        "content": content,
        **more,
    }
    return Verdict(**fields)  # type: ignore[arg-type]


ROWS = [
    row("labels-large", "eager", "error ValueError"),
    row("labels-large", "xla", "value", "float32[2] nan", verdict=Kind.DEVIATION),
    row("labels-negative", "eager", "error IndexError"),
    row("labels-negative", "xla", "error ValueError"),
    row("labels-column", "eager", "value", verdict=Kind.DEVIATION),
    row("logits-nan", "eager", "value", "float32[2] nan", domain="inside"),
    row("labels-double", "eager", "value", "float64[2]", domain="extended", verdict=Kind.DEVIATION),
    row("axis-outside", "eager", "unsupported", verdict=Kind.UNSUPPORTED),
]


def test_a_cell_says_what_is_raised_or_given_by_mode_where_they_differ() -> None:
    text = WRITERS["markdown"](tried(ROWS))
    header, line = text.split("## `sparse_softmax_cross_entropy`\n\n")[1].splitlines()[::2]
    columns = dict(zip(header.strip("| ").split(" | "), line.strip("| ").split(" | "), strict=True))
    assert columns["`labels-large`"] == "eager: `ValueError`; xla: **NaN**"
    assert columns["`labels-negative`"] == "`IndexError` or `ValueError`"
    assert columns["`labels-column`"] == "**a number**"
    assert columns["`logits-nan`"] == "`value`"
    assert columns["`labels-double`"] == "**another dtype**"
    assert "axis-outside" not in text


def test_modes_that_differ_are_listed_errors_of_other_types_are_not() -> None:
    text = WRITERS["markdown"](tried(ROWS)).split("## Where modes differ")[1].split("\n## ")[0]
    assert "`labels-large` | `a.loss` | eager: `ValueError`; xla: **NaN**" in text
    assert "labels-negative" not in text


def test_programs_get_a_row_for_each_call() -> None:
    calls = json.loads(WRITERS["json"](tried(ROWS)))["calls"]
    assert [(call["misuse"], call["mode"], call["answer"], call["error"]) for call in calls[:2]] == [
        ("labels-large", "eager", "refused", "ValueError"),
        ("labels-large", "xla", "NaN", None),
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_document_has_every_kind_of_misuse_of_an_operation(operation: str) -> None:
    header = DOCUMENT.split(f"\n## `{operation}`\n\n")[1].partition("\n")[0]
    assert {f"`{kind}`" for kind in misuse.kinds(OPERATIONS[operation])} <= set(header.strip("| ").split(" | "))
