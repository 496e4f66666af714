"""The atlas of a run of two made-up frameworks: defaults, ports, evidence, and escaped reports."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness import pipeline
from harness.commands.atlas import made, screen
from harness.config import Options
from harness.store.folder import RunFolderError

CASES = """cases:
- id: each
  operation: sigmoid_cross_entropy
  inputs: {logits: [1.5, -0.5, 0.25], labels: [1, 0, 1]}
- id: mean
  operation: sigmoid_cross_entropy
  inputs: {logits: [1.5, -0.5, 0.25], labels: [1, 0, 1]}
  parameters: {reduction: mean}
- id: unknown
  operation: sigmoid_cross_entropy
  inputs: {logits: [1.5], labels: [1]}
  parameters: {reduction: "<b>median</b>"}
  expect: {undefined: [error, nan]}
"""


@pytest.fixture
def atlas(tmp_path: Path, alpha: Path, beta: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON report of an atlas; the others lie beside it."""
    (tmp_path / "own.yaml").write_text(CASES)
    out = tmp_path / "run"
    files = (str(alpha), str(beta))
    assert pipeline.run(Options(paths=(tmp_path / "own.yaml",), adapter=files, subject=("*.bce@*",), out=out)) == 0
    found = made(out, Options())
    assert "2 called" in next(screen(found))
    assert f"Report (markdown): {out / 'atlas.md'}" in capsys.readouterr().out
    report: dict[str, Any] = json.loads((out / "atlas.json").read_text())
    return report


def function(atlas: dict[str, Any], name: str) -> dict[str, Any]:
    (chapter,) = [each for each in atlas["operations"] if each["operation"] == "sigmoid_cross_entropy"]
    (found,) = [each for each in chapter["functions"] if each["implementation"] == name]
    return dict(found)


def port(atlas: dict[str, Any], source: str, target: str) -> dict[str, Any]:
    (found,) = [each for each in atlas["porting"] if (each["from"], each["to"]) == (source, target)]
    return dict(found)


def test_a_functions_defaults_are_learnt_from_its_calls(atlas: dict[str, Any]) -> None:
    found = function(atlas, "al.bce")
    assert found["call"] == "al.bce(logits, labels, reduction='none', smoothing=0.0)"
    assert found["inputs"] == {"logits": "logits", "labels": "labels"}
    assert found["parameters"]["reduction"]["argument"] == "reduction"
    assert found["parameters"]["reduction"]["default"] == "mean"
    assert found["parameters"]["label_smoothing"]["default"] == 0.0
    assert found["other_arguments"] == {"name": "None"}


def test_words_of_an_api_are_translated(atlas: dict[str, Any]) -> None:
    reduction = function(atlas, "be.bce")["parameters"]["reduction"]
    assert reduction["argument"] == "how"
    assert (reduction["default"], reduction["api_default"]) == ("none", "'each'")
    assert {"value": "mean", "passed": "'average'"} in reduction["values"]


def test_a_port_passes_what_the_first_does_by_default(atlas: dict[str, Any]) -> None:
    found = port(atlas, "al.bce", "be.bce")
    assert found["pass"] == "be.bce(labels, logits, how='average')"  # noqa: S105 - a key of the report
    assert found["cases"] == ["own:mean/float32"]
    assert "its arguments come in another order: y_true, y_pred for labels, logits" in found["mind"]
    assert "reduction is none by default, not mean: pass how='average'" in found["mind"]


def test_calls_without_a_value_that_end_otherwise_are_minded(atlas: dict[str, Any]) -> None:
    found = port(atlas, "al.bce", "be.bce")
    assert "where the first raises KeyError, it gives nan (own:unknown/float32)" in found["mind"]


def test_reports_escape_what_they_are_given(atlas: dict[str, Any], tmp_path: Path) -> None:
    assert atlas
    html, markdown = ((tmp_path / "run" / name).read_text().replace("<wbr>", "") for name in ("atlas.html", "atlas.md"))
    assert "be.bce(labels, logits, how=" in html
    assert "<b>" not in html
    assert "| `al.bce` | `be.bce` |" in markdown


def test_a_run_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="holds no run"):
        made(tmp_path, Options())
