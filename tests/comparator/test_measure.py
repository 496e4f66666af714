from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from harness.comparator import tolerance
from harness.comparator.measure import Measurement, Pair, measure
from harness.model.case import Array
from harness.oracle.formats import FORMATS, Format

INF, NAN = float("inf"), float("nan")
FLOAT32 = FORMATS["float32"]
NARROW = ("float16", "bfloat16", "float32")


def one(observed: Array, truth: Array, form: Format) -> Measurement:
    """Measure a single array, by the usual allowance of its format."""
    usual = tolerance.usual(form.name)
    (found,) = measure([Pair(observed, truth)], form, usual, usual)
    return found


@pytest.mark.parametrize(
    ("observed", "truth", "defect", "index"),
    [
        ([[1, 2]], [1, 2], "shape [1, 2] instead of [2]", None),
        (1, [1], "shape [] instead of [1]", None),
        ([[1], [2]], [[1, 2]], "shape [2, 1] instead of [1, 2]", None),
        ([1, NAN, NAN], [1, 2, 3], "NaN", (1,)),
        ([[1, 2], [3, NAN]], [[1, 2], [3, 4]], "NaN", (1, 1)),
        ([1, 5, INF], [1, NAN, NAN], "a number instead of NaN", (1,)),
        ([1, INF], [1, 2], "infinity", (1,)),
        ([1, -INF, INF], [1, 2, 3], "infinity", (1,)),
        ([1, 3.4e38], [1, INF], "a finite value instead of infinity", (1,)),
        ([INF, -INF], [INF, INF], "infinity of the wrong sign", (1,)),
        ([-INF], [1e39], "infinity of the wrong sign", (0,)),
        (NAN, 1.0, "NaN", ()),
    ],
)
def test_the_first_class_that_differs_is_the_defect(
    observed: object, truth: object, defect: str, index: tuple[int, ...] | None
) -> None:
    found = one(np.array(observed, np.float32), np.array(truth, np.float64), FLOAT32)
    assert (found.defect, found.index) == (defect, index)
    assert found.max_ulp is None


