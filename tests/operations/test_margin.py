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


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "weighted_mean"])
@pytest.mark.parametrize("axis", [-1, 0])
def test_a_row_is_the_mean_of_its_weighted_losses(assert_exact: Exact, reduction: str, axis: int) -> None:
    given = {"logits": [[1.5, -20.0], [120.0, -0.25]], "labels": [[1.0, 0.0], [1.0, 1.0]]}
    assert_exact("multilabel_soft_margin_loss", **given, class_weights=[2.0, 0.5], reduction=reduction, axis=axis)


def test_without_class_weights_it_is_the_mean_of_a_row_of_sigmoid_cross_entropies(evaluate: Exact) -> None:
    given = {"logits": [[1.5, -20.0], [120.0, -0.25]], "labels": [[1.0, 0.0], [1.0, 1.0]]}
    rows = evaluate("multilabel_soft_margin_loss", **given).outputs
    sigmoid = evaluate("sigmoid_cross_entropy", **given, reduction="row_mean").outputs
    for name in ("value", "gradient:logits", "gradient:labels"):
        assert rows[name].high.tolist() == sigmoid[name].high.tolist()


def test_a_class_weight_of_0_hides_an_infinite_loss(evaluate: Exact) -> None:
    given = {"logits": [INF, 0.0], "labels": [0.0, 1.0], "class_weights": [0.0, 2.0]}
    assert evaluate("multilabel_soft_margin_loss", **given).outputs["value"].high == pytest.approx(0.6931471805599453)


def test_class_weights_are_one_for_each_class(evaluate: Exact) -> None:
    found = evaluate("multilabel_soft_margin_loss", logits=[0.0, 1.0], labels=[1.0, 0.0], class_weights=[1.0])
    assert found.region.domain is Domain.UNDEFINED
    assert "one for each class" in found.region.reason
