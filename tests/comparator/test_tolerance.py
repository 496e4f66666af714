from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.comparator.measure import Allowance
from harness.comparator.tolerance import asked, bits_lost, usual
from harness.model.verdict import Kind, Tolerance, Verdict
from harness.oracle.formats import FORMATS

INF, NAN = float("inf"), float("nan")
FLOAT64 = FORMATS["float64"]

Judged = Callable[..., Tolerance]


@pytest.fixture
def judged(judge_one: Callable[..., Verdict]) -> Judged:
    """What the named judge says of values, with a tolerance of its own."""

    def named(observed: Any, truth: Any, rtol: float, atol: float, dtype: str = "float64") -> Tolerance:
        verdict = judge_one(np.array(observed).astype(FORMATS[dtype].dtype), truth, dtype, asked=(rtol, atol))
        assert verdict.tolerance is not None
        return verdict.tolerance

    return named


@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"),
    [("float16", 1e-3, 1e-5), ("bfloat16", 1.6e-2, 1e-5), ("float32", 1.3e-6, 1e-5), ("float64", 1e-7, 1e-7)],
)
def test_the_usual_allowance_is_that_of_torchs_assert_close(dtype: str, rtol: float, atol: float) -> None:
    assert usual(dtype) == Allowance(rtol, atol)


@pytest.mark.parametrize(
    ("rtol", "atol", "allowance"),
    [
        (None, None, Allowance(1.3e-6, 1e-5)),
        (0.5, None, Allowance(0.5, 1e-5)),
        (None, 0.25, Allowance(1.3e-6, 0.25)),
        (0.0, 0.0, Allowance(0.0, 0.0)),
    ],
)
def test_what_is_asked_replaces_the_default(rtol: float | None, atol: float | None, allowance: Allowance) -> None:
    assert asked("float32", rtol, atol) == allowance


@pytest.mark.parametrize(("rtol", "atol"), [(2.0**-10, 0.0), (0.0, 2.0**-5), (2.0**-10, 2.0**-5)])
@pytest.mark.parametrize("truth", [8.0, -8.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_pass_line(judged: Judged, rtol: float, atol: float, truth: float, sign: int) -> None:
    allowed = atol + rtol * 8.0
    inside, outside = truth + sign * allowed, truth + sign * allowed * (1 + 2.0**-30)
    assert judged([1.0, inside], [1.0, truth], rtol, atol).passed is True
    assert judged([1.0, outside], [1.0, truth], rtol, atol).passed is False


def test_an_infinite_truth_widens_no_allowance(judged: Judged) -> None:
    np.testing.assert_array_equal(Allowance(0.5, 0.25).of(np.array([INF, NAN, -2.0])), [0.25, 0.25, 1.25])
    assert judged([INF, 9.0], [INF, 1.0], 0.0, 0.5).passed is False
    assert judged([INF, NAN], [INF, NAN], 0.0, 0.0) == Tolerance(0.0, 0.0, passed=True)


def test_a_defect_never_passes(judged: Judged) -> None:
    assert judged([NAN], [1.0], INF, INF).passed is False


@pytest.mark.parametrize(
    ("dtype", "observed", "truth", "bits"),
    [
        ("float32", 0.0, 2.33e-10, 24),
        ("float32", 0.0, 2.0**-30, 24),
        ("float16", 0.0, 2.0**-20, 5),  # subnormal: it has no more bits
        ("float64", 1.0 + 2.0**-30, 1.0, 23),
        ("float64", 1.0 + 3 * 2.0**-52, 1.0, 3),
        ("float64", 1.0 + 2.0**-52, 1.0, 1),
        ("float64", 1.0, 0.0, 53),
    ],
)
def test_what_passes_by_atol_alone_has_lost_bits(
    judged: Judged, dtype: str, observed: float, truth: float, bits: int
) -> None:
    remark = judged([5.0, observed], [5.0, truth], 0.0, 10.0, dtype).remark
    assert remark == f"passes by atol alone, {bits} bits lost"


def test_there_is_no_remark_where_rtol_suffices_or_nothing_passes(judged: Judged) -> None:
    assert judged([1.0 + 2.0**-20], [1.0], 1e-5, 10.0).remark == ""
    assert judged([2.0], [1.0], 0.0, 0.5).remark == ""
    assert judged([], [], 0.0, 0.5) == Tolerance(0.0, 0.5, passed=True)


@pytest.mark.parametrize(
    ("ulps", "bits"),
    [(0.0, 0), (0.25, 0), (0.5, 0), (0.75, 1), (1.0, 1), (4.0, 3), (4.5, 4), (1e30, 53), (1.7e308, 53), (INF, 53)],
)
def test_bits_lost(ulps: float, bits: int) -> None:
    assert bits_lost(ulps, FLOAT64) == bits


def test_the_named_judge_stands_beside_the_verdict(judge_one: Callable[..., Verdict]) -> None:
    observed = np.array([1.001], np.float32)
    strict, loose = (judge_one(observed, [1.0], asked=(rtol, None)) for rtol in (None, 0.01))
    assert (strict.verdict, loose.verdict) == (Kind.FAIL, Kind.FAIL)
    assert strict.tolerance == Tolerance(1.3e-6, 1e-5, passed=False)
    assert loose.tolerance == Tolerance(0.01, 1e-5, passed=True)
    strict, lossy = (judge_one(np.zeros(1, np.float32), [2.33e-10], asked=(None, atol)) for atol in (0.0, None))
    assert (strict.verdict, lossy.verdict) == (Kind.PASS, Kind.PASS)
    assert strict.tolerance == Tolerance(1.3e-6, 0.0, passed=False)
    assert lossy.tolerance == Tolerance(1.3e-6, 1e-5, passed=True, remark="passes by atol alone, 24 bits lost")
