from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from harness import reporting
from harness.model.row import KEYS
from harness.model.run import Results
from harness.model.verdict import Kind
from harness.reporting import csv_report, markdown_report


@pytest.fixture
def table(results: Results, tmp_path: Path) -> pd.DataFrame:
    reporting.write(results, "csv", tmp_path / "report.csv")
    return pd.read_csv(tmp_path / "report.csv", dtype=str, keep_default_na=False)


def test_csv_has_a_line_for_each_verdict(table: pd.DataFrame, results: Results) -> None:
    assert len(table) == len(results.verdicts)
    expected = [key for key in KEYS if key not in {"tolerance", "bits"}]
    spread = ["tolerance_rtol", "tolerance_atol", "tolerance_passed", "tolerance_remark"]
    assert list(table.columns) == [*expected, *spread, "bits"]
    assert list(table["verdict"]) == [str(verdict.verdict) for verdict in results.verdicts]


def test_csv_flattens_the_tolerance(table: pd.DataFrame) -> None:
    judged = table[table["tolerance_passed"] == "True"].iloc[0]
    assert judged["tolerance_remark"] == "passes by atol alone, 24 bits lost"
    assert float(judged["tolerance_rtol"]) == 1.3e-6
    assert judged["index"] == "[1]"
    assert judged["bits"] == "0123abcd"


def test_csv_holds_no_formulas(table: pd.DataFrame) -> None:
    assert set(table["observed"]) == {"", "0", "'=cmd()"}
    assert set(table["truth"]) == {"", "2.33e-10", "-inf"}
    assert "-12000000.0" in set(table["max_ulp"])


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@sum", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_execute_gets_an_apostrophe(text: str) -> None:
    assert csv_report.cell(text).startswith("'")


@pytest.mark.parametrize("value", ["-1.5", "+3", "-inf", "plain", 1.0, None, True])
def test_numbers_and_plain_text_stay(value: object) -> None:
    assert csv_report.cell(value) == value


def test_csv_of_an_empty_run_has_its_header(results: Results, tmp_path: Path) -> None:
    csv_report.write(Results(results.run, [], results.record), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text().splitlines() == [",".join(csv_report.COLUMNS)]


@pytest.fixture
def junit(results: Results, tmp_path: Path) -> JUnitXml:
    reporting.write(results, "junit", tmp_path / "junit.xml")
    return JUnitXml.fromfile(str(tmp_path / "junit.xml"))


def test_junit_has_a_suite_for_each_framework(junit: JUnitXml, results: Results) -> None:
    names = [suite.name for suite in junit]
    assert names[:4] == ["here:tensorflow", "here:torch", "here:numpy", "old:tensorflow"]
    unsupported = sum(verdict.verdict is Kind.UNSUPPORTED for verdict in results.verdicts)
    assert junit.tests == len(results.verdicts) - unsupported
    assert junit.failures + junit.errors == sum(verdict.verdict.failed for verdict in results.verdicts)


def test_junit_counts_what_is_unsupported_and_says_what_truth_is(junit: JUnitXml) -> None:
    suite = next(suite for suite in junit if suite.name == "here:torch")
    facts = {fact.name: fact.value for fact in suite.properties()}
    assert facts["unsupported"] == "1"
    assert facts["truth"] == "a float64 evaluation (not certified)"
    assert facts["version"] == "2.13.0"


@pytest.mark.parametrize(
    ("kind", "result", "type_"),
    [
        (Kind.FAIL, Failure, "fail"),
        (Kind.STALE, Failure, "stale"),
        (Kind.ERROR, Error, "error"),
        (Kind.CRASH, Error, "crash"),
        (Kind.TIMEOUT, Error, "timeout"),
        (Kind.OUT_OF_MEMORY, Error, "out-of-memory"),
        (Kind.DEVIATION, Skipped, "xfail"),
        (Kind.ERRATUM, Skipped, "xfail"),
        (Kind.UNAVAILABLE, Skipped, "unavailable"),
    ],
)
def test_junit_results(junit: JUnitXml, kind: Kind, result: type[Error | Failure | Skipped], type_: str) -> None:
    case = next(case for suite in junit for case in suite if case.classname == f"documents/all:{kind}")
    (found,) = case.result
    assert isinstance(found, result)
    assert found.type == type_
    assert found.message == f"because {kind}"
    assert "cases/documents/003.yaml:12" in found.text


def test_junit_passes_have_no_result(junit: JUnitXml) -> None:
    case = next(case for suite in junit for case in suite if case.classname == "documents/all:pass")
    assert case.result == []
    assert case.name.endswith("@eager value")


def test_junit_replaces_what_xml_forbids(junit: JUnitXml) -> None:
    case = next(case for suite in junit for case in suite if case.classname.startswith("found/<"))
    assert r"]]> [red]x[/red] \x1b[31m\x00" in case.classname


@pytest.fixture
def markdown(results: Results, tmp_path: Path) -> str:
    reporting.write(results, "markdown", tmp_path / "report.md")
    return (tmp_path / "report.md").read_text(encoding="utf-8")


def test_markdown_tells_failures_first(markdown: str) -> None:
    parts = [
        "Failures (11)",
        "Unavailable: not judged (2)",
        "Errata (2)",
        "Known deviations",
        "Stability",
        "Frameworks",
    ]
    places = [markdown.index(part) for part in parts]
    assert places == sorted(places)
    assert "a float64 evaluation (not certified)" in markdown
    assert "torch 2.13.0" in markdown


def test_markdown_escapes_untrusted_text(markdown: str) -> None:
    assert "<script" not in markdown
    assert "@here" not in markdown
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff]", markdown)
    for line in markdown.splitlines():
        if line.startswith("| ") and "script" in line:
            assert len(re.findall(r"(?<!\\)\|", line)) in {5, 7, 10}
            assert len(re.findall(r"(?<!\\)`", line)) % 2 == 0


def test_markdown_shows_the_least_stable(markdown: str) -> None:
    assert "Grades: 2 exact, 5 inaccurate." in markdown
    header = "| implementation | output | B | ulp | bits lost / avoidable | sum | cause | grades | worst ulp at |"
    lines = markdown[markdown.index(header) :].splitlines()
    assert "| 3 | +9 | 4.17 / - |  | none | 1 inaccurate |" in lines[2]
    assert lines[2].endswith("\\[0\\] logits -22.18, labels 0 |")


def test_markdown_of_an_empty_run_has_no_tables(results: Results, tmp_path: Path) -> None:
    markdown_report.write(Results(results.run, [], results.record), tmp_path / "x.md")
    assert "|" not in (tmp_path / "x.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["`", "a`b", "x|y", "<b>", "", " "])
def test_code_spans_hold_only_tame_text(text: str) -> None:
    assert not markdown_report.code(text).startswith("`")
