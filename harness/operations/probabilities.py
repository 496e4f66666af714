"""Cross-entropies from probabilities, with each API's guard against log 0 as a named semantic.

epsilon, epsilon_use   `clip`: p is clipped to [epsilon, 1 - epsilon] (Keras);
                       `add`: log(p + epsilon) (tf.losses.log_loss)
log_floor              log p and log(1 - p) are taken as at least this (torch: -100)
normalize              p is divided by its row's sum, `before` or `after` it is clipped, or `none`
"""

from __future__ import annotations

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters
from harness.operations.base import Input, Parameter, Region, same_shape, times, undefined
from harness.operations.losses import SMOOTHING, label_region, loss, smoothed
from harness.operations.softmax import AXIS, dense_region, one_hot, sparse_region

PROBABILITIES = Input("probabilities", differentiable=True)
EPSILON = Parameter("epsilon", 0.0, low=0.0, high=0.5)
NORMALIZE = Parameter("normalize", "none", choices=("none", "before", "after"))
BINARY = (
    SMOOTHING,
    EPSILON,
    Parameter("epsilon_use", "clip", choices=("clip", "add")),
    Parameter("log_floor", float("-inf"), high=0.0),
)


def _outside(probabilities: Array, parameters: Parameters) -> Region | None:
    """Numbers that are no probabilities: undefined, unless they are clipped first."""
    if not np.any((probabilities < 0) | (probabilities > 1)):
        return None
    clipped = float(parameters["epsilon"]) > 0 and parameters.get("epsilon_use", "clip") == "clip"
    reason = "probabilities outside [0, 1]"
    return Region(Domain.EXTENDED, reason) if clipped else undefined(f"{reason}: log of a negative number")


def _binary_region(inputs: Inputs, parameters: Parameters) -> Region:
    objection = same_shape(inputs, "probabilities", "labels")
    if objection:
        return undefined(objection)
    return _outside(inputs["probabilities"], parameters) or label_region(inputs["labels"])


def _binary_logs(p: Array, parameters: Parameters) -> tuple[Array, Array]:
    """log p and log(1 - p) as guarded: the one of the larger argument by log1p, since 1 - p would swallow a small p."""
    epsilon, floor = float(parameters["epsilon"]), float(parameters["log_floor"])
    small = np.minimum(p, 1.0 - p)
    with np.errstate(divide="ignore"):
        if parameters["epsilon_use"] == "add":
            logs = np.log(small + epsilon), np.log1p(epsilon - small)
        else:
            clipped = np.maximum(small, epsilon)
            logs = np.log(clipped), np.log1p(-clipped)
    of_small, of_large = (np.maximum(log, floor) for log in logs)
    lower = p <= 0.5  # noqa: PLR2004 - where p is the smaller of p and 1 - p
    return np.where(lower, of_small, of_large), np.where(lower, of_large, of_small)


def _guarded(p: Array, parameters: Parameters) -> tuple[Array, Array]:
    """The arguments of the two logarithms: p and 1 - p, after `epsilon` did its work."""
    epsilon = float(parameters["epsilon"])
    if parameters["epsilon_use"] == "add":
        return p + epsilon, (1.0 - p) + epsilon
    return np.clip(p, epsilon, 1.0 - epsilon), np.clip(1.0 - p, epsilon, 1.0 - epsilon)


def _binary_losses(inputs: Inputs, parameters: Parameters) -> Array:
    z = smoothed(inputs["labels"], float(parameters["label_smoothing"]), 2.0)
    log_p, log_rest = _binary_logs(inputs["probabilities"], parameters)
    return 0.0 - (times(z, log_p) + times(1.0 - z, log_rest))


def _binary_slopes(inputs: Inputs, parameters: Parameters, upstream: Array) -> Array:
    """-z / p + (1 - z) / (1 - p); 0 where a guard holds the logarithm's argument constant."""
    given = inputs["probabilities"]
    z = smoothed(inputs["labels"], float(parameters["label_smoothing"]), 2.0)
    p, rest = _guarded(given, parameters)
    epsilon, floor = float(parameters["epsilon"]), np.exp(float(parameters["log_floor"]))
    free = (given >= epsilon) & (given <= 1.0 - epsilon) if parameters["epsilon_use"] == "clip" else True
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = times(1.0 - z, np.where(rest >= floor, 1.0 / rest, 0.0)) - times(z, np.where(p >= floor, 1.0 / p, 0.0))
    return times(upstream, np.where(free, slopes, 0.0))


