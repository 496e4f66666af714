from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

INF = float("inf")
P = [[0.2, 0.7, 0.45], [0.96, 0.0625, 0.5]]
Z = [[0.9, 0.1, 0.3], [0.25, 0.6, 1.0]]
ROWS = [[0.7, 0.2, 0.1], [0.05, 0.05, 0.9]]
UNNORMALISED = [[0.5, 0.9, 0.3], [0.6, 0.02, 0.7]]
DENSE = [[0.25, 0.25, 0.5], [0.125, 0.75, 0.125]]
TINY = [1e-30, 1e-10, 1e-4, 0.4999, 0.5001, 0.9999, 1 - 2**-24]

Exact = Callable[..., Truth]


@pytest.mark.parametrize(
    "reduction", ["none", "sum", "mean", "weighted_mean", "nonzero_mean", "row_mean", "row_mean_sum"]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_binary(assert_exact: Exact, reduction: str, *, weighted: bool) -> None:
    weights = [0.0, 3.0] if reduction.startswith("row_mean") else [[0.5, 2.0, 0.0], [1.25, 3.0, 0.0]]
    given = {"weights": weights} if weighted else {}
    assert_exact("binary_cross_entropy", probabilities=P, labels=Z, reduction=reduction, label_smoothing=0.1, **given)


@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize(
    "guard",
    [
        {},
        {"epsilon": 1e-7},
        {"epsilon": 1e-7, "epsilon_use": "add"},
        {"epsilon": 1e-7, "epsilon_use": "clip_add"},
        {"epsilon": 0.25},
        {"epsilon": 0.25, "epsilon_use": "add"},
        {"epsilon": 0.25, "epsilon_use": "clip_add"},
        {"log_floor": -100.0},
        {"log_floor": -5.0},
    ],
)
def test_binary_guards_keep_every_digit_at_both_ends(assert_exact: Exact, guard: Any, label: float) -> None:
    assert_exact("binary_cross_entropy", probabilities=TINY, labels=[label] * len(TINY), **guard)


def test_binary_of_0_and_1(evaluate: Exact) -> None:
    given = {"probabilities": [0.0, 0.0, 1.0, 1.0, 0.0], "labels": [0.0, 1.0, 1.0, 0.0, 0.5]}
    value = evaluate("binary_cross_entropy", **given).outputs["value"].high
    np.testing.assert_array_equal(value, [0.0, INF, 0.0, INF, INF])
    value = evaluate("binary_cross_entropy", **given, log_floor=-100.0).outputs["value"].high
    np.testing.assert_array_equal(value, [0.0, 100.0, 0.0, 100.0, 50.0])
    clipped = evaluate("binary_cross_entropy", **given, epsilon=0.25).outputs["value"].high
    expected = -np.log([0.75, 0.25, 0.75, 0.25, 0.1875**0.5])
    np.testing.assert_allclose(clipped, expected, rtol=1e-15)
    added = evaluate("binary_cross_entropy", **given, epsilon=0.25, epsilon_use="add").outputs["value"].high
    np.testing.assert_allclose(added, -np.log([1.25, 0.25, 1.25, 0.25, 0.3125**0.5]), rtol=1e-15)
    both = evaluate("binary_cross_entropy", **given, epsilon=0.25, epsilon_use="clip_add").outputs["value"].high
    np.testing.assert_allclose(both, -np.log([1.0, 0.5, 1.0, 0.5, 0.5**0.5]), rtol=1e-15)


def test_a_guard_that_holds_the_logarithm_constant_has_no_slope(evaluate: Exact) -> None:
    given = {"probabilities": [0.1, 0.5, 0.9], "labels": [1.0, 1.0, 1.0]}
    slopes = evaluate("binary_cross_entropy", **given, epsilon=0.25).outputs["gradient:probabilities"].high
    np.testing.assert_array_equal(slopes, [0.0, -2.0, 0.0])
    slopes = evaluate("binary_cross_entropy", **given, log_floor=-2.0).outputs["gradient:probabilities"].high
    assert slopes.tolist() == [0.0, -2.0, pytest.approx(-1 / 0.9, rel=1e-7)]


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "weighted_mean", "nonzero_mean"])
@pytest.mark.parametrize("normalize", ["none", "before", "after"])
@pytest.mark.parametrize("epsilon", [0.0, 1e-7, 0.25])
def test_categorical(assert_exact: Exact, reduction: str, normalize: str, epsilon: float) -> None:
    given = {"probabilities": UNNORMALISED, "reduction": reduction, "normalize": normalize, "epsilon": epsilon}
    assert_exact("categorical_cross_entropy", labels=DENSE, label_smoothing=0.1, weights=[0.0, 2.0], **given)
    assert_exact("sparse_categorical_cross_entropy", labels=[2, 1], weights=[0.5, 2.0], **given)


@pytest.mark.parametrize("normalize", ["none", "before", "after"])
@pytest.mark.parametrize("epsilon", [0.0, 1e-7])
@pytest.mark.parametrize("row", [[1.0, 1e-10, 0.0], [0.0, 2.0**-126, 1 - 2**-24], [1e-30, 0.25, 1e-10]])
def test_categorical_confident_rows_keep_every_digit(
    assert_exact: Exact, row: list[float], epsilon: float, normalize: str
) -> None:
    best = [int(np.argmax(row))]
    given: dict[str, Any] = {"probabilities": [row], "normalize": normalize, "epsilon": epsilon}
    assert_exact("sparse_categorical_cross_entropy", labels=best, **given)
    assert_exact("categorical_cross_entropy", labels=[np.eye(3)[best[0]]], **given)


