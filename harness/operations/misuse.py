"""Misuse: what is spoilt in a right call, one thing at a time. The domain table says what is right then.

A kind is named for what it spoils, an input or a parameter, and how: `labels-large`, `epsilon-below`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters, Scalar
from harness.operations import OPERATIONS
from harness.operations.base import UPSTREAM, Input, Operation, Parameter
from harness.operations.reductions import WEIGHTS

ALL = "all"
"""What a case file may say instead of the names of all kinds that an operation has."""
STEP = 0.5
"""How far a parameter is taken out of its range, and an index from a whole number."""
ABOVE, BELOW = 1.5, -0.5
"""Numbers that are no probabilities."""
MISSPELT = "meen"
EMPTY_MEAN = "reduction-empty"
OUTSIDE = {"probabilities": ("above", "below"), "log_probabilities": ("above",)}
ARITHMETIC = (EMPTY_MEAN, "probabilities-above", "probabilities-below", "epsilon-")
"""Kinds of which 0 / 0, or the logarithm of a negative number, is NaN."""
RANGED = ("label_smoothing", "epsilon", "pos_weight", "gamma", "alpha")
"""Parameters that APIs have as arguments; the others name what they do."""


class Spoilt(NamedTuple):
    """The inputs and parameters of a call."""

    inputs: Inputs
    parameters: Parameters


Way = Callable[[Operation, Inputs, str], Array]
"""Spoils the input of that name."""


def kinds(operation: Operation) -> tuple[str, ...]:
    """The kinds of misuse that an operation has, in a fixed order."""
    of_inputs = [f"{given.name}-{way}" for given in operation.inputs for way in _ways(operation, given)]
    return (*of_inputs, *(kind for parameter in operation.parameters for kind in _of_parameter(parameter)))


def spoilt(kind: str, operation: Operation, inputs: Inputs, parameters: Parameters) -> Spoilt:
    """A call with one thing spoilt in it.

    Args:
        kind: one of `kinds(operation)`.
        inputs: of a right call: at least one row, and where there are classes, two.
    """
    name, _, how = kind.rpartition("-")
    if kind == EMPTY_MEAN:
        return Spoilt(_without_rows(operation, inputs), {**parameters, "reduction": "mean"})
    known = {parameter.name: parameter for parameter in operation.parameters}
    if name in known:
        return Spoilt(inputs, {**parameters, name: _beyond(known[name], how, inputs[operation.leading])})
    return Spoilt({**inputs, name: WAYS[how](operation, inputs, name)}, parameters)


def expected(kind: str, operation: Operation, call: Spoilt) -> frozenset[str]:
    """What is right of a spoilt call without a value: an error, or what arithmetic says; nothing if it has a value."""
    with np.errstate(all="ignore"):
        region = operation.locate(call.inputs, call.parameters)
    if region.domain is not Domain.UNDEFINED:
        return frozenset()
    return frozenset({"error", "nan"} if kind.startswith(ARITHMETIC) else {"error"})


# inputs


def _ways(operation: Operation, given: Input) -> tuple[str, ...]:
    """How an input is spoilt."""
    if given.kind == "index":
        return ("large", "negative", "fraction", *(("longer", "column") if given.extent == "unit" else ()))
    if given.name == operation.leading:
        scalar = ("scalar",) if _has_axis(operation) else ()
        return ("integer", "nan", *scalar, *OUTSIDE.get(given.name, ()))
    if given.name == "labels":
        return ("integer", "double", "longer", "column", "broadcast")
    return ("longer",) if given.optional and given.name != UPSTREAM else ()


def _has_axis(operation: Operation) -> bool:
    return any(parameter.name == "axis" for parameter in operation.parameters)


def _large(operation: Operation, inputs: Inputs, name: str) -> Array:
    """One more than the last class, at the end."""
    return _last(inputs[name], _classes(operation, inputs))


def _negative(_operation: Operation, inputs: Inputs, name: str) -> Array:
    return _last(inputs[name], -1)


def _fraction(operation: Operation, inputs: Inputs, name: str) -> Array:
    """Indices as real numbers, the last between two classes."""
    return _last(inputs[name].astype(inputs[operation.leading].dtype), STEP)


def _longer(operation: Operation, inputs: Inputs, name: str) -> Array:
    """One row more; of weights that aren't there, one more than there are rows or classes."""
    if name in inputs:
        return np.concatenate([inputs[name], inputs[name][-1:]])
    leading = inputs[operation.leading]
    count = leading.shape[0] if name == WEIGHTS.name and _has_axis(operation) else _classes(operation, inputs)
    return np.ones(count + 1, leading.dtype)


def _column(_operation: Operation, inputs: Inputs, name: str) -> Array:
    """With an axis of length 1 after the others: what lies in rows is broadcast against columns."""
    return inputs[name][..., np.newaxis]


def _broadcast(_operation: Operation, inputs: Inputs, name: str) -> Array:
    """The first of each row alone."""
    return inputs[name][..., :1]


def _integer(_operation: Operation, inputs: Inputs, name: str) -> Array:
    return inputs[name].astype(np.int64)


def _double(_operation: Operation, inputs: Inputs, name: str) -> Array:
    """In another floating dtype: float64, or float32 beside it."""
    return inputs[name].astype(np.float32 if inputs[name].dtype == np.float64 else np.float64)


def _scalar(_operation: Operation, inputs: Inputs, name: str) -> Array:
    return np.array(inputs[name].flat[0])


WAYS: Mapping[str, Way] = {
    "large": _large,
    "negative": _negative,
    "fraction": _fraction,
    "longer": _longer,
    "column": _column,
    "broadcast": _broadcast,
    "integer": _integer,
    "double": _double,
    "scalar": _scalar,
    "nan": lambda _operation, inputs, name: _last(inputs[name], np.nan),
    "above": lambda _operation, inputs, name: _last(inputs[name], ABOVE),
    "below": lambda _operation, inputs, name: _last(inputs[name], BELOW),
}
"""By the kind's last word: what becomes of the input."""


def _last(array: Array, number: Any) -> Array:
    """An array with another last element."""
    changed = array.copy()
    changed.flat[-1] = number
    return changed


def _classes(operation: Operation, inputs: Inputs) -> int:
    """How many classes there are: on the last axis, or as many as the layer has rows."""
    return inputs["kernel"].shape[0] if "kernel" in inputs else inputs[operation.leading].shape[-1]


def _without_rows(operation: Operation, inputs: Inputs) -> dict[str, Array]:
    """Inputs of no rows."""
    units = {given.name for given in operation.inputs if given.extent == "unit"}
    return {name: array[:0] if name in units else array for name, array in inputs.items()}


# parameters


def _of_parameter(parameter: Parameter) -> tuple[str, ...]:
    if parameter.name == "reduction":
        return "reduction-unknown", EMPTY_MEAN
    if parameter.name == "axis" and not parameter.choices:
        return ("axis-outside",)
    if parameter.name not in RANGED:
        return ()
    below = (f"{parameter.name}-below",) if np.isfinite(parameter.low) else ()
    above = (f"{parameter.name}-above",) if parameter.high <= 1 and parameter.name != "epsilon" else ()
    return below + above


def _beyond(parameter: Parameter, how: str, leading: Array) -> Scalar:
    if how == "unknown":
        return MISSPELT
    if how == "outside":
        return leading.ndim
    return parameter.low - STEP if how == "below" else parameter.high + STEP


KINDS = tuple(dict.fromkeys(kind for operation in OPERATIONS.values() for kind in kinds(operation)))
"""The kinds of any operation."""
