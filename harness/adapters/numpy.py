"""The NumPy reference: the textbook-stable form of every operation, in the case's dtype.

A subject like any other, and the yardstick of what a careful but plain implementation attains:
the largest logit is shifted out, log(1 + e) is log1p, products with a zero label, weight or
upstream gradient are zero (0 log 0 = 0), and nothing is computed in a wider dtype. float16,
float32 and float64 are offered; NumPy has no bfloat16.

Input for which an operation is undefined raises ValueError.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple

import numpy as np

from harness.adapters import (
    ANY,
    Implementation,
    Tensor,
    UnsupportedError,
    focal,
    gradient_inputs,
    has_index_labels,
    leading_input,
    real_inputs,
    reference,
)
from harness.adapters.formulas import Formula, Primitives, by_hand, evaluate
from harness.adapters.reference import Array, Labels, Loss, Parameters, Reduction, gathered, times

FRAMEWORK = "numpy"
PACKAGES = ("numpy",)
DTYPES = ("float16", "float32", "float64")
INDICES = ("labels", "samples")
"""Inputs that are indices, where labels are."""

Arrays = Mapping[str, Array]


def start(threads: int) -> None:
    """Nothing to import, and no thread to pin: no BLAS is called."""


def call(
    implementation: Implementation,
    mode: str,
    inputs: Mapping[str, Tensor],
    parameters: Parameters,
    wanted: Sequence[str],
) -> Dict[str, Tensor]:
    """Run one call.

    Raises:
        ValueError: the operation is undefined for this input, or its dtypes differ.
    """
    arrays = {name: tensor.data for name, tensor in inputs.items()}
    _check_dtypes(implementation.operation, arrays)
    with np.errstate(all="ignore"):
        outputs = implementation.run(arrays, parameters, wanted)
    return {name: Tensor.of(outputs[name]) for name in wanted if name in outputs}


def _check_dtypes(operation: str, arrays: Arrays) -> None:
    """Refuse what isn't indices of an integer dtype, and all else of one floating dtype."""
    leading, indices = leading_input(operation), INDICES if has_index_labels(operation) else ()
    dtype = arrays[leading].dtype
    if dtype.kind != "f":
        raise ValueError(f"{leading} are {dtype}: floating numbers are needed")
    for name, array in arrays.items():
        if name in indices and array.dtype.kind not in "iu":
            raise ValueError(f"{name} are {array.dtype}: indices are integers")
        if name not in indices and array.dtype != dtype:
            raise ValueError(f"{name} are {array.dtype}, {leading} {dtype}")


def run_primitive(
    value: Callable[..., Array],
    vjp: Callable[..., Array],
    inputs: Arrays,
    parameters: Parameters,
    wanted: Sequence[str],
) -> Dict[str, Array]:
    """Run a function of the logits alone, with a class axis if its operation has one."""
    x, options = inputs["logits"], dict(parameters)
    if "axis" in options:
        options["axis"] = _class_axis(x, options["axis"])
    outputs = {"value": value(x, **options)}
    if gradient_inputs(wanted, inputs):
        outputs["gradient:logits"] = vjp(x, inputs.get("upstream", np.ones_like(outputs["value"])), **options)
    return outputs


