"""Observations of cases become verdicts: one for each output that was asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from harness.comparator import deviations, tolerance
from harness.comparator.deviations import Asked
from harness.comparator.findings import ENDED, Finding, of_measurement, of_undefined, raised
from harness.comparator.large import in_blocks
from harness.comparator.measure import Pair, measure
from harness.comparator.statements import against, stated
from harness.model.case import Case, Claim, Domain, Relation
from harness.model.deviation import Deviation
from harness.model.observation import Observation, Outcome
from harness.model.subject import Subject
from harness.model.verdict import Grade, Kind, Verdict
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Truth

ERROR_IS_RIGHT = frozenset({"error"})


class Answer(NamedTuple):
    """A case with what a subject did with it, and what would be right."""

    case: Case
    subject: Subject
    wanted: Sequence[str]
    observation: Observation
    truth: Truth


@dataclass(frozen=True, slots=True)
class Judge:
    """Turns observations into verdicts.

    Args:
        rtol: `--rtol` of the named tolerance judge; None for the dtype's usual one.
        atol: `--atol`, likewise.
        versions: framework versions by (environment, framework).
        deviations: the known ones.
    """

    rtol: float | None
    atol: float | None
    versions: Mapping[tuple[str, str], str]
    deviations: Sequence[Deviation] = ()

    def verdicts(self, answers: Sequence[Answer]) -> list[list[Verdict]]:
        """Judge answers together: for each a verdict for each wanted output."""
        findings = [[_decided(answer, output) for output in answer.wanted] for answer in answers]
        self._measure_the_rest(answers, findings)
        return [
            [
                self.row(answer.case, answer.subject, output, self._as_known(finding, answer, output), answer.truth)
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
        self, unit: Case | Relation | Claim, subject: Subject, output: str, finding: Finding, truth: Truth | None
    ) -> Verdict:
        """A finding as a row of the reports."""
        case = unit if isinstance(unit, Case) else None
        return Verdict(
            case=unit.id,
            operation=case.operation if case else None,
            subject=subject.id if subject.mode else subject.implementation,
            implementation=subject.implementation,
            framework=subject.framework,
            environment=subject.environment,
            mode=subject.mode or None,
            device=subject.device if subject.mode else None,
            dtype=case.dtype if case else None,
            output=output,
            verdict=finding.kind,
            source=str(unit.source),
            version=self.versions.get((subject.environment, subject.framework)),
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
        )

    def _measure_the_rest(self, answers: Sequence[Answer], findings: list[list[Finding | None]]) -> None:
        """Fill in the findings that need a look at the numbers, all of a dtype at once; large calls alone."""
        open_: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for n, row in enumerate(findings):
            for m, finding in enumerate(row):
                if finding is None and answers[n].truth.large:
                    findings[n][m] = self._large(answers[n], answers[n].wanted[m])
                elif finding is None:
                    open_[answers[n].case.dtype].append((n, m))
        for dtype, places in open_.items():
            form, named = FORMATS[dtype], tolerance.asked(dtype, self.rtol, self.atol)
            pairs = [_pair(answers[n], answers[n].wanted[m]) for n, m in places]
            lines = [tolerance.stated(answers[n].case) for n, _ in places]
            measured = measure(pairs, form, named, lines)
            for (n, m), pair, line, measurement in zip(places, pairs, lines, measured, strict=True):
                findings[n][m] = of_measurement(measurement, pair.observed, named, line, form)

    def _large(self, answer: Answer, output: str) -> Finding:
        """A finding about an output that is held against the truth block by block."""
        case, observed = answer.case, answer.observation.outputs[output]
        form, named = FORMATS[case.dtype], tolerance.asked(case.dtype, self.rtol, self.atol)
        line = tolerance.stated(case)
        measured = in_blocks(case, answer.truth.region, output, observed, form, named, line)
        return of_measurement(measured, observed, named, line, form)

    def _as_known(self, finding: Finding, answer: Answer, output: str) -> Finding:
        """A finding in the light of what the case states of this subject, or the known deviations do."""
        case, subject, _, observation, truth = answer
        if finding.kind not in (Kind.PASS, Kind.FAIL):
            return finding
        override = stated(case.expect.per, subject, output) if case.expect.per else None
        if override is not None:
            return against(finding, override, output, observation, case.dtype, truth.region)
        version = self.versions.get((subject.environment, subject.framework), "")
        return deviations.known(self.deviations, Asked(case, subject, version, output, observation, truth), finding)


def _pair(answer: Answer, output: str) -> Pair:
    return Pair(answer.observation.outputs[output], answer.truth.outputs[output], answer.truth.bounds[output])


def _decided(answer: Answer, output: str) -> Finding | None:
    """What can be said without a look at the numbers; None where they decide."""
    case, _, _, observation, truth = answer
    if (kind := ENDED.get(observation.outcome)) is not None:
        return Finding(kind, reason=observation.reason)
    if truth.region.domain is Domain.UNDEFINED:
        return of_undefined(observation, output, truth.region.reason, case.expect.undefined or ERROR_IS_RIGHT)
    if observation.outcome is Outcome.ERROR:
        return Finding(Kind.FAIL, Grade.BROKEN, raised(observation))
    if output not in observation.outputs:
        return Finding(Kind.FAIL, Grade.BROKEN, f"gave no {output}")
    if output not in truth.outputs and not truth.large:
        return Finding(Kind.ERROR, reason=f"{case.operation} has no definition of its {output} to judge by")
    return None
