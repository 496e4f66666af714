"""Floating-point formats: their constants, and spacing of their numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import ml_dtypes
import numpy as np

from harness.model.case import Array

DOUBLE_MAX_EXPONENT = 1023
EXPONENT_BITS = np.uint64(0x7FF0_0000_0000_0000)


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating-point format.

    Attributes:
        name: its dtype tag.
        dtype: the NumPy dtype.
        precision: bits of the significand, the hidden one included.
        min_exponent: exponent of the smallest normal number, 2**min_exponent.
        max_exponent: exponent of the largest binade.
        bits: unsigned integer dtype of the same width.
    """

    name: str
    dtype: np.dtype[np.generic]
    precision: int
    min_exponent: int
    max_exponent: int
    bits: np.dtype[np.generic]

    @property
    def unit_roundoff(self) -> float:
        """u = 2**-precision."""
        return math.ldexp(1.0, -self.precision)

    @property
    def smallest_subnormal(self) -> float:
        """eta."""
        return math.ldexp(1.0, self.min_exponent - self.precision + 1)

    @property
    def smallest_normal(self) -> float:
        """lambda."""
        return math.ldexp(1.0, self.min_exponent)

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return math.ldexp(2.0 - math.ldexp(1.0, 1 - self.precision), self.max_exponent)

    @property
    def overflow(self) -> float:
        """The least real that rounds to infinity; infinity itself where float64 can't hold it."""
        if self.max_exponent == DOUBLE_MAX_EXPONENT:
            return math.inf
        half_ulp = math.ldexp(1.0, self.max_exponent - self.precision)
        return self.largest + half_ulp

    def ulp(self, x: Array) -> Array:
        """Spacing of the format at each x (float64): subnormal below the normal range and at 0, the widest beyond."""
        # A float64 without its sign and fraction is the power of two below it.
        binade = (np.asarray(x, np.float64).view(np.uint64) & EXPONENT_BITS).view(np.float64)
        spacing = np.fmin(binade, math.ldexp(1.0, self.max_exponent)) * math.ldexp(1.0, 1 - self.precision)
        return np.maximum(spacing, self.smallest_subnormal)


FORMATS = {
    f.name: f
    for f in (
        Format("float16", np.dtype(np.float16), 11, -14, 15, np.dtype(np.uint16)),
        Format("bfloat16", np.dtype(ml_dtypes.bfloat16), 8, -126, 127, np.dtype(np.uint16)),
        Format("float32", np.dtype(np.float32), 24, -126, 127, np.dtype(np.uint32)),
        Format("float64", np.dtype(np.float64), 53, -1022, 1023, np.dtype(np.uint64)),
    )
}
