from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

INF = float("inf")
NAN = float("nan")
Exact = Callable[..., Truth]
GIVEN: dict[str, Any] = {"probabilities": [[0.25, 0.75], [0.5, 0.125]], "labels": [[0.5, 0.7500001], [0.0, 1.0]]}


@pytest.mark.parametrize("generalized", [False, True])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "row_mean"])
def test_value_and_gradients(assert_exact: Exact, reduction: str, generalized: bool) -> None:  # noqa: FBT001
    assert_exact("relative_entropy", **GIVEN, reduction=reduction, generalized=generalized)


@pytest.mark.parametrize("generalized", [False, True])
def test_numbers_that_are_nearly_equal_keep_their_digits(assert_exact: Exact, generalized: bool) -> None:  # noqa: FBT001
    assert_exact("relative_entropy", probabilities=[0.3, 1e-30], labels=[0.3000001, 1e-30], generalized=generalized)


def test_equal_numbers_have_exactly_no_divergence(evaluate: Exact) -> None:
    found = evaluate("relative_entropy", probabilities=[0.3], labels=[0.3], generalized=True).outputs
    assert [found[name].high.tolist() for name in found if name != "gradient:weights"] == [[0.0]] * 3


def test_a_label_of_0_adds_nothing_or_the_prediction(evaluate: Exact) -> None:
    given = {"probabilities": [0.5, 0.0, INF], "labels": [0.0, 0.0, 0.0]}
    assert evaluate("relative_entropy", **given).outputs["value"].high.tolist() == [0.0, 0.0, 0.0]
    assert evaluate("relative_entropy", **given, generalized=True).outputs["value"].high.tolist() == [0.5, 0.0, INF]


def test_below_0_it_is_infinite_and_has_no_slopes(evaluate: Exact) -> None:
    found = evaluate("relative_entropy", probabilities=[-0.5, 0.5], labels=[0.5, -0.5])
    assert found.region.domain is Domain.EXTENDED
    assert found.outputs["value"].high.tolist() == [INF, INF]
    assert str(found.outputs["gradient:labels"].high.tolist()) == "[nan, nan]"


def test_what_is_infinite_outgrows_its_logarithm(assert_exact: Exact) -> None:
    found = assert_exact("relative_entropy", probabilities=[INF, 0.5], labels=[0.5, INF], generalized=True)
    assert found.outputs["value"].high.tolist() == [INF, INF]


def test_it_is_undefined_of_shapes_that_differ(evaluate: Exact) -> None:
    found = evaluate("relative_entropy", probabilities=[0.5], labels=[0.5, 0.5])
    assert found.region.domain is Domain.UNDEFINED
    assert "labels have shape [2]" in found.region.reason
