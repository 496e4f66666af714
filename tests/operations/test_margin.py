from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

INF = float("inf")
Exact = Callable[..., Truth]


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "row_mean"])
def test_value_and_gradients(assert_exact: Exact, reduction: str) -> None:
    assert_exact(
        "soft_margin_loss", logits=[[1.5, -20.0], [120.0, -120.0]], labels=[[1.0, 1.0], [1.0, 1.0]], reduction=reduction
    )


def test_it_is_the_sigmoid_cross_entropy_of_labels_0_and_1(evaluate: Exact) -> None:
    logits = [3.5, -40.0, 0.0, 12.0]
    margin = evaluate("soft_margin_loss", logits=logits, labels=[1.0, -1.0, -1.0, 1.0]).outputs
    sigmoid = evaluate("sigmoid_cross_entropy", logits=logits, labels=[1.0, 0.0, 0.0, 1.0]).outputs
    assert margin["value"].high.tolist() == sigmoid["value"].high.tolist()


def test_infinite_margins_by_limit(evaluate: Exact) -> None:
    found = evaluate("soft_margin_loss", logits=[INF, -INF, -INF], labels=[1.0, 1.0, -1.0]).outputs
    assert found["value"].high.tolist() == [0.0, INF, 0.0]
    assert found["gradient:labels"].high.tolist() == [0.0, INF, 0.0]


def test_other_labels_are_judged_and_flagged(assert_exact: Exact) -> None:
    found = assert_exact("soft_margin_loss", logits=[3.0, -2.0], labels=[0.0, 0.5])
    assert found.region.domain is Domain.EXTENDED
