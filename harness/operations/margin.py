"""The logistic loss of labels -1 and 1: log(1 + exp(-y x)), torch's soft_margin_loss."""

from __future__ import annotations

import numpy as np

from harness.model.case import Domain, Inputs, Parameters
from harness.operations.base import ROUNDING, Region, same_shape, undefined
from harness.operations.losses import LossForm, loss
from harness.operations.real import Call, Real, shared
from harness.operations.sigmoid import LABELS, LOGITS


@shared
def _margin(call: Call) -> Real:
    """Y x."""
    return call.real("labels") * call.real("logits")


@shared
def _tail(call: Call) -> Real:
    return (-abs(_margin(call))).exp()


def _losses(call: Call) -> Real:
    """max(-y x, 0) + log1p(exp(-|y x|))."""
    return (-_margin(call)).maximum(0.0) + _tail(call).log1p()


@shared
def _doubt(call: Call) -> Real:
    """sigma(-y x)."""
    e, margin = _tail(call), call.inputs["labels"] * call.inputs["logits"]
    return e.where(margin > 0, 1.0) / (1.0 + e)


def _slopes(call: Call) -> Real:
    """-y sigma(-y x)."""
    return -(call.real("labels") * _doubt(call))


def _label_slopes(call: Call) -> Real:
    """-x sigma(-y x): 0 of an infinite margin, by limit."""
    certain = np.isposinf(call.inputs["labels"] * call.inputs["logits"])
    return -(call.real("logits").where(~certain, 0.0) * _doubt(call))


def _region(inputs: Inputs, _parameters: Parameters) -> Region:
    if objection := same_shape(inputs, "logits", "labels"):
        return undefined(objection)
    others = np.abs(inputs["labels"]) != 1
    return Region(Domain.EXTENDED, "labels other than -1 and 1") if others.any() else Region(Domain.INSIDE)


OPERATIONS = (
    loss(
        "soft_margin_loss",
        "log(1 + exp(-y x))",
        (LOGITS, LABELS),
        (),
        _region,
        LossForm(ROUNDING, _losses, {"logits": _slopes, "labels": _label_slopes}),
        elementwise=True,
    ),
)