@pytest.mark.parametrize("axis", [0, 1])
def test_categorical_axis(assert_exact: Exact, axis: int) -> None:
    cube = (np.arange(12) % 5 + 1).reshape(2, 3, 2) / 8
    dense = np.ones((2, 3, 2)) / (2, 3, 2)[axis]
    indices = np.ones(tuple(np.delete((2, 3, 2), axis)))
    assert_exact("categorical_cross_entropy", probabilities=cube, labels=dense, axis=axis, normalize="before")
    assert_exact("sparse_categorical_cross_entropy", probabilities=cube, labels=indices, axis=axis, normalize="after")


def test_categorical_of_0(evaluate: Exact) -> None:
    given = {"probabilities": [[0.0, 0.5, 0.5]], "labels": [[1.0, 0.0, 0.0]]}
    outputs = evaluate("categorical_cross_entropy", **given).outputs
    np.testing.assert_array_equal(outputs["value"].high, [INF])
    np.testing.assert_array_equal(outputs["gradient:probabilities"].high, [[-INF, 0.0, 0.0]])
    outputs = evaluate("categorical_cross_entropy", **given, normalize="before").outputs
    np.testing.assert_array_equal(outputs["gradient:probabilities"].high, [[-INF, 1.0, 1.0]])
    given["labels"] = [[0.0, 0.5, 0.5]]
    np.testing.assert_allclose(evaluate("categorical_cross_entropy", **given).outputs["value"].high, [np.log(2)])


def test_a_row_of_zeros_has_no_share(evaluate: Exact) -> None:
    found = evaluate("sparse_categorical_cross_entropy", probabilities=[[0.0, 0.0]], labels=[0], normalize="before")
    assert np.isnan(found.outputs["value"].high).all()


@pytest.mark.parametrize(
    ("operation", "labels"),
    [
        ("binary_cross_entropy", [[0.0, 1.0]]),
        ("categorical_cross_entropy", [[0.0, 1.0]]),
        ("sparse_categorical_cross_entropy", [1]),
    ],
)
@pytest.mark.parametrize("p", [[-0.25, 0.5], [0.5, 1.25]])
def test_probabilities_outside_0_1(evaluate: Exact, operation: str, labels: Any, p: list[float]) -> None:
    region = evaluate(operation, probabilities=[p], labels=labels).region
    assert region.domain is Domain.UNDEFINED
    assert region.reason == "probabilities outside [0, 1]: log of a negative number"
    if operation == "binary_cross_entropy":
        given = {"probabilities": [p], "labels": labels, "epsilon": 0.125}
        assert evaluate(operation, **given, epsilon_use="clip_add").region.domain is Domain.EXTENDED
    clipped = evaluate(operation, probabilities=[p], labels=labels, epsilon=0.125)
    assert (clipped.region.domain, clipped.region.reason) == (Domain.EXTENDED, "probabilities outside [0, 1]")
    inside = evaluate(operation, probabilities=[np.clip(p, 0, 1)], labels=labels, epsilon=0.125)
    np.testing.assert_array_equal(clipped.outputs["value"].high, inside.outputs["value"].high)


@pytest.mark.parametrize(
    ("operation", "given", "reason"),
    [
        (
            "binary_cross_entropy",
            {"probabilities": [-0.5], "labels": [0.0], "epsilon": 0.25, "epsilon_use": "add"},
            "probabilities outside [0, 1]: log of a negative number",
        ),
        (
            "binary_cross_entropy",
            {"probabilities": [0.5, 0.5], "labels": [0.0]},
            "labels have shape [1], probabilities [2]: they must be equal",
        ),
        (
            "binary_cross_entropy",
            {"probabilities": [0.5], "labels": [0.0], "epsilon": 0.75},
            "epsilon is 0.75, outside [0, 0.5]",
        ),
        (
            "binary_cross_entropy",
            {"probabilities": [0.5], "labels": [0.0], "log_floor": 1.0},
            "log_floor is 1.0, outside [-inf, 0]",
        ),
        (
            "categorical_cross_entropy",
            {"probabilities": ROWS, "labels": DENSE, "normalize": "twice"},
            "normalize is 'twice', not one of none, before, after",
        ),
        (
            "sparse_categorical_cross_entropy",
            {"probabilities": ROWS, "labels": [0, 3]},
            "label 3 is no class of 0..2",
        ),
        (
            "sparse_categorical_cross_entropy",
            {"probabilities": ROWS, "labels": [0, 1], "axis": 2},
            "probabilities have shape [2, 3]: no axis 2",
        ),
    ],
)
def test_undefined(evaluate: Exact, operation: str, given: dict[str, Any], reason: str) -> None:
    found = evaluate(operation, **given)
    assert (found.region.domain, found.region.reason) == (Domain.UNDEFINED, reason)
    assert not found.outputs


@pytest.mark.parametrize("operation", ["categorical_cross_entropy", "categorical_focal_cross_entropy"])
@pytest.mark.parametrize("weight", [1.0, -1.0])
@pytest.mark.parametrize("other", [0.5, float("nan")])
def test_a_share_that_underflows_beside_what_is_not_finite(
    assert_exact: Exact, operation: str, weight: float, other: float
) -> None:
    """A label that is NaN, or another row, must not keep the exact tier from what float64 loses."""
    given = {"probabilities": [[5e-324, 1.0, 1.0], [other, 0.5, 0.5]], "normalize": "before"}
    for labels in ([[1.0, 0.0, 0.0]] * 2, [[float("nan"), 1.0, 0.0], [0.0, 1.0, 0.0]]):
        assert_exact(operation, "float64", **given, labels=labels, weights=[weight, 1.0])
