"""Numbers as text: the shortest digits that identify them in their dtype, and errors in ulps."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from harness.model.case import Array
from harness.oracle.formats import FORMATS

FAR_ULPS = 4.0
"""Elements further than this from the truth are marked in value tables, whatever their verdict."""

BFLOAT16_DIGITS = 4  # 1 + 8 log10(2), rounded up: always enough to identify a bfloat16
POSITIONAL_MIN, POSITIONAL_MAX = 1e-4, 1e16


def digits(value: Any) -> str:
    """The shortest decimal that rounds to `value`, a NumPy scalar, in its dtype.

    Powers of ten are written as in Python: positional for 1e-4 <= |value| < 1e16.
    """
    kind = value.dtype.kind
    if kind == "V":
        return bfloat16_digits(value)
    if kind != "f":
        return str(value.item())
    if not np.isfinite(value):
        return str(float(value))
    if value == 0 or POSITIONAL_MIN <= abs(float(value)) < POSITIONAL_MAX:
        return np.format_float_positional(value, unique=True, trim="-")
    return np.format_float_scientific(value, unique=True, trim="-", exp_digits=2)


def bfloat16_digits(value: Any) -> str:
    """As `digits`; NumPy's own algorithm doesn't know bfloat16."""
    exact = float(value)
    texts = (f"{exact:.{count}g}" for count in range(1, BFLOAT16_DIGITS + 1))
    return next((text for text in texts if value.dtype.type(float(text)) == value), str(exact))


def hexadecimal(value: Any) -> str:
    """The exact value: C's hexadecimal notation for floats, `0x` for integers."""
    if value.dtype.kind in "iu":
        return hex(int(value))
    if value.dtype.kind == "b":
        return str(bool(value))
    return re.sub(r"\.?0*p", "p", float(value).hex())


def shape_text(shape: tuple[int, ...]) -> str:
    """`scalar`, `[3]`, `[64, 10]`."""
    return str(list(shape)) if shape else "scalar"


def ulps(values: Array, truth: Array) -> Array | None:
    """Signed error of each element in ulps of the dtype of `values` at the truth (float64).

    Equal classes (both NaN, or the infinity that the truth rounds to) are 0 apart, different
    classes NaN or infinitely many. None where shapes differ or the dtype isn't floating.
    """
    fmt = FORMATS.get(values.dtype.name)
    if fmt is None or values.shape != truth.shape:
        return None
    got, exact = values.astype(np.float64), truth.astype(np.float64)
    rounded = np.where(np.abs(exact) >= fmt.overflow, np.copysign(np.inf, exact), exact)
    same = (got == rounded) | (np.isnan(got) & np.isnan(exact))
    with np.errstate(all="ignore"):
        return np.where(same, 0.0, (got - exact) / fmt.ulp(exact))


def measure(value: float | None, sign: str = "") -> str:
    """An error in three digits; "" if nothing was measured, `+` as `sign` for signed ones."""
    if value is None:
        return ""
    return "0" if value == 0 else f"{value:{sign}.3g}"
