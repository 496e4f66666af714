"""The truth of large calls, part by part, so that it fits into the processor's cache and beside its own input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np

from harness.model.case import Array, Case
from harness.operations import OPERATIONS
from harness.operations.base import VALUE, Operation, Region
from harness.operations.real import Call
from harness.oracle import library
from harness.oracle.bounds import Bounds
from harness.oracle.calls import Truth, evaluated, made
from harness.oracle.enclosures import Enclosure
from harness.oracle.formats import FORMATS, Format
from harness.oracle.units import Units, Whole, of_call

BLOCK = 1 << 15
"""Elements that are evaluated together: what programs share of them stays in the processor's cache."""
VALUE_ROWS = 8
"""Rows, however long, that are evaluated together if only their value is wanted: that is a few sums of each."""


class Block(NamedTuple):
    """A part of a call with its truth.

    Attributes:
        units: the call's units.
        chosen: which of them.
        truth: theirs, by units.
        classes: which of their classes.
    """

    units: Units | Whole
    chosen: slice
    truth: Truth
    classes: slice = slice(None)


def size(case: Case) -> int:
    """Elements of the leading input."""
    return next(iter(case.inputs.values())).size


def blocks(case: Case, region: Region, wanted: Sequence[str]) -> Iterator[Block]:
    """The truth of some outputs of a defined call, by units: a call that is small or reduced is one block.

    Raises:
        LibraryError: this machine's mathematical library is not what the float64 tier assumes.
    """
    library.check()
    operation, form = OPERATIONS[case.operation], FORMATS[case.dtype]
    complete = operation.complete(case.parameters)
    units = of_call(operation, case.inputs, complete) if size(case) > BLOCK else None
    if units is None:
        whole = Whole(case.inputs, complete)
        yield Block(whole, slice(None), evaluated(operation, made(case.inputs, complete, form), form, region, wanted))
        return
    step = max(VALUE_ROWS if tuple(wanted) == (VALUE,) else 1, BLOCK * units.count // size(case))
    for start in range(0, units.count, step):
        chosen = slice(start, min(start + step, units.count))
        call = made(units.take(chosen), units.parameters, form)
        yield Block(units, chosen, evaluated(operation, call, form, region, wanted))


def pieces(case: Case, region: Region, output: str) -> Iterator[Block]:
    """The truth of one output of a defined call, row by row and part of a row by part, if that can be.

    Raises:
        LibraryError: as above.
    """
    operation, form = OPERATIONS[case.operation], FORMATS[case.dtype]
    units = of_call(operation, case.inputs, operation.complete(case.parameters))
    if units is None or not has_pieces(operation, units, output):
        yield from blocks(case, region, (output,))
        return
    library.check()
    for number in range(units.count):
        chosen = slice(number, number + 1)
        row = made(units.take(chosen), units.parameters, form)
        for part, truth in row_pieces(operation, row, form, region, output):
            yield Block(units, chosen, truth, part)


def has_pieces(operation: Operation, units: Units, output: str) -> bool:
    """Whether rows are long, and the output has a number for each of their elements."""
    shape = units.inputs[operation.leading].shape
    by_class = operation.shape_of(output, units.inputs, units.parameters) == shape
    return operation.by_pieces and by_class and shape[-1] > BLOCK


def row_pieces(
    operation: Operation, row: Call, form: Format, region: Region, output: str
) -> Iterator[tuple[slice, Truth]]:
    """The truth of one output of one row, part by part."""
    for part in parts_of(row.inputs[operation.leading].shape[-1], BLOCK):
        yield part, evaluated(operation, piece(row, operation, part), form, region, (output,))


def parts_of(count: int, step: int) -> Iterator[slice]:
    """So many numbers in parts."""
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def piece(row: Call, operation: Operation, classes: slice | Array) -> Call:
    """Some classes of whole rows."""
    shape, part = row.inputs[operation.leading].shape, replace(row, kept={}, row=row, classes=classes)
    return replace(part, inputs={n: part.part(a) if a.shape == shape else a for n, a in row.inputs.items()})


def joined(region: Region, parts: Sequence[Block]) -> Truth:
    """The truth of a call from that of all its blocks."""
    units, truths = parts[0].units, [part.truth for part in parts]

    def whole(arrays: Sequence[Array]) -> Array:
        return units.arranged(np.concatenate(arrays))

    found = Truth(region, {}, {})
    for name in truths[0].outputs:
        enclosed, lost = [t.outputs[name] for t in truths], [t.bounds[name] for t in truths]
        found.outputs[name] = Enclosure(
            *(whole([getattr(each, part.name) for each in enclosed]) for part in fields(Enclosure))
        )
        found.bounds[name] = Bounds(
            whole([each.passing for each in lost]),
            whole([each.pairwise for each in lost]),
            {cause: whole([each.named[cause] for each in lost]) for cause in lost[0].named},
            whole([each.attainable for each in lost]),
            lost[0].terms,
        )
    return found
