"""Outputs of calls too large to be held against the truth at once: block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial, reduce

from harness.comparator.measure import DEFECTS, GRADES, Allowance, Index, Measurement, Pair, measure
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
    observed: Array,
    form: Format,
    named: Allowance,
    line: Allowance | None,
) -> Measurement:
    """Hold one output of a large call against the truth.

    Args:
        named: what the plain tolerance judge allows.
        line: the tolerance that the case states instead of the bounds, if it does.
    """
    operation = OPERATIONS[case.operation]
    shape = operation.shape_of(output, case.inputs, operation.complete(case.parameters))
    if observed.shape != shape:
        return Measurement(f"shape {list(observed.shape)} instead of {list(shape)}")
    if observed.dtype != form.dtype:
        return Measurement(f"dtype {observed.dtype.name} instead of {form.name}")
    measured = (
        _placed(measure([pair], form, named, [line])[0], block)
        for block, pair in parts(pieces(case, region, output), output, observed)
    )
    return reduce(partial(_merged, stated=line is not None), measured)


def parts(blocks: Iterable[Block], output: str, observed: Array) -> Iterator[tuple[Block, Pair]]:
    """An output of the right shape with its truth, block by block."""
    listed = None
    for block in blocks:
        whole = isinstance(block.units, Whole)
        listed = block.units.listed(observed) if listed is None and not whole else listed
        mine = observed if listed is None else listed[block.chosen][..., block.classes]
        yield block, Pair(mine, block.truth.outputs[output], block.truth.bounds[output])


def _placed(measured: Measurement, block: Block) -> Measurement:
    """A block's measurement with indices of the whole call."""
    worst = measured.worst
    return replace(
        measured,
        index=measured.index and _whole(measured.index, block),
        worst=worst and replace(worst, index=_whole(worst.index, block)),
    )


def _whole(index: Index, block: Block) -> Index:
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
