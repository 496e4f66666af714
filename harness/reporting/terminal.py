"""The last lines of a run on the terminal: at most 30, failures first."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from harness.model.run import Results
from harness.model.verdict import Kind, Verdict
from harness.reporting import overview, stability
from harness.reporting.text import one_line, plural, shorten, visible

HEIGHT, WIDTH = 30, 100
ABSENT, ERRATA, FRAMEWORKS, REPORTS = 4, 3, 6, 6
"""Most lines of each part; the least stable have up to half of what is left, failures the rest."""

LEAST = 1 + stability.LEAST


class Line(NamedTuple):
    """A line and rich's style for it."""

    text: str
    style: str = ""


def failed(verdict: Verdict, width: int) -> list[Line]:
    """A failure on two lines: whose it is, and what was found."""
    tail = "" if verdict.output == "value" else f"  {clean(verdict.output)}"
    head = shorten(clean(f"  {verdict.verdict}  {verdict.case}  {verdict.subject}"), max(width // 2, width - len(tail)))
    found = "; ".join(filter(None, (overview.finding(verdict), one_line(verdict.reason))))
    return [Line(head + tail, "bold red"), Line(f"        {found or verdict.source}")]


def clean(text: str) -> str:
    """Untrusted text without control characters or line breaks."""
    return visible(text).replace("\n", " ").replace("\t", " ")


def some(lines: Sequence[Line], most: int) -> list[Line]:
    """At most that many lines, the last of them saying what was left out."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], Line(f"  and {len(lines) - most + 1:,} more, see the report", lines[0].style)]


def failures(results: Results, height: int, width: int) -> list[Line]:
    """As many failures as there is room for, then how many more there are."""
    found = overview.varied(overview.failures(results.verdicts))
    room = height // 2 if len(found) <= height // 2 else (height - 1) // 2
    shown = [line for verdict in found[:room] for line in failed(verdict, width)]
    left = len(found) - room
    return [*shown, Line(f"  and {left:,} more, see the report", "bold red")] if left > 0 else shown


def absences(results: Results, width: int) -> list[Line]:
    """What could not be asked, said loudly: how many verdicts of what, where, and as much of the reason as fits."""
    lines = []
    for absence in overview.absences(results.verdicts):
        first, *others = clean(absence.name).split(", ")
        whose = shorten(first, width // 3) + (f" and {len(others)} more" if others else "")
        head = f"UNAVAILABLE  {absence.verdicts:,} of {whose} in {clean(absence.environment)}: "
        reason = shorten(one_line(absence.reason), max(width // 3, width - len(head)))
        lines.append(Line(head + reason, "bold black on yellow"))
    return lines


def left_out(results: Results, width: int) -> list[Line]:
    """What the run was stopped before, said loudly: how many calls, and of which operations."""
    said, _, listed = overview.left_out(results.run).partition(": ")
    operations = textwrap.shorten(listed, width - 8, placeholder=" ...")
    return [Line(f"NOT MEASURED  {said}:", "bold black on yellow"), Line(f"        {operations}")] if said else []


def errata(results: Results) -> list[Line]:
    """What documents print wrongly."""
    found = overview.of(Kind.ERRATUM, results.verdicts)
    return [Line(f"erratum  {v.case}: {overview.finding(v) or v.reason}", "magenta") for v in found]


def frameworks(results: Results) -> list[Line]:
    """Counts of each framework, with its version."""
    return [Line(f"{t}: {overview.breakdown(t.counts)}") for t in overview.tallies(results.verdicts)]


def least_stable(results: Results, height: int, width: int) -> list[Line]:
    """The least stable implementations, as far as there is room."""
    found = stability.least_stable(stability.view(results.verdicts), height - 1)
    if not found:
        return []
    lines = [Line("Least stable, in units of the bound B and in ulps:")]
    for line in found:
        about = f"  {line.dtype} {line.output}: {line.finding}"
        lines.append(Line(f"  {shorten(clean(line.implementation), max(12, width - 2 - len(about)))}{about}"))
    return lines


def facts(results: Results) -> Iterator[Line]:
    """What the numbers mean."""
    grades = overview.graded(results.verdicts)
    if grades:
        yield Line(f"Grades: {grades}")
    alone = overview.atol_alone(results.verdicts)
    if alone:
        yield Line(f"rtol/atol: {plural(alone, 'verdict')} pass by atol alone, having lost bits", "yellow")
    known = len(overview.of(Kind.DEVIATION, results.verdicts))
    if known:
        yield Line(f"{plural(known, 'known deviation')}, each with its reason in the report")
    yield Line(f"Truth: {results.run.truth}")
    yield Line(f"Time: {results.run.seconds:.1f} s, tier {results.run.tier}, seed {results.run.seed}")


def paths(reports: Sequence[tuple[str, Path]]) -> list[Line]:
    """Where the reports are."""
    return [Line(f"Report ({name}): {path}", "bold") for name, path in reports]


def compose(results: Results, reports: Sequence[tuple[str, Path]], width: int = WIDTH) -> list[Line]:
    """The lines with their styles, each of at most `width` characters."""
    style = "bold green" if overview.passed(results) else "bold red"
    rest = [
        *left_out(results, width),
        *some(absences(results, width), ABSENT),
        *some(errata(results), ERRATA),
        *some(frameworks(results), FRAMEWORKS),
        *facts(results),
        *some(paths(reports), REPORTS),
    ]
    left = HEIGHT - 1 - len(rest)
    least = least_stable(results, min(LEAST, left // 2), width)
    first = failures(results, left - len(least), width)
    lines = [Line(overview.headline(results), style), *first, *least, *rest]
    return [Line(shorten(clean(line.text), width), line.style) for line in lines]


def summary(results: Results, reports: Sequence[tuple[str, Path]], width: int = WIDTH) -> list[str]:
    """At most 30 lines of at most `width` characters: failures first, the reports' paths last."""
    return [line.text for line in compose(results, reports, width)]


def write(results: Results, path: Path) -> None:
    """Write the summary, as it is on the screen."""
    path.write_text("".join(f"{line}\n" for line in summary(results, [])), encoding="utf-8")


def show(results: Results, reports: Sequence[tuple[str, Path]], stream: TextIO | None = None) -> None:
    """Print the summary: in colour on a terminal, as plain lines elsewhere."""
    out = stream or sys.stdout
    if not out.isatty():
        print_lines(summary(results, reports), out)
        return
    from rich.console import Console  # noqa: PLC0415 - only where there is a terminal
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=out, highlight=False)
    for line in compose(results, reports, min(WIDTH, console.width)):
        console.print(Text(line.text, style=line.style), no_wrap=True, overflow="ellipsis", crop=True)


def print_lines(lines: Iterable[str], stream: TextIO | None = None) -> None:
    """Print plain lines; what the stream can't encode is written out."""
    out = stream or sys.stdout
    encoding = out.encoding or "utf-8"
    for line in lines:
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=out)
