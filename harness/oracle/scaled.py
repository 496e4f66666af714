"""exp(d) over a number of each row: what it loses, from coefficients of the row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from harness.model.case import Array
from harness.oracle.running import NOTHING, Arithmetic, OnDemand, Running

MUCH = 1e-3
"""Where second-order terms may be more than this, they are summed term by term."""

Change = Callable[[Array], Array]


class Terms:
    """exp(d) of some classes, d = x - largest; what only errors are made of is found when they are asked for.

    Attributes:
        d: of exact x.
        values: exp(d).
    """

    def __init__(self, x: Array, largest: Array) -> None:
        self._x, self._largest = x, largest
        self.d = x - largest
        self.values = np.exp(self.d)

    @cached_property
    def size(self) -> Array:
        """|d|."""
        return np.abs(self.d)

    @cached_property
    def rounded(self) -> Array:
        """|d| where a rounding made d, 0 where x or largest is 0."""
        found = self.size
        for alone in (self._largest == 0, self._x == 0):
            if alone.any():
                found = np.where(alone, 0.0, found)
        return found

    @cached_property
    def exact(self) -> Array:
        """Places, counted through, of d = 0."""
        return np.flatnonzero(self.d == 0)

    @cached_property
    def lowest(self) -> float:
        """The least d; NaN if one is."""
        return float(np.min(self.d, initial=0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What values of a row lose in one arithmetic, by coefficients of the row; all have the last axis.

    That is value * ((exp(u path + start) - 1) scale + share) + least, where path is what roundings of d and d - log
    are in proportion to.

    Attributes:
        slope, common: of the first factor as slope * path + common, at most as much more as second-order terms may be;
            None in formats where those are much.
        steep: rows where they are much, which have no slope.
        exact_share, exact_least: value * exact_share + exact_least where d is exactly 0.
        gone: where exp is nothing, whatever was lost on the way down, be it by overflow.
        before: what was lost of the logarithm that is subtracted from d.
    """

    start: Array
    scale: Array
    share: Array
    least: Array
    exact_share: Array
    exact_least: Array
    gone: Array
    before: Array
    slope: Array | None = None
    common: Array | None = None
    steep: Array | None = None

    def made_linear(self, unit: float) -> Self:
        """With slope and common, if that can be: exp(t) - 1 <= t (1 + the largest t) for t < 1.

        Row by row: what is true of one doesn't depend on those that are evaluated beside it.
        """
        spread = -2.0 * NOTHING * unit
        if spread >= MUCH:
            return self
        most = self.start + spread
        steep = ~(most < 1)
        rate = np.where(steep, 0.0, (1.0 + most) * self.scale)
        return replace(self, slope=unit * rate, common=self.start * rate + self.share, steep=steep)

    def shaped(self, change: Change) -> Self:
        """Rows selected."""
        arrays = (getattr(self, field.name) for field in fields(self))
        changed: list[Any] = [None if array is None else change(array) for array in arrays]
        return type(self)(*changed)

    def lost(self, value: Array, path: Array, unit: float, exact: Array) -> Array:
        """Of these values."""
        if self.slope is None or self.common is None or self.steep is None:
            found = np.expm1(unit * path + self.start) * self.scale + self.share
        else:
            found = path * self.slope
            found += self.common
            if self.steep.any():
                found = np.where(self.steep, np.expm1(unit * path + self.start) * self.scale + self.share, found)
        found *= value
        found += self.least
        if exact.size:
            rows = exact // value.shape[-1]
            shares, leasts = self.exact_share.reshape(-1)[rows], self.exact_least.reshape(-1)[rows]
            found.reshape(-1)[exact] = value.reshape(-1)[exact] * shares + leasts
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """exp(d) over a number of each row.

    Attributes:
        divisor: that number, with the last axis.
        log: its logarithm where that is subtracted from d instead, else 0.
        again: whether the subtraction is another rounding.
        rules: what is lost, in each arithmetic.
    """

    divisor: Array
    log: Array
    again: Array
    rules: Sequence[Rule]
    arithmetics: Sequence[Arithmetic]

    def shaped(self, change: Change) -> Self:
        """Rows selected."""
        rules = [rule.shaped(change) for rule in self.rules]
        return type(self)(change(self.divisor), change(self.log), change(self.again), rules, self.arithmetics)

    def __call__(self, terms: Terms) -> Running:
        """Those of some classes."""
        value = terms.values / self.divisor
        return Running(value, ScaledErrors(self, terms, value), self.arithmetics)


class ScaledErrors(OnDemand):
    """What some classes lose."""

    def __init__(self, scaled: Scaled, terms: Terms, value: Array) -> None:
        super().__init__(len(scaled.arithmetics))
        self._scaled, self._terms, self._value = scaled, terms, value

    def made(self, place: int) -> Array:
        """The errors in one arithmetic."""
        scaled, terms, path = self._scaled, self._terms, self._terms.rounded
        rule, a = scaled.rules[place], scaled.arithmetics[place]
        if scaled.again.all():
            path = path + terms.size
        elif scaled.again.any():
            path = path + np.where(scaled.again, terms.size, 0.0)
        found = rule.lost(self._value, path, a.unit, terms.exact)
        if terms.lowest - np.max(scaled.log, initial=0.0) >= NOTHING:
            return found
        power = terms.d - scaled.log
        fallen = power + (a.unit * path + rule.before) < NOTHING
        return np.where(fallen | (power < -a.largest / 2) | np.isneginf(power), rule.gone, found)

    def floor(self, place: int) -> Array:
        """At most these: as if no rounding on the way to the exponential had lost anything."""
        rule = self._scaled.rules[place]
        return super().floor(place) if rule.common is None else np.minimum(rule.common, rule.exact_share) * self._value

    def is_within(self, place: int, share: float, least: float) -> bool:
        """Whether all are so small: numbers that aren't 0 have a path of at most twice -NOTHING."""
        rule = self._scaled.rules[place]
        if rule.slope is None or rule.common is None or rule.steep is None or rule.steep.any():
            return False
        shares = np.maximum(rule.common - 2.0 * NOTHING * rule.slope, rule.exact_share)
        leasts = np.maximum(np.maximum(rule.least, rule.exact_least), rule.gone)
        return bool(np.all(shares <= share) and np.all(leasts <= least))