def run_loss(
    loss: Loss, operation: str, inputs: Arrays, parameters: Parameters, wanted: Sequence[str]
) -> Dict[str, Array]:
    """Run a loss: check, smooth the labels, then losses and slopes, weighted and reduced."""
    _check_parameters(parameters)
    x, options = inputs[leading_input(operation)], dict(parameters)
    axis = options["axis"] = _class_axis(x, parameters["axis"]) if "axis" in parameters else None
    if "epsilon" in parameters and leading_input(operation) == "probabilities":
        _check_probabilities(x, parameters)
    z = _labels(x, inputs, axis, parameters, sparse=has_index_labels(operation))
    shape = x.shape if axis is None else x.shape[:axis] + x.shape[axis + 1 :]
    by_label = z.by_label(axis)
    reduction = Reduction.checked(parameters, inputs.get("weights"), by_label, z.kept, shape, x.dtype)
    losses, upstream = z.counted(loss.losses(x, z.dense, options)), inputs.get("upstream")
    outputs = {"value": reduction.value(losses)}
    for name in gradient_inputs(wanted, inputs):
        if name == "weights":
            gradient = gathered(reduction.weight_slopes(losses, by_label, upstream), inputs["weights"].shape)
        elif name == "class_weights":
            terms, unit = _classes_last(times(z.smoothed, loss.label_slopes(x, z.dense, options)), z.unit, axis)
            gradient = reduction.class_weight_slopes(losses, terms, unit, upstream)
        else:
            scale = reduction.spread(upstream)
            slopes = _label_slopes(loss, x, z, options) if name == "labels" else loss.slopes(x, z.dense, options)
            gradient = times(scale, slopes) if axis is None else times(np.expand_dims(scale, axis), slopes)
            gradient = gradient if axis is None else z.counted(gradient, axis)
        outputs["gradient:" + name] = gradient
    return outputs


def run_linear(inputs: Arrays, parameters: Parameters, wanted: Sequence[str]) -> Dict[str, Array]:
    """Run softmax cross-entropy of a linear layer's logits, and take its slopes through the layer."""
    _check_features(parameters)
    hidden, kernel = inputs["hidden"], inputs["kernel"]
    inner = {name: array for name, array in inputs.items() if name not in LAYER}
    x = reference.logits(hidden, kernel, inputs.get("biases"))
    behind = [name for name in gradient_inputs(wanted, inputs) if name in LAYER]
    less = [name for name in wanted if name[len("gradient:") :] not in LAYER] + ["gradient:logits"] * bool(behind)
    outputs = run_loss(_SOFTMAX, "sparse_softmax_cross_entropy", dict(inner, logits=x), parameters, less)
    if behind:
        slopes = reference.layer_slopes(outputs.pop("gradient:logits"), hidden, kernel)
        outputs.update({"gradient:" + name: slopes[name] for name in behind})
    return outputs


def run_sampled(loss: Loss, inputs: Arrays, parameters: Parameters, wanted: Sequence[str]) -> Dict[str, Array]:
    """Run a loss over each row's labels and the samples: of all positions, or of each and summed."""
    _check_features(parameters)
    hidden, upstream = inputs["hidden"], inputs.get("upstream")
    layer, x, removed = reference.sampled_logits(inputs)
    z = np.zeros(x.shape, x.dtype)
    z[:, : inputs["labels"].shape[1]] = x.dtype.type(1) / x.dtype.type(inputs["labels"].shape[1])
    if parameters["remove_accidental_hits"]:
        x = np.where(removed, x.dtype.type(-np.inf), x)
    options = {"axis": 1}
    losses = loss.losses(x, z, options)
    outputs = {"value": losses if losses.ndim == 1 else np.sum(losses, axis=1)}
    names = gradient_inputs(wanted, inputs)
    if names:
        slopes = loss.slopes(x, z, options)
        slopes = slopes if upstream is None else times(upstream[:, np.newaxis], slopes)
        found = reference.sampled_slopes(slopes, layer, hidden, inputs["kernel"])
        outputs.update({"gradient:" + name: found[name] for name in names})
    return outputs


def run_sigmoid_gradient(inputs: Arrays, _parameters: Parameters, wanted: Sequence[str]) -> Dict[str, Array]:
    """Run the gradient of sigmoid cross-entropy by logits."""
    x = inputs["logits"]
    z = _labels(x, inputs, None, {}, sparse=False).dense
    upstream = inputs.get("upstream", np.ones_like(x))
    outputs = {"value": reference.sigmoid_slopes(x, z, {})}
    for name in gradient_inputs(wanted, inputs):
        outputs["gradient:" + name] = -upstream if name == "labels" else reference.sigmoid_vjp(x, upstream)
    return outputs


