from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

INF = float("inf")
LOGITS = [[1.5, -20.0, 3.25], [0.0, 40.0, -0.125]]
HARD = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
SHARES = [[0.25, 0.5, 0.25], [0.125, 0.75, 0.125]]

Exact = Callable[..., Truth]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("labels", [HARD, SHARES])
@pytest.mark.parametrize(
    ("operation", "inputs"),
    [
        ("sigmoid_focal_cross_entropy", {"logits": LOGITS}),
        ("binary_focal_cross_entropy", {"probabilities": SHARES}),
        ("softmax_focal_cross_entropy", {"logits": LOGITS}),
        ("categorical_focal_cross_entropy", {"probabilities": SHARES}),
    ],
)
def test_value_and_gradients(assert_exact: Exact, operation: str, inputs: Any, labels: Any, gamma: float) -> None:
    assert_exact(operation, **inputs, labels=labels, gamma=gamma)


@pytest.mark.parametrize("epsilon", [0.0, 1e-7, 0.2])
def test_clipping(assert_exact: Exact, epsilon: float) -> None:
    for normalize in ("none", "before"):
        assert_exact(
            "categorical_focal_cross_entropy", probabilities=SHARES, labels=HARD, epsilon=epsilon, normalize=normalize
        )
    assert_exact("softmax_focal_cross_entropy", logits=LOGITS, labels=HARD, epsilon=epsilon)
    assert_exact("binary_focal_cross_entropy", probabilities=SHARES, labels=HARD, epsilon=epsilon)


def test_without_the_power_it_is_the_cross_entropy(evaluate: Exact) -> None:
    focal = evaluate("sigmoid_focal_cross_entropy", logits=LOGITS, labels=HARD, gamma=0.0).outputs
    plain = evaluate("sigmoid_cross_entropy", logits=LOGITS, labels=HARD).outputs
    for name in ("value", "gradient:logits", "gradient:labels"):
        np.testing.assert_allclose(focal[name].high, plain[name].high, rtol=1e-14, err_msg=name)


def test_balancing_weighs_by_the_label(evaluate: Exact) -> None:
    given = {"logits": [0.0, 0.0], "labels": [1.0, 0.0], "alpha": 0.25, "gamma": 0.0}
    found = evaluate("sigmoid_focal_cross_entropy", "float64", **given, class_balancing=True).outputs
    np.testing.assert_allclose(found["value"].high, np.log(2) * np.array([0.25, 0.75]), rtol=1e-15)


def test_infinite_logits_by_limit(evaluate: Exact) -> None:
    found = evaluate("sigmoid_focal_cross_entropy", logits=[INF, INF, -INF, -INF], labels=[1.0, 0.0, 0.0, 1.0]).outputs
    assert found["value"].high.tolist() == [0.0, INF, 0.0, INF]
    assert found["gradient:logits"].high.tolist() == [0.0, 1.0, 0.0, -1.0]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("z", [1.6e-4, 0.3, 0.9])
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_label_slopes_of_infinite_losses_by_limit(
    evaluate: Exact, end: float, z: float, alpha: float, gamma: float
) -> None:
    label = float(np.float16(z))
    given = {"labels": [label], "alpha": alpha, "gamma": gamma, "class_balancing": True}
    found = evaluate("binary_focal_cross_entropy", "float16", probabilities=[end], **given).outputs["gradient:labels"]
    by_logits = evaluate("sigmoid_focal_cross_entropy", "float16", logits=[INF if end else -INF], **given).outputs
    expected = INF * float(mpmath.sign(label_slope_near(end, label, alpha, gamma)))
    assert [found.high[0], by_logits["gradient:labels"].high[0]] == [expected, expected]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("z", "gamma", "sign"),
    [(0.5, 0.0, 0), (0.75, 2.0, 0), (0.75, 2.0 + 2.0**-51, 1), (0.75, 2.0 - 2.0**-51, -1)],
)
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_label_slopes_of_infinite_losses_cancel_exactly_or_not(
    assert_exact: Exact, dtype: str, end: float, z: float, gamma: float, sign: int
) -> None:
    """(gamma + 1) - (gamma + 2) z is their factor for alpha = 0; no rounding decides its sign."""
    given = {"labels": [1.0 - z if end else z], "alpha": end, "gamma": gamma, "class_balancing": True}
    for name, leading, at in (
        ("binary_focal_cross_entropy", "probabilities", end),
        ("sigmoid_focal_cross_entropy", "logits", INF if end else -INF),
    ):
        found = assert_exact(name, dtype, **{leading: [at]}, **given).outputs["gradient:labels"].high[0]
        assert found == (-1.0 if end else 1.0) * (INF * sign if sign else 0.0)


def label_slope_near(end: float, z: float, alpha: float, gamma: float) -> Any:
    """By mpmath, where the loss's logarithm has outgrown everything else."""
    with mpmath.workdps(1_500):
        p = abs(mpmath.mpf(end) - mpmath.mpf(10) ** -900)

        def loss(z: Any) -> Any:
            miss = z * (1 - p) + (1 - z) * p
            entropy = -z * mpmath.log(p) - (1 - z) * mpmath.log(1 - p)
            return (z * alpha + (1 - z) * (1 - alpha)) * miss**gamma * entropy

        step = mpmath.mpf(10) ** -100
        return (loss(z + step) - loss(z - step)) / (2 * step)


def test_confident_predictions_keep_every_digit(assert_exact: Exact) -> None:
    assert_exact("sigmoid_focal_cross_entropy", logits=[22.18, -22.18, 80.0], labels=[1.0, 0.0, 1.0])
    assert_exact("softmax_focal_cross_entropy", logits=[[10.0, -10.0]], labels=[[1.0, 0.0]])


@pytest.mark.parametrize(
    ("operation", "given", "reason"),
    [
        ("binary_focal_cross_entropy", {"probabilities": [1.5], "labels": [1.0]}, "probabilities outside [0, 1]"),
        ("binary_focal_cross_entropy", {"probabilities": [0.5], "labels": [1.5]}, "labels outside [0, 1]"),
        ("sigmoid_focal_cross_entropy", {"logits": [0.5], "labels": [-0.5]}, "labels outside [0, 1]"),
        ("sigmoid_focal_cross_entropy", {"logits": [0.5], "labels": [0.5], "gamma": -1.0}, "gamma is -1.0"),
        ("sigmoid_focal_cross_entropy", {"logits": [0.5], "labels": [0.5], "gamma": INF}, "gamma is inf"),
        ("categorical_focal_cross_entropy", {"probabilities": [[1.5, -0.5]], "labels": [[1.0, 0.0]]}, "probabilities"),
    ],
)
def test_undefined(evaluate: Exact, operation: str, given: dict[str, Any], reason: str) -> None:
    region = evaluate(operation, **given).region
    assert region.domain is Domain.UNDEFINED
    assert region.reason.startswith(reason)
