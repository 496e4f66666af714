"""How far arrays are from the truth, checked in the order that gives the diagnosis.

Shape, dtype, NaN positions, infinities, their signs, then finite values: the first class that
differs is the diagnosis, and only arrays without such a defect have an error in ulps. Each element
has a grade; an array has its worst one.

Many arrays of one format are measured at once, laid end to end: a generated suite has thousands
of small ones, and NumPy's price is by the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from harness.model.case import Array
from harness.model.verdict import Cause, Grade
from harness.oracle.formats import Format
from harness.oracle.truth import Bounds, Enclosure

Index = tuple[int, ...]

EXACT_ULPS = 0.5
ACCURATE_ULPS = 4.0
FACTOR = 2.0
"""An equally stable form may lose this many times B: B itself sits at rounding level."""

NEAR_SUBNORMAL = 8.0
"""Truth and answer below this many smallest normal numbers are near the subnormal range."""
UNDERFLOW = 4.0
"""What underflow may lose there, in smallest normal numbers."""

GRADES = (Grade.EXACT, Grade.ACCURATE, Grade.STABLE, Grade.RANGE, Grade.UNDERFLOW, Grade.INACCURATE)
"""From best to worst; an element's grade is a place in here."""

DEFECTS = (
    "NaN",
    "a number instead of NaN",
    "infinity",
    "a finite value instead of infinity",
    "infinity of the wrong sign",
)
"""Classes in which an element can differ, in the order that gives the diagnosis."""

FORM_CAUSES = (Cause.ROUNDING, Cause.SHIFT, Cause.CANCELLATION, Cause.LSE)
"""Causes that are forms, in the order in which they are tried."""
NEARLY_ONE = 0.999
NO_BOUND: Array = np.asarray(-1.0)


