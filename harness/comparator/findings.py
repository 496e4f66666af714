"""Findings: what is found about one output, before it is put in a row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from harness.comparator import tolerance
from harness.comparator.measure import Allowance, Index, Measurement, Pair
from harness.model.case import Array
from harness.model.observation import Observation, Outcome
from harness.model.tensors import tag
from harness.model.verdict import Grade, Kind, Tolerance
from harness.oracle.formats import Format

ENDED = {
    Outcome.UNSUPPORTED: Kind.UNSUPPORTED,
    Outcome.UNAVAILABLE: Kind.UNAVAILABLE,
    Outcome.CRASH: Kind.CRASH,
    Outcome.TIMEOUT: Kind.TIMEOUT,
    Outcome.OUT_OF_MEMORY: Kind.OUT_OF_MEMORY,
}
"""Outcomes that are verdicts already: there is nothing to compare."""

EXACT_ULPS = 0.5
ACCURATE_ULPS = 4.0


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
    tolerance: Tolerance | None = None
    deviation: str | None = None
    bits: str | None = None


def of_measurement(measured: Measurement, pair: Pair, usual: Allowance, named: Allowance, form: Format) -> Finding:
    """A measurement held against the pass line."""
    worst = measured.worst
    if measured.within:
        index, reason, grade = measured.index, "", _grade(abs(measured.max_ulp or 0.0))
    elif worst is None:
        index, reason, grade = measured.index, measured.defect + at(measured.index), Grade.BROKEN
    else:
        # The element that exceeds its allowance by most, not the one with most ulps: atol may let that pass.
        index, reason, grade = worst.index, _excess(measured, usual), Grade.INACCURATE
    return Finding(
        Kind.PASS if measured.within else Kind.FAIL,
        grade,
        reason,
        index,
        None if index is None else str(pair.observed[index]),
        None if index is None else str(pair.truth[index]),
        measured.max_ulp,
        measured.max_relative,
        measured.max_absolute,
        tolerance.judge(measured, named, form),
        bits=digest(pair.observed),
    )


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
    bits = None if value is None else digest(value)
    if gave in right:
        return Finding(Kind.PASS, reason=text, bits=bits)
    expected = " or ".join(sorted(right))
    return Finding(Kind.FAIL, Grade.BROKEN, f"{text}; {expected} is right, as {reason}", bits=bits)


def raised(observation: Observation) -> str:
    """The error that a call ended with."""
    return f"raised {observation.error}: {observation.reason}"


def digest(array: Array) -> str:
    """A hash of an array's dtype, shape and bits, to tell runs apart."""
    key = f"{tag(array)}{array.shape}".encode()
    return hashlib.blake2b(array.tobytes(), digest_size=8, key=key[:64]).hexdigest()


def at(index: Index | None) -> str:
    """` at [0, 3]`; "" for scalars and where there is no element."""
    return f" at {list(index)}" if index else ""


def _grade(worst: float) -> Grade | None:
    """The grade of a value that passes; between 4 ulp and the tolerance it has none until there are bounds."""
    if worst <= EXACT_ULPS:
        return Grade.EXACT
    return Grade.ACCURATE if worst <= ACCURATE_ULPS else None


def _excess(measured: Measurement, usual: Allowance) -> str:
    worst = measured.worst
    assert worst is not None  # noqa: S101 - only a measured value exceeds its allowance
    return (
        f"off by {worst.error:.3g} ({worst.ulps:+.3g} ulp){at(worst.index)}; "
        f"{worst.error / worst.share:.3g} is allowed (rtol {usual.rtol:g}, atol {usual.atol:g})"
    )
