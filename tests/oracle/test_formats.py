from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

from harness.oracle.formats import FORMATS, Format

NAMES = ("float16", "bfloat16", "float32", "float64")
NARROW = ("float16", "bfloat16", "float32")


@pytest.fixture(params=NAMES)
def form(request: pytest.FixtureRequest) -> Format:
    return FORMATS[request.param]


@pytest.fixture(params=NARROW)
def narrow(request: pytest.FixtureRequest) -> Format:
    return FORMATS[request.param]


def rounded(x: float, form: Format) -> float:
    with np.errstate(over="ignore"):
        return float(np.float64(x).astype(form.dtype))


def test_there_are_four() -> None:
    assert tuple(FORMATS) == NAMES


def test_constants(form: Format) -> None:
    known = ml_dtypes.finfo(form.dtype)
    assert form.dtype.name == form.name
    assert form.unit_roundoff == float(known.eps) / 2
    assert form.smallest_normal == float(known.smallest_normal)
    assert form.smallest_subnormal == float(known.smallest_subnormal)
    assert form.largest == float(known.max)
    assert form.bits.kind == "u"
    assert form.bits.itemsize == form.dtype.itemsize


def test_overflow_is_the_least_real_that_rounds_to_infinity(narrow: Format) -> None:
    assert rounded(narrow.overflow, narrow) == math.inf
    assert rounded(narrow.overflow * (1 - narrow.unit_roundoff / 1024), narrow) == narrow.largest
    assert FORMATS["float64"].overflow == math.inf


@pytest.mark.parametrize("sign", [1, -1])
def test_ulp_doubles_at_powers_of_two(form: Format, sign: int) -> None:
    u = form.unit_roundoff
    x = sign * np.array([1.0, 1.5, 2.0 - 2 * u, 2.0, 0.5, 1.0 - u])
    np.testing.assert_array_equal(form.ulp(x), [2 * u, 2 * u, 2 * u, 4 * u, u, u])


def test_ulp_is_the_gap_to_the_next_number(form: Format) -> None:
    for x in (form.smallest_normal, 3e-3, 1.0, 1e4, form.largest / 2):
        start = np.float64(x).astype(form.dtype)
        bits = start.view(form.bits) + form.bits.type(1)
        gap = float(bits.view(form.dtype)) - float(start)
        assert form.ulp(np.array(float(start))) == gap


def test_ulp_at_and_below_the_normal_range_is_subnormal(form: Format) -> None:
    eta = form.smallest_subnormal
    x = np.array([0.0, -0.0, eta, -eta, 2 * eta, form.smallest_normal / 2, form.smallest_normal])
    np.testing.assert_array_equal(form.ulp(x), np.full(7, eta))


def test_ulp_of_reals_between_the_formats_numbers(narrow: Format) -> None:
    below = math.nextafter(1.0, 0)
    np.testing.assert_array_equal(narrow.ulp(np.array([below])), [narrow.unit_roundoff])
    np.testing.assert_array_equal(narrow.ulp(np.array([narrow.smallest_subnormal / 3])), [narrow.smallest_subnormal])
