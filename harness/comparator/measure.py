"""How far an array is from the truth, checked in the order that gives the diagnosis.

Shape, dtype, NaN positions, infinities, their signs, then finite values: the first class that
differs is the diagnosis, and only arrays without such a defect have an error in ulps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.model.case import Array
from harness.oracle.formats import Format

Index = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """An array held against the truth.

    Attributes:
        defect: what is of the wrong class, "" if nothing is.
        index: the first wrong element, or the one with the largest error in ulps; None without elements.
        absolute: |y - T| for every element, 0 where both are the same non-finite value.
        relative: |y - T| / |T|, 0 where y is T.
        ulps: signed error in ulps of the format at T.
    """

    defect: str
    index: Index | None
    absolute: Array
    relative: Array
    ulps: Array

    @property
    def max_ulp(self) -> float | None:
        """The signed error at `index`; None where there is a defect or no element."""
        return None if self.defect or self.index is None else float(self.ulps[self.index])


NOTHING = np.zeros(0)


def measure(observed: Array, truth: Array, form: Format) -> Measurement:
    """Hold an array against the truth (float64, the true values as reals)."""
    if observed.shape != truth.shape:
        return _defect(f"shape {list(observed.shape)} instead of {list(truth.shape)}")
    if observed.dtype != form.dtype:
        return _defect(f"dtype {observed.dtype.name} instead of {form.name}")
    if not observed.size:
        return Measurement("", None, NOTHING, NOTHING, NOTHING)
    with np.errstate(all="ignore"):
        wide = observed.astype(np.float64)
        error = wide - truth
        if not np.isfinite(error).all():
            defect, wrong = _class_defect(wide, truth, form)
            if defect:
                return _defect(defect, _first(wrong))
            error = np.where(np.isfinite(wide) & np.isfinite(truth), error, 0.0)
        absolute = np.abs(error)
        relative = np.where(absolute == 0, 0.0, absolute / np.abs(truth))
        ulps = error / form.ulp(truth)
    return Measurement("", _worst(ulps), absolute, relative, ulps)


def _class_defect(wide: Array, truth: Array, form: Format) -> tuple[str, Array]:
    """The first class in which an array differs from the truth, and where."""
    is_nan, true_nan = np.isnan(wide), np.isnan(truth)
    if (wrong := is_nan & ~true_nan).any():
        return "NaN", wrong
    if (wrong := true_nan & ~is_nan).any():
        return "a number instead of NaN", wrong
    infinite = np.isinf(wide)
    # A true value that rounds to infinity is infinite in this format.
    true_infinite = np.abs(truth) >= form.overflow
    if (wrong := infinite & ~true_infinite).any():
        return "infinity", wrong
    if (wrong := true_infinite & ~infinite & np.isinf(truth)).any():
        return "a finite value instead of infinity", wrong
    if (wrong := infinite & (np.signbit(wide) != np.signbit(truth))).any():
        return "infinity of the wrong sign", wrong
    return "", np.zeros(truth.shape, dtype=bool)


def _defect(defect: str, index: Index | None = None) -> Measurement:
    return Measurement(defect, index, NOTHING, NOTHING, NOTHING)


def _first(wrong: Array) -> Index:
    return place(int(wrong.argmax()), wrong.shape)


def _worst(ulps: Array) -> Index:
    return place(int(np.abs(ulps).argmax()), ulps.shape)


def place(flat: int, shape: tuple[int, ...]) -> Index:
    """The index of an element from its number in C order; np.unravel_index costs ten times as much."""
    index = []
    for length in reversed(shape):
        flat, at = divmod(flat, length)
        index.append(at)
    return tuple(reversed(index))
