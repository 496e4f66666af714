from __future__ import annotations

from pathlib import Path

import pytest

from harness import casefile
from harness.casefile import tree
from harness.casefile.load import load
from harness.casefile.skimming import skim

CASES = Path(casefile.cases_folder())
HEAD = "cases:\n- id: a\n  operation: sigmoid\n"


def heads(folder: Path, text: str) -> list[tuple[str, int]]:
    file = folder / "operations" / "some.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return [(each.id, each.source.line) for each in casefile.headings([file], folder)]


def test_what_is_listed_of_the_stock_suite_is_what_is_read() -> None:
    files = sorted(CASES.glob("*/*.yaml"))
    listed = [(each.id, each.kind, each.dtypes, each.count, each.source) for each in casefile.headings(files, CASES)]
    assert listed == [(each.id, each.kind, each.dtypes, each.count, each.source) for each in load(files, CASES)]


def test_content_is_left_out_and_lines_stay() -> None:
    text = HEAD.encode() + b"  inputs: &x {logits: [1, 2]}\n  expect:\n    undefined: error\n\n- id: b\n  inputs: *x\n"
    skimmed = skim(text)
    assert b"logits" not in skimmed
    assert b"undefined" not in skimmed
    assert skimmed.count(b"\n") == text.count(b"\n")
    assert not tree.parse(skimmed).faults


@pytest.mark.parametrize(
    "inputs",
    [
        "{logits: {generate: grid}\n    }",
        "{logits: {generate: grid}\n    , low: 1}",
        "# { }\n    {logits: [1]}",
        "\n    logits: >\n      }\n\n      - id: no",
    ],
)
def test_what_is_not_written_in_the_usual_way_is_read_whole(tmp_path: Path, inputs: str) -> None:
    text = HEAD + f"  inputs: {inputs}\n- id: b\n  operation: sigmoid\n  inputs: {{logits: [1]}}\n"
    line = text[: text.index("- id: b")].count("\n") + 1
    assert heads(tmp_path, text) == [("operations/some:a", 2), ("operations/some:b", line)]


def test_an_alias_of_what_was_left_out_has_its_value(tmp_path: Path) -> None:
    text = HEAD + "  inputs:\n    logits: &words x\n  note: *words\n"
    assert b"words x" not in skim(text.encode())
    assert heads(tmp_path, text) == [("operations/some:a", 2)]


def test_a_fault_is_told_of_the_whole_text(tmp_path: Path) -> None:
    with pytest.raises(casefile.CaseFileErrors, match=r"some\.yaml:6:1 .*from line 5"):
        heads(tmp_path, HEAD + "  inputs: {logits: [1]}\n  dtypes: [float32\n")
