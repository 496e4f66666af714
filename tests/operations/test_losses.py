from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.operations import OPERATIONS
from harness.operations.losses import smoothed
from harness.oracle import truth
from harness.oracle.running import ORACLE
from harness.oracle.truth import Truth

INF = float("inf")
LOSSES = 64 * np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
WEIGHTS = np.array([[0.0, 1.0, 3.0], [0.0, 0.5, 0.0]])

Evaluate = Callable[..., Truth]
Outputs = Callable[..., Any]


@pytest.fixture(scope="module")
def reduced(evaluate: Evaluate) -> Callable[..., Any]:
    """Outputs of losses: of sigmoid cross-entropies that are their logits as nearly as float64 can say."""

    def outputs(losses: Any, reduction: str, name: str = "value", **given: Any) -> Any:
        call = {"logits": losses, "labels": np.zeros(np.shape(losses)), "reduction": reduction, **given}
        return evaluate("sigmoid_cross_entropy", **call).outputs[name].high

    return outputs


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted"),
    [
        ("none", LOSSES / 64, [[0.0, 2.0, 12.0], [0.0, 8.0, 0.0]]),
        ("sum", 63.0, 22.0),
        ("mean", 10.5, 22 / 6),
        ("weighted_mean", 10.5, 22 / 4.5),
        ("nonzero_mean", 10.5, 22 / 3),
        ("row_mean", [7 / 3, 56 / 3], None),
        ("row_mean_sum", 21.0, None),
    ],
)
def test_reductions_differ_by_their_denominator(reduced: Outputs, reduction: str, plain: Any, weighted: Any) -> None:
    np.testing.assert_allclose(reduced(LOSSES, reduction), 64 * np.array(plain), rtol=1e-15)
    if weighted is not None:
        found = reduced(LOSSES, reduction, weights=WEIGHTS)
        np.testing.assert_allclose(found, 64 * np.array(weighted), rtol=1e-15)


@pytest.mark.parametrize(("reduction", "expected"), [("row_mean", [7.0, 56 / 6]), ("row_mean_sum", 7.0 + 56 / 6)])
def test_row_means_take_one_weight_a_row(reduced: Outputs, reduction: str, expected: Any) -> None:
    found = reduced(LOSSES, reduction, weights=[3.0, 0.5])
    np.testing.assert_allclose(found, 64 * np.array(expected), rtol=1e-15)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (1, 1)])
def test_weights_count_once_for_each_loss_that_they_broadcast_to(reduced: Outputs, shape: tuple[int, ...]) -> None:
    weights = np.full(shape, 2.0)
    for reduction, denominator in (("sum", 1.0), ("weighted_mean", 12.0), ("nonzero_mean", 6.0), ("mean", 6.0)):
        assert reduced(LOSSES, reduction, weights=weights) == 2.0 * 64 * 63.0 / denominator
        slopes = reduced(LOSSES, reduction, "gradient:logits", weights=weights)
        np.testing.assert_allclose(slopes, np.full((2, 3), 2.0 / denominator), rtol=1e-15)
        assert reduced(LOSSES, reduction, "gradient:weights", weights=weights).shape == shape


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "weighted_mean", "nonzero_mean"])
def test_a_weight_of_0_hides_an_infinite_loss(reduced: Outputs, reduction: str) -> None:
    found = reduced([INF, 128.0], reduction, weights=[0.0, 2.0])
    expected = {"none": [0.0, 256.0], "sum": 256.0, "mean": 128.0, "weighted_mean": 128.0, "nonzero_mean": 256.0}
    np.testing.assert_array_equal(found, expected[reduction])


@pytest.mark.parametrize("name", ["weights", "class_weights"])
@pytest.mark.parametrize("infinite", [INF, -INF])
def test_infinite_weights_are_undefined_whatever_they_multiply(evaluate: Evaluate, name: str, infinite: float) -> None:
    """Uniform logits and labels have a slope of 0 and a loss that isn't: one rule holds for both."""
    given = {"logits": [[1.0, 1.0], [0.0, 3.0]], "labels": [[0.5, 0.5], [0.0, 1.0]]}
    found = evaluate("softmax_cross_entropy", **given, **{name: [infinite, 1.0]})
    reason = f"{name} are infinite: times a loss or a slope of 0 they have no limit"
    assert (found.region.domain, found.region.reason) == (Domain.UNDEFINED, reason)
    assert not found.outputs


def test_an_infinite_upstream_gradient_has_no_limit_times_a_slope_of_0(
    assert_exact: Evaluate, evaluate: Evaluate
) -> None:
    """At z = 1/2 the slope is x / 4 near x = 0: times 1e30 it is 1/4 on one side, -1/4 on the other, and 0 between."""
    call: dict[str, Any] = {"logits": [1e-30, -1e-30, 0.0], "labels": [0.5, 0.5, 0.5]}
    found = assert_exact("sigmoid_cross_entropy", "float64", **call, upstream=[1e30, 1e30, 1e30])
    np.testing.assert_allclose(found.outputs["gradient:logits"].high, [0.25, -0.25, 0.0], rtol=1e-15)
    undefined = evaluate("sigmoid_cross_entropy", "float64", **call, upstream=[1.0, INF, 1.0])
    reason = "upstream is infinite: times a slope of 0 it has no limit"
    assert (undefined.region.domain, undefined.region.reason) == (Domain.UNDEFINED, reason)
    assert not undefined.outputs


