"""An observation of a case becomes verdicts: one for each output that was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np

from harness.comparator import tolerance
from harness.comparator.measure import Index, Measurement, measure, place
from harness.comparator.tolerance import Allowance
from harness.model.case import Array, Case, Claim, Departure, Domain, Override, Relation
from harness.model.observation import Observation, Outcome
from harness.model.subject import Subject
from harness.model.tensors import tag
from harness.model.verdict import Grade, Kind, Tolerance, Verdict
from harness.operations.base import Region
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Truth

ENDED = {
    Outcome.UNSUPPORTED: Kind.UNSUPPORTED,
    Outcome.UNAVAILABLE: Kind.UNAVAILABLE,
    Outcome.CRASH: Kind.CRASH,
    Outcome.TIMEOUT: Kind.TIMEOUT,
    Outcome.OUT_OF_MEMORY: Kind.OUT_OF_MEMORY,
}
"""Outcomes that are verdicts already: there is nothing to compare."""

ACCURATE_ULPS = 4.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What is found about one output, before it is put in a row."""

    kind: Kind
    grade: Grade | None = None
    reason: str = ""
    index: Index | None = None
    observed: str | None = None
    truth: str | None = None
    max_ulp: float | None = None
    max_relative: float | None = None
    max_absolute: float | None = None
    tolerance: Tolerance | None = None
    deviation: str | None = None
    bits: str | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Turns observations into verdicts.

    Args:
        rtol: `--rtol` of the named tolerance judge; None for the dtype's usual one.
        atol: `--atol`, likewise.
        versions: framework versions by (environment, framework).
    """

    rtol: float | None
    atol: float | None
    versions: Mapping[tuple[str, str], str]

    def verdicts(
        self, case: Case, subject: Subject, wanted: tuple[str, ...], observation: Observation, truth: Truth
    ) -> list[Verdict]:
        """Judge what a subject did with a case: one verdict for each wanted output."""
        rows = []
        for output in wanted:
            finding = self._finding(case, output, observation, truth)
            override = stated(case.expect.per, subject, output)
            if override is not None and finding.kind in (Kind.PASS, Kind.FAIL):
                finding = _against_statement(finding, override, output, observation, case.dtype, truth.region)
            rows.append(self.row(case, subject, output, finding, truth.region.domain))
        return rows

    def row(
        self, unit: Case | Relation | Claim, subject: Subject, output: str, finding: Finding, domain: Domain | None
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
            index=finding.index,
            observed=finding.observed,
            truth=finding.truth,
            domain=str(domain) if domain else None,
            deviation=finding.deviation,
            reason=finding.reason,
            tolerance=finding.tolerance,
            bits=finding.bits,
            group=unit.group,
        )

    def _finding(self, case: Case, output: str, observation: Observation, truth: Truth) -> Finding:
        if (kind := ENDED.get(observation.outcome)) is not None:
            return Finding(kind, reason=observation.reason)
        if truth.region.domain is Domain.UNDEFINED:
            return _undefined(observation, output, truth.region.reason, case.expect.undefined or frozenset({"error"}))
        if observation.outcome is Outcome.ERROR:
            return Finding(Kind.FAIL, Grade.BROKEN, f"raised {observation.error}: {observation.reason}")
        if output not in observation.outputs:
            return Finding(Kind.FAIL, Grade.BROKEN, f"gave no {output}")
        if output not in truth.outputs:
            return Finding(Kind.ERROR, reason=f"{case.operation} has no definition of its {output} to judge by")
        return self._measured(case, observation.outputs[output], truth.outputs[output])

    def _measured(self, case: Case, observed: Array, truth: Array) -> Finding:
        form = FORMATS[case.dtype]
        measured = measure(observed, truth, form)
        usual = tolerance.usual(case.dtype)
        finding = found(measured, observed, truth, usual)
        asked = tolerance.asked(case.dtype, self.rtol, self.atol)
        passed = finding.kind is Kind.PASS if asked == usual else tolerance.within(measured, truth, asked)
        remark = tolerance.remark(measured, truth, asked, form) if passed else ""
        named = Tolerance(asked.rtol, asked.atol, passed, remark)
        return replace(finding, tolerance=named, bits=digest(observed))


def found(measured: Measurement, observed: Array, truth: Array, usual: Allowance) -> Finding:
    """A measurement held against the pass line."""
    if measured.defect:
        return Finding(
            Kind.FAIL,
            Grade.BROKEN,
            measured.defect + _at(measured.index),
            measured.index,
            _text(observed, measured.index),
            _text(truth, measured.index),
        )
    if measured.index is None:
        return Finding(Kind.PASS, Grade.EXACT)
    passed = tolerance.within(measured, truth, usual)
    worst = abs(float(measured.ulps[measured.index]))
    index = measured.index if passed else _beyond(measured, truth, usual)
    return Finding(
        Kind.PASS if passed else Kind.FAIL,
        _grade(worst) if passed else Grade.INACCURATE,
        "" if passed else _excess(measured, truth, usual, index),
        index,
        _text(observed, index),
        _text(truth, index),
        measured.max_ulp,
        float(measured.relative.max()),
        float(measured.absolute.max()),
    )


def stated(per: tuple[Override, ...], subject: Subject, output: str) -> Override | None:
    """The first expectation of its own that a case states for this subject and output."""
    for override in per:
        if override.output in ("*", output) and fnmatchcase(subject.id, override.subjects):
            return override
    return None


def digest(array: Array) -> str:
    """A hash of an array's dtype, shape and bits, to tell runs apart."""
    key = f"{tag(array)}{array.shape}".encode()
    return hashlib.blake2b(array.tobytes(), digest_size=8, key=key[:64]).hexdigest()


