"""Outputs element by element: how many elements have each grade, and where the errors are largest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from harness.comparator import tolerance
from harness.comparator.large import parts, whole
from harness.comparator.measure import GRADES, Allowance, Errors, Pair, errors, pass_line, place
from harness.model.case import Array, Case
from harness.model.explanation import Element, Index, Known, Reading, Survey
from harness.model.verdict import Grade
from harness.operations import OPERATIONS
from harness.oracle.blocks import Block, pieces
from harness.oracle.formats import FORMATS, Format
from harness.oracle.truth import Truth

PART = 1 << 16
"""Elements that are looked at together: what is known of them stays in the processor's cache."""
FROM_WORST = (Grade.BROKEN, *reversed(GRADES))


class Part(NamedTuple):
    """Some elements of an output.

    Attributes:
        pairs: what each subject gave, with the truth; of a stand-in if there is no subject.
        place: the index in the whole output, by an element's number here.
    """

    pairs: Sequence[Pair]
    place: Callable[[int], Index]


class Found(NamedTuple):
    """An element with its place among all: the worse its worst error, the higher."""

    order: float
    element: Element


def survey(case: Case, truth: Truth, output: str, given: Mapping[str, Array], most: int) -> Survey:
    """Look at an output that has a truth element by element.

    Args:
        given: what subjects gave; only arrays of the output's shape and dtype are looked at.
        most: elements that are shown, those with the largest errors.
    """
    operation, form, line = OPERATIONS[case.operation], FORMATS[case.dtype], tolerance.stated(case)
    shape = operation.shape_of(output, case.inputs, operation.complete(case.parameters))
    fitting = {name: array for name, array in given.items() if array.shape == shape and array.dtype == form.dtype}
    counts = {name: np.zeros(len(FROM_WORST), np.int64) for name in fitting}
    worst: list[Found] = []
    arrays = list(fitting.values()) or [np.broadcast_to(form.dtype.type(0), shape)]
    for part in _parts(case, truth, output, arrays):
        found = [errors(pair, form, line) for pair in part.pairs]
        for name, each in zip(fitting, found, strict=False):
            counts[name] += np.bincount(each.grades.reshape(-1), minlength=len(FROM_WORST))
        worst += _worst(part, dict(zip(fitting, found, strict=False)), worst, most, partial(_known, form, line))
        worst = sorted(worst, key=lambda each: (-each.order, each.element.index))[:most]
    graded = {name: _by_grade(count.tolist()) for name, count in counts.items()}
    return Survey(shape, graded, [each.element for each in worst])


def unjudged(given: Mapping[str, Array], most: int) -> Survey:
    """The first elements of what subjects gave where there is no truth."""
    shape = next((array.shape for array in given.values()), ())
    alike = {name: array for name, array in given.items() if array.shape == shape}
    indices = [place(n, shape) for n in range(min(most, int(np.prod(shape))))] if alike else []
    return Survey(
        shape,
        elements=[Element(at, None, {name: Reading(array[at]) for name, array in alike.items()}) for at in indices],
    )


def _parts(case: Case, truth: Truth, output: str, arrays: Sequence[Array]) -> Iterator[Part]:
    if truth.large:
        for block, pairs in parts(pieces(case, truth.region, output), output, arrays):
            yield Part(pairs, partial(_of_block, block, pairs[0].observed.shape))
        return
    shape = truth.outputs[output].high.shape

    def flat(array: Array) -> Array:
        return np.broadcast_to(array, shape).reshape(-1)

    enclosed, lost = truth.outputs[output].shaped(flat), truth.bounds[output].shaped(flat)
    listed = [flat(array) for array in arrays]
    for start in range(0, enclosed.high.size, PART):
        chosen = slice(start, start + PART)
        mine = enclosed.shaped(lambda array: array[chosen]), lost.shaped(lambda array: array[chosen])  # noqa: B023
        yield Part([Pair(array[chosen], *mine) for array in listed], partial(_of_whole, start, shape))


def _of_block(block: Block, shape: tuple[int, ...], at: int) -> Index:
    return whole(place(at, shape), block)


def _of_whole(start: int, shape: tuple[int, ...], at: int) -> Index:
    return place(start + at, shape)


def _worst(
    part: Part, found: Mapping[str, Errors], before: Sequence[Found], most: int, known: Callable[[Pair, int], Known]
) -> Iterator[Found]:
    """The elements of a part that are worse than all that are known already, if there are enough of those."""
    size = part.pairs[0].observed.size
    order = np.maximum.reduce([each.order.reshape(-1) for each in found.values()]) if found else np.zeros(size)
    least = before[-1].order if len(before) == most else -1.0
    for at in np.argsort(-order, kind="stable")[:most].tolist():
        if order[at] > least:
            readings = {
                name: _reading(pair, each, at) for pair, (name, each) in zip(part.pairs, found.items(), strict=False)
            }
            yield Found(float(order[at]), Element(part.place(at), known(part.pairs[0], at), readings))


def _known(form: Format, line: Allowance | None, pair: Pair, at: int) -> Known:
    """The truth of an element of a pair, and what it may lose."""
    truth = pair.truth.shaped(lambda array: array.reshape(-1)[at : at + 1])
    lost = pair.bounds.shaped(lambda array: np.broadcast_to(array, pair.observed.shape).reshape(-1)[at : at + 1])
    allowed = pass_line(truth, lost, form) if line is None else line.of(truth.high)
    (high, low, radius, bits) = (array.item() for array in (truth.high, truth.low, truth.radius, truth.bits))
    return Known(high, low, radius, bits, lost.passing.item(), form.ulp(truth.high).item(), allowed.item())


def _reading(pair: Pair, found: Errors, at: int) -> Reading:
    return Reading(
        pair.observed.reshape(-1)[at],
        float(found.ulps.reshape(-1)[at]),
        float(found.in_bounds.reshape(-1)[at]),
        FROM_WORST[-1 - int(found.grades.reshape(-1)[at])],
    )


def _by_grade(counts: Sequence[int]) -> dict[Grade, int]:
    """Counts that are not 0, the worst grade first."""
    return {grade: count for grade, count in zip(FROM_WORST, reversed(counts), strict=True) if count}
