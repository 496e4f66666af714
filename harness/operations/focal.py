"""Focal losses of two classes: w m**gamma l, l the cross-entropy (Lin et al., ICCV 2017).

m = z (1 - p) + (1 - z) p is what the prediction misses, 1 - p_t;
w = z alpha + (1 - z) (1 - alpha) with `class_balancing`, else 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from harness.model.case import Array, Inputs, Parameters
from harness.operations import probabilities, sigmoid
from harness.operations.base import CANCELLATION, ROUNDING, Parameter, Region, same_shape, undefined
from harness.operations.losses import SMOOTHING, LossForm, label_region, loss
from harness.operations.probabilities import EPSILON, PROBABILITIES
from harness.operations.real import Call, Program, Real, shared
from harness.operations.sigmoid import LABELS, LOGITS

GAMMA = Parameter("gamma", 2.0, low=0.0, high=sys.float_info.max)
ALPHA = Parameter("alpha", 0.25, low=0.0, high=1.0)
BALANCING = Parameter("class_balancing", default=False, choices=(False, True))
POWER = "a power of a negative number"


class Miss(NamedTuple):
    """What a prediction misses; 1 - 2 z is (1 - z) - z, as autodiff adds it up, with the rounding of 1 - z.

    Attributes:
        size: m.
        by_input: gamma m**(gamma - 1) l dm/dx, from m**gamma and l.
        by_label: gamma m**(gamma - 1) l dm/dz, likewise.
    """

    size: Real
    by_input: Callable[[Real, Real], Real]
    by_label: Callable[[Real, Real], Real]


Misses = Callable[[Call], Miss]


def _of_sigma(p_of: Program, rest_of: Program, size_of: Callable[[Real, Real, Real], Real]) -> Misses:
    """From logits: dm/dx = (1 - 2 z) p (1 - p)."""

    @shared
    def miss(call: Call) -> Miss:
        p, rest, z, gamma = p_of(call), rest_of(call), sigmoid.smooth_labels(call), call.constant("gamma")
        size = size_of(z, p, rest)
        share = _share(call, ((1.0 - z) - z) * (p * rest) / size, p, rest)
        return Miss(
            size,
            lambda raised, entropy: gamma * (raised * share) * _without_infinity(call, entropy),
            lambda raised, entropy: gamma * ((rest - p) * _turning(call, raised, entropy, size)),
        )

    return miss


def _share(call: Call, share: Real, p: Real, rest: Real) -> Real:
    """(dm/dx) / m, which is -p for z = 1 and 1 - p for z = 0."""
    if call.parameter("label_smoothing"):
        return share
    labels = call.inputs["labels"]
    return (-p).where(labels == 1, rest.where(labels == 0, share))


def _without_infinity(call: Call, entropy: Real) -> Real:
    """Of infinite logits it has no part in the slope: x exp(-x) is 0."""
    return entropy.where(np.isfinite(call.inputs["logits"]), 0.0)


def _turning(call: Call, raised: Real, entropy: Real, size: Real) -> Real:
    """m**(gamma - 1) l; from m**gamma and l / m where a hard label is on the logit's side, and both m and l vanish.

    l / m is (1 + e) log1p(e) / e, e = exp(-|x|); 1 as that vanishes.
    """
    x, labels = call.inputs["logits"], call.inputs["labels"]
    right = ((labels == 1) & (x > 0)) | ((labels == 0) & (x < 0))
    plain = entropy * size.power(call.parameter("gamma") - 1.0)
    if call.parameter("label_smoothing") or not right.any():
        return plain
    e = sigmoid.tail(call)
    ratio = ((1.0 + e) * (sigmoid.log_tail(call) / e)).where(np.exp(-np.abs(x)) > 0, 1.0)
    return (raised * ratio).where(right, plain)


def _mixed(z: Real, p: Real, rest: Real) -> Real:
    """Z (1 - p) + (1 - z) p."""
    return z * rest + (1.0 - z) * p


def _less_than_1(z: Real, p: Real, _rest: Real) -> Real:
    """1 - p_t: nothing is left of it where the prediction is right."""
    return 1.0 - (z * p + (1.0 - z) * (1.0 - p))


_of_logits = _of_sigma(sigmoid.sigma, sigmoid.sigma_mirrored, _mixed)
_by_vectorised_sigmoids = _of_sigma(sigmoid.plain_sigma, sigmoid.plain_mirrored, _mixed)
_by_difference = _of_sigma(sigmoid.plain_sigma, sigmoid.plain_mirrored, _less_than_1)


def _of_probabilities(size_of: Callable[[Real, Real, Real], Real]) -> Misses:
    @shared
    def miss(call: Call) -> Miss:
        p, z, gamma = call.real("probabilities"), probabilities.smooth_labels(call), call.constant("gamma")
        rest = 1.0 - p
        size = size_of(z, p, rest)

        # An infinite loss has a slope that outweighs the power's.
        inner = np.asarray((call.inputs["probabilities"] % 1.0 != 0) | (call.parameter("epsilon") != 0))

        def turning(by: Real, entropy: Real) -> Real:
            # Where a factor underflows it matters what it is multiplied by later.
            return (gamma * by) * (entropy * size.power(call.parameter("gamma") - 1.0))

        return Miss(
            size,
            lambda _, entropy: turning((1.0 - z) - z, entropy.where(inner, 0.0)),
            lambda _, entropy: turning(rest - p, entropy),
        )

    return miss


class Binary(NamedTuple):
    """Where a binary focal loss comes from: labels, cross-entropy and its slopes."""

    labels: Callable[[Call], Real]
    entropy: Program
    slope: Program
    label_slope: Program


def _balance(call: Call, z: Real) -> Real | None:
    alpha = call.constant("alpha")
    return z * alpha + (1.0 - z) * (1.0 - alpha) if call.parameters["class_balancing"] else None


def _balanced(call: Call, z: Real, found: Real) -> Real:
    balance = _balance(call, z)
    return found if balance is None else balance * found


def _raised(call: Call, miss: Miss) -> Real:
    """m**gamma: exactly 0 where m is, which infinite losses don't outweigh."""
    nothing = np.asarray(_approximate_miss(call)) == 0
    found = miss.size.power(call.parameter("gamma"))
    return found.where(~nothing, 0.0) if call.parameter("gamma") else found