def run_softmax_gradient(
    operation: str, inputs: Arrays, parameters: Parameters, wanted: Sequence[str]
) -> Dict[str, Array]:
    """Run the gradient of softmax cross-entropy by logits."""
    x = inputs["logits"]
    axis = _class_axis(x, parameters["axis"])
    z = _labels(x, inputs, axis, {"ignore_index": "none"}, sparse=has_index_labels(operation)).dense
    upstream, p = inputs.get("upstream", np.ones_like(x)), reference.softmax(x, axis)
    outputs = {"value": reference.softmax_slopes(x, z, {"axis": axis})}
    for name in gradient_inputs(wanted, inputs):
        by_labels = name == "labels"
        outputs["gradient:" + name] = (
            reference.mixed_slopes(p, upstream, axis) if by_labels else reference.curvatures(p, z, upstream, axis)
        )
    return outputs


def run_multilabel(inputs: Arrays, parameters: Parameters, wanted: Sequence[str]) -> Dict[str, Array]:
    """Run the mean of each row's sigmoid cross-entropies, times class weights."""
    x, upstream = inputs["logits"], inputs.get("upstream")
    axis = _class_axis(x, parameters["axis"])
    classes = x.dtype.type(x.shape[axis])
    weights = _by_class(x, inputs["class_weights"], axis) if "class_weights" in inputs else x.dtype.type(1)
    rows = Loss(
        lambda x, z, _parameters: np.sum(times(weights, reference.sigmoid_losses(x, z, {})), axis=axis) / classes,
        lambda x, z, _parameters: times(weights, reference.sigmoid_slopes(x, z, {}) / classes),
        lambda x, z, _parameters: times(weights, reference.sigmoid_label_slopes(x, z, {}) / classes),
    )
    given = {name: array for name, array in inputs.items() if name != "class_weights"}
    outputs = run_loss(rows, "multilabel_soft_margin_loss", given, parameters, wanted)
    if "gradient:class_weights" in wanted and "class_weights" in inputs:
        losses = rows.losses(x, inputs["labels"], {})
        reduction = Reduction.checked(parameters, inputs.get("weights"), None, None, losses.shape, x.dtype)
        terms = np.moveaxis(reference.sigmoid_losses(x, inputs["labels"], {}) / classes, axis, -1)
        outputs["gradient:class_weights"] = reduction.class_weight_slopes(losses, terms, None, upstream)
    return outputs


LAYER = ("hidden", "kernel", "biases")


def _classes_last(terms: Array, unit: Optional[Array], axis: Any) -> Tuple[Array, Optional[Array]]:
    return np.moveaxis(terms, axis, -1), None if unit is None else np.moveaxis(unit, axis, -1)


def _with_batch_mean(
    run: Callable[..., Dict[str, Array]], inputs: Arrays, parameters: Parameters, wanted: Sequence[str]
) -> Dict[str, Array]:
    """One more reduction: the sum over the number of examples."""
    if parameters["reduction"] != "batch_mean":
        return run(inputs, parameters, wanted)
    x = inputs["log_probabilities"]
    outputs = run(inputs, dict(parameters, reduction="sum"), wanted)
    if 0 not in x.shape[:1]:
        return {name: array / x.dtype.type(x.shape[0] if x.ndim else 1) for name, array in outputs.items()}
    if parameters["empty_mean"] == "undefined":
        raise ValueError("the mean of no losses")
    answer = 0.0 if parameters["empty_mean"] == "zero" else np.nan
    return {name: np.full_like(array, answer) for name, array in outputs.items()}


def _label_slopes(loss: Loss, x: Array, z: Labels, parameters: Parameters) -> Array:
    """Derivatives of the losses with respect to the labels as given: they were smoothed, and weighted by class."""
    slopes = times(x.dtype.type(1 - parameters.get("label_smoothing", 0)), loss.label_slopes(x, z.dense, parameters))
    return slopes if z.class_weights is None else times(z.class_weights, slopes)


