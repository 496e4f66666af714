"""What people and programs read of a run: one module a format, all made from `Results`.

Nothing is judged here. Importing this package imports neither pandas, jinja2, junitparser nor
rich: each format imports what it needs when it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.files import replacing
from harness.model.run import Results
from harness.reporting import (
    csv_report,
    github_report,
    html_report,
    json_report,
    junit_report,
    markdown_report,
    sarif_report,
    terminal,
)


class Format(NamedTuple):
    """A report format: the file it goes to unless a path is given, and what writes it."""

    filename: str
    write: Callable[[Results, Path], None]


FORMATS: Mapping[str, Format] = {
    "json": Format("report.json", json_report.write),
    "csv": Format("report.csv", csv_report.write),
    "html": Format("report.html", html_report.write),
    "junit": Format("junit.xml", junit_report.write),
    "markdown": Format("report.md", markdown_report.write),
    "sarif": Format("report.sarif", sarif_report.write),
    "github": Format("github.txt", github_report.write),
    "terminal": Format("summary.txt", terminal.write),
}
"""Report formats by the name that `--report` takes."""

PRINTED: Mapping[str, Callable[[Results], Sequence[str]]] = {
    "github": github_report.lines,
    "terminal": lambda _: (),
}
"""Formats whose lines go to standard output unless a path is given; a run ends with the summary anyway."""


WITH_SCRIPTS = frozenset({"html"})
"""Formats that show scripts of what is wrong."""


class UnknownFormatError(ValueError):
    """A report format that doesn't exist."""


def write(results: Results, name: str, path: Path) -> None:
    """Write one report, whole or not at all, creating the folders above it.

    Raises:
        UnknownFormatError: no format has this name.
        OSError: the file can't be written.
    """
    if name not in FORMATS:
        raise UnknownFormatError(f"no report format {name!r}; there are {', '.join(FORMATS)}")
    with replacing(path) as part:
        FORMATS[name].write(results, part)