def _approximate_miss(call: Call) -> Array:
    """m of probabilities that are inputs, or of infinite logits."""
    z, p = _approximately(call)
    return z * (1.0 - p) + (1.0 - z) * p


def _approximately(call: Call) -> tuple[Array, Array]:
    """Labels, smoothed, and probabilities; of finite logits those are 1/2."""
    z, e = call.inputs["labels"], call.parameter("label_smoothing")
    z = z * (1.0 - e) + e / 2
    if "logits" in call.inputs:
        x = call.inputs["logits"]
        p = np.where(np.isinf(x), x > 0, 0.5)
    else:
        p = call.inputs["probabilities"]
    return z, p


def _binary_losses(of: Binary, miss: Misses) -> Program:
    """W m**gamma l."""
    return lambda call: _balanced(call, of.labels(call), _raised(call, miss(call)) * of.entropy(call))


def _binary_slopes(of: Binary, miss: Misses) -> Program:
    """W (gamma m**(gamma - 1) m' l + m**gamma l')."""

    def program(call: Call) -> Real:
        found = miss(call)
        raised = _raised(call, found)
        slopes = found.by_input(raised, of.entropy(call)) + raised * of.slope(call)
        return _balanced(call, of.labels(call), slopes)

    return program


def _binary_label_slopes(of: Binary, miss: Misses) -> Program:
    """W' m**gamma l + w (gamma m**(gamma - 1) dm/dz l + m**gamma dl/dz)."""

    def program(call: Call) -> Real:
        found, z, entropy = miss(call), of.labels(call), of.entropy(call)
        raised = _raised(call, found)
        slopes = _balanced(call, z, found.by_label(raised, entropy) + raised * of.label_slope(call))
        if not call.parameters["class_balancing"]:
            return slopes
        alpha = call.constant("alpha")
        slopes = (alpha - (1.0 - alpha)) * (raised * entropy) + slopes
        return _at_infinite_losses(call, raised * entropy, slopes)

    return program


