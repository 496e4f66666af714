"""Observations of cases become verdicts: one for each output that was asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from harness.comparator import tolerance
from harness.comparator.deviations import Asked, Known
from harness.comparator.findings import ENDED, Finding, of_measurement, of_undefined, raised
from harness.comparator.large import in_blocks
from harness.comparator.measure import Pair, measure
from harness.comparator.statements import against, stated
from harness.model.case import Case, Claim, Domain, Relation
from harness.model.deviation import Deviation
from harness.model.observation import Observation, Outcome
from harness.model.subject import DOCUMENT, Subject
from harness.model.verdict import Grade, Kind, Verdict
from harness.model.versions import Packages, framework
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Truth

ERROR_IS_RIGHT = frozenset({"error"})
HAVING = frozenset({Grade.EXACT, Grade.ACCURATE, Grade.STABLE})
"""Grades of subjects that have a value where an intermediate of the reference algorithm overflows."""
TOGETHER = 1 << 20
"""Elements that are measured together, about."""


class Answer(NamedTuple):
    """A case with what a subject did with it, and what would be right."""

    case: Case
    subject: Subject
    wanted: Sequence[str]
    observation: Observation
    truth: Truth


class Judge:
    """Turns observations into verdicts.

    Args:
        rtol: `--rtol` of the named tolerance judge; None for the dtype's usual one.
        atol: `--atol`, likewise.
        packages: versions that workers have reported, by (environment, framework).
        deviations: the known ones.
    """

    def __init__(
        self,
        rtol: float | None,
        atol: float | None,
        packages: Mapping[tuple[str, str], Packages],
        deviations: Sequence[Deviation] = (),
    ) -> None:
        self._rtol = rtol
        self._atol = atol
        self._packages = packages
        self._known = Known(deviations)

    def verdicts(self, answers: Sequence[Answer]) -> list[list[Verdict]]:
        """Judge answers together: for each a verdict for each wanted output."""
        findings = [[_decided(answer, output) for output in answer.wanted] for answer in answers]
        self._measure_the_rest(answers, findings)
        return [
            [
                self.row(
                    answer.case,
                    answer.subject,
                    output,
                    self._as_known(finding, answer, output),
                    answer.truth,
                    answer.observation,
                )
                for output, finding in zip(answer.wanted, row, strict=True)
                if finding is not None
            ]
            for answer, row in zip(answers, findings, strict=True)
        ]

    def avoidable_overflow(self, row: Verdict, answer: Answer, other: str) -> Verdict:
        """A verdict of grade `range` where another subject has the value: a failure, unless it is known."""
        failed = Finding(Kind.FAIL, Grade.RANGE, f"{row.reason}; {other} has the value")
        known = self._as_known(failed, answer, row.output)
        return replace(row, verdict=known.kind, reason=known.reason, deviation=known.deviation)

    def row(
        self,
        unit: Case | Relation | Claim,
        subject: Subject,
        output: str,
        finding: Finding,
        truth: Truth | None,
        observation: Observation | None = None,
    ) -> Verdict:
        """A finding as a row of the reports."""
        case = unit if isinstance(unit, Case) else None
        where = (subject.environment, subject.framework)
        return Verdict(
            case=unit.id,
            operation=case.operation if case else None,
            subject=subject.implementation if subject is DOCUMENT else subject.id,
            implementation=subject.implementation,
            framework=subject.framework,
            environment=subject.environment,
            mode=subject.mode or None,
            device=subject.device if subject.mode else None,
            dtype=case.dtype if case else None,
            output=output,
            verdict=finding.kind,
            source=str(unit.source),
            version=framework(self._packages[where]) if where in self._packages else None,
            grade=finding.grade,
            max_ulp=finding.max_ulp,
            max_relative=finding.max_relative,
            max_absolute=finding.max_absolute,
            max_bound=finding.max_bound,
            cause=finding.cause,
            avoidable_bits=finding.avoidable_bits,
            summation_length=finding.summation_length,
            index=finding.index,
            observed=finding.observed,
            truth=finding.truth,
            domain=str(truth.region.domain) if truth else None,
            deviation=finding.deviation,
            reason=finding.reason,
            tolerance=finding.tolerance,
            bits=finding.bits,
            group=unit.group,
            outcome=observation.ending if observation else None,
            content=finding.content,
            seconds=observation.seconds if observation else None,
        )

    def _measure_the_rest(self, answers: Sequence[Answer], findings: list[list[Finding | None]]) -> None:
        """Fill in the findings that need a look at the numbers: those of a dtype together, large calls by output."""
        open_: dict[object, list[tuple[int, int]]] = defaultdict(list)
        laid: Counter[str] = Counter()
        for n, row in enumerate(findings):
            case, large = answers[n].case, answers[n].truth.large
            for m, finding in enumerate(row):
                if finding is None:
                    output = answers[n].wanted[m]
                    company = (case.id, output) if large else (case.dtype, laid[case.dtype] // TOGETHER)
                    open_[company].append((n, m))
                    laid[case.dtype] += answers[n].observation.outputs[output].size
        for places in open_.values():
            asked = [(answers[n], answers[n].wanted[m]) for n, m in places]
            for (n, m), finding in zip(places, self._measured(asked), strict=True):
                findings[n][m] = finding

    def _measured(self, asked: Sequence[tuple[Answer, str]]) -> list[Finding]:
        """Findings about outputs of one dtype, or about one output of one large call."""
        (case, *_, truth), output = asked[0]
        form, named = FORMATS[case.dtype], tolerance.asked(case.dtype, self._rtol, self._atol)
        arrays = [answer.observation.outputs[name] for answer, name in asked]
        lines = [tolerance.stated(answer.case) for answer, _ in asked]
        if truth.large:
            measured = in_blocks(case, truth.region, output, arrays, form, named, lines[0])
        else:
            measured = measure([_pair(answer, name) for answer, name in asked], form, named, lines)
        exact = [None if truth.large else answer.truth.outputs[name].high for answer, name in asked]
        found = zip(measured, arrays, lines, exact, strict=True)
        return [of_measurement(each, array, named, line, form, high) for each, array, line, high in found]

    def _as_known(self, finding: Finding, answer: Answer, output: str) -> Finding:
        """A finding in the light of what the case states of this subject, or the known deviations do."""
        case, subject, _, observation, truth = answer
        if finding.kind not in (Kind.PASS, Kind.FAIL):
            return finding
        packages = self._packages.get((subject.environment, subject.framework), {})
        override = stated(case.expect.per, subject, packages, output) if case.expect.per else None
        if override is not None:
            return against(finding, override, output, observation, case.dtype, truth)
        return self._known.judged(Asked(case, subject, packages, output, observation, truth), finding)


def having(rows: Iterable[Verdict]) -> dict[tuple[str, str], str]:
    """For each case and output the first subject that has the value, if one has."""
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.grade in HAVING:
            found.setdefault((row.case, row.output), row.subject)
    return found


def avoided(row: Verdict, having: Mapping[tuple[str, str], str]) -> str | None:
    """The subject that has the value which this one lost to an overflow and passed for; None if that isn't so."""
    passed = row.grade is Grade.RANGE and row.verdict is Kind.PASS  # a run that is resumed has judged some already
    return having.get((row.case, row.output)) if passed else None


def _pair(answer: Answer, output: str) -> Pair:
    return Pair(answer.observation.outputs[output], answer.truth.outputs[output], answer.truth.bounds[output])


def _decided(answer: Answer, output: str) -> Finding | None:
    """What can be said without a look at the numbers; None where they decide."""
    case, _, _, observation, truth = answer
    if (kind := ENDED.get(observation.outcome)) is not None or output in observation.unsupported:
        return Finding(kind or Kind.UNSUPPORTED, reason=observation.unsupported.get(output, observation.reason))
    if truth.region.domain is Domain.UNDEFINED:
        return of_undefined(observation, output, truth.region.reason, case.expect.undefined or ERROR_IS_RIGHT)
    if observation.outcome is Outcome.ERROR:  # what is spoilt may be refused, whatever its value would be
        failed = Finding(Kind.FAIL, Grade.BROKEN, raised(observation))
        return replace(failed, kind=Kind.PASS, grade=None) if case.misuse else failed
    if output not in observation.outputs:
        return Finding(Kind.FAIL, Grade.BROKEN, f"gave no {output}")
    if output not in truth.outputs and not truth.large:
        return Finding(Kind.ERROR, reason=f"{case.operation} has no definition of its {output} to judge by")
    return None
