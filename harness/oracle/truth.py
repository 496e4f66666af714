"""Truth of a case: an enclosure of each exact output, and bounds on what algorithms lose on it.

In tiers. float64 in forms without cancellation, with a running error bound as its radius, decides
nearly everything for narrower dtypes. What it leaves wider than a 64th of the dtype's spacing, and
every float64 output, is done in Arb balls of ever more bits until it is that narrow.

A number that no ball encloses, an infinity or NaN, is what float64 gives by limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from harness.model.case import Array, Case, Domain, Inputs, Parameters
from harness.operations import OPERATIONS
from harness.operations.base import UPSTREAM, VALUE, Operation, Output, Region, gradient, widened
from harness.operations.real import Call
from harness.oracle import library, running
from harness.oracle.balls import Balls, precision
from harness.oracle.formats import FORMATS, Format
from harness.oracle.running import ORACLE, Arithmetic, Running
from harness.oracle.units import Units, Whole, of_call

METHOD = "certified: float64 with error radii, Arb balls where those are wider than 1/64 ulp"

FLOAT64_BITS = 53
FIRST_BITS = 128
MOST_BITS = 4096
SHARE = 64.0
"""The radius may be this part of u |T|, or of the smallest subnormal number."""

SMALLEST_RADIUS = 2.0**-1074

BLOCK = 1 << 15
"""Elements that are evaluated together: what programs share of them stays in the processor's cache."""
VALUE_ROWS = 8
"""Rows, however long, that are evaluated together if only their value is wanted: that is a few sums of each."""
LARGE = 1 << 22
"""Calls of more elements than this are never evaluated at once."""

