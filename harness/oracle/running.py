"""Running error analysis: float64 values, each with a bound on what an algorithm may lose so far.

The rules are those of the standard model of floating-point arithmetic, fl(a op b) = (a op b)(1 + d)
with |d| <= u (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., 2.2 and 3.3), with
underflow as in 2.8. A function of the mathematical library has |d| <= m u. What has been lost is
carried through each operation by its own sensitivity, not to first order only.

One evaluation serves several arithmetics at once: float64 itself, whose bound is the radius that the
truth is known to, and the subject's dtype, whose bound is what a reference algorithm may lose.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from harness.model.case import Array
from harness.oracle.formats import Format

NONE = 0.0
"""The error of exact numbers; every step leaves it out at no cost."""

Error = Array | float

NOTHING = -746.0
"""e to a power below this is less than half of any format's smallest number."""

DOUBLE_LIBRARY = 2000.0
"""m of float64's own exp, log and log1p, as assumed of this machine: 1,000 ulps. See `library`."""

LIBRARY = {"float16": 1.25, "bfloat16": 1.25, "float32": 8.0, "float64": 4.0}
"""m of the subjects' exp, log and log1p: half formats go through float32."""

ROUNDINGS = 20
"""Most roundings on a path, sums apart: second-order terms are at most a factor 1 / (1 - 20 u)."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What an algorithm's steps may lose.

    Attributes:
        unit: u.
        library: m, the error of a library function in units of u.
        subnormal: the smallest subnormal number.
        largest: the largest finite number.
        recursive: whether a sum of n terms is taken to have n - 1 additions on its longest path, else log2 n.
    """

    unit: float
    library: float
    subnormal: float
    largest: float
    recursive: bool

    def additions(self, terms: Array | int, places: int) -> Array:
        """h: roundings on the longest path of a sum over so many places, of which some are exactly 0.

        A tree over all places is no deeper than log2 of them, but log2 of the terms may be less than
        it needs: their places are not its to choose.
        """
        recursive = np.maximum(terms, 1) - 1
        return recursive if self.recursive else np.minimum(recursive, math.ceil(math.log2(max(places, 1))))

    @property
    def slack(self) -> float:
        """F: what second-order terms may add."""
        return 1.0 / (1.0 - ROUNDINGS * self.unit)

    def raising(self, logs: Array) -> Array:
        """What a power that is e to these loses, relatively: by the exponential of a logarithm."""
        return self.library * self.unit * (1.0 + logs)

    def alike(self, other: Arithmetic) -> bool:
        """Whether the two differ in sums only."""
        return (self.unit, self.library) == (other.unit, other.library)

    @property
    def least(self) -> float:
        """What a step that underflows may lose: eta / 2; 2 eta in float64, where bounds underflow with it."""
        return self.subnormal / 2 or 2 * self.subnormal

    @property
    def normal(self) -> float:
        """The smallest number of full precision, from where on a scaling by a power of two is exact."""
        return self.subnormal / (2 * self.unit)

    def loses(self, number: float) -> Error:
        """What rounding a number to this arithmetic may lose; infinite beyond its range."""
        if not math.isfinite(number) or self._holds(number):
            return NONE
        return max(self.unit * abs(number), self.least) if abs(number) <= self.largest else math.inf

    def _holds(self, number: float) -> bool:
        mantissa, _ = math.frexp(number)
        in_digits = (mantissa / self.unit).is_integer() and math.fmod(number, self.subnormal) == 0
        return in_digits and abs(number) <= self.largest


ORACLE = Arithmetic(2.0**-53, DOUBLE_LIBRARY, 2.0**-1022, math.inf, recursive=True)
"""The oracle's own float64. Errors are kept in float64 too: what underflow loses is counted as a normal number."""


def of_format(form: Format, *, recursive: bool) -> Arithmetic:
    """The arithmetic of a subject's dtype."""
    return Arithmetic(form.unit_roundoff, LIBRARY[form.name], form.smallest_subnormal, form.largest, recursive)


