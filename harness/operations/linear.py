"""Cross-entropy of a linear layer's logits: x_c = h . w_c + b_c, with features h, kernel w and biases b.

One call makes the logits and takes their loss, so that they need not be kept. Features have their axis
last, and the kernel has the classes first. Logits are known no better than their sums of products:
exact programs take differences from the row's largest, algorithms from a number that is as large.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from harness.model.case import Array, Inputs, Parameters
from harness.operations.base import INSIDE, LSE, ROUNDING, SHIFT, Input, Parameter, Region, undefined
from harness.operations.losses import SMOOTHING, LossForm, loss, scaled, smoothed
from harness.operations.real import Call, Program, Real, shared
from harness.operations.reductions import CLASS_WEIGHTS, IGNORE_INDEX, counted_only, indices, kept

HIDDEN = Input("hidden", differentiable=True)
KERNEL = Input("kernel", differentiable=True, extent="call")
BIASES = Input("biases", optional=True, differentiable=True, extent="call")
FEATURES = Parameter("axis", -1, choices=(-1,))
"""The axis of the features, which a loss has no longer: always the last one."""

BEYOND = 1040
"""Binary digits by which products of numbers that float64 holds may be above its range, and a sum of many."""

LogForm = Callable[[Call], Real]


def by_limit(logits: Array) -> Array:
    """Logits of which an infinite one is 0 among -inf; several have no limit."""
    infinite = np.isposinf(logits)
    alone = np.where(infinite, 0.0, -np.inf)
    alone = np.where(np.sum(infinite, axis=-1, keepdims=True) > 1, np.nan, alone)
    return np.where(infinite.any(axis=-1, keepdims=True) & ~np.isnan(logits), alone, logits)


def dots(hidden: Array, kernel: Array, biases: Array) -> Array:
    """Sums of products along the last axis, and biases: as they seem in float64, divided by 2**BEYOND if they overflow.

    Good for choosing the largest and for seeing infinities, and no more.
    """
    with np.errstate(all="ignore"):
        plain = np.sum(_products(hidden, kernel, 0), axis=-1) + biases
        if np.isfinite(plain).all():
            return plain
        return np.asarray(np.sum(_products(hidden, kernel, BEYOND), axis=-1) + np.ldexp(biases, -BEYOND))


def _products(first: Array, second: Array, down: int) -> Array:
    """Products divided by a power of two, without leaving the range on the way; 0 times infinity is 0."""
    (a, p), (b, q) = np.frexp(first), np.frexp(second)
    nothing = (first == 0) & ~np.isnan(second) | (second == 0) & ~np.isnan(first)
    return np.where(nothing, 0.0, np.ldexp(a * b, p + q - down))


def of_products(call: Call, hidden: Real, kernel: Real, biases: Real | float, seeming: Array) -> Real:
    """Logits, infinite ones by limit: numbers of the last axis times one another, summed, and biases."""
    found = (hidden * kernel).sum() + biases
    infinite = np.asarray(np.isposinf(seeming).any(axis=-1, keepdims=True))
    return found.where(~infinite, call.exactly(by_limit(seeming))) if infinite.any() else found


@shared
def _seeming(call: Call) -> Array:
    return dots(
        call.inputs["hidden"][..., np.newaxis, :], call.inputs["kernel"], call.inputs.get("biases", np.zeros(1))
    )


@shared
def _logits(call: Call) -> Real:
    biases = call.real("biases") if "biases" in call.inputs else 0.0
    return of_products(call, expanded_before(call.real("hidden")), call.real("kernel"), biases, _seeming(call))


def expanded_before(real: Real) -> Real:
    """An axis of length 1 added before the last one."""
    return real.shaped(lambda a: a[..., np.newaxis, :])


# softmax of logits that are known nearly


class Softmax:
    """Rows of inexact logits, with what they seem.

    Args:
        logits: infinite ones by limit.
        seeming: the same, nearly: infinities as they are.
    """

    def __init__(self, call: Call, logits: Real, seeming: Array) -> None:
        self._call, self._x = call, logits
        self._seeming = by_limit(seeming)
        leader = np.argmax(self._seeming, axis=-1)[..., np.newaxis]
        self._leads = (np.arange(seeming.shape[-1]) == leader) & np.isfinite(self._seeming)
        largest = logits.shaped(lambda a: np.take_along_axis(a, leader, axis=-1))
        self.d = (logits - largest).where(~self._leads, 0.0)
        self.e = self.d.exp().where(~np.isneginf(self._seeming), 0.0)
        self.others = self.e.where(~self._leads, 0.0).sum(keepdims=True)
        self.rest = self.others.shaped(lambda a: np.broadcast_to(a, seeming.shape)).where(
            self._leads, 1.0 + (self.others - self.e)
        )

    @property
    def log_p(self) -> Real:
        """d - log1p(s - 1)."""
        return self.d - self.others.log1p()

    def slopes(self, labels: Real) -> Real:
        """(e_i sum_{j != i} z_j - z_i sum_{j != i} e_j) / s: of -sum z log p with respect to each logit."""
        mass = labels.sum(keepdims=True)
        return (self.e * (mass - labels) - labels * self.rest) / (1.0 + self.others)


class PlainSoftmax:
    """The same as algorithms have it: a number as large as the largest logit, whatever it is exactly, cancels out."""

    def __init__(self, call: Call, logits: Real, seeming: Array) -> None:
        self._x = logits
        with np.errstate(invalid="ignore"):
            self._shift = call.exactly(np.max(by_limit(seeming), axis=-1, keepdims=True))
        self._d = logits - self._shift
        self._log_sum = self._d.exp().sum(keepdims=True).log()

    @property
    def log_p(self) -> Real:
        """d - log(s): loses what 1 swallows of s."""
        return self._d - self._log_sum

    @property
    def lse_log_p(self) -> Real:
        """x - (max + log(s)): loses what max swallows of log(s)."""
        return self._x - (self._shift + self._log_sum)

    def slopes(self, labels: Real) -> Real:
        """S_z p - z, p = exp(log p)."""
        return labels.sum(keepdims=True) * self.log_p.exp() - labels


@shared
def _softmax(call: Call) -> Softmax:
    return Softmax(call, _logits(call), _seeming(call))


@shared
def _plain(call: Call) -> PlainSoftmax:
    return PlainSoftmax(call, _logits(call), _seeming(call))


# labels


@shared
def _smoothed(call: Call) -> Real:
    """Labels of each class, smoothed."""
    classes = call.inputs["kernel"].shape[0]
    unit = indices(call.inputs, call.parameters)[..., np.newaxis] == np.arange(classes)
    return smoothed(call, call.exactly(unit.astype(np.float64)), classes)


@shared
def _dense(call: Call) -> Real:
    """Labels of each class, smoothed, times class weights."""
    return call.real("class_weights") * _smoothed(call) if "class_weights" in call.inputs else _smoothed(call)


# the loss and its slopes


def _losses(log_p: LogForm) -> Program:
    """-sum z log p."""
    return lambda call: -(_dense(call) * log_p(call)).sum()


def _class_weight_slopes(log_p: LogForm) -> Program:
    """-z log p."""
    return lambda call: -(_smoothed(call) * log_p(call))


def _exact_slopes(call: Call) -> Real:
    return _softmax(call).slopes(_dense(call))


def _plain_slopes(call: Call) -> Real:
    return _plain(call).slopes(_dense(call))


def _through(slopes: Program) -> dict[str, Program]:
    """Gradients with respect to what logits are made of, from the losses' slopes by logits."""

    def behind(call: Call) -> Real:
        found: Real = call.once(("behind", slopes), lambda: scaled(call, call.run(slopes), "hidden"))
        return found

    def by_kernel(call: Call) -> Real:
        features = counted_only(call, call.real("hidden"), by_class=True)  # 0 times a row that is ignored
        return (expanded_before(_by_class(behind(call))) * _by_class(features)).sum()

    return {
        "hidden": lambda call: (expanded_before(behind(call)) * call.real("kernel").shaped(np.transpose)).sum(),
        "kernel": by_kernel,
        "biases": lambda call: _by_class(behind(call)).sum(),
    }


