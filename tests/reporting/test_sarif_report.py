from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import __version__, reporting
from harness.model.run import Results
from harness.model.verdict import Kind
from harness.reporting import sarif_report

SCHEMA = Path(__file__).parents[1] / "vendored" / "sarif-2.1.0.json"
Many = Callable[..., Results]


def written(results: Results, folder: Path) -> dict[str, Any]:
    """The one run of the report, which is valid."""
    reporting.write(results, "sarif", folder / "report.sarif")
    report = json.loads((folder / "report.sarif").read_bytes())
    checked(report)
    (run,) = report["runs"]
    assert isinstance(run, dict)
    return run


def checked(report: Any) -> None:
    """See that a report is what its schema says, and what GitHub's page asks for beyond it."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(report)
    assert report["version"] == "2.1.0"
    for run in report["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        for rule in rules:
            assert 0 < len(rule["name"]) <= 255
            assert 0 < len(rule["shortDescription"]["text"]) <= 1024
            assert 0 < len(rule["fullDescription"]["text"]) <= 1024
            assert rule["help"]["text"]
            assert len(rule["properties"]["tags"]) <= 10
        assert len(run["results"]) <= 25_000
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            (location,) = result["locations"]
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert not re.search(r"[\\\s]|^/", uri)
            assert location["physicalLocation"]["region"]["startLine"] >= 1
            assert re.fullmatch("[0-9a-f]{16}:1", result["partialFingerprints"]["primaryLocationLineHash"])
            assert result["message"]["text"]


@pytest.fixture
def run(results: Results, tmp_path: Path) -> dict[str, Any]:
    """The report of every kind of verdict and of texts that nobody should trust."""
    return written(results, tmp_path)


def test_failures_and_errata_are_told_one_by_one_and_the_rest_is_gathered(
    run: dict[str, Any], results: Results
) -> None:
    levels = [result["level"] for result in run["results"]]
    assert levels.count("error") == sum(verdict.verdict.failed for verdict in results.verdicts)
    told = {kind: [r for r in run["results"] if r["properties"]["verdict"] == kind] for kind in Kind}
    assert len(told[Kind.ERRATUM]) == 2
    assert not told[Kind.PASS]
    assert not told[Kind.UNSUPPORTED]
    assert {r["occurrenceCount"] for r in told[Kind.DEVIATION]} == {1, 2}
    assert {r["occurrenceCount"] for r in told[Kind.UNAVAILABLE]} == {1, 2}


def test_the_gravest_come_first(run: dict[str, Any]) -> None:
    levels = [result["level"] for result in run["results"]]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)


def test_a_failure_tells_whose_it_is_what_was_found_and_where_its_case_stands(run: dict[str, Any]) -> None:
    found = next(r for r in run["results"] if r["properties"]["case"] == "documents/003:a/float32")
    assert found["ruleId"] == "sigmoid_cross_entropy.inaccurate"
    assert found["message"]["text"] == (
        "here:torch.nn.functional.binary_cross_entropy_with_logits@eager: value of documents/003:a/float32: fail. "
        "got 0 at [1], truth 2.33e-10, -1.2e+07 ulp; every digit of the truth is lost"
    )
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "cases/documents/003.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"]["startLine"] == 12


def test_the_run_is_named_with_its_category_and_the_tool_with_its_version(run: dict[str, Any]) -> None:
    assert run["automationDetails"] == {"id": "harness/quick/20260101T120000-abc123"}
    assert run["tool"]["driver"]["semanticVersion"] == __version__
    assert run["properties"]["environments"]["here"]["packages"]["torch"] == "2.13.0"


def test_messages_hold_no_links_placeholders_or_control_characters(results: Results, tmp_path: Path) -> None:
    traps = "[click](https://evil) {0} \x1b[31m \u202e"
    verdicts = [replace(v, reason=traps) for v in results.verdicts]
    for result in written(Results(results.run, verdicts, results.record), tmp_path)["results"]:
        text = result["message"]["text"]
        assert "](" not in text
        assert not re.search(r"(?<!\{)\{0\}(?!\})", text)
        assert text.isprintable()


def hashes(results: Results) -> set[str]:
    """The fingerprints that a run's report has."""
    report = json.loads(sarif_report.fitting(results))
    return {result["partialFingerprints"]["primaryLocationLineHash"] for result in report["runs"][0]["results"]}


def test_fingerprints_stay_when_lines_move_and_numbers_change(results: Results) -> None:
    moved = [
        replace(v, source=f"{v.source.rpartition(':')[0]}:99", max_ulp=None, version="9", observed="7", index=None)
        for v in results.verdicts
    ]
    assert hashes(results) == hashes(Results(replace(results.run, id="later"), moved, results.record))


def test_fingerprints_tell_results_apart(many: Many) -> None:
    results = many(50, Kind.FAIL)
    outputs = [replace(v, output="gradient:logits") for v in results.verdicts]
    others = [replace(v, subject="there" + v.subject) for v in results.verdicts]
    everything = Results(results.run, [*results.verdicts, *outputs, *others], results.record)
    assert len(hashes(everything)) == 150


def test_a_run_with_nothing_to_tell_is_an_empty_report(many: Many, tmp_path: Path) -> None:
    run = written(many(3, Kind.PASS), tmp_path)
    assert run["results"] == []
    assert "toolExecutionNotifications" not in run["invocations"][0]


def test_a_report_keeps_within_githubs_limits_and_says_what_it_leaves_out(many: Many) -> None:
    results = many(60, Kind.FAIL)
    report = json.loads(sarif_report.fitting(results, most=50))
    checked(report)
    (run,) = report["runs"]
    assert len(run["results"]) == 50
    (said,) = run["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"].startswith("10 results left out")
    small = sarif_report.fitting(results, gzipped=2000)
    assert len(gzip.compress(small)) <= 2000
    assert 0 < len(json.loads(small)["runs"][0]["results"]) < 60
