"""Outputs of calls too large to be held against the truth at once: block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from harness.comparator.measure import DEFECTS, GRADES, Allowance, Index, Measurement, Pair, measure, misfit
from harness.model.case import Array, Case
from harness.operations import OPERATIONS
from harness.operations.base import Region
from harness.oracle.blocks import Block, pieces
from harness.oracle.formats import Format
from harness.oracle.units import Whole


def in_blocks(
    case: Case,
    region: Region,
    output: str,
    observed: Sequence[Array],
    form: Format,
    named: Allowance,
    line: Allowance | None,
) -> list[Measurement]:
    """Hold what subjects gave for one output of a large call against the truth, which is evaluated once.

    Args:
        named: what the plain tolerance judge allows.
        line: the tolerance that the case states instead of the bounds, if it does.
    """
    operation = OPERATIONS[case.operation]
    shape = operation.shape_of(output, case.inputs, operation.complete(case.parameters))
    found = [misfit(array, shape, form) for array in observed]
    fitting = [n for n, measured in enumerate(found) if measured is None]
    blocks = pieces(case, region, output) if fitting else ()
    for block, pairs in parts(blocks, output, [observed[n] for n in fitting]):
        for n, measured in zip(fitting, measure(pairs, form, named, [line] * len(pairs)), strict=True):
            here, before = _placed(measured, block), found[n]
            found[n] = here if before is None else _merged(before, here, stated=line is not None)
    return [measured for measured in found if measured is not None]


def parts(blocks: Iterable[Block], output: str, observed: Sequence[Array]) -> Iterator[tuple[Block, list[Pair]]]:
    """Arrays of an output's shape with its truth, block by block."""
    listed: Sequence[Array] = ()
    for block in blocks:
        if isinstance(block.units, Whole):
            mine = observed
        else:
            listed = listed or [block.units.listed(array) for array in observed]
            mine = [array[block.chosen][..., block.classes] for array in listed]
        yield block, [Pair(array, block.truth.outputs[output], block.truth.bounds[output]) for array in mine]


def _placed(measured: Measurement, block: Block) -> Measurement:
    """A block's measurement with indices of the whole call."""
    worst = measured.worst
    return replace(
        measured,
        index=measured.index and whole(measured.index, block),
        worst=worst and replace(worst, index=whole(worst.index, block)),
    )


def whole(index: Index, block: Block) -> Index:
    """The index in the whole call of an element of a block."""
    if isinstance(block.units, Whole):
        return index
    within = tuple((block.classes.start or 0) + number for number in index[1:])
    return block.units.place(block.chosen.start + index[0], within)


def _merged(first: Measurement, second: Measurement, *, stated: bool) -> Measurement:
    """Two parts of an array as one: a defect before anything else, then the worse of each figure."""
    if first.defect or second.defect:
        return min(first, second, key=_class)
    far = max(first, second, key=lambda m: abs(m.max_ulp or 0.0))
    near = max(first, second, key=_share if stated else _badness)
    return Measurement(
        "",
        far.index,
        max(first, second, key=_place).grade,
        far.max_ulp,
        _larger(first.max_relative, second.max_relative),
        _larger(first.max_absolute, second.max_absolute),
        _larger(first.max_bound, second.max_bound),
        near.cause,
        _larger(first.avoidable_bits, second.avoidable_bits),
        max(first.summation_length or 0, second.summation_length or 0),
        far.observed,
        far.truth,
        near.worst,
        max(first.named_share, second.named_share),
        max(first.alone_ulps, second.alone_ulps),
    )


def _class(measured: Measurement) -> int:
    return DEFECTS.index(measured.defect) if measured.defect else len(DEFECTS)


def _badness(measured: Measurement) -> tuple[int, float]:
    return _place(measured), _share(measured)


def _place(measured: Measurement) -> int:
    return -1 if measured.grade is None else GRADES.index(measured.grade)


def _share(measured: Measurement) -> float:
    return measured.worst.share if measured.worst else 0.0


def _larger(first: float | None, second: float | None) -> float:
    return max(first or 0.0, second or 0.0)
