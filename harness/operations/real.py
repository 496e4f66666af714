"""What the definitions are written in: arrays of real numbers, whatever represents them.

An operation states its exact value, and the algorithms that bounds are derived from, once, as
programs over `Real`. The oracle runs them in float64 with running error bounds and in Arb balls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np

from harness.model.case import Array, Inputs, Parameters

Shape = tuple[int, ...]


class Real(Protocol):
    """An array of real numbers, broadcast like NumPy's.

    Arithmetic takes floats too, which are exact. A product with an exact zero is zero, whatever the
    other factor is, unless that is NaN: the limit of z log p as p -> 0 is 0 for z = 0.
    """

    @property
    def shape(self) -> Shape:
        """Lengths of the axes."""
        ...

    def __add__(self, other: Self | float) -> Self: ...
    def __radd__(self, other: float) -> Self: ...
    def __sub__(self, other: Self | float) -> Self: ...
    def __rsub__(self, other: float) -> Self: ...
    def __mul__(self, other: Self | float) -> Self: ...
    def __rmul__(self, other: float) -> Self: ...
    def __truediv__(self, other: Self | float) -> Self: ...
    def __rtruediv__(self, other: float) -> Self: ...
    def __neg__(self) -> Self: ...
    def __abs__(self) -> Self: ...

    def exp(self) -> Self:
        """e to the power of each element."""
        ...

    def log(self) -> Self:
        """Natural logarithm."""
        ...

    def log1p(self) -> Self:
        """log(1 + x)."""
        ...

    def maximum(self, other: Self | float) -> Self:
        """The larger of two."""
        ...

    def minimum(self, other: Self | float) -> Self:
        """The smaller of two."""
        ...

    def sum(self, axis: int | None = -1, *, keepdims: bool = False) -> Self:
        """Sum along an axis, or of all elements."""
        ...

    def sums_of_exp(self, largest: Array, leads: Array) -> tuple[Self, Self]:
        """Sums of exp(x - largest) along the last axis, which stays: without the leading term, and whole.

        Args:
            largest: of each row, with the last axis.
            leads: where each row's leading term stands, which is exp(0).
        """
        ...

    def where(self, mask: Array, other: Self | float) -> Self:
        """These elements where the mask holds, the other's elsewhere."""
        ...

    def guarded(self, guard: Self, other: Self | float) -> Self:
        """These elements where the guard is at least 0 or NaN, the other's elsewhere: rounding may decide it."""
        ...

    def shaped(self, change: Callable[[Array], Array]) -> Self:
        """Elements rearranged by a NumPy function: a transposition, a broadcast, a selection."""
        ...

    def rounded(self) -> Self:
        """The same numbers, rounded once more: an algorithm's step that changes nothing exactly."""
        ...

    def settled(self) -> Self:
        """The same numbers as an algorithm has them: what they have lost so far is counted elsewhere."""
        ...


Program = Callable[["Call"], Any]
"""Computes a `Real` from a call."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call of an operation in one arithmetic.

    Attributes:
        inputs: floating inputs as float64, which is exact for every format here; indices as they are.
        parameters: complete parameters.
        exactly: makes exact numbers of float64 ones.
        once_rounded: makes a parameter's number, which algorithms have as rounded to their dtype.
        kept: what programs of this call share.
        row: the call with whole rows, where this one has a part of their classes.
        classes: which of them.
    """

    inputs: Inputs
    parameters: Parameters
    exactly: Callable[[Array | float], Real]
    once_rounded: Callable[[float], Real]
    kept: dict[object, Any] = field(default_factory=dict)
    row: Call | None = None
    classes: slice = field(default_factory=lambda: slice(None))

    @property
    def whole(self) -> Call:
        """The call with whole rows: this one, unless it is a piece."""
        return self.row or self

    def numbers(self, count: int) -> Array:
        """The numbers of this call's classes, which are so many."""
        first = self.classes.start or 0
        return np.arange(first, first + count)

    def real(self, name: str) -> Real:
        """An input."""
        found: Real = self.once(("real", name), lambda: self.exactly(self.inputs[name]))
        return found

    def parameter(self, name: str) -> float:
        """A numeric parameter as the exact double that was written."""
        return float(self.parameters[name])

    def constant(self, name: str) -> Real:
        """A numeric parameter to compute with."""
        return self.once_rounded(self.parameter(name))

    def once(self, key: object, make: Callable[[], Any]) -> Any:
        """What several programs share, made when it is first asked for."""
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]


def shared(program: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """A program whose result is computed once for each call."""

    def computed(call: Call) -> Any:
        return call.once(program, lambda: program(call))

    return computed


def of_row(program: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """A shared program of whole rows: pieces of a row have its result in common."""

    def computed(call: Call) -> Any:
        return call.whole.once(program, lambda: program(call.whole))

    return computed


def expanded(real: Real) -> Real:
    """A last axis of length 1 added."""
    return real.shaped(lambda a: a[..., np.newaxis])


def along(real: Real, indices: Array) -> Real:
    """One element of each row, by its index along the last axis."""
    return real.shaped(lambda a: np.take_along_axis(a, indices[..., np.newaxis], axis=-1)[..., 0])
