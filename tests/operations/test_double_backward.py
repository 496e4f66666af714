from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

Exact = Callable[..., Truth]
LOGITS = [[1.5, -0.75, 3.25], [-2.5, 40.0, 0.125]]
UPSTREAM = [[1.0, -0.5, 2.0], [0.25, 3.0, -1.5]]
CALLS: dict[str, dict[str, Any]] = {
    "sigmoid_cross_entropy_gradient": {"labels": [[0.25, 0.0, 0.75], [1.0, 0.625, 0.0]]},
    "softmax_cross_entropy_gradient": {"labels": [[0.25, 0.0, 0.75], [1.0, 0.0, 0.0]]},
    "sparse_softmax_cross_entropy_gradient": {"labels": [2, 0]},
}


@pytest.mark.parametrize("operation", CALLS)
def test_value_and_gradients(assert_exact: Exact, operation: str) -> None:
    assert_exact(operation, logits=LOGITS, upstream=UPSTREAM, **CALLS[operation])


@pytest.mark.parametrize("operation", CALLS)
def test_its_value_is_the_gradient_of_the_loss(evaluate: Exact, operation: str) -> None:
    given = {"logits": LOGITS, **CALLS[operation]}
    value = evaluate(operation, **given).outputs["value"].high
    slopes = evaluate(operation.removesuffix("_gradient"), **given).outputs["gradient:logits"].high
    assert value.tolist() == slopes.tolist()


def test_softmax_has_no_curvature_in_a_constant_direction(evaluate: Exact) -> None:
    found = evaluate("softmax_cross_entropy_gradient", logits=LOGITS, **CALLS["softmax_cross_entropy_gradient"]).outputs
    assert not found["gradient:logits"].high.any()
    assert not found["gradient:labels"].high.any()


def test_curvature_is_in_proportion_to_the_mass_of_the_labels(assert_exact: Exact) -> None:
    given = {"logits": [[0.0, 0.0]], "upstream": [[1.0, 0.0]]}
    found = assert_exact("softmax_cross_entropy_gradient", labels=[[2.0, 1.0]], **given)
    assert found.region.domain is Domain.EXTENDED
    np.testing.assert_array_equal(found.outputs["gradient:logits"].high, [[0.75, -0.75]])
