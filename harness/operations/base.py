"""What an operation is: its signature, where it is defined, and its exact value and gradient.

Definitions are evaluated in float64 in forms without cancellation, so that they can stand as
truth for narrower dtypes. A product with an exact zero is zero (the limit of z log p as p -> 0
is 0 for z = 0), so infinite logits have their value by limit; NaN stays NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters, Scalar

UPSTREAM = "upstream"
"""Optional input of every operation: what the gradient is multiplied with; ones if absent."""


@dataclass(frozen=True, slots=True)
class Input:
    """A named input.

    Attributes:
        kind: `real`, or `index` for class indices of an integer dtype.
        optional: whether a call may leave it out.
        differentiable: whether the operation has a gradient with respect to it here.
    """

    name: str
    kind: str = "real"
    optional: bool = False
    differentiable: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named parameter: its default, and the choices or the closed range it is defined on."""

    name: str
    default: Scalar
    choices: tuple[Scalar, ...] = ()
    low: float = -np.inf
    high: float = np.inf

    def objection(self, value: Scalar) -> str:
        """Why the operation is undefined for this value; "" if it isn't."""
        if self.choices:
            if value in self.choices:
                return ""
            return f"{self.name} is {value!r}, not one of {', '.join(map(str, self.choices))}"
        if isinstance(value, str | bool) or (isinstance(self.default, int) and not isinstance(value, int)):
            return f"{self.name} is {value!r}, not a number of its kind"
        if not self.low <= value <= self.high:
            return f"{self.name} is {value!r}, outside [{self.low:g}, {self.high:g}]"
        return ""


@dataclass(frozen=True, slots=True)
class Region:
    """Where a call's input lies, and why it is not inside."""

    domain: Domain
    reason: str = ""


INSIDE = Region(Domain.INSIDE)


@dataclass(frozen=True, slots=True)
class Operation:
    """A mathematical function with named inputs and parameters.

    Attributes:
        name: as in case files.
        formula: what it computes, in one line.
        inputs: its inputs; the first is the one whose shape and dtype lead.
        parameters: its parameters with their defaults.
        region: where the given inputs and complete parameters lie.
        value: the exact value, evaluated in float64; None where it isn't defined here yet.
        gradient: the vector-Jacobian product with an upstream gradient of the value's shape,
            with respect to the first input.
        elementwise: each element of the value depends on the elements at its own place only.
    """

    name: str
    formula: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    region: Callable[[Inputs, Parameters], Region]
    value: Callable[[Inputs, Parameters], Array] | None = None
    gradient: Callable[[Inputs, Parameters, Array], Array] | None = None
    elementwise: bool = False

    @property
    def leading(self) -> str:
        """Name of the input that the gradient is taken with respect to."""
        return self.inputs[0].name

    def complete(self, parameters: Parameters) -> dict[str, Scalar]:
        """The parameters with defaults for those that aren't given."""
        return {p.name: parameters.get(p.name, p.default) for p in self.parameters}

    def locate(self, inputs: Inputs, parameters: Parameters) -> Region:
        """Where this call lies: parameters first, then what the operation itself says."""
        complete = self.complete(parameters)
        for parameter in self.parameters:
            if objection := parameter.objection(complete[parameter.name]):
                return Region(Domain.UNDEFINED, objection)
        return self.region(inputs, complete)


def widened(inputs: Inputs) -> dict[str, Array]:
    """Floating inputs as float64 (exact for every format here); indices as they are."""
    return {n: a if a.dtype.kind in "iub" else a.astype(np.float64) for n, a in inputs.items()}


def times(factor: Array, x: Array) -> Array:
    """factor * x, and 0 wherever factor is exactly 0, whatever x is (NaN excepted)."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where((factor == 0) & ~np.isnan(x), 0.0, factor * x)


def undefined(reason: str) -> Region:
    """A call for which the operation has no value."""
    return Region(Domain.UNDEFINED, reason)


def same_shape(inputs: Inputs, first: str, second: str) -> str:
    """Why two inputs that must have one shape don't; "" if they do."""
    a, b = inputs[first].shape, inputs[second].shape
    return "" if a == b else f"{second} have shape {list(b)}, {first} {list(a)}: they must be equal"


def by_name(operations: tuple[Operation, ...]) -> Mapping[str, Operation]:
    """A registry."""
    return {operation.name: operation for operation in operations}