class OnDemand(Sequence[Error]):
    """Errors that are made when they are first asked for: many numbers are asked for one of them, or none."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._found: dict[int, Array] = {}

    @abstractmethod
    def made(self, place: int) -> Array:
        """The errors in one arithmetic."""

    def floor(self, place: int) -> Array:
        """At most these, for less work if there is a way; an array of its own."""
        return self[place].copy()

    def is_within(self, _place: int, _share: float, _least: float) -> bool:
        """Whether all are known without a look to be at most so large a share of the number, and so much more."""
        return False

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        if place not in self._found:
            self._found[place] = self.made(place)
        return self._found[place]


class Replaced(OnDemand):
    """Errors with others at some places."""

    def __init__(self, of: Running, places: tuple[Array, ...], by: Running) -> None:
        super().__init__(len(of.arithmetics))
        self._of, self._places, self._by = of, places, by

    def made(self, place: int) -> Array:
        """The errors in one arithmetic."""
        return self._with(np.broadcast_to(self._of.errors[place], self._of.shape).copy(), place)

    def floor(self, place: int) -> Array:
        """At most these."""
        return self._with(self._of.floor(place), place)

    def is_within(self, place: int, share: float, least: float) -> bool:
        """Whether all are so small."""
        others = self._by.bound(place) <= share * np.abs(self._by.value) + least
        return self._of.is_within(place, share, least) and bool(others.all())

    def _with(self, array: Array, place: int) -> Array:
        array[self._places] = self._by.errors[place]
        return array


class Running:
    """Numbers with running error bounds, one for each arithmetic.

    Attributes:
        value: float64.
        errors: bounds on |computed - value|, of the value's shape or `NONE`; infinite where the
            computed number may be, NaN where it may be that, by a difference of infinities.
    """

    __slots__ = ("arithmetics", "errors", "value")
    __array_ufunc__ = None

    def __init__(self, value: Array, errors: Sequence[Error], arithmetics: Sequence[Arithmetic]) -> None:
        self.value = value
        self.errors = errors
        self.arithmetics = arithmetics

    @classmethod
    def exact(cls, value: Array | float, arithmetics: Sequence[Arithmetic]) -> Self:
        """Numbers without error. Zero has no sign: 1 / -0.0 would be the limit from outside a domain."""
        return cls(np.asarray(np.add(value, 0.0, dtype=np.float64)), (NONE,) * len(arithmetics), arithmetics)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.value.shape

    @property
    def is_exact(self) -> bool:
        """Whether nothing has been lost in any arithmetic."""
        return all(error is NONE for error in self.errors)

    def bound(self, place: int) -> Array:
        """The error bound in one arithmetic, second-order terms included; infinite where there is none."""
        error = np.asarray(self.errors[place]) * self.arithmetics[place].slack
        if error.shape != self.shape:
            error = np.broadcast_to(error, self.shape)
        return np.where(np.isnan(error), np.inf, error) if np.isnan(np.max(error, initial=0.0)) else error

    def floor(self, place: int) -> Array:
        """At most the error bound; where errors are made on demand, for less work. An array of its own."""
        return self.errors.floor(place) if isinstance(self.errors, OnDemand) else self.bound(place)

    def is_within(self, place: int, share: float, least: float) -> bool:
        """Whether bounds are known without a look to be at most so large a share of the number, and so much more."""
        slack = self.arithmetics[place].slack
        return isinstance(self.errors, OnDemand) and self.errors.is_within(place, share / slack, least / slack)

    def __neg__(self) -> Self:
        return self._like(-self.value, self.errors)

    def __abs__(self) -> Self:
        return self._like(np.abs(self.value), self.errors)

    def __add__(self, other: Self | float) -> Self:
        return self._plus(self._of(other))

    def __radd__(self, other: float) -> Self:
        return self._of(other)._plus(self)

    def __sub__(self, other: Self | float) -> Self:
        return self._plus(-self._of(other))

    def __rsub__(self, other: float) -> Self:
        return self._of(other)._plus(-self)

    def __mul__(self, other: Self | float) -> Self:
        return self._times(self._of(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Self | float) -> Self:
        return self._over(self._of(other))

    def __rtruediv__(self, other: float) -> Self:
        return self._of(other)._over(self)

    def exp(self) -> Self:
        """An error d of the argument becomes e**a (e**d - 1); and m u. The exponential of 0 is exact."""
        value = np.exp(self.value)
        below = not np.min(self.value, initial=0.0) >= NOTHING
        zeros = np.flatnonzero(self.value == 0)

        def rule(a: Arithmetic, error: Error) -> Error:
            lost = np.asarray(value * _expm1(error + a.library * a.unit) + a.library * a.subnormal)
            if below:
                # Whatever was lost on the way down, be it by overflow: e to that power is nothing.
                gone = (self.value + error < NOTHING) | (self.value < -a.largest / 2)
                lost = np.where(gone, a.subnormal, lost)
            exact = zeros if error is NONE else zeros[np.ravel(np.broadcast_to(error, value.shape))[zeros] == 0]
            np.put(lost, exact, 0.0)
            return lost

        return self._made(value, rule, self)

    def log(self) -> Self:
        """-log(1 - error / a), and m u |log a|."""
        return self._logarithm(np.log(self.value), self.value)

    def log1p(self) -> Self:
        """The same with 1 + a for a."""
        return self._logarithm(np.log1p(self.value), None)

    def power(self, exponent: float) -> Self:
        """a (1 + r) to a power is the power times (1 + r) to it; by the exponential of a logarithm, and m u."""
        if exponent in (0.0, 1.0, 2.0):
            return (self.exact(np.ones(self.shape), self.arithmetics), self, self * self)[int(exponent)]
        value = np.power(self.value, exponent)
        logs = np.abs(np.where(self.value > 0, np.log(self.value), 0.0))

        def rule(a: Arithmetic, error: Error) -> Error:
            step = a.raising(abs(exponent) * logs) + a.loses(exponent) * logs
            rounding = value * _expm1(step) + a.library * a.subnormal * (self.value != 0)
            rounding = np.where(np.isfinite(value), rounding, 0.0)
            return rounding if error is NONE else rounding + _raised(self.value, np.asarray(error), exponent, value)

        return self._made(value, rule, self)

    def maximum(self, other: Self | float) -> Self:
        """The larger of two."""
        return self._chosen(np.maximum, self._of(other))

    def minimum(self, other: Self | float) -> Self:
        """The smaller of two, likewise."""
        return self._chosen(np.minimum, self._of(other))

    def sum(self, axis: int | None = -1, *, keepdims: bool = False) -> Self:
        """The errors' sum, and h u times the sum of absolute values."""
        value = np.asarray(np.sum(self.value, axis=axis, keepdims=keepdims))
        places = self.value.size if axis is None else self.shape[axis]
        terms: Array | int = places
        if nothing := self._nothing():
            # Adding 0 is exact: a row of hard labels has a sum without error.
            terms = places - np.count_nonzero(nothing[0], axis=axis, keepdims=keepdims)
        signed = not np.min(self.value, initial=0.0) >= 0
        mass = np.asarray(np.sum(np.abs(self.value), axis=axis, keepdims=keepdims)) if signed else value
        before = self.shaped(lambda a: np.asarray(np.sum(a, axis=axis, keepdims=keepdims))).errors
        errors = [
            stepped(mass, error, a.additions(terms, places) * a.unit * mass, a)
            for a, error in zip(self.arithmetics, before, strict=True)
        ]
        if signed and any(np.isinf(error).any() for error in errors):
            mixed = self._mixed(axis, keepdims=keepdims)
            errors = [np.where(np.isinf(error) & mixed, np.nan, error) for error in errors]
        return self._like(value, errors)

    def _mixed(self, axis: int | None, *, keepdims: bool) -> Array:
        """Where terms of a sum are of either sign."""
        least, most = (end(self.value, axis=axis, keepdims=keepdims, initial=0.0) for end in (np.min, np.max))
        return np.asarray((least < 0) & (most > 0))

    def where(self, mask: Array, other: Self | float) -> Self:
        """These elements where the mask holds, the other's elsewhere."""
        second = self._of(other)

        def rule(_: Arithmetic, mine: Error, others: Error) -> Error:
            return NONE if mine is NONE and others is NONE else np.where(mask, mine, others)

        return self._made(np.where(mask, self.value, second.value), rule, self, second)

    def replaced(self, places: tuple[Array, ...], other: Self) -> Self:
        """These elements, but at some places the other's."""
        value = self.value.copy()
        value[places] = other.value
        return self._like(value, Replaced(self, places, other))

    def guarded(self, guard: Self, other: Self | float) -> Self:
        """These elements where the guard is at least 0, the other's elsewhere; either where its error decides."""
        second, below = self._of(other), guard.value < 0

        def rule(_: Arithmetic, mine: Error, others: Error, lost: Error) -> Error:
            chosen = np.where(below, others, mine)
            open_ = (np.abs(guard.value) <= lost) & (np.asarray(lost) != 0)
            if not open_.any():
                return chosen
            return np.where(open_, np.maximum(mine, others) + np.abs(self.value - second.value), chosen)

        return self._made(np.where(below, second.value, self.value), rule, self, second, guard)

    def shaped(self, change: Callable[[Array], Array]) -> Self:
        """Elements rearranged."""
        changed: dict[int, Error] = {}
        for error in self.errors:
            if id(error) not in changed:
                changed[id(error)] = NONE if error is NONE else change(np.broadcast_to(error, self.shape))
        return self._like(change(self.value), [changed[id(error)] for error in self.errors])

    def rounded(self) -> Self:
        """One rounding more."""
        return self._made(self.value, lambda a, error: error + a.unit * np.abs(self.value), self)

    def settled(self) -> Self:
        """Without error; not exact, since the computed numbers are others."""
        return self._like(self.value, [np.zeros(self.shape) for _ in self.arithmetics])

    def _plus(self, other: Self) -> Self:
        """Both errors, and a rounding, unless a term is exactly 0."""
        value = self.value + other.value
        size = np.abs(value)
        alone = _either(*self._nothing(), *other._nothing())

        def rule(a: Arithmetic, mine: Error, others: Error) -> Error:
            rounding: Error = a.unit * size
            if alone is not None:
                rounding = np.where(alone, 0.0, rounding)
            lost = stepped(size, _both(mine, others), rounding, a)
            clash = not np.max(lost, initial=0.0) < np.inf and mine is not NONE and others is not NONE
            return np.where(np.isinf(mine) & np.isinf(others), np.nan, lost) if clash else lost

        return self._made(value, rule, self, other)

    def _times(self, other: Self) -> Self:
        """|a| f + |b| e + e f, and a rounding, unless a factor is exactly 0 or a power of two."""
        a_value, b_value = self.value, other.value
        value = a_value * b_value
        powers = [x for x in (self, other) if x.is_exact]
        nothing = _either(*self._vanishing(other), *other._vanishing(self))
        if nothing is not None:
            value = np.where(nothing, 0.0, value)
        size = np.abs(value)

        def rule(a: Arithmetic, mine: Error, others: Error) -> Error:
            before = NONE if mine is NONE else np.abs(b_value) * mine
            if others is not NONE:
                before = _both(before, np.abs(a_value) * others)
            if mine is not NONE and others is not NONE:
                before = before + mine * others
            rounding: Error = a.unit * size + a.least
            for factor in powers:
                rounding = np.where(_is_exact(factor.value, size, before, a), 0.0, rounding)
            lost = stepped(size, before, rounding, a)
            if nothing is None:
                return lost
            unknown = _unknown(self, mine) | _unknown(other, others)
            return np.where(nothing, np.where(unknown, np.nan, 0.0), lost)

        return self._made(value, rule, self, other)

    def _nothing(self) -> list[Array]:
        """Where these are exactly 0; an empty list if nowhere."""
        if np.all(self.value):
            return []
        mask = self.value == 0
        for error in self.errors:
            mask = mask if error is NONE else mask & (error == 0)
        return [mask]

    def _vanishing(self, other: Self) -> list[Array]:
        """Where this factor makes a product vanish: it is exactly 0, and the other is a number."""
        return [mask & ~np.isnan(other.value) for mask in self._nothing()]

    def _over(self, other: Self) -> Self:
        """(e + |a / b| f) / (|b| - f), and a rounding; nothing over something is exact, and all over a power of two."""
        value = self.value / other.value
        size, below = np.abs(value), np.abs(other.value)
        nothing = _either(*(mask & (below > 0) for mask in self._vanishing(other)))

        def rule(a: Arithmetic, mine: Error, others: Error) -> Error:
            share = others / below
            left = np.where(share < 1, 1.0 - share, 0.0)
            before = (size * share + mine / below) / left
            rounding = (size * a.unit + a.least) / left
            if other.is_exact:
                rounding = np.where(_is_exact(below, size, before, a), 0.0, rounding)
            lost = stepped(size, before, rounding, a)
            return lost if nothing is None else np.where(nothing, 0.0, lost)

        return self._made(value, rule, self, other)

    def _logarithm(self, value: Array, of: Array | None) -> Self:
        size, below = np.abs(value), np.abs(1.0 + self.value if of is None else of)

        def rule(a: Arithmetic, error: Error) -> Error:
            rounding = a.library * (a.unit * size + (0.0 if of is not None else a.subnormal * (self.value != 0)))
            rounding = np.where(np.isinf(value), 0.0, rounding)
            if error is NONE:
                return rounding
            share = np.where(error == 0, 0.0, error / below)
            return rounding + np.where(share < 1, share / (1.0 - share), np.inf)

        return self._made(value, rule, self)

    def _chosen(self, choose: Callable[..., Array], other: Self) -> Self:
        """The error of the one that is chosen; the larger where rounding may choose the other."""
        value = choose(self.value, other.value)

        def rule(_: Arithmetic, mine: Error, others: Error) -> Error:
            if mine is NONE and others is NONE:
                return NONE
            open_ = np.abs(self.value - other.value) <= _both(mine, others)
            chosen = np.where(value == self.value, mine, others)
            return np.where(open_, np.maximum(mine, others), chosen)

        return self._made(value, rule, self, other)

    def _made(self, value: Array, rule: Callable[..., Error], *operands: Self) -> Self:
        """A result whose error follows one rule; arithmetics that are alike so far share its array."""
        errors: list[Error] = []
        for k, arithmetic in enumerate(self.arithmetics):
            alike = k > 0 and arithmetic.alike(self.arithmetics[k - 1])
            if alike and all(operand.errors[k] is operand.errors[k - 1] for operand in operands):
                errors.append(errors[-1])
            else:
                errors.append(rule(arithmetic, *(operand.errors[k] for operand in operands)))
        return self._like(value, errors)

    def _like(self, value: Array, errors: Sequence[Error]) -> Self:
        return type(self)(value, errors, self.arithmetics)

    def _of(self, number: Self | float) -> Self:
        return self.exact(number, self.arithmetics) if isinstance(number, float) else number


