"""optax: its losses, called as they are on JAX. They don't reduce but over classes, save one.

Their `where`, one for each loss, is `weights` of 0 and 1; they have no others. In the mode `where` it is one for each
class: a logit of -inf is given as a large one that `where` leaves out.
"""

from __future__ import annotations

import inspect
import operator
from functools import partial
from typing import Any, Callable, Dict, Mapping, Sequence

import numpy as np

from harness.adapters import ANY, LAST_AXIS, Implementation, Tensor, UnsupportedError, Values, calling, jax, real_inputs
from harness.adapters.jax import Parameters, Tensors, row

FRAMEWORK = "optax"
PACKAGES = ("optax", "jax", "jaxlib", "numpy")

_WHERE = ("weights",)
WHERE = "where"
LARGE = {"bfloat16": 0x42C8}
"""The bits of 100, which would be each row's largest logit."""
_call = calling("optax", jax.call)


def start(threads: int) -> None:
    """Start JAX, and import optax."""
    jax.start(threads)
    import optax  # noqa: F401 - rows call it


def call(
    implementation: Implementation,
    mode: str,
    inputs: Mapping[str, Tensor],
    parameters: Parameters,
    wanted: Sequence[str],
) -> Dict[str, Tensor]:
    """Run one call, as JAX's.

    Raises:
        UnsupportedError: weights other than 0 and 1, which say what to include.
    """
    if "weights" in inputs and not np.isin(_numbers(inputs["weights"]), (0, 1)).all():
        raise UnsupportedError("where includes a loss or not: it weighs by 1 or 0")
    if mode == WHERE:
        return _call(implementation, "eager", _left_out(inputs, parameters["axis"]), parameters, wanted)
    return _call(implementation, mode, inputs, parameters, wanted)


def _numbers(tensor: Tensor) -> Any:
    """The bits of bfloat16 are the upper half of a float32's."""
    if tensor.dtype != "bfloat16":
        return tensor.data
    return (tensor.data.astype(np.uint32) << 16).view(np.float32)


def _left_out(inputs: Mapping[str, Tensor], axis: int) -> Mapping[str, Tensor]:
    """Inputs with what is included of each row's classes, if the row is, as weights.

    Raises:
        UnsupportedError: where would leave out what counts.
    """
    logits, labels = inputs["logits"], _numbers(inputs["labels"])
    out = np.isneginf(_numbers(logits))
    indices = labels.dtype.kind in "iu"
    labelled = np.expand_dims(labels, axis) == np.indices(out.shape)[axis] if indices else labels != 0
    if np.any(out & labelled) or np.any(np.all(out, axis=axis)):
        raise UnsupportedError("where leaves out classes here: some of each row, and none with a label")
    data, included = logits.data.copy(), np.where(out, np.float32(0), np.float32(1))
    data[out] = LARGE.get(logits.dtype, 100)
    if "weights" in inputs:
        of_rows = np.broadcast_to(_numbers(inputs["weights"]), np.delete(out.shape, axis))
        included = np.minimum(included, np.expand_dims(of_rows, axis).astype(np.float32))
    return dict(inputs, logits=Tensor(logits.dtype, data), weights=Tensor.of(included))


def _where(loss: Any, inputs: Tensors) -> Parameters:
    """What is included, as an argument.

    Raises:
        UnsupportedError: this release includes everything.
    """
    if "weights" not in inputs:
        return {}
    if "where" not in inspect.signature(loss).parameters:
        raise UnsupportedError("in this release it has no where")
    return {"where": inputs["weights"] != 0}


def _of_rows(optax: Any, options: Parameters, parameters: Parameters) -> Parameters:
    """What is included, one for each row: before 0.2.5 its rank must be that of the logits."""
    if "where" not in options or tuple(map(int, optax.__version__.split(".")[:3])) >= (0, 2, 5):
        return options
    included = options["where"]
    place = parameters["axis"] % (included.ndim + 1)
    return {"where": included.reshape((*included.shape[:place], 1, *included.shape[place:]))}


