"""Every report says what the gate decided, by which rule, and what was never measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness import reporting
from harness.model.decision import Decision, Ruling
from harness.model.run import LeftOut, Results
from harness.model.verdict import Kind
from harness.reporting import github_report, markdown_report, overview, terminal

Many = Callable[..., Results]
RULE = "the rule at pyproject.toml:9 (measured by hand)"
OVER = LeftOut("the time budget of 5 s", failed=False, calls={"sigmoid": 12, "softmax": 1300}, planned=2000)


def ruling(results: Results, number: int, change: str, rule: str, *, fails: bool) -> Ruling:
    verdict = results.verdicts[number]
    return Ruling(verdict.case, verdict.subject, verdict.output, change, "pass -> fail (+9 ulp)", rule, fails=fails)


@pytest.fixture
def failing(many: Many) -> Results:
    """Three failures: a new one, one that a rule lets pass, a known one; and an error that grew."""
    results = many(3, Kind.FAIL)
    passing = replace(results.verdicts[0], case="operations/sigmoid:worse/float32", verdict=Kind.PASS)
    results = replace(results, verdicts=[*results.verdicts, passing])
    rulings = [
        ruling(results, 0, "new failure", "--fail-on regression", fails=True),
        ruling(results, 3, "worse", "--fail-on regression", fails=True),
        ruling(results, 1, "new failure", RULE, fails=False),
    ]
    return replace(results, decision=Decision(rulings))


@pytest.fixture
def passing(failing: Results) -> Results:
    """The same, let pass."""
    rulings = [replace(each, fails=False) for each in failing.decision.rulings] if failing.decision else []
    return replace(failing, decision=Decision(rulings))


def test_the_headline_is_the_gates(failing: Results, passing: Results, many: Many) -> None:
    assert overview.headline(failing) == "Failed: 2 outputs by the gate, 3 of 4 verdicts fail"
    assert overview.headline(passing) == "Passed: 3 of 4 verdicts fail, which the gate lets pass"
    assert overview.headline(replace(many(2, Kind.PASS), decision=Decision())) == "Passed: no failure in 2 verdicts"
    assert overview.headline(many(2, Kind.FAIL)) == "Failed: 2 of 2 verdicts"
    stopped = replace(many(2, Kind.FAIL), decision=Decision(stopped="2 failures"))
    assert overview.headline(stopped) == "Failed: stopped by 2 failures, 2 of 2 verdicts fail"


def test_the_terminal_is_coloured_by_the_decision(failing: Results, passing: Results) -> None:
    assert terminal.compose(failing, [])[0].style == "bold red"
    assert terminal.compose(passing, [])[0].style == "bold green"


def test_the_page_says_which_rule_decided_and_what_changed(failing: Results, passing: Results) -> None:
    text = "\n".join(markdown_report.lines(failing))
    assert text.startswith("## ❌ Failed: 2 outputs by the gate")
    assert "Gate: failed by --fail-on regression: 1 new failure, 1 worse." in text
    assert "Gate: let pass by the rule at pyproject.toml:9 (measured by hand): 1 new failure." in text
    assert text.index("### Changes that fail the gate (1)") < text.index("### Failures (3)")
    assert "| worse | `operations/sigmoid:worse/float32` |" in text
    assert "\n".join(markdown_report.lines(passing)).startswith("## ✅ Passed: 3 of 4")


def test_the_html_report_lists_what_fails_the_gate_beside_failures(
    failing: Results, passing: Results, tmp_path: Path
) -> None:
    reporting.write(failing, "html", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    listed = text[text.index("Changes that fail the gate (1)") :].partition("</section>")[0]
    for said in ("worse", "pass -&gt; fail (+9 ulp)", "--fail-on regression"):
        assert said in listed
    assert "generated-case-1" not in listed
    reporting.write(passing, "html", tmp_path / "report.html")
    assert "Changes that fail" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_annotations_are_errors_where_the_gate_fails_and_warnings_where_it_does_not(failing: Results) -> None:
    lines = github_report.lines(failing)
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 2 + ["::warning"] * 2 + ["::notice"]
    assert "title=worse%3A " in lines[1]
    assert lines[1].endswith("operations/sigmoid:worse/float32: pass -> fail (+9 ulp)%0Aby --fail-on regression")
    assert "line=12," in lines[1]


def test_programs_get_the_decision(failing: Results, many: Many, tmp_path: Path) -> None:
    reporting.write(failing, "json", tmp_path / "report.json")
    gate = json.loads((tmp_path / "report.json").read_text())["run"]["gate"]
    assert (gate["exit_code"], gate["stopped"], len(gate["rulings"])) == (1, "", 3)
    assert gate["rulings"][2] == {
        "case": "operations/sigmoid:generated-case-1/float32",
        "subject": failing.verdicts[1].subject,
        "output": "value",
        "change": "new failure",
        "found": "pass -> fail (+9 ulp)",
        "rule": RULE,
        "fails": False,
    }
    reporting.write(many(1, Kind.PASS), "json", tmp_path / "none.json")
    assert json.loads((tmp_path / "none.json").read_text())["run"]["gate"] is None


def test_what_was_never_measured_is_said_everywhere(many: Many, tmp_path: Path) -> None:
    results = many(2, Kind.PASS)
    results = replace(results, run=replace(results.run, left_out=OVER))
    said = "1,312 of 2,000 calls left out by the time budget of 5 s"
    listed = "1,300 softmax, 12 sigmoid"
    for name, (filename, _) in reporting.FORMATS.items():
        if name not in {"csv", "json"}:
            reporting.write(results, name, tmp_path / filename)
            text = (tmp_path / filename).read_text(encoding="utf-8")
            assert said in text, name
            assert listed in text, name
    lines = terminal.summary(results, [])
    assert f"NOT MEASURED  {said}:" in lines
    assert f"        {listed}" in lines
    reporting.write(results, "json", tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["run"]["left_out"] == {
        "why": "the time budget of 5 s",
        "planned": 2000,
        "calls": {"sigmoid": 12, "softmax": 1300},
    }


def test_many_operations_fit_on_a_line_of_the_terminal(many: Many) -> None:
    results = many(2, Kind.PASS)
    calls = {f"operation_number_{n}": n + 1 for n in range(40)}
    results = replace(results, run=replace(results.run, left_out=replace(OVER, calls=calls)))
    lines = terminal.summary(results, [])
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("        40 operation_number_39, ") and line.endswith(" ...") for line in lines)
