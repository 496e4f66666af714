"""The softmax family: p_i = exp(x_i) / sum_j exp(x_j) along the class axis.

By limit, one infinite logit takes all the mass and -inf classes have none; a row whose logits are
all -inf, or of which several are +inf, has no limit and is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

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
AXIS = Parameter("axis", -1)


class Row(NamedTuple):
    """Parts of a softmax along the last axis, all float64.

    Attributes:
        log_p: log of the probabilities.
        p: the probabilities.
        rest: sum of the other classes' probabilities, 1 - p without its cancellation.
    """

    log_p: Array
    p: Array
    rest: Array


def softmax_rows(x: Array) -> Row:
    """Softmax of float64 logits along the last axis by log1p of the sum without its largest term."""
    with np.errstate(invalid="ignore"):
        top = np.max(x, axis=-1, keepdims=True)
        d = np.where(np.isposinf(top), np.where(np.isposinf(x), 0.0, -np.inf), x - top)
        d = np.where(np.isnan(x), np.nan, d)
        e = np.exp(d)
        leading = np.zeros(x.shape, dtype=bool)
        np.put_along_axis(leading, np.argmax(d, axis=-1)[..., np.newaxis], values=True, axis=-1)
        others = np.sum(np.where(leading, 0.0, e), axis=-1, keepdims=True)
        several = np.sum(np.isposinf(x), axis=-1, keepdims=True) > 1
        log_p = np.where(several, np.nan, d - np.log1p(others))
        p = np.where(several, np.nan, e / (1.0 + others))
        rest = np.where(leading, others, others + np.where(leading, 0.0, 1.0) - e) / (1.0 + others)
    return Row(log_p, p, np.where(several, np.nan, rest))


def class_axis_region(inputs: Inputs, parameters: Parameters, leading: str) -> Region:
    """Whether the leading input has the class axis, with at least one class on it."""
    shape, axis = inputs[leading].shape, int(parameters["axis"])
    if not -len(shape) <= axis < len(shape):
        return undefined(f"{leading} have shape {list(shape)}: no axis {axis}")
    return undefined("no classes: the class axis has length 0") if shape[axis] == 0 else INSIDE


def dense_region(inputs: Inputs, parameters: Parameters, leading: str) -> Region:
    """Dense labels have the leading input's shape."""
    found = class_axis_region(inputs, parameters, leading)
    objection = found.reason or same_shape(inputs, leading, "labels")
    return undefined(objection) if objection else label_region(inputs["labels"], rows_on_axis=int(parameters["axis"]))


def sparse_region(inputs: Inputs, parameters: Parameters, leading: str) -> Region:
    """Index labels have the leading input's shape without its class axis, and name a class."""
    found = class_axis_region(inputs, parameters, leading)
    if found.reason:
        return found
    shape, labels, axis = inputs[leading].shape, inputs["labels"], int(parameters["axis"])
    expected = tuple(np.delete(shape, axis).tolist())
    if labels.shape != expected:
        return undefined(f"labels have shape {list(labels.shape)}: one index a row is {list(expected)}")
    outside = labels[(labels < 0) | (labels >= shape[axis])]
    return undefined(f"label {int(outside[0])} is no class of 0..{shape[axis] - 1}") if outside.size else INSIDE


def one_hot(labels: Array, classes: int) -> Array:
    """Index labels as rows of a float64 unit matrix, classes last."""
    return (labels[..., np.newaxis] == np.arange(classes)).astype(np.float64)


def _axis(parameters: Parameters) -> int:
    return int(parameters["axis"])


def _rows(inputs: Inputs, parameters: Parameters) -> Row:
    return softmax_rows(np.moveaxis(inputs["logits"], _axis(parameters), -1))


def _dense_labels(inputs: Inputs, parameters: Parameters) -> Array:
    labels = np.moveaxis(inputs["labels"], _axis(parameters), -1)
    return smoothed(labels, float(parameters["label_smoothing"]), labels.shape[-1])


def _sparse_labels(inputs: Inputs, parameters: Parameters) -> Array:
    classes = inputs["logits"].shape[_axis(parameters)]
    return smoothed(one_hot(inputs["labels"], classes), float(parameters["label_smoothing"]), classes)


