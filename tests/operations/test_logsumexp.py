from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

INF, NAN = float("inf"), float("nan")
CUBE = np.arange(12).reshape(2, 3, 2) % 7 - 2.5

Exact = Callable[..., Truth]


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_value_and_gradient(assert_exact: Exact, axis: int) -> None:
    upstream = np.cos(np.arange(12 // CUBE.shape[axis])).reshape(np.delete(CUBE.shape, axis))
    assert_exact("logsumexp", logits=CUBE, axis=axis, upstream=upstream)


@pytest.mark.parametrize("logits", [[10.0, -10.0], [1e4, -1e4], [1000.0, 1000.5], [-0.6931472, -0.6931472]])
def test_every_digit_is_kept(assert_exact: Exact, logits: list[float]) -> None:
    assert_exact("logsumexp", logits=[logits])


def test_an_infinite_largest_logit_is_the_value(evaluate: Exact) -> None:
    rows = [[INF, 0.0], [INF, INF], [-INF, -INF], [-INF, 2.0], [NAN, 0.0]]
    found = evaluate("logsumexp", logits=rows).outputs
    np.testing.assert_array_equal(found["value"].high, [INF, INF, -INF, 2.0, NAN])
    shares = [[1.0, 0.0], [NAN, NAN], [NAN, NAN], [0.0, 1.0], [NAN, NAN]]
    np.testing.assert_array_equal(found["gradient:logits"].high, shares)


def test_no_classes(evaluate: Exact) -> None:
    assert evaluate("logsumexp", logits=np.zeros((2, 0))).region.domain is Domain.UNDEFINED
