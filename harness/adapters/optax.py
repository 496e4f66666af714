"""optax: its losses, called as they are on JAX. They don't reduce but over classes, and have no weights."""

from __future__ import annotations

import inspect
import operator
from functools import partial
from typing import Any, Mapping

from harness.adapters import ANY, LAST_AXIS, Implementation, UnsupportedError, Values, calling, jax
from harness.adapters.jax import Parameters, Tensors, row

FRAMEWORK = "optax"
PACKAGES = ("optax", "jax", "jaxlib", "numpy")

call = calling("optax", jax.call)


def start(threads: int) -> None:
    """Start JAX, and import optax."""
    jax.start(threads)
    import optax  # noqa: F401 - rows call it


def _elements(optax: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return optax.sigmoid_binary_cross_entropy(inputs["logits"], inputs["labels"])


def _rows(name: str, optax: Any, inputs: Tensors, parameters: Parameters, **more: Any) -> Any:
    """A loss of that name for each row along a class axis."""
    loss = operator.attrgetter(name)(optax)
    return loss(inputs["logits"], inputs["labels"], **_axis(loss, inputs, parameters), **more)


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
        return loss(predictions, targets, axis=None)
    if predictions.ndim != 1:
        raise UnsupportedError("in this release it sums over the last axis only")
    return loss(predictions, targets)


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
_SUMMED: Mapping[str, Values] = {"reduction": ("sum",)}
_FOCUS: Mapping[str, Values] = {"gamma": ANY, "alpha": ANY, "class_balancing": ANY}
_DIVERGENCE, _OF_LOGS = "kl_divergence", "losses.kl_divergence_with_log_targets"
_SOFTMAX, _SPARSE = "softmax_cross_entropy", "sparse_softmax_cross_entropy"
_INTEGERS = "softmax_cross_entropy_with_integer_labels"
_SAFE, _POLY = "safe_softmax_cross_entropy", "losses.poly_loss_cross_entropy"


def _of_all(name: str, parameters: Mapping[str, Values], since: str) -> Implementation:
    """A sum over all examples: no function of one, and so not mapped over them."""
    made = row("optax." + name, "log_kl_divergence", partial(_divergence, name), parameters, since=since)
    return made._replace(modes=jax.MODES, seldom=(), narrowed={})


IMPLEMENTATIONS = (
    row("optax.sigmoid_binary_cross_entropy", "sigmoid_cross_entropy", _elements, {}),
    row("optax." + _SOFTMAX, _SOFTMAX, partial(_rows, _SOFTMAX), _ANY_AXIS),
    row("optax." + _INTEGERS, _SPARSE, partial(_rows, _INTEGERS), _ANY_AXIS),
    row("optax." + _SAFE, _SOFTMAX, partial(_rows, _SAFE), _LAST_AXIS, since="0.2.3"),
    # with epsilon 0 it is the cross-entropy
    row("optax." + _POLY, _SOFTMAX, partial(_rows, _POLY, epsilon=0.0), _ANY_AXIS, since="0.2"),
    row("optax.sigmoid_focal_loss", "sigmoid_focal_cross_entropy", _focal, _FOCUS, since="0.1.8"),
    _of_all(_DIVERGENCE, _SUMMED, since="0.1.6"),
    _of_all(_OF_LOGS, dict(_SUMMED, log_labels=(True,)), since="0.2"),
)
