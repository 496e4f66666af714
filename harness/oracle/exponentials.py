"""exp(x - largest) along rows of exact logits x, with what it loses, in few passes.

The rules are those of `running`. Step by step they would take dozens of passes over arrays that, for
vocabulary-sized rows, leave the processor's cache between any two of them.

With d = x - largest, exp(d) loses exp(d) (exp(t) - 1) + m eta, t = u |d| + m u; of |d| only where a
rounding made d. Such a t varies little along a row in float32 and float64, for exp(d) is nothing from
NOTHING on. There exp(t) - 1 is taken as at most t (1 + the largest t).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from harness.model.case import Array
from harness.oracle.running import NOTHING, Arithmetic, Running, stepped
from harness.oracle.scaled import MUCH, Change, Rule, Scaled, Terms

SEGMENT = 1 << 11
"""Terms that are summed together, so that a row's sums don't depend on what is beside it."""

TILE = 1 << 15
"""Terms that are computed together, of one row or of whole ones, so that they stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Exponentials:
    """exp(d) of whole rows, and sums of it.

    Attributes:
        x: the logits.
        largest: of each row, with the last axis.
        others: sums without each row's leading term, which is exp(0), with the last axis.
        lost: what the terms of `others` lose together, in each arithmetic.
    """

    x: Array
    largest: Array
    others: Array
    lost: Sequence[Array]
    arithmetics: Sequence[Arithmetic]

    @classmethod
    def of(cls, x: Array, largest: Array, leaders: Array, arithmetics: Sequence[Arithmetic]) -> Self:
        """Of rows of logits, their largest ones with the last axis, and the places of those without it."""
        count = x.shape[-1]
        rows, top = x.reshape(-1, count), largest.reshape(-1, 1)
        sums = _SegmentSums(len(rows), count, arithmetics)
        for some, part, leading in _tiles(leaders.reshape(-1), count):
            d = rows[some, part] - top[some]
            np.maximum(d, NOTHING, out=d)
            e = np.exp(d)
            e[leading] = 0.0
            sums.add(e, d, some, part)
        mass, *lost = (found.reshape(largest.shape) for found in sums.whole())
        return cls(x, largest, mass, lost, arithmetics)

    def shaped(self, change: Change) -> Self:
        """Rows selected."""
        x, largest, others = (change(array) for array in (self.x, self.largest, self.others))
        return type(self)(x, largest, others, [change(lost) for lost in self.lost], self.arithmetics)

    def sums(self) -> tuple[Running, Running]:
        """Without the leading terms, and whole."""
        terms, found = self.x.shape[-1], []
        for value in (self.others, self.others + 1.0):
            errors = [
                stepped(value, lost, a.additions(terms, terms) * a.unit * value, a)
                for a, lost in zip(self.arithmetics, self.lost, strict=True)
            ]
            found.append(Running(value, errors, self.arithmetics))
        return found[0], found[1]

    def terms(self, part: Change) -> Terms:
        """Those of some classes."""
        return Terms(part(self.x), self.largest)

    def shares(self, whole: Running) -> Scaled:
        """exp(d) / whole by the rules of -, exp and /.

        With r = (what the whole has lost) / whole that loses, over 1 - r,
        (exp(d) / whole) (exp(t) - 1 + u + r) + m eta / whole + eta / 2.
        """
        rules = []
        for a, before in zip(self.arithmetics, whole.errors, strict=True):
            r = np.asarray(before / whole.value)
            left = np.where(r < 1, 1.0 - r, 0.0)
            share, least, gone = (a.unit + r) / left, a.least / left, a.subnormal / whole.value / left
            rule = Rule(
                start=np.full(r.shape, a.library * a.unit),
                scale=1.0 / left,
                share=share,
                least=a.library * gone + least,
                exact_share=share,
                exact_least=least,
                gone=gone + least,
                before=np.zeros(r.shape),
            )
            rules.append(rule.made_linear(a.unit))
        return Scaled(whole.value, np.zeros(whole.shape), np.zeros(whole.shape, bool), rules, self.arithmetics)

    def powers(self, log_whole: Running) -> Scaled:
        """exp(d - log_whole) by the rules of - and exp; log_whole is at least 0.

        That loses exp(d - log_whole) (exp(t + u |d - log_whole| + what log_whole has lost) - 1) + m eta, and
        |d - log_whole| is |d| + log_whole.
        """
        rules, log = [], log_whole.value
        nothing = log == 0
        for error in log_whole.errors:
            nothing = nothing & (np.asarray(error) == 0)
        for a, error in zip(self.arithmetics, log_whole.errors, strict=True):
            before, least = np.broadcast_to(error, log.shape), np.full(log.shape, a.library * a.subnormal)
            rule = Rule(
                start=before + a.unit * (a.library + log),
                scale=np.ones(log.shape),
                share=np.zeros(log.shape),
                least=least,
                exact_share=np.where(nothing, 0.0, np.expm1(before + a.library * a.unit)),
                exact_least=np.where(nothing, 0.0, least),
                gone=np.full(log.shape, a.subnormal),
                before=before + a.unit * log,
            )
            rules.append(rule.made_linear(a.unit))
        return Scaled(np.exp(log), log, ~nothing, rules, self.arithmetics)


