"""Arb balls: rigorous midpoint-radius arithmetic of any precision (python-flint), in NumPy arrays.

The only module that knows flint. F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius
interval arithmetic", IEEE Trans. Computers 66(8), 2017.

An infinite or undefined number is a ball without a finite midpoint, and says no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np
from flint import arb, ctx

from harness.model.case import Array

_MIDPOINT = np.frompyfunc(float, 1, 1)
_RADIUS = np.frompyfunc(lambda ball: float(ball.rad()), 1, 1)
_FINITE = np.frompyfunc(arb.is_finite, 1, 1)
_ZERO = np.frompyfunc(arb.is_zero, 1, 1)
_UNDEFINED = np.frompyfunc(lambda ball: bool(ball.is_nan() and ball.rad() == 0), 1, 1)
"""NaN, as opposed to a number that isn't known: that has an infinite radius."""
_NEGATIVE = np.frompyfunc(lambda ball: ball.mid() < 0, 1, 1)
_LOWEST = arb("-inf")
_LARGER = np.frompyfunc(lambda a, b: b if a == _LOWEST else a.max(b), 2, 1)
_SMALLER = np.frompyfunc(lambda a, b: a.min(b), 2, 1)
_EXP = np.frompyfunc(arb.exp, 1, 1)
_LOG = np.frompyfunc(lambda a: _LOWEST if a.is_zero() else a.log(), 1, 1)
_POWER = np.frompyfunc(lambda a, b: arb(0.0**b if b >= 0 else "inf") if a.is_zero() else a ** arb(b), 2, 1)
_EXACT = np.frompyfunc(arb, 1, 1)


def _log1p(a: arb) -> arb:
    found = a.log1p()
    return _LOWEST if not found.is_finite() and a == -1 else found


_LOG1P = np.frompyfunc(_log1p, 1, 1)

ROUNDED = 1.0 + 2.0**-20
"""Covers what is lost in adding up radii that are floats."""


class Enclosed(NamedTuple):
    """Where reals lie: within `radius` of `high + low`, all float64; radius NaN where a ball is not finite."""

    high: Array
    low: Array
    radius: Array


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with so many bits."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


