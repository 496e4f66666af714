"""The independent parts of a call: elements of an elementwise operation, rows of the others.

What is true of a part doesn't depend on the rest of the call, unless that is reduced. So a large
call is done in blocks, and a part that float64 can't decide is done again in Arb alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from harness.model.case import Array, Inputs, Parameters
from harness.operations.base import Operation
from harness.operations.losses import losses_shape
from harness.operations.real import Shape


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """A call as a list of units, along the first axis of every array.

    Attributes:
        inputs: of all units: flat, or rows with the class axis last.
        parameters: complete, the class axis last.
        count: how many units there are.
    """

    inputs: Inputs
    parameters: Parameters
    count: int
    _losses: Shape
    _leading: Shape
    _axis: int | None

    def take(self, chosen: Array | slice) -> Inputs:
        """The inputs of some units."""
        return {name: array[chosen] for name, array in self.inputs.items()}

    def given(self, array: Array) -> Array:
        """What an operation gives for units that were taken: by units already."""
        return array

    def listed(self, array: Array) -> Array:
        """An input or output of the call, by units."""
        if self._axis is None or array.shape == self._losses:
            return array.reshape(-1)
        # In one piece of memory: NumPy sums another order of it differently.
        return np.ascontiguousarray(np.moveaxis(array, self._axis, -1)).reshape(self.count, -1)

    def place(self, unit: int, within: tuple[int, ...]) -> tuple[int, ...]:
        """The index in the call's own array of an element of a unit."""
        found = [int(i) for i in np.unravel_index(unit, self._losses)]
        if within:
            found.insert(self._axis or 0, within[0])
        return tuple(found)

    def arranged(self, array: Array) -> Array:
        """The inverse of `listed`."""
        if array.ndim == 1:
            return array.reshape(self._losses)
        return np.moveaxis(array.reshape(*self._losses, array.shape[-1]), -1, self._axis or 0)


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A call that is one unit: reduced, or with an input that is broadcast or that all units have in common."""

    inputs: Inputs
    parameters: Parameters

    def take(self, _chosen: Array | slice) -> Inputs:
        """All of it."""
        return self.inputs

    def given(self, array: Array) -> Array:
        """What an operation gives for the unit."""
        return array[np.newaxis]

    def listed(self, array: Array) -> Array:
        """The only unit."""
        return array[np.newaxis]

    def place(self, _unit: int, within: tuple[int, ...]) -> tuple[int, ...]:
        """The only unit's own index."""
        return within

    def arranged(self, array: Array) -> Array:
        """The inverse of `listed`."""
        found: Array = array[0]
        return found


def of_call(operation: Operation, inputs: Inputs, complete: Parameters) -> Units | None:
    """A call's units; None where it is reduced, or not all inputs are by units."""
    leading = inputs[operation.leading].shape
    losses = losses_shape(inputs[operation.leading], complete)
    reduced = complete.get("reduction", "none") != "none"
    if reduced or 0 in leading or not are_by_unit(operation, inputs, (leading, losses)):
        return None
    axis = int(complete["axis"]) % len(leading) if "axis" in complete else None
    parameters = complete if axis is None else {**complete, "axis": -1}
    found = Units({}, parameters, math.prod(losses), losses, leading, axis)
    return replace(found, inputs={name: found.listed(array) for name, array in inputs.items()})


def are_by_unit(operation: Operation, inputs: Inputs, shapes: tuple[Shape, Shape]) -> bool:
    """Whether inputs have numbers for units, and none is broadcast: of the leading input's shape or the losses'."""
    extents = {i.name: i.extent for i in operation.inputs}
    return all(extents.get(name) == "unit" and array.shape in shapes for name, array in inputs.items())