def _dense_losses(inputs: Inputs, parameters: Parameters) -> Array:
    return 0.0 - np.sum(times(_dense_labels(inputs, parameters), _rows(inputs, parameters).log_p), axis=-1)


def _sparse_losses(inputs: Inputs, parameters: Parameters) -> Array:
    return 0.0 - np.sum(times(_sparse_labels(inputs, parameters), _rows(inputs, parameters).log_p), axis=-1)


def _slopes(labels: Array, row: Row, upstream: Array, axis: int) -> Array:
    """p_i sum_{j != i} z_j - z_i sum_{j != i} p_j, which is S_z p - z without its cancellation."""
    others = np.sum(labels, axis=-1, keepdims=True) - labels
    slopes = row.p * others - labels * row.rest
    return np.moveaxis(times(upstream[..., np.newaxis], slopes), -1, axis)


def _dense_slopes(inputs: Inputs, parameters: Parameters, upstream: Array) -> Array:
    return _slopes(_dense_labels(inputs, parameters), _rows(inputs, parameters), upstream, _axis(parameters))


def _sparse_slopes(inputs: Inputs, parameters: Parameters, upstream: Array) -> Array:
    return _slopes(_sparse_labels(inputs, parameters), _rows(inputs, parameters), upstream, _axis(parameters))


def _logits_region(inputs: Inputs, parameters: Parameters) -> Region:
    return class_axis_region(inputs, parameters, "logits")


def _dense_logits(inputs: Inputs, parameters: Parameters) -> Region:
    return dense_region(inputs, parameters, "logits")


def _sparse_logits(inputs: Inputs, parameters: Parameters) -> Region:
    return sparse_region(inputs, parameters, "logits")


def _softmax(inputs: Inputs, parameters: Parameters) -> Array:
    return np.moveaxis(_rows(widened(inputs), parameters).p, -1, _axis(parameters))


def _log_softmax(inputs: Inputs, parameters: Parameters) -> Array:
    return np.moveaxis(_rows(widened(inputs), parameters).log_p, -1, _axis(parameters))


def _softmax_gradient(inputs: Inputs, parameters: Parameters, upstream: Array) -> Array:
    """p_i (v_i - sum_j p_j v_j), v = upstream less its first entry: a constant one gives exactly 0."""
    p = _rows(widened(inputs), parameters).p
    u = np.moveaxis(upstream, _axis(parameters), -1)
    v = u - u[..., :1]
    return np.moveaxis(p * (v - np.sum(times(p, v), axis=-1, keepdims=True)), -1, _axis(parameters))


def _log_softmax_gradient(inputs: Inputs, parameters: Parameters, upstream: Array) -> Array:
    """u_i (1 - p_i) - p_i sum_{j != i} u_j."""
    row = _rows(widened(inputs), parameters)
    u = np.moveaxis(upstream, _axis(parameters), -1)
    others = np.sum(u, axis=-1, keepdims=True) - u
    return np.moveaxis(u * row.rest - row.p * others, -1, _axis(parameters))


_PRIMITIVE = ((LOGITS, UPSTREAM_INPUT), (AXIS,), _logits_region)

OPERATIONS = (
    Operation("softmax", "exp(x_i) / sum exp(x)", *_PRIMITIVE, _softmax, _softmax_gradient),
    Operation("log_softmax", "x_i - log(sum exp(x))", *_PRIMITIVE, _log_softmax, _log_softmax_gradient),
    loss(
        "softmax_cross_entropy",
        "-sum z log(softmax(x))",
        (LOGITS, Input("labels")),
        (AXIS, SMOOTHING),
        _dense_logits,
        _dense_losses,
        _dense_slopes,
    ),
    loss(
        "sparse_softmax_cross_entropy",
        "-log(softmax(x)_k), k = label",
        (LOGITS, Input("labels", kind="index")),
        (AXIS, SMOOTHING),
        _sparse_logits,
        _sparse_losses,
        _sparse_slopes,
    ),
)
