"""One element, or one row, of arrays of a user's own: a large call made small enough to be looked at and saved."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.casefile.errors import ArrayFileError
from harness.casefile.own import Own, expectation, region
from harness.model.case import Array
from harness.operations import OPERATIONS
from harness.operations.losses import losses_shape
from harness.oracle.units import are_by_unit

INDEX = re.compile(r"\[?\s*[0-9]+\s*(?:,\s*[0-9]+\s*)*\]?")

Index = tuple[int, ...]


def cut(own: Own, place: str) -> Own:
    """The element, or the row, that an index names; every array keeps its number of axes.

    Args:
        place: an index of an output, as `explain` prints it: `12`, `3,5`, `[3, 5]`.

    Raises:
        ArrayFileError: it is no index of the call, or the call has no independent parts.
    """
    case = own.case
    operation = OPERATIONS[case.operation]
    complete = operation.complete(case.parameters)
    leading = case.inputs[operation.leading].shape
    losses = losses_shape(case.inputs[operation.leading], complete)
    axis = int(complete["axis"]) % len(leading) if "axis" in complete else None
    if complete.get("reduction", "none") != "none":
        raise ArrayFileError(f"--at {place}: with reduction={complete['reduction']} every number is in the value")
    if not are_by_unit(operation, case.inputs, (leading, losses)):
        raise ArrayFileError(f"--at {place}: an input is broadcast, and belongs to every element")
    at = _index(place, axis, losses, leading)

    def part(array: Array) -> Array:
        chosen = [slice(i, i + 1) for i in at]
        if axis is not None and array.shape == leading:
            chosen.insert(axis, slice(None))
        return array[tuple(chosen)]

    inputs = {name: part(array) for name, array in case.inputs.items()}
    found = region(operation, inputs, case.parameters)
    seen = {name: {o: part(array) for o, array in outputs.items()} for name, outputs in own.observed.items()}
    return Own(replace(case, inputs=inputs, expect=expectation(found)), found, seen, [*own.notes, f"only {list(at)}"])


def _index(place: str, axis: int | None, losses: tuple[int, ...], leading: tuple[int, ...]) -> Index:
    """The index of a loss: a class's index, where one is given, is left out."""
    found = tuple(int(number) for number in re.findall(r"[0-9]+", place)) if INDEX.fullmatch(place.strip()) else None
    if found is not None and axis is not None and len(found) == len(leading) and found[axis] < leading[axis]:
        found = found[:axis] + found[axis + 1 :]
    if found is None or len(found) != len(losses) or any(i >= n for i, n in zip(found, losses, strict=True)):
        raise ArrayFileError(f"--at {place}: is no index of shape {list(losses)}")
    return found
