"""Findings: what is found about one output, before it is put in a row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from harness.comparator import tolerance
from harness.comparator.measure import Allowance, Index, Measurement, Worst, place
from harness.model.case import Array
from harness.model.observation import Observation, Outcome
from harness.model.tensors import tag
from harness.model.verdict import Cause, Grade, Kind, Tolerance
from harness.oracle.formats import Format

ENDED = {
    Outcome.UNSUPPORTED: Kind.UNSUPPORTED,
    Outcome.UNAVAILABLE: Kind.UNAVAILABLE,
    Outcome.CRASH: Kind.CRASH,
    Outcome.TIMEOUT: Kind.TIMEOUT,
    Outcome.OUT_OF_MEMORY: Kind.OUT_OF_MEMORY,
}
"""Outcomes that are verdicts already: there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is found about one output; the fields are those of a `Verdict`."""

    kind: Kind
    grade: Grade | None = None
    reason: str = ""
    index: Index | None = None
    observed: str | None = None
    truth: str | None = None
    max_ulp: float | None = None
    max_relative: float | None = None
    max_absolute: float | None = None
    max_bound: float | None = None
    cause: Cause | None = None
    avoidable_bits: float | None = None
    summation_length: int | None = None
    tolerance: Tolerance | None = None
    deviation: str | None = None
    bits: str | None = None
    content: str | None = None


def of_measurement(
    measured: Measurement,
    observed: Array,
    named: Allowance,
    line: Allowance | None,
    form: Format,
    exact: Array | None = None,
) -> Finding:
    """A measurement held against the pass line.

    Args:
        observed: the array that was measured.
        named: what the plain tolerance judge allows.
        line: the tolerance that the case states in place of the bounds, if it does.
        exact: the truth, to be looked at for zeros; None for large calls.
    """
    passed = _passes(measured, line)
    worst = measured.worst
    index, reason, grade = measured.index, "", measured.grade
    value, truth = measured.observed, measured.truth
    if worst is None:
        reason, grade = measured.defect and measured.defect + at(index), grade or Grade.BROKEN
    elif not passed or grade is Grade.RANGE:
        # The element that exceeds its allowance by most, not the one with most ulps.
        index, value, truth = worst.index, worst.observed, worst.truth
        reason = _excess(measured, worst, line, form)
    elif exact is not None:
        reason = _negative_zero(observed, exact)
    return Finding(
        Kind.PASS if passed else Kind.FAIL,
        grade,
        reason,
        index,
        value,
        truth,
        measured.max_ulp,
        measured.max_relative,
        measured.max_absolute,
        measured.max_bound,
        measured.cause,
        measured.avoidable_bits,
        measured.summation_length,
        tolerance.judge(measured, named, form),
        bits=digest(observed),
        content=content(observed),
    )


def _passes(measured: Measurement, line: Allowance | None) -> bool:
    if measured.defect or line is None or measured.worst is None:
        return not measured.defect and measured.grade is not None and measured.grade.passes
    return measured.worst.share <= 1.0


def of_undefined(observation: Observation, output: str, reason: str, right: frozenset[str]) -> Finding:
    """Undefined input: an error is right, NaN where the case says that it is documented, a number never.

    Args:
        reason: why the input is undefined.
        right: the outcomes that are right.
    """
    value = observation.outputs.get(output)
    if observation.outcome is Outcome.ERROR:
        gave, text = "error", raised(observation)
    elif value is not None and np.isnan(value.astype(np.float64)).any():
        gave, text = "nan", "gave NaN"
    else:
        gave, text = "number", "gave a number"
    bits, holds = (None, None) if value is None else (digest(value), content(value))
    if gave in right:
        return Finding(Kind.PASS, reason=text, bits=bits, content=holds)
    expected = " or ".join(sorted(right))
    return Finding(Kind.FAIL, Grade.BROKEN, f"{text}; {expected} is right, as {reason}", bits=bits, content=holds)


def raised(observation: Observation) -> str:
    """The error that a call ended with."""
    return f"raised {observation.error}: {observation.reason}"


def digest(array: Array) -> str:
    """A hash of an array's dtype, shape and bits, to tell runs apart."""
    key = f"{tag(array)}{array.shape}".encode()
    return hashlib.blake2b(array.tobytes(), digest_size=8, key=key[:64]).hexdigest()


def content(array: Array) -> str:
    """An array's dtype and shape, and whether an element is NaN or, where none is, infinite."""
    kind = f"{tag(array)}[{','.join(map(str, array.shape))}]"
    if np.isfinite(array).all():
        return kind
    return f"{kind} {'nan' if np.isnan(array).any() else 'inf'}"


def at(index: Index | None) -> str:
    """` at [0, 3]`; "" for scalars and where there is no element."""
    return f" at {list(index)}" if index else ""


def _negative_zero(observed: Array, truth: Array) -> str:
    """That a zero is negative whose truth is 0, "" if none is: zero has no sign, but it may be seen."""
    negative = np.signbit(observed)
    if not negative.any():
        return ""
    places = np.flatnonzero(negative & (observed == 0) & (truth == 0))
    return f"-0.0 where the truth is 0{at(place(int(places[0]), observed.shape))}" if places.size else ""


def _excess(measured: Measurement, worst: Worst, line: Allowance | None, form: Format) -> str:
    """What is wrong with the element farthest outside, and what it may lose."""
    place = at(worst.index)
    if measured.grade is Grade.RANGE:
        return f"an intermediate of the reference algorithm leaves the range of {form.name}{place}"
    off = f"off by {worst.error:.3g} ({worst.ulps:+.3g} ulp){place}"
    if measured.grade is Grade.UNDERFLOW:
        return f"{'flushed to zero' if float(worst.observed) == 0 else 'underflow'}: {off}"
    allowed = f"{worst.error / worst.share:.3g} is allowed" if worst.share else "nothing is allowed"
    if line is not None:
        return f"{off}; {allowed} (rtol {line.rtol:g}, atol {line.atol:g}, as the case states)"
    explained = "" if measured.cause in (None, Cause.NONE) else f"; as by {measured.cause}"
    return f"{off}; {allowed}{explained}"
