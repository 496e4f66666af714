"""The cube written down: JSON for programs, Markdown, and HTML with a heat map."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.model.row import number
from harness.reporting import html_report, markdown_report
from harness.reporting.markdown_report import code, prose
from harness.store.entries import UNKNOWN, Entry
from harness.versions.cube import Cell, Place, Since, departs, moved

SCHEMA = 2
MARKS = {"there": "yes", "not there": "no", "not measured": ""}


@dataclass(frozen=True, slots=True)
class Matrix:
    """Everything that the reports show.

    Attributes:
        versions: names of the environments, in the order in which they are shown, with what is in them.
        table: implementation and mode to version to how it stands.
        outputs: the same output by output.
        since: each deviation through the versions.
        reasons: what each deviation is about, by its id.
    """

    versions: Mapping[str, str]
    table: Mapping[str, Mapping[str, Cell]]
    outputs: Mapping[Place, Mapping[str, Entry]]
    since: Sequence[Since]
    reasons: Mapping[str, str]


def write_json(matrix: Matrix, path: Path) -> None:
    """Every cell."""
    path.write_text(json.dumps(content(matrix), indent=1) + "\n", encoding="utf-8")


def content(matrix: Matrix) -> dict[str, Any]:
    """The JSON report as plain data."""
    return {
        "schema": SCHEMA,
        "versions": dict(matrix.versions),
        "table": {
            subject: {
                version: {"measured": cell.measured, "departing": cell.departing, "worst": cell.worst or None}
                for version, cell in cells.items()
            }
            for subject, cells in matrix.table.items()
        },
        "outputs": [
            {**place._asdict(), "versions": {version: _standing(entry) for version, entry in entries.items()}}
            for place, entries in matrix.outputs.items()
        ],
        "deviations": {each.deviation: {"presence": dict(each.presence), "since": str(each)} for each in matrix.since},
    }


def write_markdown(matrix: Matrix, path: Path) -> None:
    """Both tables."""
    path.write_text("\n".join(markdown(matrix)) + "\n", encoding="utf-8")


def markdown(matrix: Matrix) -> Iterator[str]:
    """The Markdown report, line by line."""
    yield "## Since when each deviation exists"
    yield ""
    lines = [
        [code(each.deviation), *(MARKS[each.presence[version]] for version in matrix.versions), prose(str(each))]
        for each in matrix.since
    ]
    yield from markdown_report.table(("deviation", *map(prose, matrix.versions), "since"), lines)
    yield ""
    yield "## Outputs that depart from the truth, of those that were measured"
    yield ""
    rows = [[code(subject), *map(text, _cells(matrix, cells))] for subject, cells in matrix.table.items()]
    yield from markdown_report.table(("implementation", *map(prose, matrix.versions)), rows)
    yield ""
    yield "## Outputs that depart in one version and not in another"
    yield ""
    places = [
        [code(place.subject), code(place.case), place.output, *(standing(entries.get(v)) for v in matrix.versions)]
        for place, entries in moved(matrix.outputs).items()
    ]
    yield from markdown_report.table(("implementation", "case", "output", *map(prose, matrix.versions)), places)


def write_html(matrix: Matrix, path: Path) -> None:
    """One self-contained file."""
    html_report.write_page("matrix.html.jinja", path, matrix=matrix, moved=moved(matrix.outputs), **FILTERS)


def text(cell: Cell | None) -> str:
    """`3 of 120, inaccurate`."""
    if cell is None:
        return ""
    return f"{cell.departing} of {cell.measured}" + (f", {cell.worst}" if cell.worst and cell.departing else "")


def standing(entry: Entry | None) -> str:
    """`stable`, or `inaccurate, departs`: what is known to depart does so too."""
    if entry is None:
        return ""
    grade = entry.grade if entry.grade != UNKNOWN else entry.outcome
    return f"{grade}, departs" if departs(entry) else grade


def warmth(entry: Entry | None) -> str:
    """A class of the heat map's colours for one output: `h0` where it is right, `h2` to `h4` where it departs."""
    if entry is None:
        return "none"
    return {"broken": "h4", "inaccurate": "h3"}.get(entry.grade, "h2") if departs(entry) else "h0"


def _standing(entry: Entry) -> dict[str, Any]:
    return {
        "outcome": entry.outcome,
        "verdict": entry.verdict,
        "grade": None if entry.grade == UNKNOWN else entry.grade,
        "max_ulp": number(entry.max_ulp),
        "max_bound": number(entry.max_bound),
    }


def heat(cell: Cell | None) -> str:
    """A class of the heat map's colours: from `h0`, nothing departs, to `h4`, most does."""
    if cell is None:
        return "none"
    share = cell.departing / cell.measured
    return f"h{sum(share > limit for limit in (0.0, 0.02, 0.1, 0.5))}"


def _cells(matrix: Matrix, cells: Mapping[str, Cell]) -> list[Cell | None]:
    return [cells.get(version) for version in matrix.versions]


FILTERS = {"text": text, "heat": heat, "standing": standing, "warmth": warmth}
"""What the HTML report writes cells with."""

FORMATS: Mapping[str, tuple[str, Callable[[Matrix, Path], None]]] = {
    "json": ("matrix.json", write_json),
    "html": ("matrix.html", write_html),
    "markdown": ("matrix.md", write_markdown),
}
"""Formats of `harness matrix --report`: the file that each goes to unless a path is given, and what writes it."""
