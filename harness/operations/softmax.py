"""The softmax family: p_i = exp(x_i) / sum_j exp(x_j) along the class axis.

By limit, one infinite logit takes all the mass and -inf classes have none; a row whose logits are
all -inf, or of which several are +inf, has no limit and is NaN.

Programs have the class axis last. d = x - max(x), e = exp(d), s = sum e; `rest` is a sum without one
of its terms, formed without subtracting it from the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from harness.model.case import Array, Inputs, Parameters
from harness.operations.base import (
    INSIDE,
    LSE,
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
from harness.operations.losses import SMOOTHING, UPSTREAM_INPUT, Locator, LossForm, label_region, loss, smoothed
from harness.operations.real import Call, Exponentials, Program, Real, Shape, expanded, of_row, shared
from harness.operations.reductions import CLASS_WEIGHTS, IGNORE_INDEX, indices, kept

HALF = 0.5

LOGITS = Input("logits", differentiable=True)
LABELS = Input("labels", differentiable=True)
INDICES = Input("labels", kind="index")
AXIS = Parameter("axis", -1)


def rows(call: Call, name: str) -> Array:
    """An input with the class axis last."""
    return np.moveaxis(call.inputs[name], int(call.parameters["axis"]), -1)


@of_row
def _whole_logits(call: Call) -> Array:
    """Logits by limit: an infinite one is 0 among -inf; several have no limit."""
    x = rows(call, "logits")
    if np.max(x, initial=0.0) < np.inf:
        return x
    infinite = np.isposinf(x)
    by_limit = np.where(infinite, 0.0, -np.inf)
    by_limit = np.where(np.sum(infinite, axis=-1, keepdims=True) > 1, np.nan, by_limit)
    return np.where(infinite.any(axis=-1, keepdims=True) & ~np.isnan(x), by_limit, x)


def _logits(call: Call) -> Array:
    return call.part(_whole_logits(call))


@of_row
def largest(call: Call) -> Array:
    """Each row's largest logit, with a last axis of length 1."""
    return np.max(_logits(call), axis=-1, keepdims=True)


@of_row
def _leader(call: Call) -> Array:
    """The number of the first of each row's largest logits."""
    return np.argmax(_logits(call), axis=-1)


@shared
def _leads(call: Call) -> Array:
    return _is_class(call, _leader(call))


def _is_class(call: Call, numbers: Array) -> Array:
    """Where each row's class of that number stands."""
    return call.numbers(_logits(call).shape[-1]) == numbers[..., np.newaxis]


@shared
def _d(call: Call) -> Real:
    """x - max(x)."""
    return call.exactly(_logits(call)) - call.exactly(largest(call))


@shared
def _e(call: Call) -> Real:
    return _d(call).exp()


@of_row
def _exponentials(call: Call) -> Exponentials:
    return call.exponentials(_logits(call), largest(call), _leader(call))


@of_row
def _sums(call: Call) -> tuple[Real, Real]:
    return _exponentials(call).sums()


def others(call: Call) -> Real:
    """s - 1: the sum of e without its largest term, which is exp(0)."""
    return _sums(call)[0]


@of_row
def _s(call: Call) -> Real:
    return 1.0 + others(call)


def _sum(call: Call) -> Real:
    """s as it is summed: partial sums are rounded at the largest term's size, not at the others'."""
    return _sums(call)[1]


@of_row
def log_sum(call: Call) -> Real:
    """log(s)."""
    return _sum(call).log()


@shared
def _rest(call: Call) -> Real:
    """The sum of e without e_i."""
    return _without(_e(call), _leads(call), others(call))


def _without(e: Real, leads: Array, rest: Real) -> Real:
    return rest.where(leads, 1.0 + (rest - e))


class Classes(NamedTuple):
    """Classes that a logarithm is wanted of: all of each row, or one.

    Attributes:
        d: their logits less the row's largest.
        row: what a row has in common, in their shape.
    """

    logits: Real
    d: Real
    row: Callable[[Real], Real]


@shared
def all_classes(call: Call) -> Classes:
    """Every class of each row."""
    return Classes(call.exactly(_logits(call)), _d(call), lambda real: real)


