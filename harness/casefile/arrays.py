"""The arrays of a call: numbers rounded to the dtype, recipes followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from harness.casefile import generators
from harness.casefile.entries import CallText
from harness.casefile.literals import Nested, rounded
from harness.model.case import Array
from harness.operations.base import UPSTREAM, Operation

Key = tuple[int | str, ...]

TOGETHER_BYTES = 1 << 18
"""Size of the inputs that are made at once: NumPy's price is by the call, memory's by the byte."""


def make(call: CallText, dtype: str, key: Key, count: int) -> Iterator[dict[str, Array]]:
    """All inputs of a call, one expansion after another.

    Args:
        key: what draws depend on beside the recipe and the expansion: run seed, entry.

    Raises:
        RecipeError: a recipe can't be followed.
    """
    begin, end = 0, min(1, count)  # the first one alone: its size tells how many others are made at once
    while begin < end:
        made: dict[str, Array] = {}
        for name in call.inputs:
            made[name] = several(call, name, dtype, made, key, range(begin, end))
        size = sum(array.nbytes for array in made.values()) // (end - begin)
        for n in range(end - begin):
            yield {name: array[n, ...] for name, array in made.items()}
        begin, end = end, min(end + max(1, TOGETHER_BYTES // max(1, size)), count)


def several(call: CallText, name: str, dtype: str, made: Mapping[str, Array], key: Key, expansions: range) -> Array:
    """One input of a call, of which those before it are made: its arrays in some expansions, along the first axis."""
    recipe, own = call.inputs[name], input_dtype(call, name, dtype)
    if isinstance(recipe, Nested):
        return np.broadcast_to(rounded(recipe, own), (len(expansions), *recipe.shape))
    return generators.generate(recipe, _site(call, name, own, made, key, expansions))


def input_dtype(call: CallText, name: str, dtype: str) -> str:
    """The dtype of an input: indices have their own."""
    kinds = {i.name: i.kind for i in call.operation.inputs}
    return call.index_dtype if kinds[name] == "index" else dtype


def _site(
    call: CallText, name: str, dtype: str, made: Mapping[str, Array], key: Key, expansions: range
) -> generators.Site:
    complete = call.operation.complete(call.parameters)
    axis = complete.get("axis", -1)
    axis = axis if isinstance(axis, int) else -1
    leading = made.get(call.operation.leading)
    if leading is None:
        return generators.Site(name, dtype, None, axis, 1, key, expansions)
    shape = leading.shape[1:]
    inside = -len(shape) <= axis < len(shape)
    classes = shape[axis] if inside else 1
    by_row = inside and name in _row_inputs(call.operation)
    own = tuple(np.delete(shape, axis).tolist()) if by_row else shape
    if inside and name == UPSTREAM and call.operation.shape:
        own = call.operation.shape({call.operation.leading: leading[0]}, complete)
    if name in {i.name for i in call.operation.inputs if i.extent == "class"}:
        own = (classes,)
    return generators.Site(name, dtype, own, axis, classes, key, expansions)


def _row_inputs(operation: Operation) -> set[str]:
    """Inputs with one number a row: indices, and the weights of a loss that sums over classes."""
    parameters = {p.name for p in operation.parameters}
    rows = {"weights"} if {"axis", "reduction"} <= parameters else set()
    return rows | {i.name for i in operation.inputs if i.kind == "index"}