def parameter(number: float, arithmetics: Sequence[Arithmetic]) -> Running:
    """A parameter: exact as the double written, rounded once where an algorithm's dtype can't hold it."""
    return Running(np.asarray(number, np.float64), [a.loses(number) for a in arithmetics], arithmetics)


def _raised(a: Array, error: Array, exponent: float, value: Array) -> Array:
    """The most that a power changes where its base does by so much, without falling below 0."""
    share = np.where(error == 0, 0.0, error / a)
    near = np.where(share < 1, share, 0.0)
    up, down = (value * np.abs(np.expm1(exponent * np.log1p(r))) for r in (near, -near))
    far = np.maximum(np.power(a + error, exponent), value) if exponent > 0 else np.inf
    return np.where(share < 1, np.maximum(up, down), far)


def _expm1(x: Error) -> Error:
    """At least exp(x) - 1 for x >= 0; x (1 + x) is, up to 1.79, and costs a tenth."""
    return x * (1.0 + x) if np.max(x, initial=0.0) < 1.0 else np.where(x < 1.0, x * (1.0 + x), np.expm1(x))


def stepped(size: Array, before: Error, rounding: Error, arithmetic: Arithmetic) -> Error:
    """What was lost before, and a step's own rounding; infinite where that may lead out of range; NaN stays."""
    lost = _both(before, rounding)
    if arithmetic.largest == np.inf:
        return lost
    reach = _both(size, before)
    if np.max(reach, initial=0.0) <= arithmetic.largest:
        return lost
    leaves = (reach > arithmetic.largest) & (np.asarray(rounding) != 0)
    return np.where(np.isfinite(size) & leaves, np.inf, lost)


def _is_exact(factor: Array, size: Array, before: Error, arithmetic: Arithmetic) -> Array:
    """Whether a product or quotient of so large a size loses nothing: by a power of two, inside the range."""
    in_range = (size - before >= arithmetic.normal) & (size + before <= arithmetic.largest)
    return (np.abs(factor) == 1) | in_range & (np.abs(np.frexp(factor)[0]) == 0.5)  # noqa: PLR2004 - a mantissa


def _unknown(factor: Running, error: Error) -> Array | bool:
    """Where a number may have become NaN on its way: 0 times that is no 0."""
    return error is not NONE and np.isnan(error) & np.isfinite(factor.value)


def _both(first: Error, second: Error) -> Error:
    return second if first is NONE else first if second is NONE else first + second


def _either(*masks: Array) -> Array | None:
    return None if not masks else masks[0] if len(masks) == 1 else masks[0] | masks[1]
