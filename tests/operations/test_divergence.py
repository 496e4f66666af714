from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

INF = float("inf")
ROWS = [[0.25, 0.5, 0.25], [0.125, 0.75, 0.125]]
LABELS = [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]

Exact = Callable[..., Truth]


@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize("epsilon", [0.0, 1e-7, 0.2])
def test_divergence_of_rows(assert_exact: Exact, epsilon: float, axis: int) -> None:
    assert_exact("kl_divergence", probabilities=ROWS, labels=LABELS, epsilon=epsilon, axis=axis)


def test_both_are_clipped_to_epsilon_and_1_and_have_no_slope_there(evaluate: Exact) -> None:
    found = evaluate("kl_divergence", "float64", probabilities=[[0.0, 1.5]], labels=[[1.5, 0.0]], epsilon=0.25).outputs
    np.testing.assert_allclose(found["value"].high, [np.log(4) + 0.25 * np.log(0.25)], rtol=1e-15)
    assert found["gradient:probabilities"].high.tolist() == [[0.0, 0.0]]
    assert found["gradient:labels"].high.tolist() == [[0.0, 0.0]]


def test_equal_distributions_diverge_by_exactly_nothing(evaluate: Exact) -> None:
    assert evaluate("kl_divergence", probabilities=ROWS, labels=ROWS).outputs["value"].high.tolist() == [0.0, 0.0]


def test_neighbouring_distributions_keep_every_digit(assert_exact: Exact) -> None:
    near = np.nextafter(np.float32(0.25), np.float32(1))
    assert_exact("kl_divergence", probabilities=[[0.25, 0.5]], labels=[[near, 0.5]])
    assert_exact("log_kl_divergence", log_probabilities=[-np.log(4)], labels=[near])


def test_a_label_of_0_adds_nothing_but_on_an_impossible_class_any_other_is_infinite(evaluate: Exact) -> None:
    found = evaluate("kl_divergence", probabilities=[[0.0, 1.0], [0.0, 1.0]], labels=[[0.0, 1.0], [0.5, 0.5]]).outputs
    assert found["value"].high.tolist() == [0.0, INF]
    assert found["gradient:labels"].high[:, 0].tolist() == [INF, INF]
    found = evaluate("log_kl_divergence", log_probabilities=[-INF, -INF, -1.0], labels=[0.0, 0.5, 0.0]).outputs
    assert found["value"].high.tolist() == [0.0, INF, 0.0]
    assert found["gradient:labels"].high.tolist() == [INF, INF, -INF]


def test_an_impossible_class_is_infinitely_wrong_however_small_its_label_is(evaluate: Exact) -> None:
    found = evaluate("log_kl_divergence", log_probabilities=[-INF], labels=[-9984.0], log_labels=True).outputs
    assert found["value"].high.tolist() == [INF]


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "batch_mean", "row_mean"])
@pytest.mark.parametrize("generalized", [False, True])
@pytest.mark.parametrize("log_labels", [False, True])
def test_divergence_of_logarithms(assert_exact: Exact, reduction: str, *, log_labels: bool, generalized: bool) -> None:
    labels = [[-0.5, -1.0], [-INF, -30.0]] if log_labels else [[0.5, 0.25], [0.0, 1e-6]]
    given = {"log_probabilities": [[-1.0, -2.0], [-0.25, -4.0]], "labels": labels, "log_labels": log_labels}
    assert_exact("log_kl_divergence", reduction=reduction, generalized=generalized, **given)


@pytest.mark.parametrize(
    ("operation", "given", "reason"),
    [
        ("kl_divergence", {"probabilities": [[0.5, 0.5]], "labels": [[1.5, -0.5]]}, "labels below 0"),
        ("kl_divergence", {"probabilities": [[1.5, -0.5]], "labels": [[0.5, 0.5]]}, "probabilities outside"),
        ("log_kl_divergence", {"log_probabilities": [-1.0], "labels": [-0.5]}, "labels below 0"),
        ("log_kl_divergence", {"log_probabilities": [-1.0, -2.0], "labels": [0.5]}, "labels have shape [1]"),
    ],
)
def test_undefined(evaluate: Exact, operation: str, given: dict[str, Any], reason: str) -> None:
    region = evaluate(operation, **given).region
    assert region.domain is Domain.UNDEFINED
    assert region.reason.startswith(reason)


@pytest.mark.parametrize(
    "given",
    [
        {"log_probabilities": [0.5], "labels": [0.5]},
        {"log_probabilities": [-0.5], "labels": [1.5]},
        {"log_probabilities": [-0.5], "labels": [0.5], "log_labels": True},
    ],
)
def test_numbers_above_probability_1_are_judged_and_flagged(assert_exact: Exact, given: dict[str, Any]) -> None:
    assert assert_exact("log_kl_divergence", **given).region.domain is Domain.EXTENDED


def test_the_batch_mean_is_the_sum_over_the_number_of_examples(evaluate: Exact) -> None:
    given = {"log_probabilities": [[-1.0, -2.0], [-0.25, -4.0]], "labels": [[0.5, 0.25], [0.0, 0.125]]}
    whole, mean = (evaluate("log_kl_divergence", reduction=name, **given).outputs for name in ("sum", "batch_mean"))
    for name in ("value", "gradient:log_probabilities", "gradient:labels"):
        np.testing.assert_array_equal(mean[name].high, whole[name].high / 2, err_msg=name)
    single = evaluate("log_kl_divergence", log_probabilities=-1.0, labels=0.5, reduction="batch_mean").outputs
    assert single["value"].high == 0.5 * (np.log(0.5) + 1.0)
