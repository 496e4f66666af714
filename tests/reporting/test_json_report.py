from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness import reporting
from harness.model import row
from harness.model.run import Results
from harness.model.verdict import Kind
from harness.reporting import json_report

KEYS = [
    *("case", "operation", "subject", "implementation", "framework", "version", "environment"),
    *("mode", "device", "dtype", "output", "verdict", "grade", "max_ulp"),
    *("index", "observed", "truth", "domain", "deviation", "reason", "source"),
    *("max_relative", "max_absolute", "max_bound", "cause", "avoidable_bits", "summation_length", "tolerance", "bits"),
    "outcome",
]


@pytest.fixture
def path(results: Results, tmp_path: Path) -> Path:
    reporting.write(results, "json", tmp_path / "made" / "report.json")
    return tmp_path / "made" / "report.json"


def test_rows_have_the_keys_of_the_schema_in_order(path: Path, results: Results) -> None:
    report = json_report.read(path)
    assert list(report) == ["schema", "run", "counts", "verdicts"]
    assert len(report["verdicts"]) == len(results.verdicts)
    assert all(list(found) == KEYS for found in report["verdicts"])
    assert list(row.KEYS) == KEYS


def test_the_run_is_told(path: Path) -> None:
    report = json_report.read(path)
    keys = "id started command seed tier threads cpu environments truth tolerance seconds left_out gate"
    assert list(report["run"]) == keys.split()
    assert report["run"]["environments"]["here"]["packages"]["torch"] == "2.13.0"
    assert report["counts"]["out-of-memory"] == 1
    assert set(report["counts"]) == set(Kind)


def test_numbers_that_are_not_finite_are_strings(path: Path) -> None:
    report = json.loads(path.read_text(), parse_constant=pytest.fail)
    wild = next(row for row in report["verdicts"] if row["case"].startswith("found/<"))
    assert [wild["max_ulp"], wild["max_relative"], wild["max_absolute"]] == ["inf", "nan", "-inf"]
    judged = next(row for row in report["verdicts"] if row["tolerance"])
    assert judged["tolerance"] == {
        "rtol": 1.3e-6,
        "atol": 1e-5,
        "passed": True,
        "remark": "passes by atol alone, 24 bits lost",
    }
    assert judged["index"] == [1]


def test_names_are_never_null(path: Path) -> None:
    for found in json_report.read(path)["verdicts"]:
        assert all(
            isinstance(found[k], str) for k in ("case", "subject", "implementation", "framework", "output", "verdict")
        )


def test_text_survives_as_it_was(path: Path, results: Results) -> None:
    report = json_report.read(path)
    assert [row["reason"] for row in report["verdicts"]] == [verdict.reason for verdict in results.verdicts]


def test_the_same_run_gives_the_same_bytes(path: Path, results: Results, tmp_path: Path) -> None:
    json_report.write(results, tmp_path / "again.json")
    assert path.read_bytes() == (tmp_path / "again.json").read_bytes()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema": 2}', "newer harness"),
        ('{"schema": "1"}', "no schema number"),
        ("[]", "no schema number"),
        ("{", "no JSON report"),
    ],
)
def test_other_files_are_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(json_report.UnreadableReportError, match=said) as caught:
        json_report.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_format_is_named_with_those_that_exist(results: Results, tmp_path: Path) -> None:
    with pytest.raises(reporting.UnknownFormatError, match=r"'pdf'.*json, csv, html, junit, markdown"):
        reporting.write(results, "pdf", tmp_path / "x")


def test_importing_reporting_imports_nothing_heavy() -> None:
    code = "import sys, harness.reporting.terminal, harness.reporting.progress; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "jinja2", "junitparser", "rich"} & set(ran.stdout.split())