class Pair(NamedTuple):
    """An array and the truth that it is held against.

    Attributes:
        bounds: what may be lost.
    """

    observed: Array
    truth: Enclosure
    bounds: Bounds


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
        observed: the value there, as text.
        truth: the truth there, as text.
    """

    index: Index
    share: float
    error: float
    ulps: float
    observed: str
    truth: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """An array held against the truth.

    Attributes:
        defect: what is of the wrong class, "" if nothing is.
        index: the first wrong element, or the one with the largest error in ulps; None without elements.
        grade: the worst element's; None with a defect or without elements.
        max_ulp: signed error there, in ulps of the format at T; None with a defect or without elements.
        max_relative: largest |y - T| / |T|, likewise.
        max_absolute: largest |y - T|, likewise.
        max_bound: largest |y - T| / B, likewise.
        cause: what explains the worst grade's largest error.
        avoidable_bits: most bits lost beyond what the input's conditioning loses.
        summation_length: additions on the longest path that the largest error tells of; 0 if pairwise sums do.
        observed: the value at the index, as text.
        truth: the truth there, as text.
        worst: the element nearest to its allowance, or farthest beyond, likewise.
        named_share: largest share of what the named allowance gives, 0 without elements.
        alone_ulps: largest error in ulps of those elements that the named allowance's atol alone lets pass.
    """

    defect: str
    index: Index | None = None
    grade: Grade | None = None
    max_ulp: float | None = None
    max_relative: float | None = None
    max_absolute: float | None = None
    max_bound: float | None = None
    cause: Cause | None = None
    avoidable_bits: float | None = None
    summation_length: int | None = None
    observed: str | None = None
    truth: str | None = None
    worst: Worst | None = None
    named_share: float = 0.0
    alone_ulps: float = 0.0

    @property
    def within_named(self) -> bool:
        """Whether every element is within the named allowance."""
        return not self.defect and self.named_share <= 1.0


def measure(
    pairs: Sequence[Pair], form: Format, named: Allowance, line: Sequence[Allowance | None]
) -> list[Measurement]:
    """Hold arrays of one format against the truth.

    Args:
        named: what the plain tolerance judge allows.
        line: for each pair the tolerance that its case states instead of the bounds, if it does.
    """
    found = [_without_elements(pair, form) for pair in pairs]
    open_ = [n for n, measurement in enumerate(found) if measurement is None]
    for n, measurement in zip(
        open_, _elements([pairs[n] for n in open_], form, named, [line[n] for n in open_]), strict=True
    ):
        found[n] = measurement
    return [measurement for measurement in found if measurement is not None]


def pass_line(truth: Enclosure, bounds: Bounds, form: Format) -> Array:
    """What each element may lose: twice the bound, or 4 ulp, and what the truth itself is not known to."""
    return _line(bounds.passing, form.ulp(truth.high), truth.radius)


def _line(bound: Array, ulp: Array, radius: Array) -> Array:
    return np.maximum(FACTOR * bound, ACCURATE_ULPS * ulp) + radius


def misfit(observed: Array, shape: tuple[int, ...], form: Format) -> Measurement | None:
    """What an array of another shape or dtype is found to be; None for one that fits."""
    if observed.shape != shape:
        return Measurement(f"shape {list(observed.shape)} instead of {list(shape)}")
    if observed.dtype != form.dtype:
        return Measurement(f"dtype {observed.dtype.name} instead of {form.name}")
    return None


def _without_elements(pair: Pair, form: Format) -> Measurement | None:
    """What shape and dtype decide already; None where the elements must be looked at."""
    unfit = misfit(pair.observed, pair.truth.high.shape, form)
    return unfit if unfit or pair.observed.size else Measurement("", grade=Grade.EXACT)


def _elements(
    pairs: Sequence[Pair], form: Format, named: Allowance, line: Sequence[Allowance | None]
) -> list[Measurement]:
    if not pairs:
        return []
    sizes = np.array([pair.observed.size for pair in pairs])
    starts = np.cumsum(sizes) - sizes
    with np.errstate(all="ignore"):
        figures = _Figures(_End(pairs, sizes), form, named, line)
        highest = figures.highest(starts)
        defects = figures.defects(starts)
    by_ulps = _first_highest(figures.ulps, highest[0], starts, sizes)
    by_order = _first_highest(figures.order, highest[1], starts, sizes)
    columns, found = highest.T.tolist(), []
    for n, (pair, start, at, near) in enumerate(zip(pairs, starts.tolist(), by_ulps, by_order, strict=True)):
        shape = pair.observed.shape
        if n in defects:
            defect, first = defects[n]
            where = place(first, shape)
            observed, exact = _texts(pair, where)
            found.append(Measurement(defect, where, observed=observed, truth=exact))
            continue
        _, _, grade, relative, absolute, in_bounds, avoidable, length, named_share, alone = columns[n]
        index, worst = place(at - start, shape), place(near - start, shape)
        observed, exact = _texts(pair, index)
        found.append(
            Measurement(
                "",
                index,
                GRADES[int(grade)],
                float(figures.signed_ulps[at]),
                relative,
                absolute,
                in_bounds,
                figures.cause(near),
                avoidable,
                int(length),
                worst=Worst(
                    worst,
                    float(figures.share[near]),
                    float(figures.absolute[near]),
                    float(figures.signed_ulps[near]),
                    *_texts(pair, worst),
                ),
                named_share=named_share,
                alone_ulps=alone,
                observed=observed,
                truth=exact,
            )
        )
    return found


def _texts(pair: Pair, index: Index) -> tuple[str, str]:
    return str(pair.observed[index]), str(pair.truth.high[index])


def failing(pair: Pair, form: Format, line: Allowance | None) -> dict[Grade, Array]:
    """Which elements of an array of the right shape and dtype fail, by grade; `range` is left to the caller.

    Args:
        line: the tolerance that the case states instead of the bounds, if it does: what is beyond
            it and has no other failing grade is inaccurate.
    """
    sizes, named = np.array([pair.observed.size]), Allowance(0.0, 0.0)
    with np.errstate(all="ignore"):
        figures = _Figures(_End([pair], sizes), form, named, [line])
        broken = figures.broken()
    masks = {
        grade: (figures.grade == GRADES.index(grade)) & ~broken
        for grade in (Grade.RANGE, Grade.UNDERFLOW, Grade.INACCURATE)
    }
    if line is not None:
        beyond = (figures.share > 1.0) & ~broken
        masks[Grade.UNDERFLOW] &= beyond
        masks[Grade.INACCURATE] = beyond & ~masks[Grade.UNDERFLOW]
    masks[Grade.BROKEN] = broken
    return {grade: mask.reshape(pair.observed.shape) for grade, mask in masks.items()}


class Errors(NamedTuple):
    """The errors of an array's elements, in its shape.

    Attributes:
        grades: places in `GRADES`; one more where an element is of the wrong class.
        order: the worse, the higher: by grade, then by the share of what may be lost; infinite for the wrong class.
        ulps: signed, in ulps of the format at T; NaN where only one of the two is a finite number.
        in_bounds: in units of the bound B, likewise.
    """

    grades: Array
    order: Array
    ulps: Array
    in_bounds: Array


def errors(pair: Pair, form: Format, line: Allowance | None) -> Errors:
    """The errors of an array of the right shape and dtype, element by element.

    Args:
        line: the tolerance that the case states instead of the bounds, if it does.
    """
    sizes = np.array([pair.observed.size])
    with np.errstate(all="ignore"):
        end = _End([pair], sizes)
        figures = _Figures(end, form, Allowance(0.0, 0.0), [line])
        broken = figures.broken()
        apart = np.isfinite(end.wide) != np.isfinite(end.high)
        found = Errors(
            np.where(broken, len(GRADES), figures.grade),
            np.where(broken, np.inf, figures.order),
            np.where(apart, np.nan, figures.signed_ulps),
            np.where(apart, np.nan, _share(figures.absolute, end.passing)),
        )
    return Errors(*(array.reshape(pair.observed.shape) for array in found))


class _End:
    """Pairs laid end to end.

    Attributes:
        wide: observed numbers as float64.
        high, low, radius: the truth's enclosure.
        passing, pairwise: the bounds.
        named: bounds by cause; 0 where a pair has none of that name.
        attainable: what no form avoids.
        terms: of the longest sum.
        owner: which pair an element is of.
    """

    def __init__(self, pairs: Sequence[Pair], sizes: Array) -> None:
        self.wide = _laid([pair.observed for pair in pairs]).astype(np.float64)
        self.high = _laid([pair.truth.high for pair in pairs])
        self.low = _laid([pair.truth.low for pair in pairs])
        self.radius = _laid([pair.truth.radius for pair in pairs])
        self.passing = _laid([pair.bounds.passing for pair in pairs], pairs)
        self.pairwise = _laid([pair.bounds.pairwise for pair in pairs], pairs)
        names = {name for pair in pairs for name in pair.bounds.named}
        self.named = {name: _laid([pair.bounds.named.get(name, NO_BOUND) for pair in pairs], pairs) for name in names}
        self.attainable = _laid([pair.bounds.attainable for pair in pairs], pairs)
        self.owner = np.repeat(np.arange(len(pairs)), sizes)
        self.terms = np.array([pair.bounds.terms for pair in pairs])[self.owner]


class _Figures:
    """What is asked of every element of pairs laid end to end.

    Attributes:
        grade: the place of each element's grade in `GRADES`.
        share: of what it may lose.
        order: by grade, then by share; by share alone where a case states what that is of.
    """

    def __init__(self, end: _End, form: Format, named: Allowance, line: Sequence[Allowance | None]) -> None:
        self._end, self._form, self._named = end, form, named
        error = (end.wide - end.high) - end.low
        self.finite = bool(np.isfinite(error).all())
        if not self.finite:
            # What is infinite on both sides is right; a difference that overflows is not.
            error = np.where(np.isfinite(end.wide) & np.isfinite(end.high), error, 0.0)
        self.ulp = form.ulp(end.high)
        self.absolute = np.abs(error)
        self.signed_ulps = error / self.ulp
        self.ulps = np.abs(self.signed_ulps)
        self.size = np.abs(end.high)
        self.grade = self._grades()
        self.share = _share(self.absolute, _line(end.passing, self.ulp, end.radius))
        self.order = self.grade + NEARLY_ONE * (1.0 - 1.0 / (1.0 + self.share))
        self._state(line)

    def highest(self, starts: Array) -> Array:
        """The largest of each figure in each array."""
        rows = (
            *(self.ulps, self.order, self.grade, _share(self.absolute, self.size), self.absolute),
            *(_share(self.absolute, self._end.passing), self._avoidable(), self._lengths()),
            *(_share(self.absolute, self._named.of(self._end.high)), self._alone()),
        )
        return np.stack([np.maximum.reduceat(row, starts) for row in rows])

    @property
    def out_of_range(self) -> Array:
        """Where a number is lost to the overflow of an intermediate."""
        return np.isinf(self._end.passing) & np.isfinite(self._end.high) & ~np.isfinite(self._end.wide)

    def defects(self, starts: Array) -> dict[int, tuple[str, int]]:
        """The first class in which each array differs from the truth, and its first element that does."""
        if self.finite:
            return {}
        end = self._end
        found: dict[int, tuple[str, int]] = {}
        for defect, wrong in self._classes().items():
            places = np.flatnonzero(wrong)
            owners, firsts = np.unique(end.owner[places], return_index=True)
            for owner, at in zip(owners.tolist(), places[firsts].tolist(), strict=True):
                found.setdefault(owner, (defect, at - int(starts[owner])))
        return found

    def broken(self) -> Array:
        """Where an element is of the wrong class."""
        return np.logical_or.reduce(list(self._classes().values()))

    def _classes(self) -> dict[str, Array]:
        """Where elements differ in each class."""
        wide, truth, excused = self._end.wide, self._end.high, self.out_of_range
        is_nan, true_nan = np.isnan(wide), np.isnan(truth)
        infinite = np.isinf(wide)
        # A true value that rounds to infinity is infinite in this format.
        true_infinite = np.abs(truth) >= self._form.overflow
        wrong = (
            is_nan & ~true_nan & ~excused,
            true_nan & ~is_nan,
            infinite & ~true_infinite & ~excused,
            np.isinf(truth) & ~infinite,
            infinite & (np.signbit(wide) != np.signbit(truth)) & ~excused,
        )
        return dict(zip(DEFECTS, wrong, strict=True))

    def _grades(self) -> Array:
        end, error = self._end, self.absolute
        exact = error <= EXACT_ULPS * self.ulp + end.radius
        accurate = error <= ACCURATE_ULPS * self.ulp + end.radius
        if not self.finite:
            accurate &= ~self.out_of_range
            exact &= accurate
        grades = np.where(exact, GRADES.index(Grade.EXACT), GRADES.index(Grade.ACCURATE))
        rest = np.flatnonzero(~accurate)
        grades[rest] = self._poor_grades(rest)
        return grades

    def _poor_grades(self, at: Array) -> Array:
        """Grades of elements that are farther than 4 ulp from the truth."""
        end, lowest = self._end, self._form.smallest_normal
        error, passing, near = self.absolute[at], end.passing[at], NEAR_SUBNORMAL * lowest
        conditions = {
            Grade.STABLE: np.isfinite(passing) & (error <= FACTOR * passing + end.radius[at]),
            Grade.RANGE: np.isinf(passing),
            Grade.UNDERFLOW: (self.size[at] < near)
            & (np.abs(end.wide[at]) < near)
            & (error <= passing + UNDERFLOW * lowest),
        }
        return np.select(list(conditions.values()), [GRADES.index(g) for g in conditions], len(GRADES) - 1)

    def cause(self, at: int) -> Cause:
        """The first bound that explains an element's error."""
        end, error = self._end, self.absolute[at] - self._end.radius[at]
        if error <= EXACT_ULPS * self.ulp[at]:
            return Cause.RANGE if self.grade[at] == GRADES.index(Grade.RANGE) else Cause.ROUNDING
        for cause in FORM_CAUSES:
            bound = end.named[cause][at] if cause in end.named else NO_BOUND
            if np.isfinite(bound) and error <= FACTOR * bound:
                return cause
        if np.isfinite(end.passing[at]) and error <= FACTOR * end.passing[at]:
            return Cause.SUM
        lost = {Grade.UNDERFLOW: Cause.UNDERFLOW, Grade.RANGE: Cause.RANGE}
        return lost.get(GRADES[int(self.grade[at])], Cause.NONE)

    def _state(self, lines: Sequence[Allowance | None]) -> None:
        """Take shares of what cases state that their elements may lose, where they do."""
        for owner, line in enumerate(lines):
            if line is not None:
                mine = self._end.owner == owner
                self.share[mine] = _share(self.absolute[mine], line.of(self._end.high[mine]))
                self.order[mine] = self.share[mine]

    def _avoidable(self) -> Array:
        """Bits lost beyond what the input's conditioning loses of them."""
        half = EXACT_ULPS * self.ulp
        lost = np.maximum(self.absolute, half) / np.maximum(half, self._end.attainable)
        beyond = np.flatnonzero(lost > 1.0)
        bits = np.zeros(lost.shape)
        bits[beyond] = np.minimum(np.log2(lost[beyond]), self._form.precision)
        return bits

    def _lengths(self) -> Array:
        """Additions on the longest path that an error beyond pairwise sums tells of, between the two bounds."""
        end, lengths = self._end, np.zeros(self.absolute.shape)
        at = np.flatnonzero((self.absolute - end.radius > end.pairwise) & (end.pairwise < end.passing))
        narrow, passing = end.pairwise[at], end.passing[at]
        beyond = np.clip((self.absolute[at] - end.radius[at] - narrow) / (passing - narrow), 0.0, 1.0)
        pairwise, whole = np.ceil(np.log2(np.maximum(end.terms[at], 1))), end.terms[at] - 1.0
        lengths[at] = np.where(np.isfinite(passing), np.ceil(pairwise + beyond * (whole - pairwise)), 0.0)
        return lengths

    def _alone(self) -> Array:
        """Errors in ulps of what the named allowance's atol alone lets pass."""
        return np.where(self.absolute > self._named.rtol * self.size, self.ulps, 0.0)


