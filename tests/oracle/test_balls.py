"""Balls hold what exact arithmetic gives, at every precision, and say where they are."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from harness.model.case import Array
from harness.oracle.balls import BallExponentials, Balls, Enclosed, precision

INF, NAN = np.inf, np.nan
BITS = np.random.Generator(np.random.Philox(13))
A, B = (BITS.standard_normal(50) * 10.0 ** BITS.integers(-3, 4, 50) for _ in range(2))

RATIONAL: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "0.5 -": lambda a, _: 0.5 - a,
    "2 /": lambda a, _: 2.0 / a,
    "abs": lambda a, _: abs(a),
    "negative": lambda a, _: -a,
}
REAL: dict[str, Callable[[Any], Any]] = {"exp": mpmath.exp, "log": mpmath.log, "log1p": mpmath.log1p}


def held(exact: Any, found: Enclosed, n: int) -> bool:
    """Whether an exact number lies in an enclosure, up to what mpmath's own digits leave open."""
    with mpmath.workprec(4096):
        distance = abs(exact - (mpmath.mpf(float(found.high[n])) + mpmath.mpf(float(found.low[n]))))
        return bool(distance <= mpmath.mpf(float(found.radius[n])) + abs(exact) * mpmath.mpf(10) ** -500)


def exactly(fraction: Fraction | float) -> Any:
    return mpmath.mpf(Fraction(fraction).numerator) / Fraction(fraction).denominator


@pytest.mark.parametrize("bits", [53, 128, 512])
@pytest.mark.parametrize("name", RATIONAL)
def test_arithmetic_holds_the_rational_result(name: str, bits: int) -> None:
    step = RATIONAL[name]
    with precision(bits):
        found = step(Balls.exact(A), Balls.exact(B)).enclosed()
    with mpmath.workprec(4096):
        for n, (a, b) in enumerate(zip(A.tolist(), B.tolist(), strict=True)):
            exact = exactly(step(Fraction(a), Fraction(b))) if name not in ("0.5 -", "2 /") else None
            if exact is None:
                exact = exactly(Fraction(1, 2) - Fraction(a) if name == "0.5 -" else 2 / Fraction(a))
            assert held(exact, found, n)
    assert np.all(found.radius <= np.abs(found.high) * 2.0 ** (8 - min(bits, 100)))


@pytest.mark.parametrize("bits", [53, 128, 512])
@pytest.mark.parametrize("name", REAL)
def test_functions_hold_what_mpmath_says(name: str, bits: int) -> None:
    numbers = np.minimum(np.abs(A), 700.0)
    with precision(bits):
        found = getattr(Balls.exact(numbers), name)().enclosed()
    with mpmath.workprec(2048):
        assert all(held(REAL[name](mpmath.mpf(a)), found, n) for n, a in enumerate(numbers.tolist()))


def test_more_bits_are_narrower() -> None:
    radii = []
    for bits in (53, 106):
        with precision(bits):
            radii.append(float(Balls.exact(0.1).exp().enclosed().radius))
    assert radii[1] < radii[0] * 2.0**-40


def test_precision_is_put_back_after_an_error() -> None:
    with precision(128):
        before = Balls.exact(3.0).log().enclosed()
        with pytest.raises(ZeroDivisionError), precision(20):
            _ = 1 // 0
        np.testing.assert_array_equal(Balls.exact(3.0).log().enclosed(), before)


def test_an_enclosure_is_a_sum_of_two_floats() -> None:
    with precision(200):
        third = (Balls.exact(1.0) / 3.0).enclosed()
    assert third.high == 1 / 3
    assert third.low == float(Fraction(1, 3) - Fraction(1 / 3))
    assert 0 < third.radius < 2.0**-100


def test_exact_numbers_have_no_radius() -> None:
    found = Balls.exact(np.array([0.0, -1.5, 2.0**-1074, 1e308])).enclosed()
    np.testing.assert_array_equal(found.high, [0.0, -1.5, 2.0**-1074, 1e308])
    assert not found.low.any()
    assert not found.radius.any()


def test_what_float64_cannot_hold_is_infinite_or_nearly_nothing() -> None:
    found = Balls.exact(np.array([1e4, -1e4])).exp().enclosed()
    assert found.high.tolist() == [INF, 0.0]
    assert found.radius[0] == 0
    assert 0 < found.radius[1] <= 2 * 2.0**-1074


def test_a_ball_that_is_no_number_says_so() -> None:
    found = (Balls.exact(np.array([INF, 1.0])) - Balls.exact(np.array([INF, 1.0]))).enclosed()
    assert np.isnan(found.radius).tolist() == [True, False]


@pytest.mark.parametrize("wild", [INF, -INF])
def test_zero_times_anything_is_zero(wild: float) -> None:
    zeros, others = np.array([0.0, wild]), np.array([wild, 0.0])
    assert not (Balls.exact(zeros) * Balls.exact(others)).enclosed().high.any()


def test_logarithms_of_nothing_are_infinite() -> None:
    assert Balls.exact(np.array([0.0])).log().enclosed().high[0] == -INF
    assert Balls.exact(np.array([-1.0])).log1p().enclosed().high[0] == -INF
    assert Balls.exact(np.array([0.0])).log().maximum(-100.0).enclosed().high[0] == -100.0


def test_the_logarithm_of_what_may_be_nothing_is_not_known() -> None:
    with precision(53):
        third = Balls.exact(np.array([1.0])) / 3.0
        nothing = third * 3.0 - 2.0  # -1, give or take a radius
        assert np.isnan(nothing.log1p().enclosed().radius[0])


def test_the_larger_and_the_smaller() -> None:
    a, b = Balls.exact(np.array([1.0, -2.0])), Balls.exact(np.array([0.5, 3.0]))
    np.testing.assert_array_equal(a.maximum(b).enclosed().high, [1.0, 3.0])
    np.testing.assert_array_equal(a.minimum(b).enclosed().high, [0.5, -2.0])


def test_a_guard_holds_what_is_below_zero() -> None:
    values, guard = Balls.exact(np.array([1.0, 2.0, 3.0, 4.0])), Balls.exact(np.array([1.0, 0.0, -(2.0**-1074), NAN]))
    np.testing.assert_array_equal(values.guarded(guard, 0.0).enclosed().high, [1.0, 2.0, 0.0, 4.0])


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_sums_are_exact_where_float64_is_not(axis: int | None) -> None:
    terms = np.array([[1e16, 1.0], [-1e16, 1.0]])
    with precision(128):
        found = Balls.exact(terms).sum(axis).enclosed()
    exact: Array = np.asarray({None: 2.0, 0: [0.0, 2.0], -1: [1e16 + 1, -1e16 + 1]}[axis])
    np.testing.assert_array_equal(found.high + found.low, exact)
    assert Balls.exact(terms).sum(-1, keepdims=True).shape == (2, 1)


def test_exponentials_of_rows_are_those_of_their_differences() -> None:
    x = np.array([[0.0, 3.0, -1.0], [5.0, 5.0, -700.0]])
    largest, leaders = x.max(axis=-1, keepdims=True), x.argmax(axis=-1)
    with precision(128):
        others, whole = BallExponentials(x, largest, leaders).sums()
        e = (Balls.exact(x) - Balls.exact(largest)).exp()
        np.testing.assert_array_equal((whole - e.sum(keepdims=True)).enclosed().high, 0.0)
        np.testing.assert_allclose((whole - others).enclosed().high, 1.0, rtol=1e-30)
    assert others.enclosed().high[1, 0] == 1.0  # of two that lead, one is left out