def _tiles(leaders: Array, count: int) -> Iterator[tuple[slice, slice, tuple[Array, Array]]]:
    """Parts of rows of so many classes, each in one piece of memory, and where leading terms are in them."""
    if count <= TILE:
        together = max(1, TILE // max(count, 1))
        for start in range(0, len(leaders), together):
            places = leaders[start : start + together]
            yield slice(start, start + together), slice(0, count), (np.arange(len(places)), places)
        return
    none, first = np.empty(0, int), np.zeros(1, int)
    for row, leader in enumerate(leaders.tolist()):
        for start in range(0, count, TILE):
            part = slice(start, min(start + TILE, count))
            inside = part.start <= leader < part.stop
            yield slice(row, row + 1), part, (first, np.array([leader - start])) if inside else (none, none)


class _SegmentSums:
    """Sums of e = exp(d) over segments of rows, and of what its terms lose."""

    def __init__(self, rows: int, count: int, arithmetics: Sequence[Arithmetic]) -> None:
        self._starts, self._count, self._arithmetics = np.arange(0, count, SEGMENT), count, arithmetics
        shape = rows, len(self._starts)
        self._mass, self._spread = np.zeros(shape), np.zeros(shape)
        self._grown = {a: np.zeros(shape) for a in arithmetics if not self._is_little(a)}

    def add(self, e: Array, d: Array, rows: slice, part: slice) -> None:
        """Take in some rows' terms, from a segment's beginning on."""
        own = rows, slice(part.start // SEGMENT, -(-part.stop // SEGMENT))
        starts = self._starts[own[1]] - part.start
        self._mass[own] = np.add.reduceat(e, starts, axis=-1)
        self._spread[own] = np.add.reduceat(e * d, starts, axis=-1)
        for a, grown in self._grown.items():
            grown[own] = np.add.reduceat(e * np.expm1(a.unit * (a.library - d)), starts, axis=-1)

    def whole(self) -> Iterator[Array]:
        """Sums of rows, and of what their terms lose in each arithmetic."""
        mass, spread = np.sum(self._mass, axis=-1), -np.sum(self._spread, axis=-1)
        yield mass
        for a in self._arithmetics:
            if a in self._grown:
                lost = np.sum(self._grown[a], axis=-1)
            else:
                lost = (1.0 + a.unit * (a.library - NOTHING)) * a.unit * (spread + a.library * mass)
            yield lost + self._count * a.library * a.subnormal

    def _is_little(self, a: Arithmetic) -> bool:
        """Whether exp(t) - 1 may be taken as t (1 + the largest t)."""
        return a.unit * (a.library - NOTHING) < MUCH
