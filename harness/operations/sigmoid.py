"""The sigmoid family. sigma(x) = 1 / (1 + exp(-x)), softplus(x) = log(1 + exp(x))."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.model.case import Inputs, Parameters
from harness.operations.base import (
    CANCELLATION,
    INSIDE,
    ROUNDING,
    SHIFT,
    UPSTREAM,
    VALUE,
    Form,
    Input,
    Operation,
    Output,
    Parameter,
    Region,
    gradient,
    same_shape,
    undefined,
)
from harness.operations.losses import SMOOTHING, UPSTREAM_INPUT, LossForm, label_region, loss, smoothed
from harness.operations.real import Call, Real, Shape, shared

LOGITS = Input("logits", differentiable=True)
LABELS = Input("labels", differentiable=True)
POS_WEIGHT = Parameter("pos_weight", 1.0, low=0.0)


@shared
def tail(call: Call) -> Real:
    """exp(-|x|)."""
    return (-abs(call.real("logits"))).exp()


@shared
def log_tail(call: Call) -> Real:
    """log(1 + exp(-|x|)), the part of softplus that max(x, 0) leaves."""
    return tail(call).log1p()


@shared
def sigma(call: Call) -> Real:
    """1 / (1 + exp(-x)) without overflow."""
    return _sigma(call, tail(call), mirrored=False)


@shared
def sigma_mirrored(call: Call) -> Real:
    """sigma(-x), which is 1 - sigma(x)."""
    return _sigma(call, tail(call), mirrored=True)


@shared
def _scaled_tail(call: Call) -> Real:
    """exp(-|x|) as 2**(-|x| log2 e): the argument is rounded once more, which vectorised sigmoids do."""
    return (-abs(call.real("logits"))).rounded().exp()


@shared
def plain_sigma(call: Call) -> Real:
    """sigma(x) by a vectorised exponential."""
    return _sigma(call, _scaled_tail(call), mirrored=False)


@shared
def plain_mirrored(call: Call) -> Real:
    """sigma(-x) likewise."""
    return _sigma(call, _scaled_tail(call), mirrored=True)


def _sigma(call: Call, e: Real, *, mirrored: bool) -> Real:
    """1 / (1 + e) on one side of 0 and e / (1 + e) on the other, e = exp(-|x|)."""
    x = call.inputs["logits"]
    return e.where(x > 0 if mirrored else x < 0, 1.0) / (1.0 + e)


@shared
def smooth_labels(call: Call) -> Real:
    """z, smoothed."""
    return smoothed(call, call.real("labels"), 2)


@shared
def _rest(call: Call) -> Real:
    """1 - z."""
    return 1.0 - smooth_labels(call)


@shared
def _positive(call: Call) -> Real:
    """q z, q = pos_weight."""
    return smooth_labels(call) * call.constant("pos_weight") if "pos_weight" in call.parameters else smooth_labels(call)


def losses(call: Call) -> Real:
    """(1 - z) softplus(x) + q z softplus(-x), with its two terms in x kept apart from the tail.

    For q = 1 this is x (1 - z) + log1p(exp(-x)) for x >= 0 and -x z + log1p(exp(x)) for x < 0:
    nothing cancels for labels in [0, 1].
    """
    return _slope(call) * call.real("logits") + _weighted(call, log_tail(call))


@shared
def _slope(call: Call) -> Real:
    return _rest(call).where(call.inputs["logits"] >= 0, -_positive(call))


def _weighted(call: Call, whole: Real) -> Real:
    """What both sides of the loss have in common, times 1 - z + q z."""
    return (_rest(call) + _positive(call)) * whole if "pos_weight" in call.parameters else whole


def textbook(call: Call) -> Real:
    """max(x, 0) - x z + log1p(exp(-|x|)): the form of TensorFlow's documentation, by log1p."""
    x = call.real("logits")
    return (x.maximum(0.0) - x * smooth_labels(call)) + log_tail(call)


def without_log1p(call: Call) -> Real:
    """The textbook form with log(1 + e) for log1p(e): the tail below u is lost."""
    x = call.real("logits")
    return (x.maximum(0.0) - x * smooth_labels(call)) + (1.0 + tail(call)).log()


def _weighted_without_log1p(call: Call) -> Real:
    return _slope(call) * call.real("logits") + _weighted(call, (1.0 + tail(call)).log())


def slopes(call: Call) -> Real:
    """(1 - z) sigma(x) - q z sigma(-x)."""
    return _rest(call) * sigma(call) - _positive(call) * sigma_mirrored(call)


def relative_slopes(call: Call) -> Real:
    """The same by vectorised sigmoids."""
    return _rest(call) * plain_sigma(call) - _positive(call) * plain_mirrored(call)


def plain_slopes(call: Call) -> Real:
    """(1 - z + q z) sigma(x) - q z: on the far side of a hard label the difference loses every digit."""
    return _weighted(call, plain_sigma(call)) - _positive(call)


def soft_slopes(call: Call) -> Real:
    """The plain form for soft labels, where it loses no more than the labels' own rounding does."""
    z = call.inputs["labels"]
    hard = ((z == 0) | (z == 1)) & (call.parameters.get("label_smoothing", 0.0) == 0)
    return relative_slopes(call).where(hard, plain_slopes(call))