@of_row
def _labelled(call: Call) -> Classes:
    """The class that each row's label names."""
    numbers = np.take_along_axis(_logits(call), _labels(call)[..., np.newaxis], axis=-1)
    x = squeezed(call.exactly(numbers))
    return Classes(x, x - squeezed(call.exactly(largest(call))), squeezed)


def squeezed(real: Real) -> Real:
    """A last axis of length 1 taken away."""
    return real.shaped(lambda a: a[..., 0])


@of_row
def _labels(call: Call) -> Array:
    """Index labels."""
    return indices(call.inputs, call.parameters)


LogForm = Callable[[Call, Classes], Real]


def _log_p(call: Call, of: Classes) -> Real:
    """d - log1p(s - 1)."""
    return of.d - of.row(others(call).log1p())


def _shifted_log_p(call: Call, of: Classes) -> Real:
    """d - log(s): loses what 1 swallows of s."""
    return of.d - of.row(log_sum(call))


def lse_log_p(call: Call, of: Classes) -> Real:
    """x - (max + log(s)): loses what max swallows of log(s)."""
    return of.logits - of.row(call.exactly(largest(call)) + log_sum(call))


@shared
def probabilities(call: Call) -> Real:
    """e_i / (1 + (s - 1))."""
    return _shares(call)(_terms(call))


@shared
def quotient(call: Call) -> Real:
    """e_i / s."""
    return _shares_of_sum(call)(_terms(call))


@shared
def _terms(call: Call) -> Any:
    return _exponentials(call).terms(call.part)


@of_row
def _shares(call: Call) -> Callable[[Any], Real]:
    return _exponentials(call).shares(_s(call))


@of_row
def _shares_of_sum(call: Call) -> Callable[[Any], Real]:
    return _exponentials(call).shares(_sum(call))


@of_row
def _powers(call: Call) -> Callable[[Any], Real]:
    return _exponentials(call).powers(log_sum(call))


@shared
def _exponential(call: Call) -> Real:
    """p = exp(log p), as from a saved log-softmax."""
    return _powers(call)(_terms(call))


_LOG_FORMS: tuple[tuple[str, LogForm, bool], ...] = (
    (ROUNDING, _log_p, True),
    (SHIFT, _shifted_log_p, True),
    (LSE, lse_log_p, False),
)


@shared
def other_probabilities(call: Call) -> Real:
    """1 - p; where p is the larger part, the share of the other classes."""
    return small_rest(probabilities(call), _rest(call) / _s(call))


def small_rest(part: Real, rest: Real) -> Real:
    """1 - part: where the part is at most a half, a subtraction loses less than two sums and their quotient."""
    return rest.guarded(part - HALF, 1.0 - part)


@shared
def log_probabilities(call: Call) -> Real:
    """log p, without cancellation."""
    return _log_p(call, all_classes(call))


def impossible(call: Call) -> Array:
    """Where p is 0 by limit."""
    return np.isneginf(_logits(call))


def _whole(log_p: LogForm) -> Program:
    return lambda call: log_p(call, all_classes(call))


def _classes(call: Call) -> int:
    return int(_whole_logits(call).shape[-1])


@shared
def _smoothed(call: Call) -> Real:
    """Labels of each class, smoothed."""
    if call.inputs["labels"].dtype.kind in "iu":
        unit = _is_class(call, _labels(call)).astype(np.float64)
        return smoothed(call, call.exactly(unit), _classes(call))
    return smoothed(call, call.exactly(rows(call, "labels")), _classes(call))


@shared
def _dense(call: Call) -> Real:
    """Labels of each class, smoothed, times class weights."""
    return _by_class_weights(call, _smoothed(call))


def _by_class_weights(call: Call, real: Real) -> Real:
    """Numbers of each class, times its weight."""
    return call.real("class_weights") * real if "class_weights" in call.inputs else real


def by_label_weight(call: Call, real: Real) -> Real:
    """Numbers of each row, times the class weight of its label; with classes on the last axis, all of them."""
    if "class_weights" not in call.inputs:
        return real
    weights = call.real("class_weights").shaped(lambda a: a[_labels(call)])
    return (weights if weights.shape == real.shape else expanded(weights)) * real


@of_row
def _mass(call: Call) -> Real:
    return _dense(call).sum(keepdims=True)


def _dense_losses(log_p: LogForm) -> Program:
    """-sum z log p."""
    return lambda call: -(_dense(call) * log_p(call, all_classes(call))).sum()


