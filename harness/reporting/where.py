"""Where a verdict's largest error occurs: the element, and the inputs that it comes from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.model.case import Array, Case
from harness.model.run import Record
from harness.model.verdict import Verdict
from harness.operations import OPERATIONS
from harness.operations.losses import losses_shape
from harness.oracle.units import Units, of_call
from harness.reporting.values import digits, shape_text, ulps

SHOWN = 6
"""Numbers of a row of inputs that are shown."""

Index = tuple[int, ...]


class Where(NamedTuple):
    """An element of an output, and what each input holds there: a number, a row, or its shape."""

    case: str
    at: Index | None
    inputs: list[tuple[str, str]]

    @property
    def place(self) -> str:
        """`[0, 3]`; "" for scalars."""
        return str(list(self.at)) if self.at else ""

    @property
    def given(self) -> str:
        """`logits -22.18, labels 0`."""
        return ", ".join(f"{name} {text}" for name, text in self.inputs)


def farthest(verdict: Verdict, record: Record | None) -> Where:
    """The element with the largest error in ulps, where the record still tells it; else the verdict's own."""
    index = verdict.index
    if record is None:
        return Where(verdict.case, index, [])
    seen, truth = record.observations.get(verdict.subject), record.truth.get(verdict.output)
    if seen is not None and truth is not None and verdict.output in seen.outputs:
        index = _largest(ulps(seen.outputs[verdict.output], truth), index)
    return Where(verdict.case, index, inputs_at(record, index))


def named(verdict: Verdict, record: Record | None) -> Where:
    """The element that the verdict names."""
    return Where(verdict.case, verdict.index, inputs_at(record, verdict.index) if record else [])


def inputs_at(record: Record | Case, index: Index | None) -> list[tuple[str, str]]:
    """What each input holds where an output's element comes from; its shape where that is all of it."""
    at = None if index is None else _unit(record, index)
    if at is None:
        return [(name, f"of shape {shape_text(array.shape)}") for name, array in record.inputs.items()]
    units, unit = at
    return [(name, _text(array[unit])) for name, array in units.inputs.items()]


def _unit(record: Record | Case, index: Index) -> tuple[Units, int] | None:
    """The element or row of the call that an output's element comes from; None where all of it does."""
    operation = OPERATIONS.get(record.operation)
    if operation is None or operation.leading not in record.inputs:
        return None
    complete = operation.complete(record.parameters) | {"reduction": "none"}
    losses = losses_shape(record.inputs[operation.leading], complete)
    units = of_call(operation, record.inputs, complete)
    if "axis" in complete and len(index) == len(losses) + 1:
        axis = int(complete["axis"]) % len(index)
        index = index[:axis] + index[axis + 1 :]
    if units is None or len(index) != len(losses) or any(i >= size for i, size in zip(index, losses, strict=True)):
        return None
    return units, int(np.ravel_multi_index(index, losses)) if index else 0


def _largest(errors: Array | None, otherwise: Index | None) -> Index | None:
    """Index of the largest finite error."""
    if errors is None or not np.isfinite(errors).any():
        return otherwise
    sizes = np.where(np.isfinite(errors), np.abs(errors), -1.0)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(sizes)), errors.shape))


def _text(held: Array) -> str:
    """A number, or the first ones of a row."""
    if held.ndim == 0:
        return digits(held[()])
    more = f", ... {held.size - SHOWN} more" if held.size > SHOWN else ""
    return f"[{', '.join(digits(x) for x in held.flat[:SHOWN])}{more}]"
