from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness import reporting
from harness.model.run import Results
from harness.model.verdict import Kind

SCHEMA = Path(__file__).parents[1] / "vendored" / "junit-10.xsd"


@pytest.fixture(params=["everything", "nothing", "failures"])
def report(request: pytest.FixtureRequest, results: Results, many: Callable[..., Results], tmp_path: Path) -> Path:
    made = {"everything": results, "nothing": many(0, Kind.PASS), "failures": many(5, Kind.FAIL)}
    path = tmp_path / "junit.xml"
    reporting.write(made[request.param], "junit", path)
    return path


def test_the_report_is_what_the_common_schema_says(report: Path) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    xmlschema.XMLSchema(str(SCHEMA)).validate(str(report))


def test_the_whole_has_the_sums_of_its_suites(report: Path) -> None:
    root = ET.parse(report).getroot()  # noqa: S314 - the harness's own file
    for name in ("tests", "failures", "errors"):
        assert int(root.get(name, "-1")) == sum(int(suite.get(name, "-1")) for suite in root)
    assert "skipped" not in root.attrib


def test_timestamps_are_utc_without_a_zone(report: Path) -> None:
    for suite in ET.parse(report).getroot():  # noqa: S314 - the harness's own file
        assert suite.get("timestamp") == "2026-01-01T12:00:00"


def test_the_seconds_of_a_call_are_told_once(results: Results, tmp_path: Path) -> None:
    call: dict[str, Any] = {"case": "documents/003:a/float32", "subject": "here:f@eager", "seconds": 0.25}
    outputs = [replace(results.verdicts[0], **call, output=output) for output in ("value", "gradient:logits")]
    other = replace(outputs[0], subject="here:g@eager", seconds=None)
    reporting.write(Results(results.run, [*outputs, other], results.record), "junit", tmp_path / "junit.xml")
    (suite,) = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - the harness's own file
    assert [float(item.get("time", "nan")) for item in suite.iter("testcase")] == [0.25, 0.0, 0.0]
    assert float(suite.get("time", "nan")) == 0.25