def _dense_slopes(call: Call) -> Real:
    """(e_i sum_{j != i} z_j - z_i sum_{j != i} e_j) / s, which is S_z p - z without its cancellation."""
    z = _dense(call)
    return (_e(call) * (_mass(call) - z) - z * _rest(call)) / _s(call)


def _plain_dense_slopes(call: Call) -> Real:
    """S_z p - z."""
    return _mass(call) * _exponential(call) - _dense(call)


def _label_slopes(log_p: LogForm) -> Program:
    """-log p, times class weights."""
    return lambda call: _by_class_weights(call, -log_p(call, all_classes(call)))


def _class_weight_slopes(log_p: LogForm) -> Program:
    """-z log p."""
    return lambda call: -(_smoothed(call) * log_p(call, all_classes(call)))


def _smooth(call: Call) -> bool:
    return call.parameters.get("label_smoothing", 0.0) != 0


def _sparse_losses(log_p: LogForm) -> Program:
    """-log p_k."""
    dense = _dense_losses(log_p)

    def program(call: Call) -> Real:
        return dense(call) if _smooth(call) else by_label_weight(call, -log_p(call, _labelled(call)))

    return program


def _at_label(call: Call, label: Program, elsewhere: Real) -> Real:
    """A number for each row at its label, and one for each class elsewhere."""
    *rows, classes = places = call.places(_labels(call))
    if not classes.size:
        return elsewhere
    return elsewhere.replaced(places, label(call).shaped(lambda a: a[tuple(rows)]))


def _sparse_slopes(call: Call) -> Real:
    """e_i / s, and -(s - e_k) / s at the label."""
    if _smooth(call):
        return _dense_slopes(call)
    return by_label_weight(call, _at_label(call, _label_slope, probabilities(call)))


@of_row
def _label_slope(call: Call) -> Real:
    return -_label_rest(call) / squeezed(_s(call))


@of_row
def _label_rest(call: Call) -> Real:
    """The sum of e without the label's."""
    leads = _labels(call) == _leader(call)
    return _without(_labelled(call).d.exp(), leads, squeezed(others(call)))


def _plain_sparse_slopes(call: Call) -> Real:
    """p - 1 at the label."""
    if _smooth(call):
        return _plain_dense_slopes(call)
    return by_label_weight(call, _at_label(call, _plain_label_slope, _exponential(call)))


@of_row
def _plain_label_slope(call: Call) -> Real:
    return _shifted_log_p(call, _labelled(call)).exp() - 1.0


@shared
def _ahead(call: Call) -> Real:
    """The upstream gradient with the class axis last; ones if there is none."""
    if UPSTREAM in call.inputs:
        return call.exactly(rows(call, UPSTREAM))
    return call.exactly(np.ones_like(rows(call, "logits")))


def _softmax_slopes(call: Call) -> Real:
    """p_i sum_j p_j (u_i - u_j), with u less its first entry: a constant one gives exactly 0."""
    return probabilities(call) * (_less_first(call) - _mean_less_first(call))


@shared
def _less_first(call: Call) -> Real:
    return _ahead(call) - _ahead(call.whole).shaped(lambda a: a[..., :1])


@of_row
def _mean_less_first(call: Call) -> Real:
    return (probabilities(call) * _less_first(call)).sum(keepdims=True)


def _plain_softmax_slopes(call: Call) -> Real:
    """p (u - sum u p)."""
    return quotient(call) * (_ahead(call) - _mean_ahead(call))


@of_row
def _mean_ahead(call: Call) -> Real:
    return (_ahead(call) * quotient(call)).sum(keepdims=True)


def _log_softmax_slopes(call: Call) -> Real:
    """(u_i sum_{j != i} e_j - e_i sum_{j != i} u_j) / s."""
    u = _ahead(call)
    return (u * _rest(call) - _e(call) * (_sum_ahead(call) - u)) / _s(call)


@of_row
def _sum_ahead(call: Call) -> Real:
    return _ahead(call).sum(keepdims=True)


def _plain_log_softmax_slopes(call: Call) -> Real:
    """u - p sum u."""
    return _ahead(call) - _exponential(call) * _sum_ahead(call)


# Gradients by logits as functions of their own: their slopes, times upstream, are double backward.


