from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.model.run import Results
from harness.model.verdict import Kind
from harness.reporting import markdown_report, step_summary


def test_the_summary_is_appended_where_the_variable_says(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n", encoding="utf-8")
    assert step_summary.append(results, {step_summary.VARIABLE: str(path)}) == path
    text = path.read_text(encoding="utf-8")
    assert text == "before\n" + "\n".join(markdown_report.lines(results)) + "\n"
    assert text.index("Failures") < text.index("Known deviations")


def test_without_the_variable_nothing_is_written(results: Results) -> None:
    assert step_summary.append(results, {}) is None
    assert step_summary.append(results, {step_summary.VARIABLE: ""}) is None


def test_a_step_never_has_more_than_github_takes(many: Callable[..., Results], tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    for used in range(step_summary.LIMIT - 9000, step_summary.LIMIT, 900):
        path.write_bytes(b"x" * (used - 1) + b"\n")
        step_summary.append(many(40, Kind.FAIL), {step_summary.VARIABLE: str(path)})
        assert path.stat().st_size <= step_summary.LIMIT
    path.write_bytes(b"x" * (step_summary.LIMIT - 3000))
    step_summary.append(many(40, Kind.FAIL), {step_summary.VARIABLE: str(path)})
    assert path.read_text(encoding="utf-8").endswith("the other reports have the rest.\n")