HALF_FORMATS = ("float16", "bfloat16")


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


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """What algorithms may lose on this input, element by element; infinite where one leaves the range.

    Attributes:
        passing: B, what the reference algorithms may lose, sums one term after another in float32
            and float64, pairwise in half formats.
        pairwise: the same with pairwise sums.
        named: bounds by what loses so much, the most accurate form first, pairwise sums; with those
            that the pass line does not allow.
        attainable: what the input's own conditioning loses, where it is known; else what the most
            accurate form does.
        terms: of the longest sum.
    """

    passing: Array
    pairwise: Array
    named: Mapping[str, Array]
    attainable: Array
    terms: int


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is exactly right for a case.

    Attributes:
        region: where the input lies.
        outputs: an enclosure of `value` and of each `gradient:<input>`; none where the input is
            undefined or the operation has no definition yet.
        bounds: of the same outputs.
        large: whether outputs are left out for their size: `blocks` has them part by part.
    """

    region: Region
    outputs: dict[str, Enclosure] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    large: bool = False


class Block(NamedTuple):
    """A part of a call with its truth.

    Attributes:
        units: the call's units.
        chosen: which of them.
        truth: theirs, by units.
    """

    units: Units | Whole
    chosen: slice
    truth: Truth


def evaluate(case: Case) -> Truth:
    """The truth for a case's inputs as rounded to its dtype: of every output, but for large calls.

    Raises:
        LibraryError: this machine's mathematical library is not what the float64 tier assumes.
    """
    operation = OPERATIONS[case.operation]
    region = operation.locate(case.inputs, operation.complete(case.parameters))
    if region.domain is Domain.UNDEFINED or not operation.outputs:
        return Truth(region)
    if _size(case) > LARGE:
        return Truth(region, large=True)
    parts = list(blocks(case, region, tuple(operation.offered(case.inputs))))
    return parts[0].truth if len(parts) == 1 else _joined(region, parts)


def blocks(case: Case, region: Region, wanted: Sequence[str]) -> Iterator[Block]:
    """The truth of some outputs of a defined call, part by part: a call that is small or reduced is one.

    Raises:
        LibraryError: as above.
    """
    library.check()
    operation, form = OPERATIONS[case.operation], FORMATS[case.dtype]
    complete = operation.complete(case.parameters)
    units = of_call(operation, case.inputs, complete) if _size(case) > BLOCK else None
    if units is None:
        whole = Whole(case.inputs, complete)
        yield Block(whole, slice(None), _truth(operation, case.inputs, complete, form, region, wanted))
        return
    step = max(VALUE_ROWS if tuple(wanted) == (VALUE,) else 1, BLOCK * units.count // _size(case))
    for start in range(0, units.count, step):
        chosen = slice(start, min(start + step, units.count))
        yield Block(units, chosen, _truth(operation, units.take(chosen), units.parameters, form, region, wanted))


def _size(case: Case) -> int:
    return next(iter(case.inputs.values())).size


def _joined(region: Region, parts: Sequence[Block]) -> Truth:
    """The truth of a call from that of all its blocks."""
    units, truths = parts[0].units, [part.truth for part in parts]

    def whole(arrays: Sequence[Array]) -> Array:
        return units.arranged(np.concatenate(arrays))

    joined = Truth(region, {}, {})
    for name in truths[0].outputs:
        found, lost = [t.outputs[name] for t in truths], [t.bounds[name] for t in truths]
        joined.outputs[name] = Enclosure(
            *(whole([getattr(each, part.name) for each in found]) for part in fields(Enclosure))
        )
        joined.bounds[name] = Bounds(
            whole([each.passing for each in lost]),
            whole([each.pairwise for each in lost]),
            {cause: whole([each.named[cause] for each in lost]) for cause in lost[0].named},
            whole([each.attainable for each in lost]),
            lost[0].terms,
        )
    return joined


def _truth(
    operation: Operation, inputs: Inputs, complete: Parameters, form: Format, region: Region, wanted: Sequence[str]
) -> Truth:
    call = running_call(widened(inputs), complete, arithmetics(form))
    truth = Truth(region, {}, {})
    with np.errstate(all="ignore"):
        for name in wanted:
            truth.outputs[name] = enclosure(operation, name, call, form)
            truth.bounds[name] = bounds(operation.outputs[name], call)
        if VALUE in wanted and (conditioned := conditioning(operation, call, truth.outputs)) is not None:
            truth.bounds[VALUE] = replace(truth.bounds[VALUE], attainable=form.unit_roundoff * conditioned)
    return truth


def enclosure(operation: Operation, name: str, call: Call, form: Format) -> Enclosure:
    """An output of a call in float64, and in balls where that is too wide."""
    found = _in_float64(operation.outputs[name], call, form)
    return found if _narrow(found, form).all() else _in_balls(operation, name, found, call, form)


def conditioning(operation: Operation, call: Call, outputs: Mapping[str, Enclosure]) -> Array | None:
    """|T| + sum |x dT/dx| of a loss, x each logit or probability and label; None for what isn't one.

    A relative change of u in the input changes the value by so many u: no algorithm does better.
    """
    value = outputs[VALUE].high
    unknown = gradient(operation.leading) not in outputs
    if unknown or "reduction" not in call.parameters or UPSTREAM in call.inputs:
        return None
    found = np.abs(value)
    for name in (operation.leading, "labels"):
        slopes = outputs.get(gradient(name))
        if slopes is not None:
            found = found + _gathered(np.abs(call.inputs[name] * slopes.high), value.shape, call.parameters)
    return found


def _gathered(terms: Array, shape: tuple[int, ...], parameters: Parameters) -> Array:
    """Terms of each element of the value: its own, its row's, or all."""
    if terms.shape == shape:
        return terms
    axis = int(parameters.get("axis", -1))
    if len(shape) == terms.ndim - 1 and np.delete(terms.shape, axis).tolist() == list(shape):
        return np.sum(terms, axis=axis)
    return np.asarray(np.sum(terms))


def arithmetics(form: Format) -> tuple[Arithmetic, ...]:
    """The oracle's float64, and the dtype with the passing kind of sum and with pairwise sums."""
    pairwise = running.of_format(form, recursive=False)
    if form.name in HALF_FORMATS:
        return ORACLE, pairwise, pairwise
    return ORACLE, running.of_format(form, recursive=True), pairwise


