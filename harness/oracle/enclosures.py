"""Enclosures of exact outputs, in tiers.

float64 in forms without cancellation, with a running error bound as its radius, decides nearly
everything for narrower dtypes. What it leaves wider than a 64th of the dtype's spacing, and every
float64 output, is done in Arb balls of ever more bits until it is that narrow.

A number that no ball encloses, an infinity or NaN, is what float64 gives by limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np

from harness.model.case import Array, Inputs, Parameters
from harness.operations.base import Operation, Output
from harness.operations.real import Call
from harness.oracle import running
from harness.oracle.balls import BallExponentials, Balls, precision
from harness.oracle.exponentials import Exponentials
from harness.oracle.formats import Format
from harness.oracle.running import Arithmetic, Running
from harness.oracle.units import Whole, of_call

FLOAT64_BITS = 53
FIRST_BITS = 128
MOST_BITS = 4096
SHARE = 64.0
"""The radius may be this part of u |T|, or of the smallest subnormal number."""

SMALLEST_RADIUS = 2.0**-1074


@dataclass(frozen=True, slots=True, eq=False)
class Enclosure:
    """Where the exact output lies, element by element: within `radius` of `high + low`.

    Attributes:
        high: float64, the exact output as rounded to it, infinities and NaN included.
        low: what float64 leaves out; 0 but for what Arb decided.
        radius: the certified error radius.
        bits: the precision that decided: 53 is the float64 tier.
    """

    high: Array
    low: Array
    radius: Array
    bits: Array

    def shaped(self, change: Callable[[Array], Array]) -> Enclosure:
        """Elements selected or rearranged."""
        return Enclosure(change(self.high), change(self.low), change(self.radius), change(self.bits))


def running_call(inputs: Inputs, complete: Parameters, kinds: Sequence[Arithmetic]) -> Call:
    """A call in float64 with running error bounds, one for each arithmetic."""
    return Call(
        inputs,
        complete,
        exactly=partial(Running.exact, arithmetics=kinds),
        once_rounded=partial(running.parameter, arithmetics=kinds),
        exponentials=partial(Exponentials.of, arithmetics=kinds),
    )


def enclosure(operation: Operation, name: str, call: Call, form: Format) -> Enclosure:
    """An output of a call in float64, and in balls where that is too wide."""
    found = _in_float64(operation.outputs[name], call, form)
    if is_narrow(found, form).all():
        return found
    if call.row is None:
        return _in_balls(operation, name, found, call, form)
    return _of_rows(operation, name, call.row, form).shaped(call.part)


def _of_rows(operation: Operation, name: str, whole: Call, form: Format) -> Enclosure:
    """An output of whole rows, one after another: balls take hundreds of bytes each."""
    found: list[Enclosure] = [
        row.once(("enclosure", name), partial(enclosure, operation, name, row, form))
        for row in (whole.members if whole.group is None else [whole])
    ]
    return Enclosure(*(np.concatenate([getattr(each, part.name) for each in found]) for part in fields(Enclosure)))


def middles(operation: Operation, name: str, call: Call, form: Format) -> tuple[Array, Array]:
    """Only `high` and `low` of the same enclosure, which float64 may be known to be narrow without a look.

    One `low` serves a row where all are 0.
    """
    output = operation.outputs[name]
    size, least = form.unit_roundoff / SHARE / 2, form.smallest_subnormal / SHARE / 2
    exact: Running = call.run(output.exact)
    if form.precision != FLOAT64_BITS and exact.is_within(0, size, least):
        return exact.value, np.zeros((*exact.shape[:-1], 1))
    found = enclosure(operation, name, call, form)
    return found.high, found.low


def _in_float64(output: Output, call: Call, form: Format) -> Enclosure:
    found = call.run(output.exact)
    high = np.asarray(found.value)
    radius, finite = found.bound(0), np.isfinite(high)
    if not finite.all():
        radius = np.where(finite, radius, 0.0)
    if form.precision == FLOAT64_BITS:
        # What the dtype's own range doesn't hold, float64 may have lost on the way.
        radius = np.where(finite, radius, np.inf)
    return Enclosure(high, np.broadcast_to(0.0, high.shape), radius, np.broadcast_to(np.uint16(53), high.shape))


def is_narrow(enclosure: Enclosure, form: Format) -> Array:
    """Where the radius is small enough, or as small as float64 can say."""
    allowed = np.abs(enclosure.high)
    allowed *= form.unit_roundoff / SHARE
    allowed = np.fmax(allowed, form.smallest_subnormal / SHARE)
    if np.max(enclosure.bits, initial=0) > FLOAT64_BITS:
        allowed = np.maximum(allowed, np.where(enclosure.bits > FLOAT64_BITS, SMALLEST_RADIUS, 0.0))
    return (enclosure.radius <= allowed) & (enclosure.radius < np.inf)


def _in_balls(operation: Operation, name: str, decided: Enclosure, call: Call, form: Format) -> Enclosure:
    """The elements that are still open, in Arb; only their units where the call falls into units."""
    units = of_call(operation, call.inputs, call.parameters) or Whole(call.inputs, call.parameters)
    parts = {part: np.array(units.listed(getattr(decided, part))) for part in ("high", "low", "radius", "bits")}
    open_ = ~is_narrow(Enclosure(**parts), form)
    limits = ~_finite(units.inputs, open_.shape)
    open_ &= ~(limits & np.isnan(parts["high"]))
    bits = FIRST_BITS
    while open_.any() and bits <= MOST_BITS:
        chosen = np.flatnonzero(open_.reshape(open_.shape[0], -1).any(axis=1))
        with precision(bits):
            exact = operation.outputs[name].exact(ball_call(units.take(chosen), units.parameters))
            found = exact.shaped(units.given).enclosed()
        better = open_[chosen] & np.isfinite(found.radius)
        for part, array in (*found._asdict().items(), ("bits", np.full(better.shape, bits))):
            parts[part][chosen] = np.where(better, array, parts[part][chosen])
        # A limit of what isn't finite is no number in more bits either.
        open_ = ~is_narrow(Enclosure(**parts), form) & ~(limits & ~np.isfinite(parts["high"]))
        bits *= 2
    # What no ball encloses is an infinity or NaN by limit.
    parts["radius"] = np.where(np.isfinite(parts["high"]), parts["radius"], 0.0)
    return Enclosure(**{part: units.arranged(array) for part, array in parts.items()})


def _finite(inputs: Inputs, shape: tuple[int, ...]) -> Array:
    """Which units, along the first axis of such a shape, have finite inputs only."""
    parts = [np.isfinite(array).reshape(shape[0], -1).all(axis=1) for array in inputs.values()]
    found: Array = np.logical_and.reduce(parts)
    return found.reshape(-1, *(1,) * (len(shape) - 1))


def ball_call(inputs: Inputs, complete: Parameters) -> Call:
    """A call in balls of the precision in force."""
    return Call(inputs, complete, exactly=Balls.exact, once_rounded=Balls.exact, exponentials=BallExponentials)
