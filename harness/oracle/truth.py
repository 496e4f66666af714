"""Truth of cases: an enclosure of each exact output, and bounds on what algorithms lose on it.

The one door to the oracle. `enclosures` has the tiers, `bounds` what algorithms may lose, `blocks`
what is too large to be done at once. Small calls of one kind are done together, unit by unit: what
is true of a unit doesn't depend on its neighbours, and NumPy's price is by the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from harness.model.case import Array, Case, Domain
from harness.operations import OPERATIONS
from harness.operations.base import Region
from harness.oracle import blocks, library
from harness.oracle.bounds import Bounds
from harness.oracle.calls import Truth, evaluated, made
from harness.oracle.enclosures import FIRST_BITS, FLOAT64_BITS, Enclosure, enclosure, running_call
from harness.oracle.formats import FORMATS
from harness.oracle.units import Units, of_call

__all__ = [
    "FIRST_BITS",
    "FLOAT64_BITS",
    "LARGE",
    "METHOD",
    "Bounds",
    "Enclosure",
    "Truth",
    "enclosure",
    "evaluate",
    "evaluate_all",
    "running_call",
]

METHOD = "certified: float64 with error radii, Arb balls where those are wider than 1/64 ulp"

LARGE = 1 << 22
"""Calls of more elements than this are never evaluated at once."""


class Stacked(NamedTuple):
    """A small call that is to be evaluated together with others.

    Attributes:
        place: among the cases that are asked for.
        outputs: that it offers.
    """

    place: int
    case: Case
    region: Region
    units: Units
    outputs: tuple[str, ...]


def evaluate(case: Case) -> Truth:
    """The truth for a case's inputs as rounded to its dtype: of every output, but for large calls.

    Raises:
        LibraryError: this machine's mathematical library is not what the float64 tier assumes.
    """
    (found,) = evaluate_all([case])
    return found


def evaluate_all(cases: Sequence[Case]) -> list[Truth]:
    """The truths of many cases, which cost far less than as many calls of `evaluate`.

    Raises:
        LibraryError: as above.
    """
    found: dict[int, Truth] = {}
    kinds: dict[object, list[Stacked]] = {}
    for place, case in enumerate(cases):
        operation = OPERATIONS[case.operation]
        complete = operation.complete(case.parameters)
        region = operation.locate(case.inputs, complete)
        if region.domain is Domain.EXTENDED:
            case = replace(case, inputs=operation.of_one_dtype(case.inputs))  # noqa: PLW2901 - the same numbers
        outputs = tuple(operation.offered(case.inputs))
        if region.domain is Domain.UNDEFINED or not outputs:
            found[place] = Truth(region)
        elif blocks.size(case) > LARGE:
            found[place] = Truth(region, large=True)
        elif blocks.size(case) <= blocks.BLOCK and (units := of_call(operation, case.inputs, complete)):
            kinds.setdefault(_kind(case, units), []).append(Stacked(place, case, region, units, outputs))
        else:
            parts = list(blocks.blocks(case, region, outputs))
            found[place] = parts[0].truth if len(parts) == 1 else blocks.joined(region, parts)
    for stack in (stack for alike in kinds.values() for stack in _stacks(alike)):
        found.update(zip([each.place for each in stack], _together(stack), strict=True))
    return [found[place] for place in range(len(cases))]


def _kind(case: Case, units: Units) -> object:
    """Calls of one kind can be stacked; finite inputs apart, since float64 truths that overflow are looked at again."""
    parameters = tuple((name, type(value), value) for name, value in units.parameters.items())
    arrays = tuple((name, array.dtype, array.shape[1:]) for name, array in units.inputs.items())
    finite = all(array.dtype.kind in "iub" or bool(np.isfinite(array).all()) for array in units.inputs.values())
    return case.operation, case.dtype, parameters, arrays, finite


def _stacks(alike: Sequence[Stacked]) -> Iterator[Sequence[Stacked]]:
    """Calls of one kind in parts that stay in the processor's cache."""
    stack: list[Stacked] = []
    elements = 0
    for each in alike:
        if stack and elements + blocks.size(each.case) > blocks.BLOCK:
            yield stack
            stack, elements = [], 0
        stack.append(each)
        elements += blocks.size(each.case)
    yield stack


def _together(stack: Sequence[Stacked]) -> list[Truth]:
    """Evaluate calls of one kind as one, and take it apart."""
    library.check()
    first = stack[0]
    inputs = {
        name: np.concatenate([each.units.inputs[name] for each in stack]) if len(stack) > 1 else array
        for name, array in first.units.inputs.items()
    }
    form = FORMATS[first.case.dtype]
    call = made(inputs, first.units.parameters, form)
    whole = evaluated(OPERATIONS[first.case.operation], call, form, first.region, first.outputs)
    ends = np.cumsum([each.units.count for each in stack]).tolist()
    return [_part(whole, each, slice(end - each.units.count, end)) for each, end in zip(stack, ends, strict=True)]


def _part(whole: Truth, each: Stacked, chosen: slice) -> Truth:
    """One call's truth out of a stack's."""

    def own(array: Array) -> Array:
        return each.units.arranged(array[chosen])

    outputs = {name: enclosed.shaped(own) for name, enclosed in whole.outputs.items()}
    return Truth(each.region, outputs, {name: lost.shaped(own) for name, lost in whole.bounds.items()})
