"""What every report for people says of a run, whatever its format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harness.model.decision import Decision, Ruling
from harness.model.run import Results, Run
from harness.model.verdict import ExitCode, Grade, Kind, Verdict
from harness.reporting.text import plural
from harness.reporting.values import measure

SYMBOLS: Mapping[Kind, str] = {
    Kind.PASS: "✓",
    Kind.FAIL: "✗",
    Kind.ERRATUM: "¶",
    Kind.DEVIATION: "≠",
    Kind.STALE: "↺",
    Kind.UNSUPPORTED: "–",  # noqa: RUF001 - a dash is meant
    Kind.UNAVAILABLE: "∅",
    Kind.CRASH: "↯",
    Kind.TIMEOUT: "◷",
    Kind.OUT_OF_MEMORY: "▣",
    Kind.ERROR: "‼",
}
"""A sign for each verdict, so that none is told by its colour alone."""

SEVERITY = (
    *(Kind.ERROR, Kind.CRASH, Kind.OUT_OF_MEMORY, Kind.TIMEOUT, Kind.FAIL, Kind.STALE),
    *(Kind.UNAVAILABLE, Kind.ERRATUM, Kind.DEVIATION, Kind.PASS, Kind.UNSUPPORTED),
)
"""Verdicts from the worst to the most harmless."""


class Tally(NamedTuple):
    """Verdicts of one framework in one environment, by kind."""

    environment: str
    framework: str
    version: str
    counts: Mapping[Kind, int]

    def __str__(self) -> str:
        name = f"{self.framework} {self.version}".rstrip()
        return name if self.environment == self.framework else f"{self.environment}: {name}"


NOT_ASKED = frozenset({Kind.UNAVAILABLE, Kind.UNSUPPORTED})


class Absence(NamedTuple):
    """What could not be asked, why, and how many verdicts are missing for it.

    Attributes:
        name: the framework, or the implementations that it doesn't have while it has others.
        first: the first of the verdicts.
    """

    environment: str
    name: str
    reason: str
    verdicts: int
    first: Verdict


class Departure(NamedTuple):
    """A known departure of one subject: the verdicts that share its reason."""

    subject: str
    reason: str
    deviation: str
    verdicts: Sequence[Verdict]

    @property
    def worst(self) -> Verdict:
        """The verdict with the largest error, the first if none was measured."""
        return max(self.verdicts, key=lambda verdict: abs(verdict.max_ulp or 0.0))


def counts(verdicts: Iterable[Verdict]) -> dict[Kind, int]:
    """Verdicts of each kind, zeros included."""
    found = Counter(verdict.verdict for verdict in verdicts)
    return {kind: found[kind] for kind in Kind}


def breakdown(found: Mapping[Kind, int]) -> str:
    """`2 fail, 1 deviation, 40 pass`: what there is, the worst first."""
    return ", ".join(f"{found[kind]:,} {kind}" for kind in SEVERITY if found.get(kind))


def graded(verdicts: Iterable[Verdict]) -> str:
    """`998 exact, 12 stable, 3 broken`: what there is, the best first."""
    found = Counter(verdict.grade for verdict in verdicts)
    return ", ".join(f"{found[grade]:,} {grade}" for grade in Grade if found[grade])


def worst(kinds: Iterable[Kind]) -> Kind:
    """The most severe of some verdicts."""
    return min(kinds, key=SEVERITY.index)


def failures(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """What the gate counts, in the order of the plan."""
    return [verdict for verdict in verdicts if verdict.verdict.failed]


def changed(results: Results) -> list[Ruling]:
    """The changes that fail the gate beside failures: what was better in the baseline."""
    failed = {(v.case, v.subject, v.output) for v in failures(results.verdicts)}
    ruled = results.decision.failing if results.decision else ()
    return [ruling for ruling in ruled if (ruling.case, ruling.subject, ruling.output) not in failed]


def varied(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The first failure of each subject and output before further ones; else the order of the plan."""
    firsts = {(v.subject, v.output, v.verdict): v for v in reversed(verdicts)}
    first = {id(verdict) for verdict in firsts.values()}
    return sorted(verdicts, key=lambda verdict: id(verdict) not in first)