def _undefined(observation: Observation, output: str, reason: str, right: frozenset[str]) -> Finding:
    """Undefined input: an error is right, NaN where the case says that it is documented, a number never."""
    if observation.outcome is Outcome.ERROR:
        gave, text = "error", f"raised {observation.error}: {observation.reason}"
        value = None
    else:
        value = observation.outputs.get(output)
        has_nan = value is not None and bool(np.isnan(value.astype(np.float64)).any())
        gave, text = ("nan", "gave NaN") if has_nan else ("number", "gave a number")
    bits = None if value is None else digest(value)
    if gave in right:
        return Finding(Kind.PASS, reason=text, bits=bits)
    expected = " or ".join(sorted(right))
    return Finding(Kind.FAIL, Grade.BROKEN, f"{text}; {expected} is right, as {reason}", bits=bits)


def _against_statement(
    finding: Finding, override: Override, output: str, observation: Observation, dtype: str, region: Region
) -> Finding:
    """A finding in the light of what the case states of this subject."""
    if override.undefined:
        right = _undefined(observation, output, region.reason, override.undefined)
        return replace(right, reason=override.reason or right.reason) if right.kind is Kind.PASS else right
    if finding.kind is Kind.PASS:
        return replace(finding, kind=Kind.STALE, reason=f"stated to differ ({override.reason}), but it does not")
    if _departs_as_stated(finding, override, output, observation, dtype):
        return replace(finding, kind=Kind.DEVIATION, deviation=str(override.source), reason=override.reason)
    return replace(finding, reason=f"differs otherwise than stated: {finding.reason}")


def _departs_as_stated(finding: Finding, override: Override, output: str, observation: Observation, dtype: str) -> bool:
    if override.departs is Departure.ERROR:
        return observation.outcome is Outcome.ERROR
    if observation.outcome is not Outcome.VALUE:
        return False
    if override.departs is Departure.VALUE and override.value is not None:
        value = np.asarray(override.value, dtype=np.float64)
        observed = observation.outputs.get(output)
        if observed is None or observed.shape != value.shape:
            return False
        return tolerance.within(measure(observed, value, FORMATS[dtype]), value, tolerance.usual(dtype))
    return finding.grade is not None and str(finding.grade) == str(override.departs)


def _grade(worst: float) -> Grade | None:
    """The grade of a value that passes; between 4 ulp and the tolerance it has none until there are bounds."""
    if worst <= 0.5:  # noqa: PLR2004 - half an ulp: correctly rounded
        return Grade.EXACT
    return Grade.ACCURATE if worst <= ACCURATE_ULPS else None


def _beyond(measured: Measurement, truth: Array, usual: Allowance) -> Index:
    """The element that exceeds its allowance by most."""
    excess = measured.absolute / usual.of(truth)
    return place(int(excess.argmax()), excess.shape)


def _excess(measured: Measurement, truth: Array, usual: Allowance, index: Index) -> str:
    error, allowed = float(measured.absolute[index]), float(usual.of(truth)[index])
    return (
        f"off by {error:.3g} ({float(measured.ulps[index]):+.3g} ulp){_at(index)}; "
        f"{allowed:.3g} is allowed (rtol {usual.rtol:g}, atol {usual.atol:g})"
    )


def _at(index: Index | None) -> str:
    return f" at {list(index)}" if index else ""


def _text(array: Array, index: Index | None) -> str | None:
    return None if index is None else shortest(array, index)


def shortest(array: Array, index: Index) -> str:
    """An element in the shortest digits that identify it in its dtype."""
    return str(array[index])