NOTHING = [
    {"logits": [1.0, 2.0], "labels": [0.0, 1.0], "weights": [0.0, 0.0], "reduction": "weighted_mean"},
    {"logits": [1.0, 2.0], "labels": [0.0, 1.0], "weights": [0.0, 0.0], "reduction": "nonzero_mean"},
    *(
        {"logits": np.zeros((0, 3)), "labels": np.zeros((0, 3)), "reduction": f"{r}mean"}
        for r in ("", "weighted_", "nonzero_")
    ),
]
"""Means of losses of which none counts."""


@pytest.mark.parametrize("nothing", NOTHING)
def test_the_mean_of_nothing_is_what_empty_mean_says(evaluate: Evaluate, nothing: Any) -> None:
    region = evaluate("sigmoid_cross_entropy", **nothing).region
    assert (region.domain, region.reason) == (Domain.UNDEFINED, "the mean of no losses")
    for answer, number in (("zero", 0.0), ("nan", np.nan)):
        found = evaluate("sigmoid_cross_entropy", **nothing, empty_mean=answer)
        assert found.region.domain is Domain.INSIDE
        np.testing.assert_array_equal(found.outputs["value"].high, number)
        np.testing.assert_array_equal(
            found.outputs["gradient:logits"].high, np.full(np.shape(nothing["logits"]), number)
        )


def test_weights_that_cancel_have_no_mean_but_0(evaluate: Evaluate) -> None:
    given = {"logits": [1.0, 2.0], "labels": [0.0, 1.0], "weights": [2.0, -2.0], "reduction": "weighted_mean"}
    assert evaluate("sigmoid_cross_entropy", **given, empty_mean="zero").outputs["value"].high == 0.0
    region = evaluate("sigmoid_cross_entropy", **given, empty_mean="nan").region
    assert (region.domain, region.reason) == (Domain.UNDEFINED, "weights that sum to 0 divide by 0")


@pytest.mark.parametrize(("reduction", "value"), [("none", np.zeros((0,))), ("sum", 0.0)])
def test_no_losses_have_a_sum(evaluate: Evaluate, reduction: str, value: Any) -> None:
    found = evaluate("sparse_softmax_cross_entropy", logits=np.zeros((0, 3)), labels=[], reduction=reduction)
    np.testing.assert_array_equal(found.outputs["value"].high, value)
    assert found.outputs["gradient:logits"].high.shape == (0, 3)


@pytest.mark.parametrize("reduction", ["row_mean", "row_mean_sum"])
@pytest.mark.parametrize("logits", [1.0, np.zeros((2, 0))])
def test_row_means_need_a_last_axis(evaluate: Evaluate, reduction: str, logits: Any) -> None:
    region = evaluate("sigmoid_cross_entropy", logits=logits, labels=logits, reduction=reduction).region
    assert (region.domain, region.reason) == (Domain.UNDEFINED, f"{reduction} has no last axis to average over")


@pytest.mark.parametrize(
    ("shape", "reduction", "against"),
    [((2,), "none", [2, 3]), ((2, 3, 1), "sum", [2, 3]), ((3,), "row_mean", [2]), ((2, 3), "row_mean_sum", [2])],
)
def test_weights_that_do_not_broadcast(
    evaluate: Evaluate, shape: tuple[int, ...], reduction: str, against: list[int]
) -> None:
    given = {"logits": LOSSES, "labels": np.zeros((2, 3)), "weights": np.ones(shape), "reduction": reduction}
    region = evaluate("sigmoid_cross_entropy", **given).region
    assert region.domain is Domain.UNDEFINED
    assert region.reason == f"weights have shape {list(shape)}, which does not broadcast to the losses' {against}"


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "weighted_mean", "nonzero_mean"])
def test_gradients_are_derivatives_of_the_reduced_losses(reduced: Outputs, reduction: str) -> None:
    slopes = reduced(LOSSES, reduction, "gradient:logits", weights=WEIGHTS)
    for place in np.ndindex(LOSSES.shape):
        moved = LOSSES.copy()
        moved[place] += 1.0
        change = np.sum(reduced(moved, reduction, weights=WEIGHTS)) - np.sum(
            reduced(LOSSES, reduction, weights=WEIGHTS)
        )
        assert slopes[place] == pytest.approx(change, abs=1e-11)


@pytest.mark.parametrize("reduction", ["sum", "mean", "weighted_mean", "nonzero_mean"])
def test_upstream_is_one_number_for_all_losses(reduced: Outputs, reduction: str) -> None:
    plain = reduced(LOSSES, reduction, "gradient:logits", weights=WEIGHTS)
    scaled = reduced(LOSSES, reduction, "gradient:logits", weights=WEIGHTS, upstream=-2.0)
    np.testing.assert_allclose(scaled, -2.0 * plain, rtol=1e-15)


def test_smoothing_moves_labels_towards_the_uniform_row() -> None:
    def smooth(labels: list[float], smoothing: float) -> Any:
        call = truth.running_call({}, {"label_smoothing": smoothing}, (ORACLE,))
        return smoothed(call, call.exactly(np.array(labels)), len(labels))

    np.testing.assert_allclose(smooth([1.0, 0.0, 0.0], 0.3).value, [0.8, 0.1, 0.1], rtol=1e-15)
    np.testing.assert_array_equal(smooth([1.0, 0.0], 1.0).value, [0.5, 0.5])


@pytest.mark.parametrize("name", [n for n in OPERATIONS if n.endswith("cross_entropy") and not n.startswith("sampled")])
def test_every_loss_takes_weights_upstream_and_a_reduction(name: str) -> None:
    operation = OPERATIONS[name]
    assert {"weights", "upstream"} <= {i.name for i in operation.inputs if i.optional}
    reduction = next(p for p in operation.parameters if p.name == "reduction")
    assert reduction.default == "none"
    assert ("row_mean" in reduction.choices) == operation.elementwise
