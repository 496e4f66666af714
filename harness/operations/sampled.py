"""Losses over each row's labels and a given sample of the classes: sampled softmax, noise-contrastive estimation.

A row has T labels, and all rows have the same S sampled classes. The logit of a class is h . w + b - log(q), q how
often it is expected among the samples. A sampled class that is one of the row's labels is an accidental hit,
which may be left out. Labels share a mass of 1.
https://www.tensorflow.org/extras/candidate_sampling.pdf
"""

from __future__ import annotations

from collections.abc import Callable

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
    undefined,
)
from harness.operations.linear import (
    FEATURES,
    HIDDEN,
    KERNEL,
    PlainSoftmax,
    Softmax,
    dots,
    expanded_before,
    linear_objection,
    of_products,
)
from harness.operations.losses import UPSTREAM_INPUT
from harness.operations.real import Call, Program, Real, Shape, expanded, shared

INPUTS = (
    HIDDEN,
    KERNEL,
    Input("biases", differentiable=True, extent="call"),
    Input("labels", kind="index"),
    Input("samples", kind="index", extent="call"),
    Input("true_expected"),
    Input("sampled_expected", extent="call"),
    UPSTREAM_INPUT,
)
HITS = "remove_accidental_hits"

# classes of each row: its labels, then the samples


def _joined(of_labels: Array, of_samples: Array) -> Array:
    rows = of_labels.shape[0]
    return np.concatenate([of_labels, np.broadcast_to(of_samples, (rows, len(of_samples)))], axis=1)


@shared
def _classes(call: Call) -> Array:
    return _joined(call.inputs["labels"], call.inputs["samples"])


@shared
def _removed(call: Call) -> Array:
    """Which classes of each row are left out."""
    labels, samples = call.inputs["labels"], call.inputs["samples"]
    hits = (labels[:, :, np.newaxis] == samples).any(axis=1) & bool(call.parameters[HITS])
    return np.concatenate([np.zeros(labels.shape, dtype=bool), hits], axis=1)


@shared
def _expected(call: Call) -> Array:
    return _joined(call.inputs["true_expected"], call.inputs["sampled_expected"])


@shared
def _weights(call: Call) -> Real:
    """Of each row's classes."""
    return call.real("kernel").shaped(lambda a: a[_classes(call)])


@shared
def _seeming(call: Call) -> Array:
    classes, inputs = _classes(call), call.inputs
    with np.errstate(all="ignore"):
        found = dots(inputs["hidden"][:, np.newaxis, :], inputs["kernel"][classes], inputs["biases"][classes])
        return np.where(_removed(call), -np.inf, found - np.log(_expected(call)))


@shared
def _logits(call: Call) -> Real:
    biases = call.real("biases").shaped(lambda a: a[_classes(call)])
    corrected = biases - call.exactly(_expected(call)).log()
    hidden = expanded_before(call.real("hidden"))
    return of_products(call, hidden, _weights(call), corrected, _seeming(call)).where(~_removed(call), -np.inf)


@shared
def _labels(call: Call) -> Real:
    """1 / T of each label, 0 of each sample."""
    rows, labels = call.inputs["labels"].shape
    unit = np.broadcast_to(np.arange(_classes(call).shape[1]) < labels, (rows, _classes(call).shape[1]))
    return call.exactly(unit.astype(np.float64)) / float(labels)


# sampled softmax


@shared
def _softmax(call: Call) -> Softmax:
    return Softmax(call, _logits(call), _seeming(call))


@shared
def _plain(call: Call) -> PlainSoftmax:
    return PlainSoftmax(call, _logits(call), _seeming(call))


def _cross_entropy(log_p: Callable[[Call], Real]) -> Program:
    """-sum z log p."""
    return lambda call: -(_labels(call) * log_p(call)).sum()


def _softmax_slopes(call: Call) -> Real:
    return _softmax(call).slopes(_labels(call))


def _plain_softmax_slopes(call: Call) -> Real:
    return _plain(call).slopes(_labels(call))


# noise-contrastive estimation


@shared
def _tails(call: Call) -> Real:
    """exp(-|x|)."""
    return (-abs(_logits(call))).exp()


def _contrast(call: Call) -> Real:
    """Sum z softplus(-x) + (1 - z) softplus(x)."""
    x, z, tail = _logits(call), _labels(call), _tails(call).log1p()
    return (z * ((-x).maximum(0.0) + tail) + (1.0 - z) * (x.maximum(0.0) + tail)).sum()


def _plain_contrast(call: Call) -> Real:
    """Sum max(x, 0) - x z + log1p(exp(-|x|))."""
    x = _logits(call)
    return (x.maximum(0.0) - x * _labels(call) + _tails(call).log1p()).sum()


def _sigmoid(call: Call, x: Real) -> Real:
    """exp(min(x, 0)) / (1 + exp(-|x|))."""
    return x.minimum(0.0).exp() / (1.0 + _tails(call))


