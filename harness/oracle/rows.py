"""Long rows, a few at a time: every element with the bounds that decide, then a few with all of them.

Of most elements little has to be known to see that others of their row are worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import NamedTuple

import numpy as np

from harness.model.case import Array, Case
from harness.operations import OPERATIONS
from harness.operations.base import Operation, Region
from harness.operations.real import Call
from harness.oracle import blocks, enclosures, library
from harness.oracle.blocks import Block, has_pieces, parts_of, piece, row_pieces
from harness.oracle.bounds import PAIRWISE, PASSING, Bounds, run
from harness.oracle.calls import evaluated, made
from harness.oracle.enclosures import FLOAT64_BITS, Enclosure
from harness.oracle.formats import FORMATS, Format
from harness.oracle.units import Units, of_call

ROWS = 8
"""Rows that are looked at together: one evaluation of the elements that matter serves all of them."""


class Look(NamedTuple):
    """Some classes of a row, with some of their bounds.

    Attributes:
        row: which of the rows.
        classes: which of its classes.
        high, low: as of the output's `Enclosure` there.
        passing: at most `Bounds.passing`.
        least: at most the smaller of `Bounds.pairwise` and what the most accurate form loses, which is
            `Bounds.attainable` or less.
    """

    row: int
    classes: slice
    high: Array
    low: Array
    passing: Array
    least: Array


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A few whole rows of a call, and one output of it.

    Attributes:
        units: the call's units.
        chosen: which of them.
    """

    units: Units
    chosen: slice
    _operation: Operation
    _output: str
    _form: Format
    _region: Region
    _call: Call

    def looks(self) -> Iterator[Look]:
        """All rows, part by part."""
        classes = self._call.inputs[self._operation.leading].shape[-1]
        for row, own in enumerate(self._call.members):
            for part in parts_of(classes, blocks.BLOCK):
                yield self._look(row, part, piece(own, self._operation, part))

    def evaluated(self, classes: Sequence[Array]) -> list[tuple[Enclosure, Bounds]]:
        """Some classes of each row with all bounds, by their numbers along the last axis; at least one of each."""
        most = max(row.size for row in classes)
        call = piece(self._call, self._operation, np.stack([np.resize(row, most) for row in classes]))
        truth = evaluated(self._operation, call, self._form, self._region, (self._output,))
        enclosed, bounds = truth.outputs[self._output], truth.bounds[self._output]
        found = []
        for n, row in enumerate(classes):
            own = partial(_first, row=n, count=row.size)
            found.append((enclosed.shaped(own), bounds.shaped(own)))
        return found

    def pieces(self, row: int) -> Iterator[Block]:
        """One row in full, part by part."""
        number, own = self.chosen.start + row, self._call.members[row]
        for part, truth in row_pieces(self._operation, own, self._form, self._region, self._output):
            yield Block(self.units, slice(number, number + 1), truth, part)

    def _look(self, row: int, classes: slice, call: Call) -> Look:
        output = self._operation.outputs[self._output]
        with np.errstate(all="ignore"):
            middles = enclosures.middles(self._operation, self._output, call, self._form)
            first, *_ = lost = [run(form, output, call) for form in output.algorithms]
            passing = [each for each, form in zip(lost, output.algorithms, strict=True) if form.passes]
            floor = reduce(np.maximum, (each.floor(PASSING) for each in passing))
            least = first.bound(PAIRWISE)
            if not output.algorithms[0].passes:
                least = np.minimum(least, reduce(np.maximum, (each.bound(PAIRWISE) for each in passing)))
            return Look(row, classes, *(_only(array) for array in (*middles, floor, least)))


def _only(array: Array) -> Array:
    """The row of a call that has one."""
    found: Array = array[0]
    return found


def _first(array: Array, row: int, count: int) -> Array:
    return array[row, :count]


def few_rows(case: Case, region: Region, output: str) -> Iterator[Rows] | None:
    """All rows of a defined call, a few at a time; None where rows aren't long, or truth is Arb's work.

    Raises:
        LibraryError: this machine's mathematical library is not what the float64 tier assumes.
    """
    operation, form = OPERATIONS[case.operation], FORMATS[case.dtype]
    units = of_call(operation, case.inputs, operation.complete(case.parameters))
    if units is None or not has_pieces(operation, units, output) or form.precision == FLOAT64_BITS:
        return None
    library.check()
    return _groups(units, partial(Rows, units, _operation=operation, _output=output, _form=form, _region=region), form)


def _groups(units: Units, rows: Callable[..., Rows], form: Format) -> Iterator[Rows]:
    """All rows, a few at a time; what was known of them goes with the next ones."""
    for chosen in parts_of(units.count, ROWS):
        call = made(units.take(chosen), units.parameters, form)
        yield rows(chosen=chosen, _call=call)
        call.kept.clear()  # a call's members and it refer to each other, and would wait for a garbage collection
