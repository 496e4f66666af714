"""`harness findings` on a run and baselines made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import casefile
from harness.casefile.deviations import Known
from harness.commands import findings
from harness.config import ConfigError
from harness.model.run import Results, Run
from harness.model.subject import Fingerprint
from harness.model.verdict import Grade, Kind, Verdict
from harness.reporting.findings_report import content, markdown
from harness.store.entries import parsed

CASE, SUBJECT = "operations/sigmoid:boundaries/float32", "current:torch.sigmoid@eager"
ROW = Verdict(
    case=CASE,
    operation="sigmoid",
    subject=SUBJECT,
    implementation="torch.sigmoid",
    framework="torch",
    version="9.9",
    environment="current",
    mode="eager",
    device="cpu",
    dtype="float32",
    output="value",
    domain="inside",
    source="",
    verdict=Kind.DEVIATION,
    grade=Grade.UNDERFLOW,
    max_ulp=-2.1e6,
    index=(6,),
    observed="0.0",
    truth="2.9e-39",
    reason="known",
)


@pytest.fixture
def known() -> Known:
    every = casefile.load_known(casefile.cases_folder())
    return Known(
        tuple(each for each in every.deviations if each.finding == "torch-sigmoid-underflow"),
        tuple(each for each in every.findings if each.id == "torch-sigmoid-underflow"),
    )


def measured(*rows: Verdict) -> Results:
    run = Run(
        id="x",
        folder=Path("x"),
        started="",
        command="",
        seed=0,
        tier="quick",
        threads=1,
        cpu="",
        truth="",
        environments={"current": Fingerprint("3.11", {"torch": "9.9"})},
        seconds=1.0,
    )
    return Results(run, list(rows), lambda _: None)


def baseline(environment: str, verdict: str, grade: str) -> dict[Any, Any]:
    line = f"{CASE}\t{environment}:torch.sigmoid@eager\tvalue\tfloat32[9]\t{verdict}\t{grade}\t-2.1e6\t9\tabc"
    return dict([parsed(line)])


def test_a_finding_is_shown_with_its_row_enclosure_and_versions(known: Known) -> None:
    versions = {"a1": baseline("a1", "pass", "stable"), "a2": baseline("a2", "deviation", "underflow")}
    found = findings.gathered(known, measured(ROW), versions)
    (row,) = content(found)["list"]
    assert (row["max_ulp"], row["observed"], row["version"]) == (-2.1e6, "0.0", "9.9")
    assert row["truth"].startswith("2.93873516060448")
    assert "±" in row["truth"]
    assert row["since"] == "since a2, not in a1 (a1, a2)"
    assert row["repro"] == f"harness repro {CASE} {SUBJECT} --output value"
    text = "\n".join(markdown(found))
    assert "**1 finding, 1 of them unreported" in text
    assert "torch 9.9" in text
    assert "-2.1e+06 ulp (float32)" in text


def test_what_the_run_has_not_measured_or_this_processor_does_not_show_says_so(known: Known) -> None:
    assert "- seen: not measured in this run" in markdown(findings.gathered(known, measured(), {}))
    assert "- since: not measured" in markdown(findings.gathered(known, measured(), {}))
    passing = replace(ROW, verdict=Kind.PASS, grade=Grade.EXACT)
    assert any("not on the processor" in line for line in markdown(findings.gathered(known, measured(passing), {})))


def test_an_unknown_format_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are markdown, json"):
        findings.text(None, "html", [tmp_path])


def test_a_finding_whose_deviations_no_case_shows_is_told_by_its_own_case() -> None:
    every = casefile.load_known(casefile.cases_folder())
    only = "torch-broadcast-labels"  # an error that is missing: nothing else shows it
    known = Known(
        tuple(replace(each, shown_by=()) for each in every.deviations if each.finding == only),
        tuple(each for each in every.findings if each.id == only),
    )
    (finding,) = known.findings

    def row(environment: str, outcome: str, verdict: str, grade: str) -> dict[Any, Any]:
        subject = finding.subject.replace("current:", f"{environment}:")
        return dict([parsed(f"{finding.case}\t{subject}\tvalue\t{outcome}\t{verdict}\t{grade}\t-\t-\t-")])

    versions = {
        "a1": row("a1", "absent", "unavailable", "-"),
        "a2": row("a2", "error ValueError", "pass", "-"),
        "a3": row("a3", "float32[2,2]", "deviation", "broken"),
    }
    (shown,) = findings.gathered(known, measured(), versions).shown
    assert shown.since == "since a3, not in a2 (a2, a3)"


def test_baselines_of_several_folders_are_put_together(tmp_path: Path) -> None:
    for folder, case in (("one", CASE), ("other", "found/findings:x/float32")):
        line = f"{case}\ta1:torch.sigmoid@eager\tvalue\tfloat32[9]\tpass\texact\t0\t0\tabc"
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a1.txt").write_text(f"# harness-baseline 3\n# a1\tpackage torch\t9.9\n{line}\n")
    (entries,) = findings._versions([tmp_path / "one", tmp_path / "other", tmp_path / "none"]).values()
    assert [case for case, _, _ in entries] == [CASE, "found/findings:x/float32"]