def _labels(x: Array, inputs: Arrays, axis: Optional[int], parameters: Parameters, *, sparse: bool) -> Labels:
    """Labels of x's shape and dtype: indices as unit rows, then smoothed and times class weights."""
    labels, kept, unit = inputs["labels"], None, None
    if sparse:
        if parameters["ignore_index"] != "none":
            kept = labels != parameters["ignore_index"]
            labels = np.where(kept, labels, 0)
        labels = unit = _unit_rows(x, labels, axis)
    if labels.shape != x.shape:
        raise ValueError(f"labels have shape {list(labels.shape)}, not {list(x.shape)}")
    smoothed = _smoothed(x, labels, axis, parameters)
    if "class_weights" not in inputs:
        return Labels(smoothed, smoothed, unit, None, kept)
    class_weights = _by_class(x, inputs["class_weights"], axis)
    return Labels(smoothed, smoothed * class_weights, unit, class_weights, kept)


def _smoothed(x: Array, labels: Array, axis: Optional[int], parameters: Parameters) -> Array:
    smoothing = parameters.get("label_smoothing", 0)
    if smoothing == 0:
        return labels
    classes = 2 if axis is None else x.shape[axis]
    return labels * x.dtype.type(1 - smoothing) + x.dtype.type(smoothing / classes)


def _by_class(x: Array, class_weights: Array, axis: Any) -> Array:
    """Class weights in a shape that broadcasts to x's."""
    if class_weights.shape != (x.shape[axis],):
        raise ValueError(f"class_weights have shape {list(class_weights.shape)}: one a class is [{x.shape[axis]}]")
    return class_weights.reshape([-1 if i == axis else 1 for i in range(x.ndim)])


def _unit_rows(x: Array, labels: Array, axis: Any) -> Array:
    classes, rows = x.shape[axis], x.shape[:axis] + x.shape[axis + 1 :]
    if labels.shape != rows:
        raise ValueError(f"labels have shape {list(labels.shape)}: one index a row is {list(rows)}")
    if np.any((labels < 0) | (labels >= classes)):
        raise ValueError(f"labels outside 0..{classes - 1}: {np.unique(labels).tolist()}")
    along = [classes if i == axis else 1 for i in range(x.ndim)]
    return (np.expand_dims(labels, axis) == np.arange(classes).reshape(along)).astype(x.dtype)


# checks

RANGES = {
    "label_smoothing": (0.0, 1.0),
    "pos_weight": (0.0, np.inf),
    "epsilon": (0.0, 0.5),
    "log_floor": (-np.inf, 0.0),
    "gamma": (0.0, np.inf),
    "alpha": (0.0, 1.0),
}
ROW_REDUCTIONS = ("none", "sum", "mean", "weighted_mean", "nonzero_mean")
CHOICES = {
    "empty_mean": ("undefined", "nan", "zero"),
    "reduction": (*ROW_REDUCTIONS, "row_mean", "row_mean_sum"),
    "epsilon_use": ("clip", "add", "clip_add"),
    "normalize": ("none", "before", "after"),
    "log_labels": (False, True),
    "generalized": (False, True),
    "class_balancing": (False, True),
}


def _check_parameters(parameters: Parameters) -> None:
    for name, value in parameters.items():
        choices = _reductions(parameters) if name == "reduction" else CHOICES.get(name)
        if choices is not None and value not in choices:
            raise ValueError(f"{name} is {value!r}, not one of {', '.join(map(str, choices))}")
        if name == "ignore_index" and value != "none" and (isinstance(value, bool) or not isinstance(value, int)):
            raise ValueError(f"ignore_index is {value!r}, no integer")
        if name in RANGES:
            low, high = RANGES[name]
            if isinstance(value, (bool, str)) or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}, not a number in [{low:g}, {high:g}]")


def _check_features(parameters: Parameters) -> None:
    if parameters["axis"] != -1:
        raise ValueError(f"axis is {parameters['axis']!r}: features are on the last axis, -1")


def _reductions(parameters: Parameters) -> Sequence[Any]:
    if "axis" not in parameters:
        return CHOICES["reduction"]
    return (*ROW_REDUCTIONS, "valid_mean") if "ignore_index" in parameters else ROW_REDUCTIONS