def of(kind: Kind, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts of one kind, in the order of the plan."""
    return [verdict for verdict in verdicts if verdict.verdict is kind]


def tallies(verdicts: Iterable[Verdict]) -> list[Tally]:
    """Verdicts of each framework and version in each environment, in the order of their first verdict."""
    found: dict[tuple[str, str], Counter[Kind]] = {}
    versions: dict[tuple[str, str], str] = {}
    for verdict in verdicts:
        key = (verdict.environment, verdict.framework)
        found.setdefault(key, Counter())[verdict.verdict] += 1
        versions[key] = versions.get(key) or verdict.version or ""
    return [Tally(*key, versions[key], tally) for key, tally in found.items()]


def absences(verdicts: Sequence[Verdict]) -> list[Absence]:
    """Frameworks and implementations that could not be asked, with the reasons given."""
    there = {(v.environment, v.framework) for v in verdicts if v.verdict not in NOT_ASKED}
    missing: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in of(Kind.UNAVAILABLE, verdicts):
        missing.setdefault((verdict.environment, verdict.framework, verdict.reason), []).append(verdict)
    return [
        Absence(
            environment, _names(rows) if (environment, framework) in there else framework, reason, len(rows), rows[0]
        )
        for (environment, framework, reason), rows in missing.items()
    ]


def _names(verdicts: Iterable[Verdict]) -> str:
    return ", ".join(dict.fromkeys(verdict.implementation for verdict in verdicts))


def departures(verdicts: Iterable[Verdict]) -> list[Departure]:
    """Known deviations, gathered by subject, reason and the place that states them."""
    found: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in of(Kind.DEVIATION, verdicts):
        key = (verdict.subject, verdict.reason, verdict.deviation or "")
        found.setdefault(key, []).append(verdict)
    return [Departure(*key, gathered) for key, gathered in found.items()]


def atol_alone(verdicts: Iterable[Verdict]) -> int:
    """Verdicts that plain rtol and atol let pass by atol alone."""
    return sum(1 for verdict in verdicts if verdict.tolerance and verdict.tolerance.remark)


def passed(results: Results) -> bool:
    """The gate's decision; where none was asked, whether nothing fails."""
    return not failures(results.verdicts) if results.decision is None else results.decision.exit_code is ExitCode.OK


def headline(results: Results) -> str:
    """The gate's outcome in one sentence."""
    total, failed = len(results.verdicts), len(failures(results.verdicts))
    verdicts = plural(total, "verdict")
    of_total = f"{failed:,} of {verdicts}"
    if not total:
        return "Empty: nothing was judged"
    if passed(results):
        return f"Passed: {of_total} fail, which the gate lets pass" if failed else f"Passed: no failure in {verdicts}"
    decision = results.decision or Decision()
    if decision.stopped:
        return f"Failed: stopped by {decision.stopped}, {of_total} fail"
    ruled = len(decision.failing) if results.decision else failed
    return (
        f"Failed: {of_total}" if ruled == failed else f"Failed: {plural(ruled, 'output')} by the gate, {of_total} fail"
    )


def left_out(run: Run) -> str:
    """What was not measured since the run was stopped; "" if nothing was left out."""
    if run.left_out is None:
        return ""
    count, calls = sum(run.left_out.calls.values()), Counter(run.left_out.calls).most_common()
    listed = ", ".join(f"{number:,} {operation}" for operation, number in calls)
    return f"{count:,} of {run.left_out.planned:,} calls left out by {run.left_out.why}: {listed}"


def place(index: Sequence[int] | None) -> str:
    """` at [0, 3]`; "" for scalars and where there is no element."""
    return f" at {[int(i) for i in index]}" if index else ""


def sides(verdict: Verdict) -> str:
    """What was observed beside the truth."""
    got = "" if verdict.observed is None else f"got {verdict.observed}{place(verdict.index)}"
    truth = "" if verdict.truth is None else f"truth {verdict.truth}"
    return ", ".join(filter(None, (got, truth)))


def finding(verdict: Verdict) -> str:
    """What was observed beside the truth, and how far apart they are."""
    apart = "" if verdict.max_ulp is None else f"{measure(verdict.max_ulp, '+')} ulp"
    return ", ".join(filter(None, (sides(verdict), apart)))
