"""What an operation is: its signature, where it is defined, its exact outputs, and its algorithms.

Exact outputs are programs over `Real` in forms without cancellation, so that float64 with a small
error radius decides nearly everything. A form is an algorithm as frameworks have it; running error
analysis of its program gives the bound on what it may lose on an input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters, Scalar
from harness.operations.real import Program, Shape

UPSTREAM = "upstream"
"""Optional input of every operation: what the gradient is multiplied with; ones if absent."""

VALUE = "value"

ROUNDING = "rounding"
"""The form that keeps every digit which its input has; the others are named for what they lose."""
SHIFT = "shift"
LSE = "lse"
CANCELLATION = "cancellation"


@dataclass(frozen=True, slots=True)
class Input:
    """A named input.

    Attributes:
        kind: `real`, or `index` for class indices of an integer dtype.
        optional: whether a call may leave it out.
        differentiable: whether the operation has a gradient with respect to it here.
        extent: what it has numbers for: `unit`, elements or rows of the call; `class`, one for each; `call`,
            all of which each row depends on.
    """

    name: str
    kind: str = "real"
    optional: bool = False
    differentiable: bool = False
    extent: str = "unit"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named parameter: its default, and the choices or the closed range it is defined on.

    Attributes:
        integers: whether it is defined on all integers, too, beside its choices.
    """

    name: str
    default: Scalar
    choices: tuple[Scalar, ...] = ()
    low: float = -np.inf
    high: float = np.inf
    integers: bool = False

    def objection(self, value: Scalar) -> str:
        """Why the operation is undefined for this value; "" if it isn't."""
        if self.integers:
            whole = isinstance(value, int) and not isinstance(value, bool)
            named = ", ".join(map(str, self.choices))
            return "" if whole or value in self.choices else f"{self.name} is {value!r}, no integer and not {named}"
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
class Form:
    """An algorithm for one output.

    Attributes:
        name: what an error within its bound, and within none before it, is attributed to.
        program: the algorithm.
        passes: whether the pass line allows what it loses; else it only tells what a subject did.
    """

    name: str
    program: Program
    passes: bool = True


@dataclass(frozen=True, slots=True)
class Output:
    """The value, or the gradient with respect to an input.

    Attributes:
        exact: its definition, in a form without cancellation.
        forms: algorithms for it, the most accurate first; the exact form is one if none are given.
    """

    exact: Program
    forms: tuple[Form, ...] = ()

    @property
    def algorithms(self) -> Sequence[Form]:
        """The forms that bounds come from."""
        return self.forms or (Form(ROUNDING, self.exact),)


Outputs = Mapping[str, Output]


@dataclass(frozen=True, slots=True)
class Operation:
    """A mathematical function with named inputs and parameters.

    Attributes:
        name: as in case files.
        formula: what it computes, in one line.
        inputs: its inputs; the first is the one whose shape and dtype lead.
        parameters: its parameters with their defaults.
        region: where the given inputs and complete parameters lie.
        shape: the value's shape, from inputs and complete parameters.
        outputs: `value` and `gradient:<input>`; none where it isn't defined here yet.
        elementwise: each element of the value depends on the elements at its own place only.
        by_pieces: rows may be computed a part of the classes at a time: programs take what those parts
            have in common from the whole row (`real.of_row`).
    """

    name: str
    formula: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    region: Callable[[Inputs, Parameters], Region]
    shape: Callable[[Inputs, Parameters], Shape] | None = None
    outputs: Outputs = field(default_factory=dict)
    elementwise: bool = False
    by_pieces: bool = False

    @property
    def leading(self) -> str:
        """Name of the input whose shape and dtype lead."""
        return self.inputs[0].name

    def complete(self, parameters: Parameters) -> dict[str, Scalar]:
        """The parameters with defaults for those that aren't given."""
        return {p.name: parameters.get(p.name, p.default) for p in self.parameters}

    def locate(self, inputs: Inputs, parameters: Parameters) -> Region:
        """Where this call lies: parameters first, then dtypes, what the operation says, and its upstream gradient."""
        complete = self.complete(parameters)
        for parameter in self.parameters:
            if objection := parameter.objection(complete[parameter.name]):
                return undefined(objection)
        if objection := self._dtype_objection(inputs):
            return undefined(objection)
        found = self.region(inputs, complete)
        if found.domain is Domain.UNDEFINED:
            return found
        if np.any(np.isinf(inputs.get(UPSTREAM, 0.0))):
            return undefined(f"{UPSTREAM} is infinite: times a slope of 0 it has no limit")
        mixed = self._mixture(inputs)
        return Region(Domain.EXTENDED, mixed) if mixed else found

    def _dtype_objection(self, inputs: Inputs) -> str:
        """Why the leading input or indices aren't numbers of their kind; "" if they are."""
        if (dtype := inputs[self.leading].dtype).kind in "iub":
            return f"{self.leading} are {dtype.name}: floating numbers are needed"
        indices = [i.name for i in self.inputs if i.kind == "index" and i.name in inputs]
        wrong = next((name for name in indices if inputs[name].dtype.kind not in "iu"), None)
        return f"{wrong} are {inputs[wrong].dtype.name}: indices are integers" if wrong else ""

    def _mixture(self, inputs: Inputs) -> str:
        """That an input's dtype isn't the leading one's, though its numbers are as good; "" if all are of one."""
        dtype = inputs[self.leading].dtype
        other = next((i.name for i in self._real(inputs) if inputs[i.name].dtype != dtype), None)
        return f"{other} are {inputs[other].dtype.name}, {self.leading} {dtype.name}" if other else ""

    def _real(self, inputs: Inputs) -> list[Input]:
        return [i for i in self.inputs if i.kind != "index" and i.name in inputs]

    def of_one_dtype(self, inputs: Inputs) -> dict[str, Array]:
        """Inputs, the real ones in the leading one's dtype, which must hold their numbers."""
        dtype = inputs[self.leading].dtype
        return {**inputs, **{i.name: inputs[i.name].astype(dtype, copy=False) for i in self._real(inputs)}}

    def shape_of(self, output: str, inputs: Inputs, complete: Parameters) -> Shape:
        """The shape that an output of a defined call has."""
        if output == VALUE and self.shape:
            return self.shape(inputs, complete)
        return inputs[output.partition(":")[2]].shape

    def offered(self, inputs: Inputs) -> Mapping[str, Output]:
        """The outputs of a call with these inputs: no gradient where there is no such input."""
        return {
            name: output for name, output in self.outputs.items() if name == VALUE or name.partition(":")[2] in inputs
        }


def gradient(name: str) -> str:
    """Name of the output that is the gradient with respect to an input."""
    return f"gradient:{name}"


def widened(inputs: Inputs) -> dict[str, Array]:
    """Floating inputs as float64 (exact for every format here); indices as they are."""
    return {n: a if a.dtype.kind in "iub" else a.astype(np.float64) for n, a in inputs.items()}


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
