"""The sigmoid family. sigma(x) = 1 / (1 + exp(-x)), softplus(x) = log(1 + exp(x))."""

from __future__ import annotations

import numpy as np

from harness.model.case import Array, Inputs, Parameters
from harness.operations.base import (
    INSIDE,
    Input,
    Operation,
    Parameter,
    Region,
    same_shape,
    times,
    undefined,
    widened,
)
from harness.operations.losses import SMOOTHING, UPSTREAM_INPUT, label_region, loss, smoothed

LOGITS = Input("logits", differentiable=True)
LABELS = Input("labels")


def sigma(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow, for float64 x."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)), for float64 x: both terms are positive."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _anywhere(_inputs: Inputs, _parameters: Parameters) -> Region:
    return INSIDE


def _labelled(inputs: Inputs, _parameters: Parameters) -> Region:
    objection = same_shape(inputs, "logits", "labels")
    return undefined(objection) if objection else label_region(inputs["labels"])


def _labels(inputs: Inputs, parameters: Parameters) -> Array:
    return smoothed(inputs["labels"], float(parameters["label_smoothing"]), 2.0)


def _losses(inputs: Inputs, parameters: Parameters) -> Array:
    """(1 - z) softplus(x) + q z softplus(-x), with its two terms in x kept apart from the tail.

    For q = 1 this is x (1 - z) + log1p(exp(-x)) for x >= 0 and -x z + log1p(exp(x)) for x < 0:
    nothing cancels for labels in [0, 1].
    """
    x, z = inputs["logits"], _labels(inputs, parameters)
    q = float(parameters.get("pos_weight", 1.0))
    tail = np.log1p(np.exp(-np.abs(x)))
    slope = np.where(x >= 0, 1.0 - z, -q * z)
    return times(slope, x) + times((1.0 - z) + q * z, tail)


def _slopes(inputs: Inputs, parameters: Parameters, upstream: Array) -> Array:
    """(1 - z) sigma(x) - q z sigma(-x)."""
    x, z = inputs["logits"], _labels(inputs, parameters)
    q = float(parameters.get("pos_weight", 1.0))
    return times(upstream, (1.0 - z) * sigma(x) - q * z * sigma(-x))


def _sigmoid(inputs: Inputs, _parameters: Parameters) -> Array:
    return sigma(widened(inputs)["logits"])


def _sigmoid_gradient(inputs: Inputs, _parameters: Parameters, upstream: Array) -> Array:
    x = widened(inputs)["logits"]
    return times(upstream, sigma(x) * sigma(-x))


def _log_sigmoid(inputs: Inputs, _parameters: Parameters) -> Array:
    return -softplus(-widened(inputs)["logits"])


def _log_sigmoid_gradient(inputs: Inputs, _parameters: Parameters, upstream: Array) -> Array:
    return times(upstream, sigma(-widened(inputs)["logits"]))


_PRIMITIVE = ((LOGITS, UPSTREAM_INPUT), (), _anywhere)

OPERATIONS = (
    Operation("sigmoid", "1 / (1 + exp(-x))", *_PRIMITIVE, _sigmoid, _sigmoid_gradient, elementwise=True),
    Operation("log_sigmoid", "-log(1 + exp(-x))", *_PRIMITIVE, _log_sigmoid, _log_sigmoid_gradient, elementwise=True),
    loss(
        "sigmoid_cross_entropy",
        "-z log(sigma(x)) - (1 - z) log(1 - sigma(x))",
        (LOGITS, LABELS),
        (SMOOTHING,),
        _labelled,
        _losses,
        _slopes,
        elementwise=True,
    ),
    loss(
        "weighted_sigmoid_cross_entropy",
        "-q z log(sigma(x)) - (1 - z) log(1 - sigma(x)), q = pos_weight",
        (LOGITS, LABELS),
        (SMOOTHING, Parameter("pos_weight", 1.0, low=0.0)),
        _labelled,
        _losses,
        _slopes,
        elementwise=True,
    ),
)