def _at_infinite_losses(call: Call, losses: Real, slopes: Real) -> Real:
    """Label slopes with `class_balancing`: of infinite losses the terms' common limit, not their difference.

    l -> -z log p as p -> 0, m -> z, and so the slope of w m**gamma l -> (w' z + (gamma + 1) w) m**gamma l / z;
    as p -> 1 it is (w' (1 - z) - (gamma + 1) w) m**gamma l / (1 - z). What is left out is of size p log p: where
    the factor is exactly 0, the limit is 0.
    """
    labels, p = _approximately(call)
    wrong_0, wrong_1 = (p == 0) & (labels > 0), (p == 1) & (labels < 1)
    wrong = wrong_0 | wrong_1
    if call.parameters.get("epsilon") or not np.any(wrong):
        return slopes
    signs = np.zeros(wrong.shape)
    signs[wrong] = [
        _turn(call, Fraction(z), end) for z, end in zip(call.inputs["labels"][wrong], p[wrong], strict=True)
    ]
    return (call.exactly(signs) * losses).where(wrong, slopes)


def _turn(call: Call, label: Fraction, end: float) -> int:
    """The sign of that factor, which no rounding may decide."""
    smoothing, alpha, gamma = (Fraction(call.parameter(name)) for name in ("label_smoothing", "alpha", "gamma"))
    z = label * (1 - smoothing) + smoothing / 2
    by_power = (gamma + 1) * (z * alpha + (1 - z) * (1 - alpha))
    turn = (2 * alpha - 1) * (1 - z) - by_power if end else (2 * alpha - 1) * z + by_power
    return (turn > 0) - (turn < 0)


def _logits_region(inputs: Inputs, _parameters: Parameters) -> Region:
    if objection := same_shape(inputs, "logits", "labels"):
        return undefined(objection)
    labels = inputs["labels"]
    return undefined(f"labels outside [0, 1]: {POWER}") if np.any((labels < 0) | (labels > 1)) else label_region(labels)


def _probabilities_region(inputs: Inputs, _parameters: Parameters) -> Region:
    if objection := same_shape(inputs, "probabilities", "labels"):
        return undefined(objection)
    for name in ("probabilities", "labels"):
        if np.any((inputs[name] < 0) | (inputs[name] > 1)):
            return undefined(f"{name} outside [0, 1]: {POWER}")
    return label_region(inputs["labels"])


_BY_LOGITS = Binary(sigmoid.smooth_labels, sigmoid.losses, sigmoid.slopes, lambda call: -call.real("logits"))
# max(x, 0) - x z + log1p(e) loses more for soft labels, and is what frameworks multiply.
_AS_IT_COMES = _BY_LOGITS._replace(entropy=sigmoid.textbook, slope=sigmoid.relative_slopes)
_BY_PROBABILITIES = Binary(
    probabilities.smooth_labels,
    probabilities.binary_losses(probabilities.binary_logs),
    probabilities.binary_slopes,
    probabilities.binary_label_slopes(probabilities.binary_logs),
)


def _binary_form(name: str, of: Binary, miss: Misses, leading: str, *, passes: bool = True) -> LossForm:
    slopes = {leading: _binary_slopes(of, miss), "labels": _binary_label_slopes(of, miss)}
    return LossForm(name, _binary_losses(of, miss), slopes, passes)


_FOCAL = (SMOOTHING, GAMMA, ALPHA, BALANCING)

OPERATIONS = (
    loss(
        "sigmoid_focal_cross_entropy",
        "w m**gamma l, m = z (1 - p) + (1 - z) p, l = -z log(p) - (1 - z) log(1 - p), p = sigma(x)",
        (LOGITS, LABELS),
        _FOCAL,
        _logits_region,
        _binary_form(ROUNDING, _BY_LOGITS, _of_logits, "logits"),
        (
            _binary_form(ROUNDING, _AS_IT_COMES, _by_vectorised_sigmoids, "logits"),
            _binary_form(CANCELLATION, _BY_LOGITS, _by_difference, "logits", passes=False),
        ),
        elementwise=True,
    ),
    loss(
        "binary_focal_cross_entropy",
        "w m**gamma l, m = z (1 - p) + (1 - z) p, l = -z log(p) - (1 - z) log(1 - p)",
        (PROBABILITIES, LABELS),
        (*_FOCAL, EPSILON),
        _probabilities_region,
        _binary_form(ROUNDING, _BY_PROBABILITIES, _of_probabilities(_mixed), "probabilities"),
        (
            _binary_form(
                CANCELLATION, _BY_PROBABILITIES, _of_probabilities(_less_than_1), "probabilities", passes=False
            ),
        ),
        elementwise=True,
    ),
)
