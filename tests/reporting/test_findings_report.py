"""`docs/findings.md` says what the list says; what a run measured is not looked at here."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import casefile
from harness.model.deviation import Finding
from harness.reporting.findings_report import count, heading, listed

DOCUMENT = (Path(__file__).parents[2] / "docs" / "findings.md").read_text(encoding="utf-8")
KNOWN = casefile.load_known(casefile.cases_folder())
SECTIONS = {text.partition("\n")[0]: text for text in DOCUMENT.split("\n### ")[1:]}


def test_the_document_has_each_finding_and_no_other() -> None:
    assert list(SECTIONS) == [heading(finding).removeprefix("### ") for finding in KNOWN.findings]
    assert count(KNOWN.findings) in DOCUMENT


@pytest.mark.parametrize("finding", KNOWN.findings, ids=lambda finding: finding.id)
def test_a_section_says_what_the_list_says(finding: Finding) -> None:
    own = [deviation.id for deviation in KNOWN.deviations if deviation.finding == finding.id]
    section = SECTIONS[heading(finding).removeprefix("### ")].splitlines()
    for line in listed(finding, own):
        assert line in section
    assert "- seen: not measured in this run" not in section


def test_the_cases_of_findings_exist() -> None:
    root = casefile.cases_folder()
    folders = [root / name for name in ("errors", "found", "nightly", "operations")]
    entries = casefile.load(casefile.find(folders, root), root)
    cases = {unit.id for entry in entries for unit in casefile.expand(entry, 0)}
    assert {finding.case for finding in KNOWN.findings} <= cases
