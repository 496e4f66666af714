"""Which elements of long rows are to be judged in full, because one of them is the worst of its row in each figure.

A measurement is made of figures that are largest somewhere. Most elements can be seen to be the largest in
none: they lose less than what every bound is at least, and others are nearer to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        error = observed.astype(np.float64)
        error -= look.high
        error -= look.low
        np.abs(error, out=error)
        if not (np.isfinite(np.sum(error)) and np.isfinite(np.max(look.passing))):
            return Contenders(np.array([look.classes.start]), np.inf)
        mask = error > look.least
        for figure in _figures(error, np.abs(look.high), form, named):
            mask[np.argmax(figure)] = True
        in_bounds = _share(error, look.passing)
        mask[np.argmax(in_bounds)] = True  # so that one alone, as a label's class, sets no measure for the others
        in_bounds[mask] = 0.0
        left = NEAR * max(float(np.max(in_bounds)), SMALLEST)
        mask |= in_bounds >= left
    return Contenders(look.classes.start + np.flatnonzero(mask), left)


def _figures(error: Array, size: Array, form: Format, named: Allowance) -> Iterator[Array]:
    """What is largest somewhere whatever the bounds are."""
    yield error
    yield _share(error, size)
    yield _share(error, named.atol + named.rtol * size)
    ulps = error / form.ulp(size)
    yield ulps
    if not error[farthest := np.argmax(ulps)] > named.rtol * size[farthest]:
        yield np.where(error > named.rtol * size, ulps, 0.0)


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
