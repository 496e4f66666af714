from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness.comparator import tolerance
from harness.comparator.measure import Allowance, Measurement, measure
from harness.model.case import Array
from harness.model.verdict import Cause, Grade
from harness.oracle.formats import FORMATS, Format
from tests.comparator.truths import bounds, enclosure, pair

INF, NAN = float("inf"), float("nan")
FLOAT32 = FORMATS["float32"]
NARROW = ("float16", "bfloat16", "float32")


def one(observed: Array, truth: Array, form: Format) -> Measurement:
    """Measure a single array, by bounds that make the usual allowance of its format the pass line."""
    (found,) = measure([pair(observed, truth, form.name)], form, tolerance.usual(form.name), [None])
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
    assert (found.max_absolute, found.grade) == (INF, Grade.INACCURATE)
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
        pair(np.array(observed, np.float32), np.array(truth, np.float64))
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
    alone = [one(each.observed, each.truth.high, FLOAT32) for each in pairs]
    assert measure(pairs, FLOAT32, tolerance.usual("float32"), [None] * len(pairs)) == alone


def test_the_element_farthest_beyond_its_allowance_is_not_the_one_with_most_ulps() -> None:
    found = one(np.array([1e-9, 1.5], np.float32), np.array([1e-30, 1.0]), FLOAT32)
    assert found.index == (0,)
    assert found.worst is not None
    assert (found.worst.index, found.worst.error, found.worst.ulps) == ((1,), 0.5, 2.0**22)


# grades and causes

ULP = 2.0**-23
LOWEST = FLOAT32.smallest_normal


def graded(observed: float, truth: float, **named: Any) -> Measurement:
    """One float32 number, by bounds of its own."""
    held = pair(np.array([observed], np.float32), [truth], **named)
    (found,) = measure([held], FLOAT32, tolerance.usual("float32"), [None])
    return found


@pytest.mark.parametrize(
    ("truth", "bound", "grade"),
    [
        (1.0, 0.0, Grade.EXACT),
        (1.0 + ULP / 2, 0.0, Grade.EXACT),  # a tie: both neighbours count
        (1.0 + 0.51 * ULP, 0.0, Grade.ACCURATE),
        (1.0 + 4 * ULP, 0.0, Grade.ACCURATE),
        (1.0 + 4.01 * ULP, 0.0, Grade.INACCURATE),
        (1.0 + 10 * ULP, 5 * ULP, Grade.STABLE),
        (1.0 + 10.1 * ULP, 5 * ULP, Grade.INACCURATE),
        (2.0, INF, Grade.RANGE),
    ],
)
def test_grades_of_numbers(truth: float, bound: float, grade: Grade) -> None:
    assert graded(1.0, truth, passing=bound, rounding=bound).grade is grade


@pytest.mark.parametrize(
    ("observed", "truth", "grade"),
    [
        (0.0, 0.9 * LOWEST, Grade.UNDERFLOW),
        (0.0, 4.0 * LOWEST, Grade.UNDERFLOW),
        (0.0, 4.1 * LOWEST, Grade.INACCURATE),  # more than underflow may lose
        (0.0, 9.0 * LOWEST, Grade.INACCURATE),
        (9.0 * LOWEST, LOWEST, Grade.INACCURATE),
    ],
)
def test_what_is_lost_near_the_subnormal_range_is_underflow(observed: float, truth: float, grade: Grade) -> None:
    assert graded(observed, truth, passing=0.0, rounding=0.0).grade is grade


def test_what_the_truth_is_not_known_to_is_allowed() -> None:
    truth = [1.0 + 6 * ULP]
    held = pair(np.array([1.0], np.float32), truth, passing=0.0, rounding=0.0)
    (known,) = measure([held], FLOAT32, tolerance.usual("float32"), [None])
    (vague,) = measure([held._replace(truth=enclosure(truth, 2 * ULP))], FLOAT32, tolerance.usual("float32"), [None])
    assert (known.grade, vague.grade) == (Grade.INACCURATE, Grade.ACCURATE)


@pytest.mark.parametrize("observed", [INF, NAN])
def test_an_overflow_on_the_way_is_range_and_no_defect(observed: float) -> None:
    found = graded(observed, 3.0, passing=INF, rounding=INF)
    assert (found.defect, found.grade, found.cause) == ("", Grade.RANGE, Cause.RANGE)


@pytest.mark.parametrize(
    ("ulps", "cause"),
    [
        (0.4, Cause.ROUNDING),
        (2.0, Cause.ROUNDING),
        (10.0, Cause.SHIFT),
        (30.0, Cause.LSE),
        (90.0, Cause.SUM),
        (300.0, Cause.NONE),
    ],
)
def test_an_error_has_the_first_bound_that_explains_it_as_its_cause(ulps: float, cause: Cause) -> None:
    names = {"rounding": 1 * ULP, "shift": 5 * ULP, "lse": 20 * ULP}
    found = graded(1.0, 1.0 + ulps * ULP, passing=50 * ULP, **names)
    assert found.cause is cause


@pytest.mark.parametrize(("ulps", "length"), [(3.0, 0), (5.0, 0), (55.0, 516), (105.0, 1023)])
def test_an_error_beyond_pairwise_sums_tells_of_the_additions(ulps: float, length: int) -> None:
    found = graded(1.0, 1.0 + ulps * ULP, passing=105 * ULP, pairwise=5 * ULP, rounding=5 * ULP, terms=1024)
    assert found.summation_length is not None
    assert abs(found.summation_length - length) <= 2


def test_avoidable_bits_are_those_beyond_what_the_input_loses() -> None:
    assert graded(1.0, 1.0 + 16 * ULP, passing=INF, rounding=4 * ULP).avoidable_bits == pytest.approx(2.0)
    assert graded(1.0, 1.0 + 16 * ULP, passing=INF, rounding=16 * ULP).avoidable_bits == 0.0
    assert graded(0.0, 1.0, passing=INF, rounding=0.0).avoidable_bits == pytest.approx(24.0)


def test_a_stated_tolerance_is_the_line_that_shares_are_of() -> None:
    held = pair(np.array([1.5], np.float32), [1.0])
    (found,) = measure([held], FLOAT32, tolerance.usual("float32"), [Allowance(0.0, 1.0)])
    assert found.worst is not None
    assert (found.worst.share, found.grade) == (0.5, Grade.INACCURATE)


def test_errors_are_of_high_and_low_together() -> None:
    exact = enclosure([1.0])
    split = exact.__class__(exact.high, np.array([2.0**-60]), exact.radius, exact.bits)
    held = pair(np.array([1.0]), [1.0], "float64")._replace(truth=split, bounds=bounds([1.0], "float64"))
    (found,) = measure([held], FORMATS["float64"], tolerance.usual("float64"), [None])
    assert found.max_absolute == 2.0**-60
