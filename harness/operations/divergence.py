"""Kullback-Leibler divergences of labels z from predictions p: z log(z / p).

kl_divergence      from probabilities, one a row; with `epsilon` both are clipped to [epsilon, 1] (Keras)
log_kl_divergence  from log-probabilities x, one an element: z (log z - x) (torch); with `log_labels` the
                   labels are logarithms too; `batch_mean` is their sum over the length of the first axis;
                   `generalized` adds exp(x) - z, which makes it a divergence of rows of any sum (optax)

A label of 0 adds nothing, whatever is predicted: 0 log 0 = 0.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters
from harness.operations.base import (
    CANCELLATION,
    ROUNDING,
    Input,
    Operation,
    Output,
    Parameter,
    Region,
    same_shape,
    undefined,
)
from harness.operations.losses import LossForm, label_region, loss
from harness.operations.probabilities import EPSILON, PROBABILITIES, outside
from harness.operations.real import Call, Program, Real, shared
from harness.operations.softmax import AXIS, LABELS, dense_region, rows

LOG_PROBABILITIES = Input("log_probabilities", differentiable=True)
GENERALIZED = Parameter("generalized", default=False, choices=(False, True))
LOG_LABELS = Parameter("log_labels", default=False, choices=(False, True))
BATCH_MEAN = "batch_mean"
NEGATIVE = "labels below 0: log of a negative number"


# From probabilities.


@shared
def _labels(call: Call) -> Real:
    return _clipped(call, rows(call, "labels"))


@shared
def _predictions(call: Call) -> Real:
    return _clipped(call, rows(call, "probabilities"))


def _clipped(call: Call, numbers: Array) -> Real:
    found = call.exactly(numbers)
    return found.maximum(call.constant("epsilon")).minimum(1.0) if call.parameter("epsilon") else found


def _held(call: Call, name: str, slopes: Real) -> Real:
    """Slopes, but 0 where the clip holds an input constant; its ends are free."""
    if not call.parameter("epsilon"):
        return slopes
    numbers = call.exactly(rows(call, name))
    return slopes.guarded(numbers - call.constant("epsilon"), 0.0).guarded(1.0 - numbers, 0.0)


@shared
def _log_ratio(call: Call) -> Real:
    """log(z / p), by z - p where they are within a factor of 2: the difference is exact there."""
    z, p = _labels(call), _predictions(call)
    return ((z - p) / p).log1p().where(_near(call), _by_limit(call, z.log() - p.log()))


def _by_limit(call: Call, log_ratio: Real) -> Real:
    """Of 0 to 0 it is infinite: any other label would be."""
    neither = (rows(call, "labels") == 0) & (rows(call, "probabilities") == 0)
    return log_ratio.where(~neither, np.inf) if not call.parameter("epsilon") else log_ratio


def _near(call: Call) -> Array:
    low = call.parameter("epsilon")
    z, p = rows(call, "labels"), rows(call, "probabilities")
    if low:
        z, p = np.clip(z, low, 1.0), np.clip(p, low, 1.0)
    near: Array = (z < 2 * p) & (p < 2 * z)
    return near


@shared
def _plain_log_ratio(call: Call) -> Real:
    return _by_limit(call, (_labels(call) / _predictions(call)).log())


def _divergences(log_ratio: Program) -> Program:
    """Sum z log(z / p)."""

    def program(call: Call) -> Real:
        z = _labels(call)
        counted = (rows(call, "labels") != 0) | (call.parameter("epsilon") != 0)
        return (z * log_ratio(call).where(counted, 0.0)).sum()

    return program


def _slopes(call: Call) -> Real:
    """-z / p."""
    return _held(call, "probabilities", -(_labels(call) * (1.0 / _predictions(call))))


def _label_slopes(log_ratio: Program) -> Program:
    """log(z / p) + 1."""
    return lambda call: _held(call, "labels", log_ratio(call) + 1.0)


def _region(inputs: Inputs, parameters: Parameters) -> Region:
    found = dense_region(inputs, parameters, "probabilities")
    if found.domain is Domain.UNDEFINED:
        return found
    if not parameters["epsilon"] and np.any(inputs["labels"] < 0):
        return undefined(NEGATIVE)
    return outside(inputs["probabilities"], parameters) or found


# From log-probabilities.


def _are_logs(call: Call) -> bool:
    return bool(call.parameters["log_labels"])


@shared
def _weight(call: Call) -> Real:
    """z, or exp(t) of its logarithm t: exactly 0 of -inf."""
    labels = call.inputs["labels"]
    if not _are_logs(call):
        return call.real("labels")
    return _log_weight(call).exp().where(~np.isneginf(labels), 0.0)


@shared
def _log_weight(call: Call) -> Real:
    """log z; 0 where z is, for the sake of 0 log 0."""
    labels = call.inputs["labels"]
    if _are_logs(call):
        return call.exactly(np.where(np.isneginf(labels), 0.0, labels))
    return call.real("labels").log().where(labels != 0, 0.0)


def _weighted(call: Call, log_ratio: Real) -> Real:
    """Z times that; where a prediction makes it infinite, as infinite, however small z is."""
    nothing = -np.inf if _are_logs(call) else 0.0
    infinite = np.isinf(call.inputs["log_probabilities"]) & (call.inputs["labels"] != nothing)
    return (_weight(call) * log_ratio).where(~infinite, log_ratio)


@shared
def _excess(call: Call) -> Real:
    """exp(x) - z."""
    return call.real("log_probabilities").exp() - _weight(call)


def _generalized(call: Call, divergences: Real) -> Real:
    """With exp(x) - z, if it is generalized: the larger of two infinite numbers decides."""
    if not call.parameters["generalized"]:
        return divergences
    outgrown = np.isposinf(call.inputs["labels"]) ^ np.isposinf(call.inputs["log_probabilities"])
    return (divergences + _excess(call)).where(~outgrown, np.inf)


def _log_divergences(call: Call) -> Real:
    """Z (log z - x)."""
    return _generalized(call, _weighted(call, _log_weight(call) - call.real("log_probabilities")))


def _separate_divergences(call: Call) -> Real:
    """Z log z - z x."""
    separate = _weight(call) * _log_weight(call) - _weighted(call, call.real("log_probabilities"))
    return _generalized(call, separate)


def _log_slopes(call: Call) -> Real:
    """-z, and where it is generalized exp(x) - z."""
    return _excess(call) if call.parameters["generalized"] else -_weight(call)


def _log_label_slopes(call: Call) -> Real:
    """log z - x + 1, without 1 where it is generalized; with respect to log z: z times as much."""
    x, one = call.real("log_probabilities"), 0.0 if call.parameters["generalized"] else 1.0
    if _are_logs(call):
        return _weighted(call, (_log_weight(call) - x) + one)
    neither = (call.inputs["labels"] == 0) & np.isneginf(call.inputs["log_probabilities"])
    return ((call.real("labels").log() - x) + one).where(~neither, np.inf)


def _label_slopes_of_terms(call: Call) -> Real:
    """log z - x + 1, and where it is generalized - 1 more."""
    found = _log_label_slopes(replace(call, parameters={**call.parameters, "generalized": False}))
    if not call.parameters["generalized"]:
        return found
    return found - (_weight(call) if _are_logs(call) else 1.0)


def _log_region(inputs: Inputs, parameters: Parameters) -> Region:
    if objection := same_shape(inputs, "log_probabilities", "labels"):
        return undefined(objection)
    labels, logs = inputs["labels"], bool(parameters["log_labels"])
    if not logs and np.any(labels < 0):
        return undefined(NEGATIVE)
    if np.any(inputs["log_probabilities"] > 0):
        return Region(Domain.EXTENDED, "log-probabilities above 0")
    if logs:
        return (
            Region(Domain.EXTENDED, "labels above 0, the logarithm of 1")
            if np.any(labels > 0)
            else Region(Domain.INSIDE)
        )
    return label_region(labels)


def _with_batch_mean(operation: Operation) -> Operation:
    """The operation with one more reduction, torch's batchmean: the sum over the number of examples."""
    parameters = tuple(
        replace(p, choices=(*p.choices, BATCH_MEAN)) if p.name == "reduction" else p for p in operation.parameters
    )
    outputs = {
        name: Output(_over_batch(o.exact), tuple(replace(f, program=_over_batch(f.program)) for f in o.forms))
        for name, o in operation.outputs.items()
    }

    def located(inputs: Inputs, complete: Parameters) -> Region:
        batch = inputs["log_probabilities"].shape[:1]
        if complete["reduction"] == BATCH_MEAN and 0 in batch and complete["empty_mean"] == "undefined":
            return undefined("the mean of no losses")
        return operation.region(inputs, complete)

    return replace(operation, parameters=parameters, outputs=outputs, region=located)


