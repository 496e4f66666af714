"""The JUnit XML report, for CI servers: a test suite for each framework in each environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

from harness.model.run import Results, Run
from harness.model.verdict import Kind, Verdict
from harness.reporting import overview
from harness.reporting.text import one_line, visible

if TYPE_CHECKING:
    from junitparser import TestCase, TestSuite
    from junitparser.junitparser import FinalResult

EXPECTED = frozenset({Kind.DEVIATION, Kind.ERRATUM})
COUNTED = ("tests", "failures", "errors")
"""Sums that the outermost element has: Jenkins' schema knows no `skipped` there."""

ERRORS = frozenset({Kind.ERROR, Kind.CRASH, Kind.TIMEOUT, Kind.OUT_OF_MEMORY})


def message(verdict: Verdict) -> str:
    """The reason in one line, the finding where no reason is given."""
    return one_line(verdict.reason or overview.finding(verdict) or verdict.verdict)


def details(verdict: Verdict) -> str:
    """What was found, why it is judged so, and where the case stands; one fact a line."""
    facts = (overview.finding(verdict), verdict.reason, verdict.deviation, f"case: {verdict.source}")
    return "\n".join(visible(fact) for fact in facts if fact)


def outcome(verdict: Verdict) -> FinalResult:
    """How CI servers see a verdict that isn't a pass."""
    from junitparser import Error, Failure, Skipped  # noqa: PLC0415 - only for this report

    kind = verdict.verdict
    if kind in EXPECTED or kind is Kind.UNAVAILABLE:
        result = Skipped(message(verdict), "xfail" if kind in EXPECTED else kind.value)
    else:
        result = (Error if kind in ERRORS else Failure)(message(verdict), kind.value)
    result.text = details(verdict)
    return result


def item(verdict: Verdict, seconds: float) -> TestCase:
    """A test case: the case is its class, subject and output its name."""
    from junitparser import TestCase  # noqa: PLC0415 - only for this report

    case = TestCase(one_line(f"{verdict.subject} {verdict.output}"), one_line(verdict.case), round(seconds, 4))
    if verdict.verdict is not Kind.PASS:
        case.append(outcome(verdict))
    return case


def suite(tally: overview.Tally, run: Run, verdicts: Iterable[Verdict]) -> TestSuite:
    """One framework in one environment; what it doesn't support is a property, not an item."""
    from junitparser import TestSuite  # noqa: PLC0415 - only for this report

    made = TestSuite(one_line(f"{tally.environment}:{tally.framework}"))
    made.timestamp = one_line(run.started).removesuffix("Z").removesuffix("+00:00")  # schemas want UTC, and no zone
    facts = {"run": run.id, "version": tally.version, "truth": run.truth, "tier": run.tier, "seed": str(run.seed)}
    facts |= {"left out": overview.left_out(run)} if run.left_out else {}
    facts |= {"unsupported": str(tally.counts.get(Kind.UNSUPPORTED, 0))}
    for name, value in facts.items():
        made.add_property(name, one_line(value))
    asked = [verdict for verdict in verdicts if verdict.verdict is not Kind.UNSUPPORTED]
    made.add_testcases(starmap(item, zip(asked, times(asked), strict=True)))
    return made


def times(verdicts: Iterable[Verdict]) -> Iterator[float]:
    """Seconds of each verdict's call, at the first of its outputs: sums are true."""
    told: set[tuple[str, str]] = set()
    for verdict in verdicts:
        call = (verdict.case, verdict.subject)
        yield 0.0 if call in told else verdict.seconds or 0.0
        told.add(call)


def write(results: Results, path: Path) -> None:
    """Write the suites in the order of their first verdict."""
    from junitparser import JUnitXml  # noqa: PLC0415 - only for this report

    gathered: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in results.verdicts:
        gathered.setdefault((verdict.environment, verdict.framework), []).append(verdict)
    tallies = overview.tallies(results.verdicts)
    suites = [suite(tally, results.run, gathered[tally.environment, tally.framework]) for tally in tallies]
    xml = JUnitXml("conformance")
    for made in suites:
        xml.add_testsuite(made)
    for name in COUNTED:
        setattr(xml, name, sum(getattr(made, name) for made in suites))
    xml.time = round(results.run.seconds, 3)
    xml.write(str(path), pretty=False)
