"""Soft margin losses, as torch has them.

soft_margin_loss             of labels -1 and 1: log(1 + exp(-y x))
multilabel_soft_margin_loss  of labels 0 and 1: the mean of a row's sigmoid cross-entropies, times class weights
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.model.case import Domain, Inputs, Parameters
from harness.operations import sigmoid
from harness.operations.base import CANCELLATION, ROUNDING, SHIFT, Region, same_shape, undefined
from harness.operations.losses import LossForm, Part, label_region, loss
from harness.operations.real import Call, Program, Real, shared
from harness.operations.reductions import CLASS_WEIGHTS
from harness.operations.sigmoid import LABELS, LOGITS
from harness.operations.softmax import AXIS, class_axis_region, class_weights_objection, rows


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


# Rows of labels.


@shared
def _elements(call: Call) -> Call:
    """The call as one of sigmoid cross-entropy, the class axis last."""
    return replace(call, inputs={name: rows(call, name) for name in ("logits", "labels")}, kept={})


def _terms(program: Program) -> Part:
    """Numbers of each class, over how many there are."""

    def computed(call: Call) -> Real:
        found: Real = program(_elements(call))
        return found / call.once_rounded(float(found.shape[-1]))

    return computed


def _by_class(program: Program) -> Part:
    """The same times class weights."""

    def computed(call: Call) -> Real:
        found = _terms(program)(call)
        return call.real("class_weights") * found if "class_weights" in call.inputs else found

    return computed


def _row_means(program: Program) -> Part:
    """The mean of each row, of numbers that are weighted by class."""

    def computed(call: Call) -> Real:
        found: Real = program(_elements(call))
        if "class_weights" in call.inputs:
            found = call.real("class_weights") * found
        return found.sum() / call.once_rounded(float(found.shape[-1]))

    return computed


def _form(name: str, losses: Program, *, passes: bool = True) -> LossForm:
    slopes = {"labels": _by_class(sigmoid.label_slopes), "class_weights": _terms(losses)}
    return LossForm(name, _row_means(losses), slopes, passes)


def _row_region(inputs: Inputs, parameters: Parameters) -> Region:
    found = class_axis_region(inputs, parameters, "logits")
    objection = found.reason or same_shape(inputs, "logits", "labels") or class_weights_objection(inputs, parameters)
    return undefined(objection) if objection else label_region(inputs["labels"])


OPERATIONS = (
    loss(
        "multilabel_soft_margin_loss",
        "-sum w (z log(sigma(x)) + (1 - z) log(1 - sigma(x))) / classes, w = class_weights",
        (LOGITS, LABELS, CLASS_WEIGHTS),
        (AXIS,),
        _row_region,
        replace(
            _form(ROUNDING, sigmoid.losses),
            slopes={**_form(ROUNDING, sigmoid.losses).slopes, "logits": _by_class(sigmoid.slopes)},
        ),
        (
            _form(ROUNDING, sigmoid.textbook),
            LossForm(ROUNDING, slopes={"logits": _by_class(sigmoid.relative_slopes)}),
            LossForm(CANCELLATION, slopes={"logits": _by_class(sigmoid.soft_slopes)}),
            LossForm(CANCELLATION, slopes={"logits": _by_class(sigmoid.plain_slopes)}, passes=False),
            _form(SHIFT, sigmoid.without_log1p, passes=False),
        ),
    ),
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
