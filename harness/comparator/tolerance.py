"""Plain rtol and atol, with the frameworks' usual defaults for each dtype.

The defaults are those of `torch.testing.assert_close` (default_tolerances in
torch/testing/_comparison.py); TensorFlow's own tests use 1e-6 for both in float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.comparator.measure import Measurement
from harness.model.case import Array
from harness.oracle.formats import Format

DEFAULTS = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
}


@dataclass(frozen=True, slots=True)
class Allowance:
    """rtol and atol for a dtype: an element passes if |y - T| <= atol + rtol |T|."""

    rtol: float
    atol: float

    def of(self, truth: Array) -> Array:
        """The error that each element may have."""
        return self.atol + self.rtol * np.where(np.isfinite(truth), np.abs(truth), 0.0)


def usual(dtype: str) -> Allowance:
    """The frameworks' usual allowance for a dtype."""
    return Allowance(*DEFAULTS[dtype])


def asked(dtype: str, rtol: float | None, atol: float | None) -> Allowance:
    """The allowance with `--rtol` and `--atol` in place of the defaults they replace."""
    default = usual(dtype)
    return Allowance(default.rtol if rtol is None else rtol, default.atol if atol is None else atol)


def within(measured: Measurement, truth: Array, allowance: Allowance) -> bool:
    """Whether every element is within the allowance and none is of a wrong class."""
    return not measured.defect and bool((measured.absolute <= allowance.of(truth)).all())


def remark(measured: Measurement, truth: Array, allowance: Allowance, form: Format) -> str:
    """What is to be said of a value that passes: that atol alone lets it, and what it has lost."""
    if not measured.absolute.size:
        return ""
    alone = measured.absolute > Allowance(allowance.rtol, 0.0).of(truth)
    if not alone.any():
        return ""
    worst = float(np.max(np.abs(measured.ulps[alone])))
    return f"passes by atol alone, {bits_lost(worst, form)} bits lost"


def bits_lost(ulps: float, form: Format) -> int:
    """Leading bits that an error of so many ulps leaves wrong: 0 for half an ulp, at most all."""
    return math.ceil(min(form.precision, max(0.0, math.log2(2 * ulps)))) if ulps > 0 else 0
