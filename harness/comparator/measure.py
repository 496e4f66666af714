"""How far arrays are from the truth, checked in the order that gives the diagnosis.

Shape, dtype, NaN positions, infinities, their signs, then finite values: the first class that
differs is the diagnosis, and only arrays without such a defect have an error in ulps.

Many arrays of one format are measured at once, laid end to end: a generated suite has thousands
of small ones, and NumPy's price is by the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.model.case import Array
from harness.oracle.formats import Format

Index = tuple[int, ...]


class Pair(NamedTuple):
    """An array and the truth that it is held against (float64, the true values as reals)."""

    observed: Array
    truth: Array


@dataclass(frozen=True, slots=True)
class Allowance:
    """rtol and atol: an element passes if |y - T| <= atol + rtol |T|."""

    rtol: float
    atol: float

    def of(self, truth: Array) -> Array:
        """The error that each element may have."""
        return self.atol + self.rtol * np.where(np.isfinite(truth), np.abs(truth), 0.0)


@dataclass(frozen=True, slots=True)
class Worst:
    """The element with the largest share of what it is allowed.

    Attributes:
        share: |y - T| over the allowance; it passes up to 1.
        error: |y - T|.
        ulps: the same, signed, in ulps of the format at T.
    """

    index: Index
    share: float
    error: float
    ulps: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """An array held against the truth.

    Attributes:
        defect: what is of the wrong class, "" if nothing is.
        index: the first wrong element, or the one with the largest error in ulps; None without elements.
        max_ulp: signed error there, in ulps of the format at T; None with a defect or without elements.
        max_relative: largest |y - T| / |T|, likewise.
        max_absolute: largest |y - T|, likewise.
        worst: the element nearest to its allowance, or farthest beyond, likewise.
        named_share: largest share of what the second allowance gives, 0 without elements.
        alone_ulps: largest error in ulps of those elements that the second allowance's atol alone lets pass.
    """

    defect: str
    index: Index | None = None
    max_ulp: float | None = None
    max_relative: float | None = None
    max_absolute: float | None = None
    worst: Worst | None = None
    named_share: float = 0.0
    alone_ulps: float = 0.0

    @property
    def within(self) -> bool:
        """Whether every element is within the first allowance."""
        return not self.defect and (self.worst is None or self.worst.share <= 1.0)

    @property
    def within_named(self) -> bool:
        """Whether every element is within the second allowance."""
        return not self.defect and self.named_share <= 1.0


def measure(pairs: Sequence[Pair], form: Format, usual: Allowance, named: Allowance) -> list[Measurement]:
    """Hold arrays of one format against the truth.

    Args:
        usual: the pass line.
        named: what the plain tolerance judge allows.
    """
    found = [_without_elements(pair, form) for pair in pairs]
    open_ = [n for n, measurement in enumerate(found) if measurement is None]
    for n, measurement in zip(open_, _elements([pairs[n] for n in open_], form, usual, named), strict=True):
        found[n] = measurement
    return [measurement for measurement in found if measurement is not None]


def _without_elements(pair: Pair, form: Format) -> Measurement | None:
    """What shape and dtype decide already; None where the elements must be looked at."""
    observed, truth = pair
    if observed.shape != truth.shape:
        return Measurement(f"shape {list(observed.shape)} instead of {list(truth.shape)}")
    if observed.dtype != form.dtype:
        return Measurement(f"dtype {observed.dtype.name} instead of {form.name}")
    return None if observed.size else Measurement("")


def _elements(pairs: Sequence[Pair], form: Format, usual: Allowance, named: Allowance) -> list[Measurement]:
    if not pairs:
        return []
    sizes = np.array([pair.truth.size for pair in pairs])
    starts = np.cumsum(sizes) - sizes
    with np.errstate(all="ignore"):
        wide = np.concatenate([pair.observed.reshape(-1) for pair in pairs]).astype(np.float64)
        truth = np.concatenate([pair.truth.reshape(-1) for pair in pairs])
        error = wide - truth
        defects = {} if np.isfinite(error).all() else _class_defects(wide, truth, form, starts)
        # What is infinite on both sides is right; a difference that overflows is not.
        error = np.where(np.isfinite(wide) & np.isfinite(truth), error, 0.0)
        figures = _Figures(error, truth, form, usual, named)
        highest = figures.highest(starts)
    by_ulps = _first_highest(figures.ulps, highest[0], starts, sizes)
    by_share = _first_highest(figures.share, highest[3], starts, sizes)
    ulps, errors = figures.signed_ulps, figures.absolute
    found = []
    columns = highest.T.tolist()
    for n, (pair, start, at, near) in enumerate(zip(pairs, starts.tolist(), by_ulps, by_share, strict=True)):
        if n in defects:
            defect, first = defects[n]
            found.append(Measurement(defect, place(first, pair.truth.shape)))
            continue
        _, relative, absolute, share, named_share, alone = columns[n]
        worst = Worst(place(near - start, pair.truth.shape), share, float(errors[near]), float(ulps[near]))
        index = place(at - start, pair.truth.shape)
        found.append(Measurement("", index, float(ulps[at]), relative, absolute, worst, named_share, alone))
    return found


class _Figures:
    """What is asked of every element, arrays laid end to end."""

    def __init__(self, error: Array, truth: Array, form: Format, usual: Allowance, named: Allowance) -> None:
        self.absolute = np.abs(error)
        self.signed_ulps = error / form.ulp(truth)
        self.ulps = np.abs(self.signed_ulps)
        self.relative = np.where(self.absolute == 0, 0.0, self.absolute / np.abs(truth))
        self.share = _share(self.absolute, usual.of(truth))
        self.named_share = self.share if named == usual else _share(self.absolute, named.of(truth))
        self.alone = np.where(self.absolute > named.rtol * np.abs(truth), self.ulps, 0.0)

    def highest(self, starts: Array) -> Array:
        """The largest of each figure in each array: ulps, relative, absolute, share, named share, alone."""
        rows = (self.ulps, self.relative, self.absolute, self.share, self.named_share, self.alone)
        return np.stack([np.maximum.reduceat(row, starts) for row in rows])


def _share(absolute: Array, allowed: Array) -> Array:
    return np.where(absolute == 0, 0.0, absolute / allowed)


def _first_highest(values: Array, highest: Array, starts: Array, sizes: Array) -> list[int]:
    """Where each array's largest value stands first, counted from the beginning of all."""
    hits = np.flatnonzero(values == np.repeat(highest, sizes))
    return [int(hit) for hit in hits[np.searchsorted(hits, starts)]]


