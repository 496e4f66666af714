"""What the definitions are written in: arrays of real numbers, whatever represents them.

An operation states its exact value, and the algorithms that bounds are derived from, once, as
programs over `Real`. The oracle runs them in float64 with running error bounds and in Arb balls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
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

    def power(self, exponent: float) -> Self:
        """Numbers that aren't below 0 to a power; 0**0 is 1."""
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

    def where(self, mask: Array, other: Self | float) -> Self:
        """These elements where the mask holds, the other's elsewhere."""
        ...

    def replaced(self, places: tuple[Array, ...], other: Self) -> Self:
        """These elements, but at some places the other's, which has one for each."""
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


class Exponentials(Protocol):
    """exp(d) of whole rows of exact numbers x, d = x - largest of the row."""

    def sums(self) -> tuple[Any, Any]:
        """Along the last axis, which stays: without the row's leading term, which is exp(0), and whole."""
        ...

    def terms(self, part: Callable[[Array], Array]) -> Any:
        """Those of some classes, which a function takes along the last axis."""
        ...

    def shares(self, whole: Any) -> Callable[[Any], Any]:
        """Makes exp(d) / whole of terms; one whole for each row."""
        ...

    def powers(self, log_whole: Any) -> Callable[[Any], Any]:
        """Makes exp(d - log_whole) of terms, likewise; log_whole is at least 0."""
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
        once_rounded: makes a parameter's number, or a count, which algorithms have as rounded to their dtype.
        exponentials: of whole rows, their largest numbers with the last axis, and the places of those without it.
        kept: what programs of this call share.
        row: the call with whole rows, where this one has a part of their classes.
        classes: which of them: a range, or numbers along the last axis for each row.
        group: the call with more rows, where this one has some of them, whole.
        rows: which of them.
    """

    inputs: Inputs
    parameters: Parameters
    exactly: Callable[[Array | float], Real]
    once_rounded: Callable[[float], Real]
    exponentials: Callable[[Array, Array, Array], Exponentials]
    kept: dict[object, Any] = field(default_factory=dict)
    row: Call | None = None
    classes: slice | Array = field(default_factory=lambda: slice(None))
    group: Call | None = None
    rows: slice = field(default_factory=lambda: slice(None))

    @property
    def whole(self) -> Call:
        """The call with whole rows: this one, unless it is a piece."""
        return self.row or self

    def part(self, array: Array) -> Array:
        """This call's classes of an array with whole rows."""
        if isinstance(self.classes, slice):
            return array[..., self.classes]
        return np.take_along_axis(array, self.classes, axis=-1)

    def numbers(self, count: int) -> Array:
        """The numbers of this call's classes, which are so many."""
        if isinstance(self.classes, slice):
            first = self.classes.start or 0
            return np.arange(first, first + count)
        return self.classes

    def places(self, numbers: Array) -> tuple[Array, ...]:
        """Where each row's class of a number stands, if it is one of this call's."""
        if self.row is None:
            return (*np.indices(numbers.shape, sparse=True), numbers)
        if isinstance(self.classes, slice):
            rows = np.nonzero((numbers >= self.classes.start) & (numbers < self.classes.stop))
            return (*rows, numbers[rows] - self.classes.start)
        return np.nonzero(self.classes == numbers[..., np.newaxis])

    @property
    def members(self) -> Sequence[Call]:
        """Each row alone of a call of which all inputs have the rows first."""
        count = len(next(iter(self.inputs.values())))

        def alone(number: int) -> Call:
            rows = slice(number, number + 1)
            inputs = {name: array[rows] for name, array in self.inputs.items()}
            return replace(self, inputs=inputs, kept={}, group=self, rows=rows)

        found: Sequence[Call] = self.once("members", lambda: [alone(number) for number in range(count)])
        return found

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

    def run(self, program: Program) -> Any:
        """A program's result, computed once."""
        return self.once(program, lambda: program(self))


def shared(program: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """A program whose result is computed once for each call."""

    def computed(call: Call) -> Any:
        return call.once(program, lambda: program(call))

    return computed


def of_row(program: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """A shared program of whole rows: pieces of a row have its result in common, a group's rows their part of it."""

    def computed(call: Call) -> Any:
        whole, group = call.whole, call.whole.group
        if group is None:
            return whole.once(program, lambda: program(whole))
        return whole.once(program, lambda: _selected(computed(group), whole.rows))

    return computed


def _selected(found: Any, rows: slice) -> Any:
    """Some rows of a program's result."""
    if isinstance(found, np.ndarray):
        return found[rows]
    if isinstance(found, tuple):
        parts = [_selected(part, rows) for part in found]
        return found._make(parts) if hasattr(found, "_make") else tuple(parts)
    return found.shaped(lambda array: array[rows]) if hasattr(found, "shaped") else found


def expanded(real: Real) -> Real:
    """A last axis of length 1 added."""
    return real.shaped(lambda a: a[..., np.newaxis])


def along(real: Real, indices: Array) -> Real:
    """One element of each row, by its index along the last axis."""
    return real.shaped(lambda a: np.take_along_axis(a, indices[..., np.newaxis], axis=-1)[..., 0])