@pytest.mark.parametrize(
    ("observed", "truth", "defect"),
    [
        # Each row has every defect from its own on: the earliest in the order is named.
        (np.array([[NAN, INF, 9]]), [1, NAN, INF], "shape [1, 3] instead of [3]"),
        (np.array([NAN, INF, 9, 9]), [1, NAN, INF, 1], "dtype float64 instead of float32"),
        (np.array([INF, 9, NAN], np.float32), [1, NAN, 1], "NaN"),
        (np.array([INF, 9, 1], np.float32), [1, NAN, INF], "a number instead of NaN"),
        (np.array([9, INF, 9], np.float32), [INF, 1, 1], "infinity"),
        (np.array([-INF, 9, 9], np.float32), [INF, INF, 1], "a finite value instead of infinity"),
        (np.array([9, -INF], np.float32), [1, INF], "infinity of the wrong sign"),
    ],
)
def test_the_order_of_checks(
    observed: np.ndarray[tuple[int], np.dtype[np.float64]], truth: object, defect: str
) -> None:
    assert one(observed, np.array(truth, np.float64), FLOAT32).defect == defect


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "bool", "bfloat16"])
def test_a_dtype_of_its_own_is_a_defect(dtype: str) -> None:
    observed = np.array([1], ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    assert one(observed, np.array([1.0]), FLOAT32).defect == f"dtype {dtype} instead of float32"


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_truth_beyond_the_formats_range_accepts_infinity(dtype: str, sign: int) -> None:
    form = FORMATS[dtype]
    infinite = np.array([sign * INF]).astype(form.dtype)
    found = one(infinite, np.array([sign * form.overflow]), form)
    assert (found.defect, found.max_ulp) == ("", 0.0)
    assert one(infinite, np.array([sign * form.largest]), form).defect == "infinity"


def test_the_largest_number_is_near_a_truth_just_beyond_it() -> None:
    found = one(np.array([FLOAT32.largest], np.float32), np.array([FLOAT32.overflow]), FLOAT32)
    assert (found.defect, found.max_ulp) == ("", -0.5)


def test_nan_and_infinities_in_their_places_are_no_error() -> None:
    values = [NAN, INF, -INF, 1.0]
    found = one(np.array(values, np.float32), np.array(values), FLOAT32)
    assert (found.defect, found.max_ulp) == ("", 0.0)
    assert found.max_absolute == found.max_relative == 0.0


@pytest.mark.parametrize(("observed", "truth"), [(-0.0, 0.0), (0.0, -0.0)])
def test_zeros_of_either_sign_are_one_number(observed: float, truth: float) -> None:
    found = one(np.array([observed], np.float32), np.array([truth]), FLOAT32)
    assert (found.defect, found.max_ulp) == ("", 0.0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_errors_are_signed_and_in_ulps_at_the_truth(dtype: str) -> None:
    form = FORMATS[dtype]
    ulp = 2 * form.unit_roundoff
    truth = np.array([1.0, 1.0, -1.0, 4.0])
    observed = truth + np.array([ulp, -3 * ulp, -2 * ulp, 4 * ulp])
    found = one(observed.astype(form.dtype), truth, form)
    assert (found.max_absolute, found.max_relative) == (4 * ulp, 3 * ulp)
    assert (found.index, found.max_ulp) == ((1,), -3.0)


def test_errors_where_the_truth_is_0_or_subnormal_are_in_subnormal_ulps() -> None:
    eta = FLOAT32.smallest_subnormal
    found = one(np.array([eta, -3 * eta], np.float32), np.array([0.0, eta]), FLOAT32)
    assert (found.index, found.max_ulp, found.max_relative) == ((1,), -4.0, INF)
    assert one(np.array([eta], np.float32), np.array([0.0]), FLOAT32).max_ulp == 1.0


def test_an_error_that_float64_cannot_hold_is_infinite_not_0() -> None:
    found = one(np.array([1.7e308, 1.0]), np.array([-1.7e308, 1.0]), FORMATS["float64"])
    assert (found.defect, found.index, found.max_ulp) == ("", (0,), INF)
    assert (found.max_absolute, found.within) == (INF, False)
    found = one(np.array([100.0]), np.array([0.0]), FORMATS["float64"])
    assert (found.max_ulp, found.max_absolute) == (INF, 100.0)


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_without_elements_there_is_nothing_to_one(shape: tuple[int, ...]) -> None:
    found = one(np.zeros(shape, np.float32), np.zeros(shape), FLOAT32)
    assert (found.defect, found.index, found.max_ulp) == ("", None, None)
    assert one(np.zeros((0, 1), np.float32), np.zeros(shape), FLOAT32).defect.startswith("shape [0, 1]")


def test_a_scalar_has_the_empty_index() -> None:
    found = one(np.float32(1.5) * np.ones(()).astype(np.float32), np.array(1.0), FLOAT32)
    assert (found.index, found.max_ulp) == ((), 2.0**22)


def test_arrays_measured_together_are_measured_as_alone() -> None:
    pairs = [
        Pair(np.array(observed, np.float32), np.array(truth, np.float64))
        for observed, truth in [
            ([1.0, 2.5], [1.0, 2.0]),
            ([[1.0], [NAN]], [[1.0], [2.0]]),
            (3.0, 3.000001),
            ([], []),
            ([INF, 4.0, 4.0], [INF, 4.0, 4.5]),
            ([7.0], [7.0, 7.0]),
            ([-INF, 1.0], [INF, NAN]),
            ([0.0, 5.0], [1e-30, 5.0]),
        ]
    ]
    usual = tolerance.usual("float32")
    assert measure(pairs, FLOAT32, usual, usual) == [one(*pair, FLOAT32) for pair in pairs]


def test_the_element_farthest_beyond_its_allowance_is_not_the_one_with_most_ulps() -> None:
    found = one(np.array([1e-9, 1.5], np.float32), np.array([1e-30, 1.0]), FLOAT32)
    assert found.index == (0,)
    assert found.worst is not None
    assert (found.worst.index, found.worst.error, found.worst.ulps) == ((1,), 0.5, 2.0**22)