def _elements(optax: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return optax.sigmoid_binary_cross_entropy(inputs["logits"], inputs["labels"])


def _rows(name: str, optax: Any, inputs: Tensors, parameters: Parameters, **more: Any) -> Any:
    """A loss of that name for each row along a class axis."""
    loss, logits = operator.attrgetter(name)(optax), inputs["logits"]
    included = _where(loss, inputs)
    if included and inputs["weights"].ndim < logits.ndim:
        included = _of_rows(optax, included, parameters)
    return loss(logits, inputs["labels"], **_axis(loss, inputs, parameters), **included, **more)


def _gradient(run: Callable[..., Any], optax: Any, inputs: Tensors, parameters: Parameters) -> Any:
    """The gradient of a sum of losses by logits, as a function to be differentiated once more."""
    import jax as framework

    def total(logits: Any) -> Any:
        return run(optax, dict(inputs, logits=logits), parameters).sum()

    return framework.grad(total)(inputs["logits"])


def _ranking(optax: Any, inputs: Tensors, parameters: Parameters) -> Any:
    """Its weights are one for each class; it averages unless told otherwise."""
    weights = {"weights": inputs["class_weights"]} if "class_weights" in inputs else {}
    name = parameters["reduction"]
    reduction = {} if name == "mean" else {"reduce_fn": None if name == "none" else name}
    return optax.losses.ranking_softmax_loss(inputs["logits"], inputs["labels"], **weights, **reduction)


def _focal(optax: Any, inputs: Tensors, parameters: Parameters) -> Any:
    """Its alpha balances classes, or is none."""
    alpha = parameters["alpha"] if parameters["class_balancing"] else None
    return optax.sigmoid_focal_loss(inputs["logits"], inputs["labels"], alpha=alpha, gamma=parameters["gamma"])


def _divergence(name: str, optax: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    """Summed over all axes, as over classes.

    Raises:
        UnsupportedError: this release sums over the last axis alone, and there are several.
    """
    loss = operator.attrgetter(name)(optax)
    predictions, targets = inputs["log_probabilities"], inputs["labels"]
    if "axis" in inspect.signature(loss).parameters:
        return loss(predictions, targets, axis=None, **_where(loss, inputs))
    if predictions.ndim != 1:
        raise UnsupportedError("in this release it sums over the last axis only")
    return loss(predictions, targets, **_where(loss, inputs))


def _axis(loss: Any, inputs: Tensors, parameters: Parameters) -> Parameters:
    """The class axis as an argument, if this release has one.

    Raises:
        UnsupportedError: it has none, and the classes don't lie last.
    """
    if "axis" in inspect.signature(loss).parameters:
        return {"axis": parameters["axis"]}
    if parameters["axis"] not in (-1, inputs["logits"].ndim - 1):
        raise UnsupportedError("in this release its classes lie on the last axis")
    return {}


_ANY_AXIS: Mapping[str, Values] = {"axis": ANY}
_LAST_AXIS: Mapping[str, Values] = {"axis": LAST_AXIS}
_RANKING: Mapping[str, Values] = {"axis": LAST_AXIS, "reduction": ("none", "mean"), "empty_mean": ("undefined", "zero")}
_SUMMED: Mapping[str, Values] = {"reduction": ("sum",)}
_GENERALIZED: Mapping[str, Values] = {"reduction": ("sum",), "generalized": (True,)}
_FOCUS: Mapping[str, Values] = {"gamma": ANY, "alpha": ANY, "class_balancing": ANY}
_CONVEX, _GENERAL = "convex_kl_divergence", "losses.generalized_kl_divergence"
_DIVERGENCE, _OF_LOGS = "kl_divergence", "losses.kl_divergence_with_log_targets"
_SOFTMAX, _SPARSE = "softmax_cross_entropy", "sparse_softmax_cross_entropy"
_INTEGERS = "softmax_cross_entropy_with_integer_labels"
_CLASS_WEIGHTS = ("class_weights",)
_SAFE, _POLY = "safe_softmax_cross_entropy", "losses.poly_loss_cross_entropy"


def _of_all(name: str, parameters: Mapping[str, Values], since: str) -> Implementation:
    """A sum over all examples: no function of one, and so not mapped over them."""
    made = row("optax." + name, "log_kl_divergence", partial(_divergence, name), parameters, since=since)
    return made._replace(inputs=_WHERE, modes=jax.MODES, seldom=(), narrowed={})


def _by_class(made: Implementation) -> Implementation:
    """A row whose where may be one for each class."""
    return made._replace(modes=(*made.modes, WHERE), seldom=(*made.seldom, WHERE))


def _differentiated(name: str, operation: str, run: Callable[..., Any], parameters: Mapping[str, Values]) -> Any:
    """The row of a loss's gradient, whose own gradient is double backward."""
    made = row("optax." + name, operation + "_gradient", partial(_gradient, run), parameters)
    return made._replace(modes=jax.MODES, seldom=(), narrowed={})


IMPLEMENTATIONS = (
    row("optax.sigmoid_binary_cross_entropy", "sigmoid_cross_entropy", _elements, {}),
    _by_class(row("optax." + _SOFTMAX, _SOFTMAX, partial(_rows, _SOFTMAX), _ANY_AXIS)._replace(inputs=_WHERE)),
    _by_class(row("optax." + _INTEGERS, _SPARSE, partial(_rows, _INTEGERS), _ANY_AXIS)._replace(inputs=_WHERE)),
    _differentiated("sigmoid_binary_cross_entropy", "sigmoid_cross_entropy", _elements, {}),
    _differentiated(_SOFTMAX, _SOFTMAX, partial(_rows, _SOFTMAX), _ANY_AXIS),
    _differentiated(_INTEGERS, _SPARSE, partial(_rows, _INTEGERS), _ANY_AXIS),
    row("optax." + _SAFE, _SOFTMAX, partial(_rows, _SAFE), _LAST_AXIS, since="0.2.3"),
    # with epsilon 0 it is the cross-entropy
    _by_class(row("optax." + _POLY, _SOFTMAX, partial(_rows, _POLY, epsilon=0.0), _ANY_AXIS, since="0.2")),
    row("optax.losses.ranking_softmax_loss", _SOFTMAX, _ranking, _RANKING, since="0.2.2")._replace(
        inputs=_CLASS_WEIGHTS, gradients=real_inputs(_SOFTMAX, _CLASS_WEIGHTS), modes=jax.MODES, seldom=(), narrowed={}
    ),
    row("optax.sigmoid_focal_loss", "sigmoid_focal_cross_entropy", _focal, _FOCUS, since="0.1.8"),
    _of_all(_DIVERGENCE, _SUMMED, since="0.1.6"),
    _of_all(_OF_LOGS, dict(_SUMMED, log_labels=(True,)), since="0.2"),
    _of_all(_CONVEX, _GENERALIZED, since="0.2"),
    _of_all(_GENERAL, _GENERALIZED, since="0.2.7"),
)
