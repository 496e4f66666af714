"""Which elements of long rows are to be judged in full, because one of them is the worst of its row in each figure.

A measurement is made of figures that are largest somewhere. Most elements can be seen to be the largest in
none: they lose less than what every bound is at least, and others are nearer to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from harness.comparator.measure import ACCURATE_ULPS, EXACT_ULPS, FACTOR, GRADES, Allowance, Measurement
from harness.model.case import Array
from harness.model.verdict import Grade
from harness.oracle.formats import Format
from harness.oracle.rows import Look, Rows

NEAR = 0.95
"""Errors in units of the least bound from this part of the largest on are judged in full."""

MOST = 1 << 12
"""With more contenders than this a row is judged in full."""

SMALLEST = 2.0**-1022
"""Stands for no allowance at all: a number that is off is many times as far off."""

ROUNDED = 2.0**-40
"""What figures may be off by themselves, as a share."""

ULPS = {Grade.EXACT: EXACT_ULPS, Grade.ACCURATE: ACCURATE_ULPS}
"""What the largest error may be, so that nobody's grade is worse than this."""


class Contenders(NamedTuple):
    """Elements of a row.

    Attributes:
        classes: their numbers, in order.
        left: less than this many times what they may lose are the others off; infinite if the row has to be judged
            in full.
    """

    classes: Array
    left: float


def contenders(rows: Rows, observed: Sequence[Array], form: Format, named: Allowance) -> list[list[Contenders]]:
    """Find those of each row in what each subject gave for them.

    Args:
        observed: of the rows, class axis last.
        named: what the plain tolerance judge allows.
    """
    parts: list[list[list[Contenders]]] = [[[] for _ in array] for array in observed]
    for look in rows.looks():
        for found, array in zip(parts, observed, strict=True):
            found[look.row].append(_in_part(look, array[look.row, look.classes], form, named))
    return [[_together(row) for row in found] for found in parts]


def _together(parts: Sequence[Contenders]) -> Contenders:
    """Those of all parts of a row."""
    classes = np.concatenate([part.classes for part in parts])
    left = max(part.left for part in parts)
    return Contenders(classes, left) if classes.size <= MOST and left < np.inf else Contenders(classes[:1], np.inf)


def _in_part(look: Look, observed: Array, form: Format, named: Allowance) -> Contenders:
    with np.errstate(all="ignore"):
        error = np.subtract(observed, look.high, dtype=np.float64)
        if look.low.any():
            error -= look.low
        np.abs(error, out=error)
        if not (np.isfinite(np.max(error)) and np.isfinite(np.max(look.passing))):
            return Contenders(np.array([look.classes.start]), np.inf)
        in_bounds = _share(error, look.passing)
        # The nearest to its bound is known, so that one alone, as a label's class, sets no measure for the others.
        some = [*_farthest(error, np.abs(look.high), form, named), np.argmax(in_bounds)]
        known = np.append(some, np.flatnonzero(error > look.least))
        in_bounds[known] = 0.0
        left = NEAR * max(float(np.max(in_bounds)), SMALLEST)
        found = np.union1d(known, np.flatnonzero(in_bounds >= left))
    return Contenders(look.classes.start + found, left)


def _farthest(error: Array, size: Array, form: Format, named: Allowance) -> Iterator[np.intp]:
    """Where figures are largest whatever the bounds are.

    Most figures are made of those elements only that can be the largest: their error, or its share of the truth, tells.
    """
    relative = _share(error, size)
    tops = np.array([np.argmax(error), np.argmax(relative)])
    yield from tops

    def ulps(places: Array) -> Array:
        return error[places] / form.ulp(size[places])

    def named_share(places: Array) -> Array:
        return _share(error[places], named.atol + named.rtol * size[places])

    yield _highest(named_share, tops, lambda least: error >= least * named.atol)
    # An ulp is at least u times the number, up to the largest: beyond, the largest error is the farthest.
    yield (farthest := _highest(ulps, tops, lambda least: relative >= least * form.unit_roundoff))
    if not error[farthest] > named.rtol * size[farthest]:
        beyond = np.flatnonzero(error > named.rtol * size)
        yield from beyond[np.argmax(ulps(beyond), keepdims=True)] if beyond.size else ()


def _highest(figure: Callable[[Array], Array], tops: Array, can_be: Callable[[float], Array]) -> np.intp:
    """Where a figure is largest: at some tops, or where it can be at least what it is there."""
    least = float(np.max(figure(tops))) * (1.0 - ROUNDED)
    places = np.sort(np.append(tops, np.flatnonzero(can_be(least))))
    found: np.intp = places[np.argmax(figure(places))]
    return found


def _share(error: Array, allowed: Array) -> Array:
    return error / np.maximum(allowed, SMALLEST)


def are_enough(measured: Measurement, left: float) -> bool:
    """Whether a measurement of a row's contenders is that of the whole row.

    Args:
        left: less than this many times the least passing bound are the others off.
    """
    if measured.defect or measured.grade is None or measured.worst is None or not left < np.inf:
        return False
    if abs(measured.max_ulp or 0.0) > ULPS.get(measured.grade, np.inf):
        return False
    fails = GRADES.index(measured.grade) > GRADES.index(Grade.STABLE)
    return (measured.max_bound or 0.0) >= left and (fails or measured.worst.share >= left / FACTOR)