def _class_axis(x: Array, axis: Any) -> int:
    """The class axis counted from the front."""
    if isinstance(axis, bool) or not isinstance(axis, int) or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"an input of shape {list(x.shape)} has no axis {axis!r}")
    if x.shape[axis] == 0:
        raise ValueError("no classes: the class axis has length 0")
    return axis % x.ndim


def _check_probabilities(p: Array, parameters: Parameters) -> None:
    clipped = parameters["epsilon"] > 0 and parameters.get("epsilon_use", "clip") != "add"
    if not clipped and np.any((p < 0) | (p > 1)):
        raise ValueError("probabilities outside [0, 1]: log of a negative number")


# written out by hand


def _one_hot(labels: Array, x: Array) -> Array:
    rows = np.zeros((*labels.shape, x.shape[-1]), x.dtype)
    np.put_along_axis(rows, np.expand_dims(labels, -1), x.dtype.type(1), -1)
    return rows


PRIMITIVES = Primitives(
    exp=np.exp,
    log=np.log,
    abs=np.abs,
    maximum=np.maximum,
    sum=partial(np.sum, axis=-1),
    mean=np.mean,
    sigmoid=reference.sigmoid,
    softmax=reference.softmax,
    one_hot=_one_hot,
    one=lambda x: x.dtype.type(1),
    zero=lambda x: x.dtype.type(0),
)


def _by_hand(formula: Formula, inputs: Arrays, parameters: Parameters, wanted: Sequence[str]) -> Dict[str, Array]:
    if gradient_inputs(wanted, inputs):
        raise UnsupportedError("NumPy doesn't differentiate")
    return {"value": evaluate(formula, PRIMITIVES, inputs, parameters)}


# the table

_SIGMOID = Loss(reference.sigmoid_losses, reference.sigmoid_slopes, reference.sigmoid_label_slopes)
_WEIGHTED = Loss(reference.weighted_sigmoid_losses, reference.sigmoid_slopes, reference.sigmoid_label_slopes)
_SOFTMAX = Loss(reference.softmax_losses, reference.softmax_slopes, reference.softmax_label_slopes)
_BINARY = Loss(reference.binary_losses, reference.binary_slopes, reference.binary_label_slopes)
_CATEGORICAL = Loss(reference.categorical_losses, reference.categorical_slopes, reference.categorical_label_slopes)

_FOCAL = ("gamma", "alpha")
_MARGIN = Loss(reference.margin_losses, reference.margin_slopes, reference.margin_label_slopes)
_KL = Loss(reference.kl_losses, reference.kl_slopes, reference.kl_label_slopes)
_ENTROPY = Loss(reference.entropy_losses, reference.entropy_slopes, reference.entropy_label_slopes)
_LOG_KL = Loss(reference.log_kl_losses, reference.log_kl_slopes, reference.log_kl_label_slopes)


_CONTRAST = Loss(reference.contrast_losses, reference.sigmoid_slopes, reference.sigmoid_label_slopes)
_NLL = Loss(reference.nll_losses, reference.nll_slopes, reference.nll_label_slopes)


def _row(operation: str, run: Callable[..., Any], *parameters: str, inputs: Sequence[str] = ()) -> Implementation:
    return Implementation(
        path="numpy." + operation,
        operation=operation,
        run=run,
        parameters=dict.fromkeys(parameters, ANY),
        inputs=inputs,
        gradients=real_inputs(operation, inputs),
        dtypes=DTYPES,
    )


def _loss_row(operation: str, loss: Loss, *parameters: str, inputs: Sequence[str] = ()) -> Implementation:
    run = partial(run_loss, loss, operation)
    return _row(operation, run, "reduction", "empty_mean", *parameters, inputs=(*inputs, "weights"))


def _gradient_row(loss: str, run: Callable[..., Any], *parameters: str) -> Implementation:
    return _row(loss + "_gradient", run, *parameters)


_BY_CLASS = ("class_weights",)
_OF_SAMPLE = ("axis", "remove_accidental_hits")