def label_slopes(call: Call) -> Real:
    """q softplus(-x) - softplus(x), which is -x for q = 1."""
    x = call.real("logits")
    if "pos_weight" not in call.parameters:
        return -x
    q = call.constant("pos_weight")
    positive = call.inputs["logits"] >= 0
    return (-x).where(positive, -q * x) + (q - 1.0) * log_tail(call)


def _label_slopes_by_softplus(call: Call) -> Real:
    """The same from two softplus."""
    x = call.real("logits")
    above, below = x.maximum(0.0) + log_tail(call), (-x).maximum(0.0) + log_tail(call)
    return call.constant("pos_weight") * below - above


def _mixed_slopes(call: Call) -> Real:
    """-u, whatever x is."""
    return -ahead(call).shaped(lambda a: np.broadcast_to(a, call.inputs["logits"].shape))


def _anywhere(_inputs: Inputs, _parameters: Parameters) -> Region:
    return INSIDE


def _labelled(inputs: Inputs, _parameters: Parameters) -> Region:
    objection = same_shape(inputs, "logits", "labels")
    return undefined(objection) if objection else label_region(inputs["labels"])


def _same(inputs: Inputs, _parameters: Parameters) -> Shape:
    return inputs["logits"].shape


def ahead(call: Call) -> Real:
    """The upstream gradient; ones if there is none."""
    return call.real(UPSTREAM) if UPSTREAM in call.inputs else call.exactly(1.0)


def _log_sigmoid(call: Call) -> Real:
    """min(x, 0) - log1p(exp(-|x|))."""
    return call.real("logits").minimum(0.0) - log_tail(call)


def _plain_log_sigmoid(call: Call) -> Real:
    return call.real("logits").minimum(0.0) - (1.0 + tail(call)).log()


_SIGMOID = {
    VALUE: Output(sigma, (Form(ROUNDING, plain_sigma),)),
    gradient("logits"): Output(
        lambda call: ahead(call) * (sigma(call) * sigma_mirrored(call)),
        (
            Form(ROUNDING, lambda call: ahead(call) * (plain_sigma(call) * plain_mirrored(call))),
            # Every framework keeps y = sigma(x) and computes y (1 - y).
            Form(CANCELLATION, lambda call: ahead(call) * (plain_sigma(call) * (1.0 - plain_sigma(call)))),
        ),
    ),
}
_LOG_SIGMOID = {
    VALUE: Output(_log_sigmoid, (Form(ROUNDING, _log_sigmoid), Form(SHIFT, _plain_log_sigmoid, passes=False))),
    gradient("logits"): Output(
        lambda call: ahead(call) * sigma_mirrored(call),
        (Form(ROUNDING, lambda call: ahead(call) * plain_mirrored(call)),),
    ),
}


_GRADIENT = {
    VALUE: Output(
        slopes,
        (
            Form(ROUNDING, relative_slopes),
            Form(CANCELLATION, soft_slopes),
            Form(CANCELLATION, plain_slopes, passes=False),
        ),
    ),
    gradient("logits"): _SIGMOID[gradient("logits")],
    gradient("labels"): Output(_mixed_slopes),
}
"""The gradient of a cross-entropy as a function of its own: its slopes, times upstream, are double backward."""


_SLOPE_FORMS = (
    LossForm(ROUNDING, slopes={"logits": relative_slopes}),
    LossForm(CANCELLATION, slopes={"logits": soft_slopes}),
    LossForm(CANCELLATION, slopes={"logits": plain_slopes}, passes=False),
)


def _primitive(name: str, formula: str, outputs: Mapping[str, Output]) -> Operation:
    inputs = (LOGITS, UPSTREAM_INPUT)
    return Operation(name, formula, inputs, (), _anywhere, _same, outputs, elementwise=True)


OPERATIONS = (
    _primitive("sigmoid", "1 / (1 + exp(-x))", _SIGMOID),
    _primitive("log_sigmoid", "-log(1 + exp(-x))", _LOG_SIGMOID),
    loss(
        "sigmoid_cross_entropy",
        "-z log(sigma(x)) - (1 - z) log(1 - sigma(x))",
        (LOGITS, LABELS),
        (SMOOTHING,),
        _labelled,
        LossForm(ROUNDING, losses, {"logits": slopes, "labels": label_slopes}),
        (
            LossForm(ROUNDING, textbook),
            *_SLOPE_FORMS,
            LossForm(SHIFT, without_log1p, passes=False),
        ),
        elementwise=True,
    ),
    loss(
        "weighted_sigmoid_cross_entropy",
        "-q z log(sigma(x)) - (1 - z) log(1 - sigma(x)), q = pos_weight",
        (LOGITS, LABELS),
        (SMOOTHING, POS_WEIGHT),
        _labelled,
        LossForm(ROUNDING, losses, {"logits": slopes, "labels": label_slopes}),
        (
            LossForm(ROUNDING, slopes={"labels": _label_slopes_by_softplus}),
            *_SLOPE_FORMS,
            LossForm(SHIFT, _weighted_without_log1p, passes=False),
        ),
        elementwise=True,
    ),
    Operation(
        "sigmoid_cross_entropy_gradient",
        "sigma(x) - z",
        (LOGITS, LABELS, UPSTREAM_INPUT),
        (),
        _labelled,
        _same,
        _GRADIENT,
        elementwise=True,
    ),
)
