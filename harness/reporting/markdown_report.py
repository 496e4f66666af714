"""The Markdown report: a summary for a pull request or a step summary (GitHub's dialect)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from harness.model.decision import Decision
from harness.model.run import Results
from harness.model.verdict import Kind, Verdict
from harness.reporting import overview, stability
from harness.reporting.overview import breakdown, finding
from harness.reporting.text import one_line, plural, shorten, visible
from harness.reporting.values import measure
from harness.reporting.where import farthest

LISTED = 50
"""Lines of each table: a comment on GitHub holds 65,536 characters."""

STANDING = 10
"""Lines of the table of stability."""

CELL = 240
"""Characters of a cell."""

TAME = re.compile(r"[\w.:/@,+=()\[\]{} -]*\w[\w.:/@,+=()\[\]{} -]*", re.ASCII)
SPECIAL = re.compile(r"[\\`*_\[\]|~#!]")


def prose(text: str, limit: int = CELL) -> str:
    """Text with every character that Markdown or HTML gives a meaning escaped; `@name` calls nobody."""
    escaped = html.escape(shorten(one_line(text), limit), quote=False)
    return SPECIAL.sub(lambda match: f"\\{match[0]}", escaped).replace("@", "@&#8203;")


def code(text: str) -> str:
    """Text in a fixed-width font: a code span, or escaped where it could end one."""
    short = shorten(visible(text), CELL)
    return f"`{short}`" if TAME.fullmatch(short) and short == short.strip() else prose(text)


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table of at most `LISTED` lines, and how many more there are."""
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    yield from (f"| {' | '.join(line)} |" for line in lines[:LISTED])
    if len(lines) > LISTED:
        yield ""
        yield f"... and {len(lines) - LISTED:,} more, see the other reports."


def judged(verdict: Verdict) -> Sequence[str]:
    """A line of the tables of failures and errata."""
    cells = (code(verdict.case), code(verdict.subject), code(verdict.output))
    kind = f"{overview.SYMBOLS[verdict.verdict]} {verdict.verdict}"
    return *cells, kind, prose(finding(verdict)), prose(verdict.reason)


def section(title: str, header: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """A heading with a table; nothing at all without lines."""
    if lines:
        yield from ("", f"### {title} ({len(lines):,})", "", *table(header, lines))


def heading(results: Results) -> Iterator[str]:
    """The outcome, the counts and what truth was."""
    sign = "✅" if overview.passed(results) else "❌"
    yield f"## {sign} {overview.headline(results)}"
    yield ""
    yield breakdown(overview.counts(results.verdicts)) + "."
    if said := overview.left_out(results.run):
        yield ""
        yield f"⚠️ **Not measured**: {prose(said)}."
    if grades := overview.graded(results.verdicts):
        yield ""
        yield f"Grades: {grades}."
    yield ""
    yield f"Truth: {prose(results.run.truth)}. Run {code(results.run.id)}, {results.run.seconds:.1f} s."
    alone = overview.atol_alone(results.verdicts)
    if alone:
        yield f"Plain rtol/atol lets {plural(alone, 'verdict')} pass by atol alone."


def ruled(results: Results) -> Iterator[str]:
    """What decided the gate, and the changes that fail it beside failures."""
    decision = results.decision or Decision()
    said = [f"failed, as the run was stopped by {decision.stopped}"] if decision.stopped else []
    for line in (*said, *map(str, decision.grounds())):
        yield ""
        yield f"Gate: {prose(line)}."
    lines = [
        (prose(r.change), code(r.case), code(r.subject), code(r.output), prose(r.found))
        for r in overview.changed(results)
    ]
    yield from section("Changes that fail the gate", ("change", "case", "subject", "output", "was and is"), lines)


def standing(line: stability.Stability, results: Results) -> Sequence[str]:
    """A line of the table of stability."""
    worst, beyond = line.farthest, line.beyond
    place = farthest(worst, results.record(worst.case)) if worst else None
    lost = (line.bits_lost, line.avoidable_bits)
    return (
        code(line.implementation),
        f"{line.dtype} {prose(line.output)}",
        measure(beyond.max_bound if beyond else None),
        measure(worst.max_ulp if worst else None, "+"),
        " / ".join(measure(bits) or "-" for bits in lost),
        "" if line.summation_length is None else f"{line.summation_length:,}",
        line.cause or "",
        ", ".join(f"{count:,} {grade}" for grade, count in line.grades.items()),
        f"{code(place.case)} {prose(place.place)} {prose(place.given)}" if place else "",
    )


def least_stable(results: Results) -> Iterator[str]:
    """The least stable lines of the stability view."""
    found = [line for line in stability.view(results.verdicts) if line.farthest]
    lines = [standing(line, results) for line in found[:STANDING]]
    header = ("implementation", "output", "B", "ulp", "bits lost / avoidable", "sum", "cause", "grades", "worst ulp at")
    if lines:
        shown = f"{len(lines)} of {len(found):,}" if len(found) > len(lines) else f"{len(found):,}"
        yield from ("", f"### Stability: the least stable ({shown})", "", *table(header, lines))


def environments(results: Results) -> Iterator[str]:
    """Frameworks with their versions and counts."""
    pythons = {name: found.python for name, found in results.run.environments.items()}
    lines = [
        (
            code(t.environment),
            prose(pythons.get(t.environment, "")),
            prose(f"{t.framework} {t.version}"),
            breakdown(t.counts),
        )
        for t in overview.tallies(results.verdicts)
    ]
    yield from section("Frameworks", ("environment", "Python", "framework", "verdicts"), lines)


def departures(results: Results) -> Iterator[str]:
    """Known deviations, one line a subject and reason."""
    lines = [
        (code(d.subject), f"{len(d.verdicts):,}", prose(finding(d.worst)), prose(d.reason), code(d.deviation))
        for d in overview.departures(results.verdicts)
    ]
    header = ("subject", "verdicts", "worst", "reason", "stated in")
    yield from section("Known deviations", header, lines)


def absences(results: Results) -> Iterator[str]:
    """Frameworks that could not be asked."""
    lines = [
        (code(a.environment), f"**{prose(a.name)}**", f"{a.verdicts:,}", prose(a.reason))
        for a in overview.absences(results.verdicts)
    ]
    yield from section("⚠️ Unavailable: not judged", ("environment", "what", "verdicts", "why"), lines)


def lines(results: Results) -> Iterable[str]:
    """The report, failures first."""
    header = ("case", "subject", "output", "verdict", "error", "reason")
    yield from heading(results)
    yield from ruled(results)
    yield from section("Failures", header, [judged(v) for v in overview.failures(results.verdicts)])
    yield from absences(results)
    yield from section("Errata", header, [judged(v) for v in overview.of(Kind.ERRATUM, results.verdicts)])
    yield from departures(results)
    yield from least_stable(results)
    yield from environments(results)


def write(results: Results, path: Path) -> None:
    """Write the summary."""
    path.write_text("\n".join(lines(results)) + "\n", encoding="utf-8", newline="\n")
