"""A call's units: how it is taken apart and put together, and which calls have none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.model.case import Array
from harness.operations import OPERATIONS
from harness.oracle.units import Units, Whole, of_call

X = np.arange(24.0).reshape(2, 3, 4)


def units(name: str, parameters: dict[str, Any], **inputs: Array) -> Units:
    found = of_call(OPERATIONS[name], inputs, OPERATIONS[name].complete(parameters))
    assert found is not None
    return found


def test_units_of_an_elementwise_call_are_its_elements() -> None:
    found = units("sigmoid_cross_entropy", {}, logits=X, labels=X / 24)
    assert found.count == 24
    np.testing.assert_array_equal(found.inputs["logits"], np.arange(24.0))
    np.testing.assert_array_equal(found.take(np.array([1, 5]))["labels"], np.array([1, 5]) / 24)


@pytest.mark.parametrize(("axis", "count"), [(-1, 6), (2, 6), (1, 8), (0, 12), (-3, 12)])
def test_units_of_other_calls_are_rows_with_the_class_axis_last(axis: int, count: int) -> None:
    found = units("softmax", {"axis": axis}, logits=X)
    assert found.count == count
    assert found.parameters["axis"] == -1
    np.testing.assert_array_equal(found.inputs["logits"], np.moveaxis(X, axis, -1).reshape(count, -1))
    assert found.inputs["logits"].flags.c_contiguous


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_arranged_undoes_listed(axis: int) -> None:
    labels = np.zeros(np.delete(X.shape, axis), np.int64)
    weights = np.arange(labels.size, dtype=float).reshape(labels.shape)
    found = units("sparse_softmax_cross_entropy", {"axis": axis}, logits=X, labels=labels, weights=weights)
    for array in (X, weights):
        np.testing.assert_array_equal(found.arranged(found.listed(array)), array)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_place_in_a_unit_is_a_place_in_the_call(axis: int) -> None:
    found = units("softmax", {"axis": axis}, logits=X)
    for unit in range(found.count):
        for within in range(X.shape[axis]):
            assert X[found.place(unit, (within,))] == found.inputs["logits"][unit, within]


def test_a_unit_without_classes_has_the_place_of_its_loss() -> None:
    labels = np.zeros((2, 4), np.int64)
    found = units("sparse_softmax_cross_entropy", {"axis": 1}, logits=X, labels=labels)
    assert found.place(5, ()) == (1, 1)


@pytest.mark.parametrize(
    ("parameters", "inputs"),
    [
        ({"reduction": "mean"}, {"logits": X, "labels": X}),
        ({}, {"logits": X, "labels": X, "weights": np.ones((1, 3, 1))}),
        ({}, {"logits": X[:0], "labels": X[:0]}),
    ],
)
def test_reduced_broadcast_and_empty_calls_have_no_units(parameters: dict[str, Any], inputs: dict[str, Array]) -> None:
    operation = OPERATIONS["sigmoid_cross_entropy"]
    assert of_call(operation, inputs, operation.complete(parameters)) is None


def test_a_whole_call_is_one_unit() -> None:
    whole = Whole({"logits": X}, {})
    assert whole.take(slice(0, 1)) == whole.inputs
    assert whole.listed(X).shape == (1, *X.shape)
    np.testing.assert_array_equal(whole.arranged(whole.given(X)), X)
    assert whole.place(0, (1, 2, 3)) == (1, 2, 3)