def _laid(arrays: Sequence[Array], pairs: Sequence[Pair] | None = None) -> Array:
    """Arrays end to end; with pairs, each broadcast to its pair's shape first."""
    if pairs is not None:
        arrays = [
            array if array.shape == pair.observed.shape else _spread(array, pair.observed.shape)
            for array, pair in zip(arrays, pairs, strict=True)
        ]
    return np.concatenate(arrays, axis=None)


def _spread(array: Array, shape: tuple[int, ...]) -> Array:
    return _without_bound(shape) if array is NO_BOUND else np.broadcast_to(array, shape)


@lru_cache(maxsize=1024)
def _without_bound(shape: tuple[int, ...]) -> Array:
    """No bound for each element; np.broadcast_to takes microseconds."""
    return np.broadcast_to(NO_BOUND, shape)


def _share(absolute: Array, allowed: Array) -> Array:
    return np.where((absolute == 0) | np.isinf(allowed), 0.0, absolute / allowed)


def _first_highest(values: Array, highest: Array, starts: Array, sizes: Array) -> list[int]:
    """Where each array's largest value stands first, counted from the beginning of all."""
    hits = np.flatnonzero(values == np.repeat(highest, sizes))
    return [int(hit) for hit in hits[np.searchsorted(hits, starts)]]


def place(flat: int, shape: tuple[int, ...]) -> Index:
    """The index of an element from its number in C order; np.unravel_index costs ten times as much."""
    index = []
    for length in reversed(shape):
        flat, at = divmod(flat, length)
        index.append(at)
    return tuple(reversed(index))
