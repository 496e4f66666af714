from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness.model.agreement import groups
from harness.reporting.values import digits, hexadecimal, measure, shape_text, ulps

FLOATS = [np.float16, np.float32, np.float64, ml_dtypes.bfloat16]


@pytest.mark.parametrize("dtype", FLOATS)
def test_digits_identify_every_value_in_its_dtype(dtype: Any) -> None:
    bits = np.random.default_rng(3).integers(0, 256, 8000, dtype=np.uint8)
    for value in bits.view(dtype):
        read = dtype(float(digits(value)))
        assert read == value or (math.isnan(read) and math.isnan(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.1), "0.1"),
        (np.float32(2.33e-10), "2.33e-10"),
        (np.float16(0.1), "0.1"),
        (ml_dtypes.bfloat16(0.1), "0.1"),
        (ml_dtypes.bfloat16(3.140625), "3.14"),
        (ml_dtypes.bfloat16("nan"), "nan"),
        (np.float64(-0.0), "-0"),
        (np.float64("-inf"), "-inf"),
        (np.float16(65504), "65500"),
        (np.float64(1e300), "1e+300"),
        (np.int64(-3), "-3"),
        (np.bool_(1), "True"),
    ],
)
def test_digits_are_the_shortest(value: Any, text: str) -> None:
    assert digits(value) == text


def test_hexadecimal_is_exact() -> None:
    assert hexadecimal(np.float32(0.1)) == "0x1.99999ap-4"
    assert hexadecimal(np.float64(1.0)) == "0x1p+0"
    assert hexadecimal(np.int64(255)) == "0xff"
    assert hexadecimal(ml_dtypes.bfloat16(0.1)) == "0x1.9ap-4"


@pytest.mark.parametrize("dtype", FLOATS)
def test_ulps_are_signed_and_know_classes(dtype: Any) -> None:
    truth = np.array([1.0, 1.0, np.nan, np.inf, np.inf, 1.0])
    step = float(np.spacing(dtype(1.0))) if dtype is not ml_dtypes.bfloat16 else 2.0**-7
    values = np.array([1 + step, 1 - step, np.nan, np.inf, -np.inf, np.nan]).astype(dtype)
    found = ulps(values, truth)
    assert found is not None
    assert found[:4].tolist() == [1.0, -1.0, 0.0, 0.0]
    assert not np.isfinite(found[4])
    assert np.isnan(found[5])


def test_a_truth_beyond_the_largest_number_is_infinity() -> None:
    found = ulps(np.array([np.inf], np.float16), np.array([1e6]))
    assert found is not None
    assert found.tolist() == [0.0]


def test_ulps_need_a_floating_dtype_and_one_shape() -> None:
    assert ulps(np.array([1]), np.array([1.0])) is None
    assert ulps(np.array([1.0]), np.array(1.0)) is None


def test_measures_have_three_digits() -> None:
    assert [measure(x, "+") for x in (None, 0.0, 0.25, -1.234e7)] == ["", "0", "+0.25", "-1.23e+07"]
    assert [shape_text(shape) for shape in ((), (3,), (2, 5))] == ["scalar", "[3]", "[2, 5]"]


def test_groups_are_equal_in_bits_dtype_and_shape() -> None:
    one = np.array([0.0, np.nan], np.float32)
    found = groups(
        {
            "d": one.copy(),
            "b": one,
            "c": np.array([-0.0, np.nan], np.float32),
            "a": one.astype(np.float64),
            "e": one.reshape(2, 1),
        }
    )
    assert found == [["b", "d"], ["a"], ["c"], ["e"]]


def test_groups_tell_nan_payloads_apart() -> None:
    quiet = np.array([0x7FC00000], np.uint32).view(np.float32)
    payload = np.array([0x7FC00001], np.uint32).view(np.float32)
    assert groups({"a": quiet, "b": payload}) == [["a"], ["b"]]
