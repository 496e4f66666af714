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
        findings.text(None, "html", tmp_path)