def _curvatures(call: Call) -> Real:
    """S_z p_i sum_j p_j (u_i - u_j): the Hessian times u."""
    return _times_mass(call, _softmax_slopes(call))


def _plain_curvatures(call: Call) -> Real:
    """S_z p (u - sum u p), of p = exp(log p)."""
    return _times_mass(call, _exponential(call) * (_ahead(call) - _mean_by_exponentials(call)))


def _times_mass(call: Call, slopes: Real) -> Real:
    return slopes if call.inputs["labels"].dtype.kind in "iu" else _mass(call) * slopes


@of_row
def _mean_by_exponentials(call: Call) -> Real:
    return (_ahead(call) * _exponential(call)).sum(keepdims=True)


def _mixed_slopes(call: Call) -> Real:
    """Sum u p - u_i, with u less its first entry."""
    return _mean_less_first(call) - _less_first(call)


def _plain_mixed_slopes(call: Call) -> Real:
    """Sum u p - u_i."""
    return _mean_by_exponentials(call) - _ahead(call)


def class_axis_region(inputs: Inputs, parameters: Parameters, leading: str) -> Region:
    """Whether the leading input has the class axis, with at least one class on it."""
    shape, axis = inputs[leading].shape, int(parameters["axis"])
    if not -len(shape) <= axis < len(shape):
        return undefined(f"{leading} have shape {list(shape)}: no axis {axis}")
    return undefined("no classes: the class axis has length 0") if shape[axis] == 0 else INSIDE


def dense_region(inputs: Inputs, parameters: Parameters, leading: str) -> Region:
    """Dense labels have the leading input's shape."""
    found = class_axis_region(inputs, parameters, leading)
    objection = found.reason or same_shape(inputs, leading, "labels") or class_weights_objection(inputs, parameters)
    return undefined(objection) if objection else label_region(inputs["labels"], rows_on_axis=int(parameters["axis"]))


def sparse_region(inputs: Inputs, parameters: Parameters, leading: str) -> Region:
    """Index labels have the leading input's shape without its class axis, and name a class unless they are ignored."""
    found = class_axis_region(inputs, parameters, leading)
    if found.reason:
        return found
    shape, labels, axis = inputs[leading].shape, inputs["labels"], int(parameters["axis"])
    expected = tuple(np.delete(shape, axis).tolist())
    if labels.shape != expected:
        return undefined(f"labels have shape {list(labels.shape)}: one index a row is {list(expected)}")
    if objection := class_weights_objection(inputs, parameters):
        return undefined(objection)
    counted = kept(inputs, parameters)
    labels = labels if counted is None else labels[counted]
    outside = labels[(labels < 0) | (labels >= shape[axis])]
    return undefined(f"label {int(outside[0])} is no class of 0..{shape[axis] - 1}") if outside.size else INSIDE


def class_weights_objection(inputs: Inputs, parameters: Parameters) -> str:
    """Why class weights aren't one for each class; "" if they are, or there are none."""
    leading, given = next(iter(inputs.values())), inputs.get("class_weights")
    if given is None or given.shape == (classes := leading.shape[int(parameters["axis"])],):
        return ""
    return f"class_weights have shape {list(given.shape)}: one for each class is [{classes}]"


def _logits_region(inputs: Inputs, parameters: Parameters) -> Region:
    return class_axis_region(inputs, parameters, "logits")


def _dense_logits(inputs: Inputs, parameters: Parameters) -> Region:
    return dense_region(inputs, parameters, "logits")


def _sparse_logits(inputs: Inputs, parameters: Parameters) -> Region:
    return sparse_region(inputs, parameters, "logits")


def _same(inputs: Inputs, _parameters: Parameters) -> Shape:
    return inputs["logits"].shape


@cache
def last_axis_back(program: Program) -> Program:
    """The class axis where the call has it."""
    return lambda call: program(call).shaped(lambda a: np.moveaxis(a, -1, int(call.parameters["axis"])))


def _primitive(
    name: str,
    formula: str,
    value: tuple[Program, Sequence[Form]],
    slopes: tuple[Program, Sequence[Form]],
) -> Operation:
    outputs = {
        output: Output(last_axis_back(exact), tuple(Form(f.name, last_axis_back(f.program), f.passes) for f in forms))
        for output, (exact, forms) in ((VALUE, value), (gradient("logits"), slopes))
    }
    inputs = (LOGITS, UPSTREAM_INPUT)
    return Operation(name, formula, inputs, (AXIS,), _logits_region, _same, outputs, by_pieces=True)


