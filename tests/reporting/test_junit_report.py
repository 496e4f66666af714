from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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
