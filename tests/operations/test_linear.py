from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

Exact = Callable[..., Truth]
LAYER: dict[str, Any] = {
    "hidden": [[0.5, -1.0], [2.0, 0.25], [0.0, 3.0]],
    "kernel": [[1.0, 0.5], [-2.0, 1.5], [0.25, 0.75]],
    "biases": [0.5, -1.0, 0.0],
}
OPERATION = "linear_cross_entropy"


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "valid_mean", "weighted_mean", "nonzero_mean"])
@pytest.mark.parametrize("given", [{}, {"class_weights": [0.5, 2.0, 0.0]}, {"weights": [2.0, 0.0, 1.5]}], ids=str)
def test_loss(assert_exact: Exact, reduction: str, given: dict[str, Any]) -> None:
    for ignored in ("none", 2):
        more = {**given, "reduction": reduction, "ignore_index": ignored, "label_smoothing": 0.25}
        assert_exact(OPERATION, **LAYER, labels=[0, 2, 1], **more)


def test_it_is_softmax_cross_entropy_of_the_layer(evaluate: Exact) -> None:
    logits = np.array(LAYER["hidden"]) @ np.array(LAYER["kernel"]).T + LAYER["biases"]
    found = evaluate(OPERATION, "float64", **LAYER, labels=[0, 2, 1]).outputs
    wanted = evaluate("sparse_softmax_cross_entropy", "float64", logits=logits, labels=[0, 2, 1]).outputs
    assert found["value"].high.tolist() == wanted["value"].high.tolist()
    assert found["gradient:biases"].high == pytest.approx(wanted["gradient:logits"].high.sum(axis=0), rel=1e-15)


def test_logits_that_cancel_are_known_exactly(assert_exact: Exact) -> None:
    """In float64 the first logit is 0 or 2; the truth knows that it is 1."""
    given = {"hidden": [1e20, -1e20, 1.0], "kernel": [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], "labels": 0}
    found = assert_exact(OPERATION, "float64", **given)
    assert float(found.outputs["value"].high) == pytest.approx(np.log1p(np.exp(-1.0)), rel=1e-15)


def test_products_beyond_float64_have_finite_differences(assert_exact: Exact) -> None:
    given = {"hidden": [1e200, 1.0], "kernel": [[1e200, 0.0], [1e200, 1.0]], "labels": 0}
    found = assert_exact(OPERATION, "float64", **given)
    assert float(found.outputs["value"].high) == pytest.approx(np.log1p(np.exp(1.0)), rel=1e-15)


def test_an_error_of_a_dot_product_is_allowed(evaluate: Exact) -> None:
    """The bound grows with what cancels in the logits."""
    small = {"hidden": [1.0, 1.0], "kernel": [[1.0, 0.0], [0.5, 0.5]], "labels": 0}
    large = {"hidden": [1024.0, 1.0], "kernel": [[1.0, -1023.0], [1.0, -1023.0]], "labels": 0}
    bounds = [float(evaluate(OPERATION, **given).bounds["value"].passing) for given in (small, large)]
    assert bounds[1] > 50 * bounds[0]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"labels": [0, 1, 3]}, "label 3 is no class of 0..2"),
        ({"labels": [0, 1]}, "labels have shape [2]: one index a row is [3]"),
        ({"kernel": [[1.0]]}, "hidden have 2 features, kernel 1"),
        ({"biases": [1.0]}, "biases have shape [1]: one for each class is [3]"),
        ({"class_weights": [1.0]}, "class_weights have shape [1]: one for each class is [3]"),
        ({"axis": 0}, "axis is 0, not one of -1"),
    ],
)
def test_domain(evaluate: Exact, given: dict[str, Any], reason: str) -> None:
    region = evaluate(OPERATION, **{**LAYER, "labels": [0, 2, 1], **given}).region
    assert (region.domain, region.reason) == (Domain.UNDEFINED, reason)