def _gradient_of(name: str, labels: Input, region: Locator, slopes: tuple[Program, Program]) -> Operation:
    """The gradient of a cross-entropy by logits, and its own gradients."""
    programs = {VALUE: slopes, gradient("logits"): (_curvatures, _plain_curvatures)}
    if labels.differentiable:
        programs[gradient("labels")] = (_mixed_slopes, _plain_mixed_slopes)
    outputs = {
        output: Output(
            last_axis_back(exact),
            (Form(ROUNDING, last_axis_back(exact), passes=False), Form(SHIFT, last_axis_back(plain))),
        )
        for output, (exact, plain) in programs.items()
    }
    formula = "softmax(x) - unit vector of the label" if labels.kind == "index" else "softmax(x) sum(z) - z"
    inputs = (LOGITS, labels, UPSTREAM_INPUT)
    return Operation(name + "_gradient", formula, inputs, (AXIS,), region, _same, outputs, by_pieces=True)


def _linear_slopes(log_p: LogForm, *, labels: bool) -> dict[str, Program]:
    """With respect to what a loss is linear in: class weights, and labels that aren't indices."""
    return {"class_weights": _class_weight_slopes(log_p), **({"labels": _label_slopes(log_p)} if labels else {})}


def _loss_forms(
    losses: Callable[[LogForm], Program], slopes: tuple[Program, Program], *, labels: bool
) -> list[LossForm]:
    """Forms of a cross-entropy by those of log p, and of its slopes by those of p: exact, and plain.

    Nobody computes the exact slopes' two sums apart, which may lose more than one: they allow nothing.
    """
    exact_slopes, plain_slopes = slopes
    return [
        LossForm(ROUNDING, slopes={"logits": exact_slopes}, passes=False),
        *(
            LossForm(name, losses(log_p), _linear_slopes(log_p, labels=labels), passes)
            for name, log_p, passes in _LOG_FORMS[1:]
        ),
        LossForm(SHIFT, slopes={"logits": plain_slopes}),
    ]


OPERATIONS = (
    _primitive(
        "softmax",
        "exp(x_i) / sum exp(x)",
        (probabilities, (Form(ROUNDING, quotient),)),
        (_softmax_slopes, (Form(ROUNDING, _softmax_slopes, passes=False), Form(SHIFT, _plain_softmax_slopes))),
    ),
    _primitive(
        "log_softmax",
        "x_i - log(sum exp(x))",
        (_whole(_log_p), tuple(Form(name, _whole(log_p), passes) for name, log_p, passes in _LOG_FORMS)),
        (
            _log_softmax_slopes,
            (
                Form(ROUNDING, _log_softmax_slopes, passes=False),
                Form(SHIFT, _plain_log_softmax_slopes),
            ),
        ),
    ),
    loss(
        "softmax_cross_entropy",
        "-sum w z log(softmax(x)), w = class_weights",
        (LOGITS, LABELS, CLASS_WEIGHTS),
        (AXIS, SMOOTHING),
        _dense_logits,
        LossForm(ROUNDING, _dense_losses(_log_p), _linear_slopes(_log_p, labels=True)),
        _loss_forms(_dense_losses, (_dense_slopes, _plain_dense_slopes), labels=True),
        by_pieces=True,
    ),
    loss(
        "sparse_softmax_cross_entropy",
        "-w_k log(softmax(x)_k), k = label, w = class_weights",
        (LOGITS, INDICES, CLASS_WEIGHTS),
        (AXIS, SMOOTHING, IGNORE_INDEX),
        _sparse_logits,
        LossForm(ROUNDING, _sparse_losses(_log_p), _linear_slopes(_log_p, labels=False)),
        _loss_forms(_sparse_losses, (_sparse_slopes, _plain_sparse_slopes), labels=False),
        by_pieces=True,
    ),
    _gradient_of("softmax_cross_entropy", LABELS, _dense_logits, (_dense_slopes, _plain_dense_slopes)),
    _gradient_of("sparse_softmax_cross_entropy", INDICES, _sparse_logits, (_sparse_slopes, _plain_sparse_slopes)),
)
