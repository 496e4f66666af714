"""The arrays of a call: numbers rounded to the dtype, recipes followed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.casefile import generators
from harness.casefile.entries import CallText
from harness.casefile.literals import Nested, rounded
from harness.model.case import Array
from harness.operations.base import UPSTREAM, Operation

Key = tuple[int | str, ...]


def make(call: CallText, dtype: str, key: Key) -> dict[str, Array]:
    """All inputs of a call.

    Args:
        key: what draws depend on beside the recipe: run seed, entry, number of the expansion.

    Raises:
        RecipeError: a recipe can't be followed.
    """
    made: dict[str, Array] = {}
    for name in call.inputs:
        made[name] = one(call, name, dtype, made, key)
    return made


def one(call: CallText, name: str, dtype: str, made: Mapping[str, Array], key: Key) -> Array:
    """One input of a call, of which those before it are made."""
    recipe, own = call.inputs[name], input_dtype(call, name, dtype)
    if isinstance(recipe, Nested):
        return rounded(recipe, own)
    return generators.generate(recipe, _site(call, name, own, made, key))


def input_dtype(call: CallText, name: str, dtype: str) -> str:
    """The dtype of an input: indices have their own."""
    kinds = {i.name: i.kind for i in call.operation.inputs}
    return call.index_dtype if kinds[name] == "index" else dtype


def _site(call: CallText, name: str, dtype: str, made: Mapping[str, Array], key: Key) -> generators.Site:
    axis = call.operation.complete(call.parameters).get("axis", -1)
    axis = axis if isinstance(axis, int) else -1
    leading = made.get(call.operation.leading)
    if leading is None:
        return generators.Site(name, dtype, None, axis, 1, key)
    inside = -leading.ndim <= axis < leading.ndim
    classes = leading.shape[axis] if inside else 1
    by_row = inside and name in _row_inputs(call.operation)
    shape = tuple(np.delete(leading.shape, axis).tolist()) if by_row else leading.shape
    return generators.Site(name, dtype, shape, axis, classes, key)


def _row_inputs(operation: Operation) -> set[str]:
    """Inputs with one number a row: indices, and what multiplies a loss that sums over classes."""
    parameters = {p.name for p in operation.parameters}
    rows = {"weights", UPSTREAM} if {"axis", "reduction"} <= parameters else set()
    return rows | {i.name for i in operation.inputs if i.kind == "index"}