class Balls:
    """An array of balls."""

    __slots__ = ("balls",)
    __array_ufunc__ = None

    def __init__(self, balls: Array) -> None:
        self.balls = balls

    @classmethod
    def exact(cls, values: Array | float) -> Self:
        """Float64 numbers as they are."""
        return cls(np.asarray(_EXACT(np.asarray(values, np.float64).astype(object)), dtype=object))

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.balls.shape

    def enclosed(self) -> Enclosed:
        """Midpoints as sums of two floats, with radii rounded up.

        A number too large for float64 is infinite, one too small is 0 with the smallest radius.
        """
        high = _floats(_MIDPOINT, self.balls)
        inside = np.where(np.isfinite(high), high, 0.0)
        rest = np.asarray(self.balls - _EXACT(inside.astype(object)), dtype=object)
        low = _floats(_MIDPOINT, rest)
        radius = (_floats(_RADIUS, rest) + np.abs(low) * 2.0**-52) * ROUNDED + 2.0**-1074
        radius = np.where(_mask(_ZERO, rest) | np.isinf(high), 0.0, radius)
        return Enclosed(high, np.where(np.isinf(high), 0.0, low), np.where(_mask(_FINITE, self.balls), radius, np.nan))

    def __neg__(self) -> Self:
        return self._like(-self.balls)

    def __abs__(self) -> Self:
        return self._like(abs(self.balls))

    def __add__(self, other: Self | float) -> Self:
        return self._like(self.balls + self._of(other))

    __radd__ = __add__

    def __sub__(self, other: Self | float) -> Self:
        return self._like(self.balls - self._of(other))

    def __rsub__(self, other: float) -> Self:
        return self._like(self._of(other) - self.balls)

    def __mul__(self, other: Self | float) -> Self:
        """The product; 0 where a factor is exactly 0, whatever the other one is, unless that is NaN."""
        mine, others = self.balls, self._of(other)
        product = np.asarray(mine * others, dtype=object)
        if not _mask(_FINITE, product).all():
            zero = _mask(_ZERO, mine) & ~_mask(_UNDEFINED, others) | _mask(_ZERO, others) & ~_mask(_UNDEFINED, mine)
            product = np.where(zero, arb(0), product)
        return self._like(product)

    __rmul__ = __mul__

    def __truediv__(self, other: Self | float) -> Self:
        return self._like(self.balls / self._of(other))

    def __rtruediv__(self, other: float) -> Self:
        return self._like(self._of(other) / self.balls)

    def exp(self) -> Self:
        """e to the power of each."""
        return self._like(_EXP(self.balls))

    def log(self) -> Self:
        """Natural logarithm."""
        return self._like(_LOG(self.balls))

    def log1p(self) -> Self:
        """log(1 + x)."""
        return self._like(_LOG1P(self.balls))

    def power(self, exponent: float) -> Self:
        """Numbers that aren't below 0 to a power."""
        return self._like(_POWER(self.balls, exponent))

    def maximum(self, other: Self | float) -> Self:
        """The larger of two."""
        return self._like(_LARGER(self.balls, self._of(other)))

    def minimum(self, other: Self | float) -> Self:
        """The smaller of two."""
        return self._like(_SMALLER(self.balls, self._of(other)))

    def sum(self, axis: int | None = -1, *, keepdims: bool = False) -> Self:
        """Sum along an axis, or of all."""
        return self._like(np.sum(self.balls, axis=axis, keepdims=keepdims, initial=arb(0)))

    def where(self, mask: Array, other: Self | float) -> Self:
        """These where the mask holds, the other's elsewhere."""
        return self._like(np.where(mask, self.balls, self._of(other)))

    def replaced(self, places: tuple[Array, ...], other: Self) -> Self:
        """These, but at some places the other's."""
        found = self.balls.copy()
        found[places] = other.balls
        return self._like(found)

    def guarded(self, guard: Self, other: Self | float) -> Self:
        """These where the guard is not below 0, the other's elsewhere."""
        return self._like(np.where(_mask(_NEGATIVE, guard.balls), self._of(other), self.balls))

    def shaped(self, change: Callable[[Array], Array]) -> Self:
        """Balls rearranged."""
        return self._like(change(self.balls))

    def rounded(self) -> Self:
        """The same: nothing is rounded here."""
        return self

    def settled(self) -> Self:
        """The same: nothing is lost here."""
        return self

    def _like(self, balls: Any) -> Self:
        array = np.asarray(balls, dtype=object)
        return type(self)(array)

    def _of(self, number: Self | float) -> Array:
        return number.balls if isinstance(number, Balls) else self.exact(number).balls


class BallTerms(NamedTuple):
    """d and exp(d)."""

    d: Balls
    e: Balls


class BallExponentials:
    """exp(d) of whole rows, d = x - largest of the row, and sums of it."""

    def __init__(self, x: Array, largest: Array, leaders: Array) -> None:
        d = Balls.exact(x) - Balls.exact(largest)
        self._terms = BallTerms(d, d.exp())
        self._leads = np.arange(x.shape[-1]) == leaders[..., np.newaxis]

    def sums(self) -> tuple[Balls, Balls]:
        """Without the leading terms, and whole."""
        others = self._terms.e.where(~self._leads, 0.0).sum(keepdims=True)
        return others, others + 1.0

    def terms(self, part: Callable[[Array], Array]) -> BallTerms:
        """Those of some classes."""
        return BallTerms(self._terms.d.shaped(part), self._terms.e.shaped(part))

    def shares(self, whole: Balls) -> Callable[[BallTerms], Balls]:
        """exp(d) / whole."""
        return lambda terms: terms.e / whole

    def powers(self, log_whole: Balls) -> Callable[[BallTerms], Balls]:
        """exp(d - log_whole)."""
        return lambda terms: (terms.d - log_whole).exp()


def _floats(part: Callable[[Array], Any], balls: Array) -> Array:
    return np.asarray(part(balls), dtype=np.float64)


def _mask(test: Callable[[Array], Any], balls: Array) -> Array:
    return np.asarray(test(balls), dtype=bool)
