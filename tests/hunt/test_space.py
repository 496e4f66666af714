"""Numbers as places, and points that stay where their operation is defined."""

import numpy as np
import pytest

from harness.hunt.space import UnsearchableError, numbers, places, space
from harness.model.case import Domain
from harness.operations import OPERATIONS
from harness.oracle.formats import FORMATS

SEARCHED = (
    "sigmoid",
    "sigmoid_cross_entropy",
    "softmax",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
    "binary_cross_entropy",
    "categorical_cross_entropy",
)


@pytest.mark.parametrize("dtype", FORMATS)
def test_places_follow_the_order_of_numbers(dtype: str) -> None:
    form = FORMATS[dtype]
    values = np.array([-np.inf, -1.5, -1.0, -form.smallest_subnormal, 0.0, form.smallest_subnormal, 1.0, np.inf])
    found = places(values.astype(form.dtype), form)
    assert np.all(np.diff(found) > 0)
    assert found[4] == 0
    assert (found[3], found[5]) == (-1, 1)
    assert np.array_equal(numbers(found, form).astype(np.float64), values)


def test_beyond_infinity_there_is_nothing() -> None:
    form = FORMATS["float16"]
    assert numbers(np.array([1 << 40, -(1 << 40)]), form).tolist() == [np.inf, -np.inf]


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("dtype", FORMATS)
def test_points_are_defined_and_stay_so(name: str, dtype: str) -> None:
    operation = OPERATIONS[name]
    found = space(operation, FORMATS[dtype], 3)
    bits = np.random.Generator(np.random.Philox(1))
    points = found.sample(500, bits)
    for _ in range(5):
        assert operation.locate(points, operation.complete({})).domain is not Domain.UNDEFINED
        assert all(np.isfinite(array.astype(np.float64)).all() for array in points.values())
        points = found.moved(points, bits)


@pytest.mark.parametrize("name", ["sampled_softmax_cross_entropy", "linear_cross_entropy"])
def test_an_operation_without_rows_of_numbers_is_refused(name: str) -> None:
    with pytest.raises(UnsearchableError, match="can't be searched"):
        space(OPERATIONS[name], FORMATS["float32"], 3)
