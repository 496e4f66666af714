"""Negative log-likelihood: -w_k x_k, x log-probabilities, k the label, w class weights.

Nothing is computed but products: softmax cross-entropy is this of log_softmax.
"""

from __future__ import annotations

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters
from harness.operations.base import ROUNDING, Region
from harness.operations.divergence import LOG_PROBABILITIES
from harness.operations.losses import LossForm, loss
from harness.operations.real import Call, Real, along, shared
from harness.operations.reductions import CLASS_WEIGHTS, IGNORE_INDEX, indices
from harness.operations.softmax import AXIS, INDICES, by_label_weight, rows, sparse_region


@shared
def _is_label(call: Call) -> Array:
    x, labels = rows(call, "log_probabilities"), indices(call.inputs, call.parameters)
    return np.asarray(labels[..., np.newaxis] == np.arange(x.shape[-1]))


def _losses(call: Call) -> Real:
    """-w_k x_k."""
    x = call.exactly(rows(call, "log_probabilities"))
    return by_label_weight(call, -along(x, indices(call.inputs, call.parameters)))


def _slopes(call: Call) -> Real:
    """-w_k at the label."""
    return by_label_weight(call, -call.exactly(_is_label(call).astype(np.float64)))


def _class_weight_slopes(call: Call) -> Real:
    """-x at the label; elsewhere 0, whatever x is."""
    return -call.exactly(rows(call, "log_probabilities")).where(_is_label(call), 0.0)


def _region(inputs: Inputs, parameters: Parameters) -> Region:
    found = sparse_region(inputs, parameters, "log_probabilities")
    if found.domain is Domain.INSIDE and np.any(inputs["log_probabilities"] > 0):
        return Region(Domain.EXTENDED, "log-probabilities above 0")
    return found


OPERATIONS = (
    loss(
        "nll_loss",
        "-w_k x_k, x = log(p), k = label, w = class_weights",
        (LOG_PROBABILITIES, INDICES, CLASS_WEIGHTS),
        (AXIS, IGNORE_INDEX),
        _region,
        LossForm(ROUNDING, _losses, {"log_probabilities": _slopes, "class_weights": _class_weight_slopes}),
    ),
)
