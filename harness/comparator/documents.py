"""A document is judged by the truth like everybody else: its printed numbers, statements and text."""

from __future__ import annotations

import ast
import math

import numpy as np

from harness.comparator.findings import Finding
from harness.comparator.measure import pass_line, place
from harness.model.case import Case, Claim, Domain, Interval, Printed
from harness.model.verdict import Grade, Kind
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Truth


def printed(case: Case, truth: Truth) -> Finding | None:
    """The printed numbers of a case, or what its document says happens; None if it prints nothing."""
    numbers, claimed = case.expect.printed, case.expect.claimed
    if truth.region.domain is Domain.UNDEFINED:
        return _of_undefined(numbers, claimed, truth.region.reason)
    if claimed == "error":
        return Finding(Kind.ERRATUM, reason="said to be an error, but the input is defined")
    if numbers is None:
        return Finding(Kind.PASS, reason="said to give a value") if claimed else None
    if "value" not in truth.outputs:
        return Finding(Kind.ERROR, reason=f"{case.operation} has no definition of its value to judge by")
    return _numbers(numbers, truth, case.dtype)


def claim(stated: Claim) -> Finding:
    """A statement of a document about its own text."""
    if stated.parses is not None:
        return _parses(stated.parses)
    unbound = [name for name in stated.uses if name not in stated.defines]
    if unbound:
        return Finding(Kind.ERRATUM, reason=f"uses {', '.join(unbound)}, which it never defines")
    return Finding(Kind.PASS)


def _of_undefined(numbers: Printed | None, claimed: str, reason: str) -> Finding | None:
    if claimed == "error":
        return Finding(Kind.PASS, reason=f"an error, as said: {reason}")
    if numbers is None and not claimed:
        return None
    gave = "prints numbers" if numbers is not None else "said to give a value"
    return Finding(Kind.ERRATUM, reason=f"{gave} for undefined input: {reason}")


def _numbers(numbers: Printed, truth: Truth, dtype: str) -> Finding:
    """Each printed interval against the truth, by the pass line of the subjects."""
    value, form = truth.outputs["value"], FORMATS[dtype]
    shape = value.high.shape
    if numbers.shape != shape:
        return Finding(Kind.ERRATUM, Grade.BROKEN, f"prints shape {list(numbers.shape)}, the value has {list(shape)}")
    flat = value.high.reshape(-1)
    distances = np.array([_distance(i, t) for i, t in zip(numbers.intervals, flat.tolist(), strict=True)])
    if not distances.size:
        return Finding(Kind.PASS, Grade.EXACT)
    with np.errstate(over="ignore"):
        ulps = distances / form.ulp(flat)
        allowed = pass_line(value, truth.bounds["value"], form).reshape(-1)
    worst = int(np.argmax(np.abs(distances) / allowed))
    passed = bool(abs(distances[worst]) <= allowed[worst])
    index = place(worst, shape)
    text, exact = numbers.intervals[worst].text, float(flat[worst])
    reason = "" if passed else f"prints {text}, the true value is {exact:.12g}"
    return Finding(
        Kind.PASS if passed else Kind.ERRATUM,
        None if passed else Grade.INACCURATE,
        reason,
        index,
        text,
        repr(exact),
        float(ulps[worst]),
        abs(float(distances[worst]) / exact) if exact else None,
        abs(float(distances[worst])),
    )


def _distance(interval: Interval, truth: float) -> float:
    """Signed distance of an interval from the truth, 0 if the truth lies in it."""
    if interval.special is not None:
        same = interval.special == truth or (math.isnan(interval.special) and math.isnan(truth))
        return 0.0 if same else math.inf
    if not math.isfinite(truth):
        return math.inf
    center, half = interval.center, interval.half_width
    if center - half > truth:
        return float(center - half - type(center)(truth))
    if center + half < truth:
        return float(center + half - type(center)(truth))
    return 0.0


def _parses(expression: str) -> Finding:
    """Whether an expression is well formed; it is parsed, never run."""
    try:
        ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        return Finding(Kind.ERRATUM, reason=f"is no well-formed expression: {reason}", observed=expression)
    return Finding(Kind.PASS, observed=expression)
