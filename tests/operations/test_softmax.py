from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

INF, NAN = float("inf"), float("nan")
LOGITS = [[1.5, -0.75, 3.25], [-20.5, 4.0, 0.125]]
SOFT = [[0.25, 0.25, 0.5], [0.125, 0.75, 0.125]]
CUBE = np.arange(12).reshape(2, 3, 2) % 7 - 2.5
CUBE_INDICES = {-1: [[0, 1, 0], [1, 1, 0]], 0: [[0, 1], [1, 0], [1, 1]], 1: [[2, 0], [1, 2]]}
REDUCTIONS = ("none", "sum", "mean", "weighted_mean", "nonzero_mean")

Exact = Callable[..., Truth]


@pytest.mark.parametrize("operation", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_primitives(assert_exact: Exact, operation: str, axis: int) -> None:
    upstream = np.cos(np.arange(12)).reshape(2, 3, 2)
    assert_exact(operation, logits=CUBE, axis=axis, upstream=upstream)


@pytest.mark.parametrize("operation", ["softmax", "log_softmax"])
def test_primitives_of_spread_logits(assert_exact: Exact, operation: str) -> None:
    assert_exact(operation, logits=[[200.0, 0.0, -80.0], [10.0, -10.0, -11.0]])


def test_the_gradient_of_a_constant_upstream_is_exactly_0(evaluate: Exact) -> None:
    outputs = evaluate("softmax", logits=LOGITS).outputs
    np.testing.assert_array_equal(outputs["gradient:logits"].high, np.zeros((2, 3)))


@pytest.mark.parametrize("weights", [None, [0.5, 3.0]])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(
    ("operation", "labels"), [("softmax_cross_entropy", SOFT), ("sparse_softmax_cross_entropy", [2, 0])]
)
def test_loss(assert_exact: Exact, operation: str, labels: Any, reduction: str, smoothing: float, weights: Any) -> None:
    given = {} if weights is None else {"weights": weights}
    assert_exact(operation, logits=LOGITS, labels=labels, reduction=reduction, label_smoothing=smoothing, **given)


@pytest.mark.parametrize("weights", [[0.0, 2.0], 1.5])
def test_weights_broadcast(assert_exact: Exact, weights: Any) -> None:
    assert_exact("softmax_cross_entropy", logits=LOGITS, labels=SOFT, weights=weights, reduction="weighted_mean")


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("upstream", [False, True])
def test_class_axis(assert_exact: Exact, axis: int, *, upstream: bool) -> None:
    given = {"upstream": np.sin(np.arange(12 // CUBE.shape[axis])).reshape(np.delete(CUBE.shape, axis))}
    given = given if upstream else {}
    dense = (1 + CUBE**2) / (1 + CUBE**2).sum(axis=axis, keepdims=True)
    assert_exact("softmax_cross_entropy", logits=CUBE, labels=dense, axis=axis, **given)
    assert_exact("sparse_softmax_cross_entropy", logits=CUBE, labels=CUBE_INDICES[axis], axis=axis, **given)


@pytest.mark.parametrize("logits", [[10.0, -10.0], [-10.0, 10.0], [50.0, 0.0, 1.0], [87.0, -60.0], [0.0, 0.0, -30.0]])
def test_confident_rows_keep_every_digit(assert_exact: Exact, logits: list[float]) -> None:
    best = int(np.argmax(logits))
    assert_exact("sparse_softmax_cross_entropy", logits=[logits], labels=[best])
    assert_exact("softmax_cross_entropy", logits=[logits], labels=[np.eye(len(logits))[best]])


def test_the_known_confident_row(evaluate: Exact) -> None:
    found = evaluate("sparse_softmax_cross_entropy", logits=[[10.0, -10.0]], labels=[0])
    np.testing.assert_allclose(found.outputs["value"].high, [2.0611536203143807e-09], rtol=1e-15)


def test_labels_that_do_not_sum_to_1_are_judged_and_flagged(assert_exact: Exact) -> None:
    found = assert_exact("softmax_cross_entropy", logits=[[1.0, 0.5, -2.0]], labels=[[0.5, 0.75, 1.0]])
    assert (found.region.domain, found.region.reason) == (Domain.EXTENDED, "rows of labels don't sum to 1")
    found = assert_exact("softmax_cross_entropy", logits=[[1.0, 0.5]], labels=[[1.5, -0.5]])
    assert (found.region.domain, found.region.reason) == (Domain.EXTENDED, "labels outside [0, 1]")


def test_labels_rounded_to_bfloat16_count_as_normalised(evaluate: Exact) -> None:
    found = evaluate("softmax_cross_entropy", "bfloat16", logits=[[1.0] * 3], labels=[[1 / 3] * 3])
    assert found.region.domain is Domain.INSIDE


@pytest.mark.parametrize(
    ("logits", "log_p"),
    [
        ([INF, 0.0, 5.0], [0.0, -INF, -INF]),
        ([-INF, 0.0, 0.0], [-INF, -np.log(2.0), -np.log(2.0)]),
        ([-INF, -INF, 3.0], [-INF, -INF, 0.0]),
        ([INF, -INF, 3.0], [0.0, -INF, -INF]),
        ([-INF, -INF, -INF], [NAN, NAN, NAN]),
        ([INF, INF, 0.0], [NAN, NAN, NAN]),
        ([NAN, 0.0, 1.0], [NAN, NAN, NAN]),
        ([INF, NAN, 1.0], [NAN, NAN, NAN]),
    ],
)
def test_infinite_logits_have_their_limit(evaluate: Exact, logits: list[float], log_p: list[float]) -> None:
    np.testing.assert_array_equal(evaluate("log_softmax", logits=logits).outputs["value"].high, log_p)
    np.testing.assert_array_equal(evaluate("softmax", logits=logits).outputs["value"].high, np.exp(log_p))
    for label in range(3):
        outputs = evaluate("sparse_softmax_cross_entropy", logits=[logits], labels=[label]).outputs
        # -inf times a label of 0 is 0; nothing else is added to the label's own loss.
        np.testing.assert_array_equal(outputs["value"].high, [-log_p[label]])
        np.testing.assert_allclose(
            outputs["gradient:logits"].high, [np.exp(log_p) - np.eye(3)[label]], rtol=1e-15, atol=0, equal_nan=True
        )


def test_labels_of_a_vocabulary_need_no_square_matrix(evaluate: Exact) -> None:
    classes = 1_000_000
    found = evaluate("sparse_softmax_cross_entropy", logits=np.zeros((1, classes)), labels=[classes - 1])
    np.testing.assert_allclose(found.outputs["value"].high, [np.log(classes)], rtol=1e-14)
    assert found.outputs["gradient:logits"].high[0, -1] == pytest.approx(1 / classes - 1, rel=1e-14)


@pytest.mark.parametrize(
    ("operation", "given", "reason"),
    [
        ("softmax", {"logits": 1.0}, "logits have shape []: no axis -1"),
        ("softmax", {"logits": [1.0], "axis": 1}, "logits have shape [1]: no axis 1"),
        ("softmax", {"logits": [1.0], "axis": -2}, "logits have shape [1]: no axis -2"),
        ("softmax", {"logits": [1.0], "axis": "last"}, "axis is 'last', not a number of its kind"),
        ("softmax", {"logits": [1.0], "axis": 0.0}, "axis is 0.0, not a number of its kind"),
        ("log_softmax", {"logits": np.zeros((2, 0))}, "no classes: the class axis has length 0"),
        (
            "softmax_cross_entropy",
            {"logits": LOGITS, "labels": [0.0, 1.0, 0.0]},
            "labels have shape [3], logits [2, 3]: they must be equal",
        ),
        (
            "sparse_softmax_cross_entropy",
            {"logits": LOGITS, "labels": [[0], [1]]},
            "labels have shape [2, 1]: one index a row is [2]",
        ),
        ("sparse_softmax_cross_entropy", {"logits": LOGITS, "labels": [0, 3]}, "label 3 is no class of 0..2"),
        ("sparse_softmax_cross_entropy", {"logits": LOGITS, "labels": [-1, 0]}, "label -1 is no class of 0..2"),
        (
            "sparse_softmax_cross_entropy",
            {"logits": LOGITS, "labels": [0, 1], "reduction": "row_mean"},
            "reduction is 'row_mean', not one of none, sum, mean, weighted_mean, nonzero_mean, valid_mean",
        ),
        (
            "softmax_cross_entropy",
            {"logits": LOGITS, "labels": SOFT, "weights": [1.0, 2.0, 3.0]},
            "weights have shape [3], which does not broadcast to the losses' [2]",
        ),
        (
            "softmax_cross_entropy",
            {"logits": LOGITS, "labels": SOFT, "weights": [[1.0], [2.0]]},
            "weights have shape [2, 1], which does not broadcast to the losses' [2]",
        ),
    ],
)
def test_undefined(evaluate: Exact, operation: str, given: dict[str, Any], reason: str) -> None:
    found = evaluate(operation, **given)
    assert (found.region.domain, found.region.reason) == (Domain.UNDEFINED, reason)
    assert not found.outputs