def _class_defects(wide: Array, truth: Array, form: Format, starts: Array) -> dict[int, tuple[str, int]]:
    """The first class in which each array differs from the truth, and its first element that does."""
    is_nan, true_nan = np.isnan(wide), np.isnan(truth)
    infinite = np.isinf(wide)
    # A true value that rounds to infinity is infinite in this format.
    true_infinite = np.abs(truth) >= form.overflow
    classes = {
        "NaN": is_nan & ~true_nan,
        "a number instead of NaN": true_nan & ~is_nan,
        "infinity": infinite & ~true_infinite,
        "a finite value instead of infinity": np.isinf(truth) & ~infinite,
        "infinity of the wrong sign": infinite & (np.signbit(wide) != np.signbit(truth)),
    }
    found: dict[int, tuple[str, int]] = {}
    for defect, wrong in classes.items():
        places = np.flatnonzero(wrong)
        owners = np.searchsorted(starts, places, side="right") - 1
        firsts: dict[int, tuple[str, int]] = {}
        for owner, at in zip(owners.tolist(), places.tolist(), strict=True):
            firsts.setdefault(owner, (defect, at - int(starts[owner])))
        found = firsts | found
    return found


def place(flat: int, shape: tuple[int, ...]) -> Index:
    """The index of an element from its number in C order; np.unravel_index costs ten times as much."""
    index = []
    for length in reversed(shape):
        flat, at = divmod(flat, length)
        index.append(at)
    return tuple(reversed(index))
