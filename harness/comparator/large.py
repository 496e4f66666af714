"""Outputs of calls too large to be held against the truth at once: block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from harness.comparator.contenders import are_enough, contenders
from harness.comparator.measure import DEFECTS, GRADES, Allowance, Index, Measurement, Pair, measure, misfit
from harness.model.case import Array, Case
from harness.operations import OPERATIONS
from harness.operations.base import Region
from harness.oracle.blocks import Block, pieces
from harness.oracle.formats import Format
from harness.oracle.rows import Rows, few_rows
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
    holding = _Holding(output, form, named, line)
    for at, here in holding.parts(case, region, [observed[n] for n in fitting]) if fitting else ():
        before = found[fitting[at]]
        found[fitting[at]] = here if before is None else _merged(before, here, stated=line is not None)
    return [measured for measured in found if measured is not None]


class _Holding(NamedTuple):
    """How arrays are held against the truth; a part's measurement comes with the number of its array."""

    output: str
    form: Format
    named: Allowance
    line: Allowance | None

    def parts(self, case: Case, region: Region, observed: Sequence[Array]) -> Iterator[tuple[int, Measurement]]:
        """Long rows by their contenders, everything else in full."""
        groups = few_rows(case, region, self.output) if self.line is None else None
        if groups is None:
            return self._in_full(pieces(case, region, self.output), observed)
        return self._by_rows(groups, observed)

    def _in_full(self, blocks: Iterable[Block], observed: Sequence[Array]) -> Iterator[tuple[int, Measurement]]:
        for block, pairs in parts(blocks, self.output, observed):
            for n, measured in enumerate(measure(pairs, self.form, self.named, [self.line] * len(pairs))):
                yield n, _placed(measured, partial(whole, block=block))

    def _by_rows(self, groups: Iterable[Rows], observed: Sequence[Array]) -> Iterator[tuple[int, Measurement]]:
        """Rows by their contenders, and in full where those aren't enough."""
        listed: Sequence[Array] = ()
        for rows in groups:
            listed = listed or [rows.units.listed(array) for array in observed]
            mine = [array[rows.chosen] for array in listed]
            for n, found in enumerate(contenders(rows, mine, self.form, self.named)):
                classes = [row.classes for row in found]
                for row, measured in enumerate(self._contending(rows, mine[n], classes)):
                    if are_enough(measured, found[row].left):
                        yield n, _placed(measured, partial(_in_row, rows=rows, row=row, classes=classes[row]))
                    else:
                        yield from ((n, part) for _, part in self._in_full(rows.pieces(row), [observed[n]]))

    def _contending(self, rows: Rows, observed: Array, classes: Sequence[Array]) -> list[Measurement]:
        """Some classes of each row."""
        known = rows.evaluated(classes)
        pairs = [Pair(row[own], *truth) for row, own, truth in zip(observed, classes, known, strict=True)]
        return measure(pairs, self.form, self.named, [None] * len(pairs))


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


def _placed(measured: Measurement, place: Callable[[Index], Index]) -> Measurement:
    """A part's measurement with indices of the whole call."""
    worst = measured.worst
    return replace(
        measured,
        index=measured.index and place(measured.index),
        worst=worst and replace(worst, index=place(worst.index)),
    )


def whole(index: Index, block: Block) -> Index:
    """The index in the whole call of an element of a block."""
    if isinstance(block.units, Whole):
        return index
    within = tuple((block.classes.start or 0) + number for number in index[1:])
    return block.units.place(block.chosen.start + index[0], within)


def _in_row(index: Index, rows: Rows, row: int, classes: Array) -> Index:
    return rows.units.place(rows.chosen.start + row, (int(classes[index[0]]),))


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