def _contrast_slopes(call: Call) -> Real:
    """(1 - z) s(x) - z s(-x)."""
    x, z = _logits(call), _labels(call)
    return ((1.0 - z) * _sigmoid(call, x) - z * _sigmoid(call, -x)).where(~_removed(call), 0.0)


def _plain_contrast_slopes(call: Call) -> Real:
    """s(x) - z."""
    return (_sigmoid(call, _logits(call)) - _labels(call)).where(~_removed(call), 0.0)


# gradients


def _through(slopes: Program) -> dict[str, Program]:
    """Gradients with respect to what logits are made of, from slopes by logits."""

    def behind(call: Call) -> Real:
        ahead = expanded(call.real(UPSTREAM)) if UPSTREAM in call.inputs else 1.0
        found: Real = call.once(("behind", slopes), lambda: call.run(slopes) * ahead)
        return found

    def by_class(call: Call) -> Real:
        """A row for each class, of all rows' classes."""
        numbers, named = np.arange(len(call.inputs["kernel"]))[:, np.newaxis], _classes(call).reshape(-1)
        flat = behind(call).shaped(lambda a: np.broadcast_to(a.reshape(-1), (len(numbers), a.size)))
        return flat.where(numbers == named, 0.0)

    def by_kernel(call: Call) -> Real:
        features = call.real("hidden").shaped(lambda a: np.repeat(a, _classes(call).shape[1], axis=0).T)
        return (expanded_before(by_class(call)) * features).sum()

    def by_hidden(call: Call) -> Real:
        return (expanded_before(behind(call)) * _weights(call).shaped(lambda a: np.swapaxes(a, -1, -2))).sum()

    return {"hidden": by_hidden, "kernel": by_kernel, "biases": lambda call: by_class(call).sum()}


def _outputs(value: Output, exact: Program, plain: Program) -> dict[str, Output]:
    ways = (_through(exact), _through(plain))
    slopes = {
        gradient(name): Output(program, (Form(ROUNDING, program, passes=False), Form(SHIFT, ways[1][name])))
        for name, program in ways[0].items()
    }
    return {VALUE: value, **slopes}


# the domain


def _region(inputs: Inputs, _parameters: Parameters) -> Region:
    objection = linear_objection(inputs) or _shapes_objection(inputs)
    if objection:
        return undefined(objection)
    classes = inputs["kernel"].shape[0]
    for name in ("labels", "samples"):
        outside = inputs[name][(inputs[name] < 0) | (inputs[name] >= classes)]
        if outside.size:
            return undefined(f"{int(outside[0])} of the {name} is no class of 0..{classes - 1}")
    for name in ("true_expected", "sampled_expected"):
        if not np.all(inputs[name] > 0):
            return undefined(f"{name} isn't above 0: its logarithm is subtracted")
    return INSIDE


def _shapes_objection(inputs: Inputs) -> str:
    hidden, labels, samples = inputs["hidden"], inputs["labels"], inputs["samples"]
    if hidden.ndim != 2 or labels.ndim != 2 or len(labels) != len(hidden) or not labels.shape[1]:  # noqa: PLR2004 - rows
        return f"labels have shape {list(labels.shape)}, hidden {list(hidden.shape)}: some labels for each row"
    if samples.ndim != 1:
        return f"samples have shape {list(samples.shape)}: one list for all rows"
    for name, of in (("true_expected", labels), ("sampled_expected", samples)):
        if inputs[name].shape != of.shape:
            return f"{name} has shape {list(inputs[name].shape)}: one for each of {list(of.shape)}"
    return ""


def _shape(inputs: Inputs, _parameters: Parameters) -> Shape:
    return inputs["hidden"].shape[:1]


def _parameters(*, removed: bool) -> tuple[Parameter, ...]:
    return FEATURES, Parameter(HITS, removed, choices=(False, True))


_EXACT, _SHIFTED = _cross_entropy(lambda call: _softmax(call).log_p), _cross_entropy(lambda call: _plain(call).log_p)
_BY_LSE = _cross_entropy(lambda call: _plain(call).lse_log_p)

OPERATIONS = (
    Operation(
        "sampled_softmax_cross_entropy",
        "-sum z log(softmax(x)) over labels and samples, x = h . kernel + b - log(expected), z = 1 / T",
        INPUTS,
        _parameters(removed=True),
        _region,
        _shape,
        _outputs(
            Output(
                _EXACT, (Form(ROUNDING, _EXACT, passes=False), Form(SHIFT, _SHIFTED), Form(LSE, _BY_LSE, passes=False))
            ),
            _softmax_slopes,
            _plain_softmax_slopes,
        ),
    ),
    Operation(
        "noise_contrastive_estimation",
        "-sum z log(s(x)) + (1 - z) log(s(-x)) over labels and samples, x = h . kernel + b - log(expected), z = 1 / T",
        INPUTS,
        _parameters(removed=False),
        _region,
        _shape,
        _outputs(
            Output(_contrast, (Form(ROUNDING, _contrast), Form(SHIFT, _plain_contrast))),
            _contrast_slopes,
            _plain_contrast_slopes,
        ),
    ),
)