def _by_class(slopes: Real) -> Real:
    """A row for each class, or feature, of all losses."""
    return slopes.shaped(lambda a: a.reshape(math.prod(a.shape[:-1]), a.shape[-1]).T)


# the domain


def linear_objection(inputs: Inputs) -> str:
    """Why features, kernel and biases make no logits; "" if they do."""
    hidden, kernel, biases = inputs["hidden"], inputs["kernel"], inputs.get("biases")
    if hidden.ndim < 1 or kernel.ndim != 2:  # noqa: PLR2004 - classes and features
        return (
            f"hidden and kernel have shapes {list(hidden.shape)} and {list(kernel.shape)}: rows and [classes, features]"
        )
    if hidden.shape[-1] != kernel.shape[1]:
        return f"hidden have {hidden.shape[-1]} features, kernel {kernel.shape[1]}"
    if biases is not None and biases.shape != kernel.shape[:1]:
        return f"biases have shape {list(biases.shape)}: one for each class is [{kernel.shape[0]}]"
    return "" if kernel.shape[0] else "no classes: the kernel has no rows"


def _region(inputs: Inputs, parameters: Parameters) -> Region:
    if objection := linear_objection(inputs):
        return undefined(objection)
    labels, classes, given = inputs["labels"], inputs["kernel"].shape[0], inputs.get("class_weights")
    expected = inputs["hidden"].shape[:-1]
    if labels.shape != expected:
        return undefined(f"labels have shape {list(labels.shape)}: one index a row is {list(expected)}")
    if given is not None and given.shape != (classes,):
        return undefined(f"class_weights have shape {list(given.shape)}: one for each class is [{classes}]")
    counted = kept(inputs, parameters)
    labels = labels if counted is None else labels[counted]
    outside = labels[(labels < 0) | (labels >= classes)]
    return undefined(f"label {int(outside[0])} is no class of 0..{classes - 1}") if outside.size else INSIDE


def _form(name: str, log_p: LogForm, slopes: Program | None = None, *, passes: bool) -> LossForm:
    gradients = _through(slopes) if slopes else {}
    return LossForm(name, _losses(log_p), {"class_weights": _class_weight_slopes(log_p)}, passes, gradients)


OPERATIONS = (
    loss(
        "linear_cross_entropy",
        "-w_k log(softmax(x)_k), x = h . kernel + b, k = label, w = class_weights",
        (HIDDEN, KERNEL, Input("labels", kind="index"), BIASES, CLASS_WEIGHTS),
        (FEATURES, SMOOTHING, IGNORE_INDEX),
        _region,
        _form(ROUNDING, lambda call: _softmax(call).log_p, _exact_slopes, passes=False),
        (
            _form(SHIFT, lambda call: _plain(call).log_p, _plain_slopes, passes=True),
            _form(LSE, lambda call: _plain(call).lse_log_p, passes=False),
        ),
    ),
)