def _shares(p: Array) -> tuple[Array, Array]:
    """p divided by its sum along the last axis, and 1 minus that without its cancellation."""
    leading = np.arange(p.shape[-1]) == np.argmax(p, axis=-1)[..., np.newaxis]
    others = np.sum(np.where(leading, 0.0, p), axis=-1, keepdims=True)
    total = others + np.max(p, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return p / total, np.where(leading, others, total - p) / total


def _before_clipping(p: Array, parameters: Parameters) -> tuple[Array, Array]:
    """What is clipped, and 1 minus that."""
    return _shares(p) if parameters["normalize"] == "before" else (p, 1.0 - p)


def _clipped(q: Array, parameters: Parameters) -> Array:
    epsilon = float(parameters["epsilon"])
    return np.clip(q, epsilon, 1.0 - epsilon) if epsilon else q


def _categorical(p: Array, labels: Array, parameters: Parameters) -> Array:
    """-sum z log(q) along the last axis; log(q) = log1p(-(1 - q)) where q is the larger part."""
    q, rest = (_clipped(part, parameters) for part in _before_clipping(p, parameters))
    if parameters["normalize"] == "after":
        q, rest = _shares(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_q = np.where(q <= 0.5, np.log(q), np.log1p(-rest))  # noqa: PLR2004 - q is at most 1 - q
    return 0.0 - np.sum(times(labels, log_q), axis=-1)


def _categorical_slopes(p: Array, labels: Array, parameters: Parameters, upstream: Array) -> Array:
    """The chain rule through normalize, clip and log; 0 where a clip holds its probability constant.

    With q = c / sum(c) it is (sum_{j != i} z_j - z_i (1 - q_i) / q_i) / sum(c), where 1 - q_i and
    the sum over the others are formed without cancellation.
    """
    q, rest = _before_clipping(p, parameters)
    epsilon = float(parameters["epsilon"])
    free = (q >= epsilon) & (q <= 1.0 - epsilon) if epsilon else np.ones(q.shape, dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        if parameters["normalize"] == "before":
            z = np.where(free, labels, 0.0)
            slopes = (_others(z) - times(z, rest / q)) / np.sum(p, axis=-1, keepdims=True)
        elif parameters["normalize"] == "after":
            clipped = _clipped(q, parameters)
            share, rest = _shares(clipped)
            total = np.sum(clipped, axis=-1, keepdims=True)
            slopes = np.where(free, (_others(labels) - times(labels, rest / share)) / total, 0.0)
        else:
            slopes = np.where(free, -times(labels, 1.0 / q), 0.0)
    return times(upstream[..., np.newaxis], slopes)


def _others(z: Array) -> Array:
    """The sum of the others along the last axis."""
    return np.sum(z, axis=-1, keepdims=True) - z


def _dense(inputs: Inputs, parameters: Parameters) -> tuple[Array, Array]:
    axis = int(parameters["axis"])
    labels = np.moveaxis(inputs["labels"], axis, -1)
    labels = smoothed(labels, float(parameters["label_smoothing"]), labels.shape[-1])
    return np.moveaxis(inputs["probabilities"], axis, -1), labels


def _sparse(inputs: Inputs, parameters: Parameters) -> tuple[Array, Array]:
    p = np.moveaxis(inputs["probabilities"], int(parameters["axis"]), -1)
    return p, one_hot(inputs["labels"], p.shape[-1])


def _dense_losses(inputs: Inputs, parameters: Parameters) -> Array:
    return _categorical(*_dense(inputs, parameters), parameters)


def _sparse_losses(inputs: Inputs, parameters: Parameters) -> Array:
    return _categorical(*_sparse(inputs, parameters), parameters)


def _dense_slopes(inputs: Inputs, parameters: Parameters, upstream: Array) -> Array:
    slopes = _categorical_slopes(*_dense(inputs, parameters), parameters, upstream)
    return np.moveaxis(slopes, -1, int(parameters["axis"]))


def _sparse_slopes(inputs: Inputs, parameters: Parameters, upstream: Array) -> Array:
    slopes = _categorical_slopes(*_sparse(inputs, parameters), parameters, upstream)
    return np.moveaxis(slopes, -1, int(parameters["axis"]))


def _dense_region(inputs: Inputs, parameters: Parameters) -> Region:
    found = dense_region(inputs, parameters, "probabilities")
    if found.domain is Domain.UNDEFINED:
        return found
    return _outside(inputs["probabilities"], parameters) or found


def _sparse_region(inputs: Inputs, parameters: Parameters) -> Region:
    found = sparse_region(inputs, parameters, "probabilities")
    if found.domain is Domain.UNDEFINED:
        return found
    return _outside(inputs["probabilities"], parameters) or found


OPERATIONS = (
    loss(
        "binary_cross_entropy",
        "-z log(p) - (1 - z) log(1 - p)",
        (PROBABILITIES, Input("labels")),
        BINARY,
        _binary_region,
        _binary_losses,
        _binary_slopes,
        elementwise=True,
    ),
    loss(
        "categorical_cross_entropy",
        "-sum z log(p)",
        (PROBABILITIES, Input("labels")),
        (AXIS, SMOOTHING, EPSILON, NORMALIZE),
        _dense_region,
        _dense_losses,
        _dense_slopes,
    ),
    loss(
        "sparse_categorical_cross_entropy",
        "-log(p_k), k = label",
        (PROBABILITIES, Input("labels", kind="index")),
        (AXIS, EPSILON, NORMALIZE),
        _sparse_region,
        _sparse_losses,
        _sparse_slopes,
    ),
)