def running_call(inputs: Inputs, complete: Parameters, kinds: Sequence[Arithmetic]) -> Call:
    """A call in float64 with running error bounds, one for each arithmetic."""
    return Call(
        inputs,
        complete,
        exactly=partial(Running.exact, arithmetics=kinds),
        once_rounded=partial(running.parameter, arithmetics=kinds),
    )


def bounds(output: Output, call: Call) -> Bounds:
    """Bounds from the output's forms, in the second and third arithmetic of the call."""
    named: dict[str, Array] = {}
    passing = pairwise = np.zeros(())
    for form in output.algorithms:
        lost = form.program(call)
        narrow = lost.bound(2)
        named[form.name] = np.maximum(named.get(form.name, 0.0), narrow)
        if form.passes:
            passing, pairwise = np.maximum(passing, lost.bound(1)), np.maximum(pairwise, narrow)
    return Bounds(passing, pairwise, named, next(iter(named.values())), _terms(call))


def _terms(call: Call) -> int:
    """Terms of the longest sum: over classes, or over losses."""
    leading = next(iter(call.inputs.values())).shape
    classes = leading[int(call.parameters["axis"])] if "axis" in call.parameters else 1
    reduced = call.parameters.get("reduction", "none") != "none"
    return max(classes, int(np.prod(leading, dtype=np.int64)) // max(classes, 1) if reduced else 1)


def _in_float64(output: Output, call: Call, form: Format) -> Enclosure:
    found = output.exact(call)
    high = np.asarray(found.value)
    radius = np.where(np.isfinite(high), found.bound(0), 0.0)
    if form.precision == FLOAT64_BITS and all(np.isfinite(array).all() for array in call.inputs.values()):
        # What the dtype's own range doesn't hold, float64 may have lost on the way.
        radius = np.where(np.isfinite(high), radius, np.inf)
    return Enclosure(high, np.broadcast_to(0.0, high.shape), radius, np.broadcast_to(np.uint16(53), high.shape))


def _narrow(enclosure: Enclosure, form: Format) -> Array:
    """Where the radius is small enough, or as small as float64 can say."""
    size = np.where(np.isfinite(enclosure.high), np.abs(enclosure.high), 0.0)
    allowed = np.maximum(size * form.unit_roundoff, form.smallest_subnormal) / SHARE
    return enclosure.radius <= np.maximum(allowed, np.where(enclosure.bits > FLOAT64_BITS, SMALLEST_RADIUS, 0.0))


def _in_balls(operation: Operation, name: str, decided: Enclosure, call: Call, form: Format) -> Enclosure:
    """The elements that are still open, in Arb; only their units where the call falls into units."""
    units = of_call(operation, call.inputs, call.parameters) or Whole(call.inputs, call.parameters)
    parts = {part: np.array(units.listed(getattr(decided, part))) for part in ("high", "low", "radius", "bits")}
    open_ = ~_narrow(Enclosure(**parts), form)
    bits = FIRST_BITS
    while open_.any() and bits <= MOST_BITS:
        chosen = np.flatnonzero(open_.reshape(open_.shape[0], -1).any(axis=1))
        with precision(bits):
            exact = operation.outputs[name].exact(_ball_call(units.take(chosen), units.parameters))
            found = exact.shaped(units.given).enclosed()
        better = open_[chosen] & np.isfinite(found.radius)
        for part, array in (*found._asdict().items(), ("bits", np.full(better.shape, bits))):
            parts[part][chosen] = np.where(better, array, parts[part][chosen])
        open_ = ~_narrow(Enclosure(**parts), form)
        bits *= 2
    # What no ball encloses is an infinity or NaN by limit.
    parts["radius"] = np.where(np.isfinite(parts["high"]), parts["radius"], 0.0)
    return Enclosure(**{part: units.arranged(array) for part, array in parts.items()})


def _ball_call(inputs: Inputs, parameters: Parameters) -> Call:
    return Call(inputs, parameters, exactly=Balls.exact, once_rounded=Balls.exact)
