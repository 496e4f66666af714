"""Faulty subjects, each an operation computed wrongly in NumPy: every one is caught, the right one passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from harness.comparator.judge import Answer, Judge
from harness.model.case import Array, Case, Expectation, Inputs, Parameters
from harness.model.observation import Observation
from harness.model.subject import Subject
from harness.model.verdict import Cause, Grade, Kind, Verdict
from harness.oracle import truth

X = np.array([[2.0, -1.0, 0.5], [0.25, 3.0, -4.0]])
Z = np.array([[0.1, 0.6, 0.3], [0.2, 0.2, 0.6]])
K = np.array([2, 1])


class Fault(NamedTuple):
    operation: str
    parameters: Parameters
    compute: Callable[[Array, Array], Any]
    reason: str
    labels: Array = Z
    output: str = "value"
    logits: Array = X


def log_softmax(x: Array, axis: int = -1) -> Array:
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def sigmoid_losses(x: Array, z: Array) -> Array:
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


def softmax_losses(x: Array, z: Array) -> Array:
    return -np.sum(z * log_softmax(x), axis=-1)


def sparse_losses(x: Array, k: Array) -> Array:
    return -log_softmax(x)[np.arange(len(k)), k]


def swallowed(x: Array, z: Array) -> Array:
    return np.nan_to_num(sigmoid_losses(x, z), nan=0.0)


MEAN = {"reduction": "mean"}
SUM = {"reduction": "sum"}
NAN_ROW = np.where(X == 0.5, np.nan, X)

RIGHT = {
    "sigmoid": Fault("sigmoid_cross_entropy", {}, sigmoid_losses, ""),
    "sigmoid, mean": Fault("sigmoid_cross_entropy", MEAN, lambda x, z: sigmoid_losses(x, z).mean(), ""),
    "sigmoid, NaN": Fault("sigmoid_cross_entropy", {}, sigmoid_losses, "", logits=NAN_ROW),
    "softmax": Fault("softmax_cross_entropy", {}, softmax_losses, ""),
    "sparse": Fault("sparse_softmax_cross_entropy", {}, sparse_losses, "", labels=K),
    "gradient": Fault("sigmoid_cross_entropy", {}, lambda x, z: sigmoid(x) - z, "", output="gradient:logits"),
}

WRONG = {
    "wrong axis": Fault(
        "softmax_cross_entropy", {}, lambda x, z: -np.sum(z * log_softmax(x, axis=0), axis=-1), "off by"
    ),
    "reduced along the wrong axis": Fault(
        "softmax_cross_entropy", {}, lambda x, z: -np.sum(z * log_softmax(x), axis=0), "shape [3] instead of [2]"
    ),
    "missing term": Fault("sigmoid_cross_entropy", {}, lambda x, z: np.maximum(x, 0) - x * z, "off by"),
    "missing second half": Fault("sigmoid_cross_entropy", {}, lambda x, z: -z * np.log(sigmoid(x)), "off by"),
    "NaN swallowed into 0": Fault(
        "sigmoid_cross_entropy", {}, swallowed, "a number instead of NaN at [0, 2]", logits=NAN_ROW
    ),
    "NaN spread to all": Fault(
        "sigmoid_cross_entropy", {}, lambda x, z: sigmoid_losses(x, z) + 0 * x.sum(), "NaN at [0, 0]", logits=NAN_ROW
    ),
    "overflow in the middle": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, z: -x * z + np.log(1 + np.exp(x)).astype(np.float32),
        "infinity at [0, 0]",
        logits=X * 300,
    ),
    "0 log 0": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, z: -z * np.log(sigmoid(x)) - (1 - z) * np.log(1 - sigmoid(x)),
        "NaN at [0, 0]",
        labels=np.ones((2, 3)),
        logits=np.abs(X) * 100,
    ),
    "mean instead of sum": Fault("sigmoid_cross_entropy", SUM, lambda x, z: sigmoid_losses(x, z).mean(), "off by"),
    "sum instead of mean": Fault("sigmoid_cross_entropy", MEAN, lambda x, z: sigmoid_losses(x, z).sum(), "off by"),
    "mean over rows instead of elements": Fault(
        "sigmoid_cross_entropy", MEAN, lambda x, z: sigmoid_losses(x, z).sum() / len(x), "off by"
    ),
    "reduced though none was asked": Fault(
        "sigmoid_cross_entropy", {}, lambda x, z: sigmoid_losses(x, z).sum(), "shape [] instead of [2, 3]"
    ),
    "label off by one": Fault(
        "sparse_softmax_cross_entropy", {}, lambda x, k: sparse_losses(x, k - 1), "off by", labels=K
    ),
    "wrong sign": Fault("softmax_cross_entropy", {}, lambda x, z: -softmax_losses(x, z), "off by"),
    "infinity of the wrong sign": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, _: -x,
        "infinity of the wrong sign at [0, 0]",
        logits=np.full((2, 3), np.inf),
        labels=np.zeros((2, 3)),
    ),
    "wrong sign of the gradient": Fault(
        "sigmoid_cross_entropy", {}, lambda x, z: z - sigmoid(x), "off by", output="gradient:logits"
    ),
    "gradient that forgets the mean": Fault(
        "sigmoid_cross_entropy", MEAN, lambda x, z: sigmoid(x) - z, "off by", output="gradient:logits"
    ),
    "smoothing forgotten": Fault("softmax_cross_entropy", {"label_smoothing": 0.1}, softmax_losses, "off by"),
    "smoothing shared by the other classes": Fault(
        "sparse_softmax_cross_entropy",
        {"label_smoothing": 0.1},
        lambda x, k: softmax_losses(x, np.where(np.eye(3)[k] == 1, 0.9, 0.05).astype(np.float32)),
        "off by",
        labels=K,
    ),
    "arguments swapped": Fault("sigmoid_cross_entropy", {}, lambda x, z: sigmoid_losses(z, x), "off by"),
    "wider dtype": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, z: sigmoid_losses(x, z).astype(np.float64),
        "dtype float64 instead of float32",
    ),
    "narrower dtype": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, z: sigmoid_losses(x, z).astype(np.float16),
        "dtype float16 instead of float32",
    ),
    "computed in half precision": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, z: sigmoid_losses(x.astype(np.float16), z.astype(np.float16)).astype(np.float32),
        "off by",
    ),
    "transposed": Fault(
        "sigmoid_cross_entropy", {}, lambda x, z: sigmoid_losses(x, z).T, "shape [3, 2] instead of [2, 3]"
    ),
    "flattened": Fault(
        "sigmoid_cross_entropy", {}, lambda x, z: sigmoid_losses(x, z).reshape(-1), "shape [6] instead of [2, 3]"
    ),
    "an axis too many": Fault(
        "softmax_cross_entropy", {}, lambda x, z: softmax_losses(x, z)[:, None], "shape [2, 1] instead of [2]"
    ),
    "rows in another order": Fault("softmax_cross_entropy", {}, lambda x, z: softmax_losses(x, z)[::-1], "off by"),
    "one element stale": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, z: np.where(np.arange(6).reshape(2, 3) == 4, 0, sigmoid_losses(x, z)),
        "off by",
    ),
    "the whole tail": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, z: (1 - z) * x - (np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))),
        "off by",
        logits=np.full((2, 3), -22.18),
        labels=np.zeros((2, 3)),
    ),
    "1 - sigmoid(x) cancels": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, _: -np.log(1 - sigmoid(x)),
        "off by",
        logits=np.full((2, 3), 9.3),
        labels=np.zeros((2, 3)),
    ),
    "the mirrored gradient": Fault(
        "sigmoid_cross_entropy",
        {},
        lambda x, z: sigmoid(x) - z,
        "off by",
        logits=np.full((2, 3), 15.0),
        labels=np.ones((2, 3)),
        output="gradient:logits",
    ),
    "an empty answer": Fault("sigmoid_cross_entropy", {}, lambda x, _: x[:0], "shape [0, 3] instead of [2, 3]"),
}


@pytest.fixture
def judged(case: Callable[..., Case], subject: Callable[..., Subject], gave: Callable[..., Observation]) -> Any:
    def verdict(fault: Fault) -> Verdict:
        labels = fault.labels if fault.labels.dtype.kind == "i" else fault.labels.astype(np.float32)
        inputs: Inputs = {"logits": fault.logits.astype(np.float32), "labels": labels}
        made = case(Expectation(), operation=fault.operation, inputs=inputs, parameters=fault.parameters)
        with np.errstate(all="ignore"):
            answer = np.asarray(fault.compute(inputs["logits"], labels))

        seen = gave(**{fault.output: answer})
        ((found,),) = Judge(None, None, {}).verdicts(
            [Answer(made, subject(), (fault.output,), seen, truth.evaluate(made))]
        )
        return found

    return verdict


@pytest.mark.parametrize("right", RIGHT)
def test_what_is_right_passes(judged: Callable[[Fault], Verdict], right: str) -> None:
    found = judged(RIGHT[right])
    assert (found.verdict, found.reason) == (Kind.PASS, RIGHT[right].reason)


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_caught(judged: Callable[[Fault], Verdict], wrong: str) -> None:
    found = judged(WRONG[wrong])
    assert found.verdict is Kind.FAIL
    assert found.reason.startswith(WRONG[wrong].reason)
    assert found.grade is (Grade.INACCURATE if WRONG[wrong].reason == "off by" else Grade.BROKEN)


def test_torchs_zero_in_the_tail_is_inaccurate(judged: Callable[[Fault], Verdict]) -> None:
    """As by an algorithm that shifts, which the pass line doesn't allow an elementwise loss."""
    logits, labels = np.array([[-22.18]]), np.zeros((1, 1))
    found = judged(Fault("sigmoid_cross_entropy", {}, lambda x, _: 0 * x, "", labels, logits=logits))
    assert (found.verdict, found.grade, found.cause) == (Kind.FAIL, Grade.INACCURATE, Cause.SHIFT)
    assert found.reason.startswith("off by 2.33e-10 (-")


def test_everybodys_zero_of_softmax_is_stable_though_its_bits_are_lost_avoidably(
    judged: Callable[[Fault], Verdict],
) -> None:
    logits, labels = np.array([[10.0, -10.0]]), np.array([[1.0, 0.0]])
    found = judged(Fault("softmax_cross_entropy", {}, lambda x, _: 0 * x[:, 0], "", labels, logits=logits))
    assert (found.verdict, found.grade, found.cause) == (Kind.PASS, Grade.STABLE, Cause.SHIFT)
    assert found.avoidable_bits is not None
    assert found.avoidable_bits > 19  # of 24: a difference of 20 between logits loses 4.5 on its own
    assert found.tolerance is not None
    assert found.tolerance.remark == "passes by atol alone, 24 bits lost"
