from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

INF, NAN = float("inf"), float("nan")
X = [-87.5, -22.18, -3.3, -0.7, -1e-6, 0.0, 1e-20, 0.4, 2.5, 16.9, 88.8, 200.0]
LOGITS = [[-1.7, 0.3, 2.9], [0.9, -4.2, 11.3]]
SOFT = [[0.2, 0.9, 0.35], [0.05, 0.6, 0.75]]
BY_ELEMENT = [[0.5, 2.0, 0.0], [1.25, 3.0, 0.0]]
BY_ROW = [0.5, 3.0]

Exact = Callable[..., Truth]
REDUCTIONS = ("none", "sum", "mean", "weighted_mean", "nonzero_mean", "row_mean", "row_mean_sum")


@pytest.mark.parametrize("operation", ["sigmoid", "log_sigmoid"])
def test_primitives(assert_exact: Exact, operation: str) -> None:
    assert_exact(operation, logits=X)
    assert_exact(operation, logits=X, upstream=np.linspace(-2, 3, len(X)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_inputs_are_those_of_the_dtype(assert_exact: Exact, dtype: str) -> None:
    assert_exact("sigmoid_cross_entropy", dtype, logits=LOGITS, labels=SOFT)


@pytest.mark.parametrize("hard", [[0.0] * len(X), [1.0] * len(X)])
def test_hard_labels_at_every_magnitude(assert_exact: Exact, hard: list[float]) -> None:
    assert_exact("sigmoid_cross_entropy", logits=X, labels=hard)


@pytest.mark.parametrize("weights", [None, BY_ELEMENT])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss(assert_exact: Exact, reduction: str, smoothing: float, weights: Any) -> None:
    given: dict[str, Any] = {"logits": LOGITS, "labels": SOFT, "reduction": reduction, "label_smoothing": smoothing}
    if weights is not None:
        given["weights"] = BY_ROW if reduction.startswith("row_mean") else weights
    assert_exact("sigmoid_cross_entropy", **given)


@pytest.mark.parametrize("pos_weight", [0.0, 0.3, 1.0, 12.5])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_loss(assert_exact: Exact, reduction: str, pos_weight: float) -> None:
    given = {"logits": LOGITS, "labels": SOFT, "label_smoothing": 0.2}
    assert_exact("weighted_sigmoid_cross_entropy", **given, reduction=reduction, pos_weight=pos_weight)


@pytest.mark.parametrize("weights", [[[2.0], [0.25]], [2.0, 0.5, 0.0], 1.5])
def test_weights_broadcast(assert_exact: Exact, weights: Any) -> None:
    assert_exact("sigmoid_cross_entropy", logits=LOGITS, labels=SOFT, weights=weights, reduction="weighted_mean")


def test_labels_smoothed_to_the_end_are_all_one_half(assert_exact: Exact, evaluate: Exact) -> None:
    found = assert_exact("sigmoid_cross_entropy", logits=LOGITS, labels=SOFT, label_smoothing=1.0)
    other = evaluate("sigmoid_cross_entropy", logits=LOGITS, labels=np.full((2, 3), 0.5))
    np.testing.assert_array_equal(found.outputs["value"].high, other.outputs["value"].high)


def test_upstream_multiplies_the_gradient(assert_exact: Exact) -> None:
    upstream = [[1.0, -2.5, 0.5], [0.0, 4.0, -1.0]]
    found = assert_exact("sigmoid_cross_entropy", logits=LOGITS, labels=SOFT, weights=BY_ELEMENT, upstream=upstream)
    assert found.outputs["gradient:logits"].high[1, 0] == 0.0
    assert_exact("sigmoid_cross_entropy", logits=LOGITS, labels=SOFT, reduction="mean", upstream=-3.0)


def test_labels_outside_0_1_are_judged_and_flagged(assert_exact: Exact) -> None:
    found = assert_exact("sigmoid_cross_entropy", logits=[[1.5, -2.0]], labels=[[-0.5, 2.0]])
    assert (found.region.domain, found.region.reason) == (Domain.EXTENDED, "labels outside [0, 1]")


@pytest.mark.parametrize(
    ("logit", "label", "value", "slope"),
    [
        (INF, 1.0, 0.0, 0.0),
        (INF, 0.0, INF, 1.0),
        (INF, 0.5, INF, 0.5),
        (-INF, 0.0, 0.0, 0.0),
        (-INF, 1.0, INF, -1.0),
        (-INF, 0.25, INF, -0.25),
        (NAN, 0.0, NAN, NAN),
        (1.0, NAN, NAN, NAN),
    ],
)
def test_infinite_logits_have_their_limit(
    evaluate: Exact, logit: float, label: float, value: float, slope: float
) -> None:
    outputs = evaluate("sigmoid_cross_entropy", logits=[logit], labels=[label]).outputs
    np.testing.assert_array_equal(outputs["value"].high, [value])
    np.testing.assert_array_equal(outputs["gradient:logits"].high, [slope])


@pytest.mark.parametrize(("operation", "at_minus", "at_plus"), [("sigmoid", 0.0, 1.0), ("log_sigmoid", -INF, 0.0)])
def test_primitives_at_infinity(evaluate: Exact, operation: str, at_minus: float, at_plus: float) -> None:
    outputs = evaluate(operation, logits=[-INF, INF, NAN]).outputs
    np.testing.assert_array_equal(outputs["value"].high, [at_minus, at_plus, NAN])
    slope = 1.0 if operation == "log_sigmoid" else 0.0
    np.testing.assert_array_equal(outputs["gradient:logits"].high, [slope, 0.0, NAN])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            {"logits": [[1.0, 2.0]], "labels": [0.0, 1.0]},
            "labels have shape [2], logits [1, 2]: they must be equal",
        ),
        ({"label_smoothing": 1.5}, "label_smoothing is 1.5, outside [0, 1]"),
        ({"label_smoothing": NAN}, "label_smoothing is nan, outside [0, 1]"),
        ({"label_smoothing": "much"}, "label_smoothing is 'much', not a number of its kind"),
        ({"pos_weight": -1.0}, "pos_weight is -1.0, outside [0, inf]"),
        (
            {"reduction": "average"},
            "reduction is 'average', not one of none, sum, mean, weighted_mean, nonzero_mean, row_mean, row_mean_sum",
        ),
    ],
)
def test_undefined(evaluate: Exact, given: dict[str, Any], reason: str) -> None:
    usual = {"logits": [0.5, 1.0], "labels": [0.0, 1.0]}
    found = evaluate("weighted_sigmoid_cross_entropy", **(usual | given))
    assert (found.region.domain, found.region.reason) == (Domain.UNDEFINED, reason)
    assert not found.outputs
