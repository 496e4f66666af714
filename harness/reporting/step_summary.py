"""GitHub's step summary: the Markdown report on the page of the workflow's run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from harness.model.run import Results
from harness.reporting import markdown_report

VARIABLE = "GITHUB_STEP_SUMMARY"
"""The environment variable with the path of the step's file."""

LIMIT = 1024 * 1024
"""Bytes of a step's summaries together: GitHub throws all of them away where there are more."""

CUT = "\n... cut: a step's summary holds 1 MiB; the other reports have the rest."


def fitting(lines: Iterable[str], room: int) -> Iterator[str]:
    """As many whole lines as there is room for, and a last one that says so."""
    left = room - len(CUT.encode()) - 1
    if left < 0:
        return
    for line in lines:
        left -= len(line.encode()) + 1
        if left < 0:
            yield CUT
            return
        yield line


def append(results: Results, environ: Mapping[str, str]) -> Path | None:
    """Append the Markdown report to the step's summary, and tell where; None outside of GitHub's workflows.

    Raises:
        OSError: the file can't be written.
    """
    if not environ.get(VARIABLE):
        return None
    path = Path(environ[VARIABLE])
    used = path.stat().st_size if path.exists() else 0
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in fitting(markdown_report.lines(results), LIMIT - used))
    return path