@cache
def _over_batch(program: Program) -> Program:
    def computed(call: Call) -> Real:
        if call.parameters["reduction"] != BATCH_MEAN:
            found: Real = program(call)
            return found
        shape = call.inputs["log_probabilities"].shape
        summed: Real = program(replace(call, parameters={**call.parameters, "reduction": "sum"}, kept={}))
        if 0 in shape[:1]:
            answer = 0.0 if call.parameters["empty_mean"] == "zero" else np.nan
            return call.exactly(np.full(summed.shape, answer))
        return summed / call.once_rounded(float(shape[0] if shape else 1))

    return computed


OPERATIONS = (
    loss(
        "kl_divergence",
        "sum z log(z / p)",
        (PROBABILITIES, LABELS),
        (AXIS, EPSILON),
        _region,
        LossForm(ROUNDING, _divergences(_log_ratio), {"probabilities": _slopes, "labels": _label_slopes(_log_ratio)}),
        (LossForm(CANCELLATION, _divergences(_plain_log_ratio), {"labels": _label_slopes(_plain_log_ratio)}),),
    ),
    _with_batch_mean(
        loss(
            "log_kl_divergence",
            "z (log(z) - x), x = log(p), generalized z (log(z) - x) - z + p",
            (LOG_PROBABILITIES, LABELS),
            (LOG_LABELS, GENERALIZED),
            _log_region,
            LossForm(
                ROUNDING,
                _log_divergences,
                {"log_probabilities": _log_slopes, "labels": _log_label_slopes},
            ),
            (LossForm(CANCELLATION, _separate_divergences, {"labels": _label_slopes_of_terms}),),
            elementwise=True,
        )
    ),
)
