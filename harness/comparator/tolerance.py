"""Plain rtol and atol, a judge beside the bounds, with the frameworks' usual defaults for each dtype.

The defaults are those of `torch.testing.assert_close` (default_tolerances in
torch/testing/_comparison.py); TensorFlow's own tests use 1e-6 for both in float32.
"""

from __future__ import annotations

import math

from harness.comparator.measure import Allowance, Measurement
from harness.model.case import Case
from harness.model.verdict import Tolerance
from harness.oracle.formats import Format

DEFAULTS = {
    "float16": Allowance(1e-3, 1e-5),
    "bfloat16": Allowance(1.6e-2, 1e-5),
    "float32": Allowance(1.3e-6, 1e-5),
    "float64": Allowance(1e-7, 1e-7),
}


def usual(dtype: str) -> Allowance:
    """The frameworks' usual allowance for a dtype."""
    return DEFAULTS[dtype]


def asked(dtype: str, rtol: float | None, atol: float | None) -> Allowance:
    """The allowance with `--rtol` and `--atol` in place of the defaults they replace."""
    default = DEFAULTS[dtype]
    if rtol is None and atol is None:
        return default
    return Allowance(default.rtol if rtol is None else rtol, default.atol if atol is None else atol)


def stated(case: Case) -> Allowance | None:
    """The tolerance that a case states instead of the bounds, if it does."""
    own = case.expect.tolerance
    return Allowance(own.rtol, own.atol) if own else None


def judge(measured: Measurement, named: Allowance, form: Format) -> Tolerance:
    """The named judge: passed or not, and the remark where atol alone lets an element pass."""
    passed = measured.within_named
    remark = ""
    if passed and measured.alone_ulps:
        remark = f"passes by atol alone, {bits_lost(measured.alone_ulps, form)} bits lost"
    return Tolerance(named.rtol, named.atol, passed, remark)


def bits_lost(ulps: float, form: Format) -> int:
    """Leading bits that an error of so many ulps leaves wrong: 0 for half an ulp, at most all."""
    if math.isinf(ulps):
        return form.precision
    return min(form.precision, max(0, math.ceil(1 + math.log2(ulps)))) if ulps > 0 else 0  # 2 ulps may be infinite