IMPLEMENTATIONS = (
    _row("sigmoid", partial(run_primitive, reference.sigmoid, reference.sigmoid_vjp)),
    _row("log_sigmoid", partial(run_primitive, reference.log_sigmoid, reference.log_sigmoid_vjp)),
    _row("softmax", partial(run_primitive, reference.softmax, reference.softmax_vjp), "axis"),
    _row("log_softmax", partial(run_primitive, reference.log_softmax, reference.log_softmax_vjp), "axis"),
    _row("logsumexp", partial(run_primitive, reference.logsumexp, reference.logsumexp_vjp), "axis"),
    _loss_row("sigmoid_cross_entropy", _SIGMOID, "label_smoothing"),
    _loss_row("weighted_sigmoid_cross_entropy", _WEIGHTED, "label_smoothing", "pos_weight"),
    _loss_row("softmax_cross_entropy", _SOFTMAX, "label_smoothing", "axis", inputs=_BY_CLASS),
    _loss_row("sparse_softmax_cross_entropy", _SOFTMAX, "label_smoothing", "axis", "ignore_index", inputs=_BY_CLASS),
    _gradient_row("sigmoid_cross_entropy", run_sigmoid_gradient),
    _gradient_row("softmax_cross_entropy", partial(run_softmax_gradient, "softmax_cross_entropy"), "axis"),
    _gradient_row(
        "sparse_softmax_cross_entropy", partial(run_softmax_gradient, "sparse_softmax_cross_entropy"), "axis"
    ),
    _loss_row("binary_cross_entropy", _BINARY, "label_smoothing", "epsilon", "epsilon_use", "log_floor"),
    _loss_row("categorical_cross_entropy", _CATEGORICAL, "label_smoothing", "axis", "epsilon", "normalize"),
    _loss_row("sparse_categorical_cross_entropy", _CATEGORICAL, "axis", "epsilon", "normalize", "ignore_index"),
    _loss_row("sigmoid_focal_cross_entropy", focal.SIGMOID, "label_smoothing", *_FOCAL, "class_balancing"),
    _loss_row("binary_focal_cross_entropy", focal.BINARY, "label_smoothing", *_FOCAL, "class_balancing", "epsilon"),
    _loss_row("softmax_focal_cross_entropy", focal.SOFTMAX, "axis", "label_smoothing", *_FOCAL, "epsilon"),
    _loss_row(
        "categorical_focal_cross_entropy", focal.CATEGORICAL, "axis", "label_smoothing", *_FOCAL, "epsilon", "normalize"
    ),
    _loss_row("soft_margin_loss", _MARGIN),
    _row(
        "multilabel_soft_margin_loss",
        run_multilabel,
        "reduction",
        "empty_mean",
        "axis",
        inputs=(*_BY_CLASS, "weights"),
    ),
    _loss_row("kl_divergence", _KL, "axis", "epsilon"),
    _loss_row("relative_entropy", _ENTROPY, "generalized"),
    _loss_row("nll_loss", _NLL, "axis", "ignore_index", inputs=_BY_CLASS),
    _row(
        "log_kl_divergence",
        partial(_with_batch_mean, partial(run_loss, _LOG_KL, "log_kl_divergence")),
        "reduction",
        "empty_mean",
        "log_labels",
        "generalized",
        inputs=("weights",),
    ),
    _row(
        "linear_cross_entropy",
        run_linear,
        "reduction",
        "empty_mean",
        "label_smoothing",
        "ignore_index",
        "axis",
        inputs=("biases", *_BY_CLASS, "weights"),
    )._replace(gradients=(*LAYER, *_BY_CLASS, "weights")),
    _row("sampled_softmax_cross_entropy", partial(run_sampled, _SOFTMAX), *_OF_SAMPLE)._replace(gradients=LAYER),
    _row("noise_contrastive_estimation", partial(run_sampled, _CONTRAST), *_OF_SAMPLE)._replace(gradients=LAYER),
    *by_hand(FRAMEWORK, lambda formula: partial(_by_hand, formula), differentiable=False, dtypes=DTYPES),
)
