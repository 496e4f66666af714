"""Keras, whichever backend it computes with: its losses as classes and as functions, and keras.ops.

One table for all: tf.keras of TensorFlow, and Keras 3 on its own, which is a framework for each
backend, since KERAS_BACKEND is read once in a process. The backend's adapter makes the call, so that
what `run` gets and gives are the backend's tensors; it differs where Keras's backends do.

A class reduces; a function gives what the class reduces.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Callable, Dict, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from harness.adapters import ALL_FLOATS, ANY, LAST_AXIS, Implementation, UnsupportedError, Values, real_inputs

Tensors = Mapping[str, Any]
Parameters = Mapping[str, Any]
Find = Callable[[Any], Any]
"""Gives Keras, of the module that `run` is handed: TensorFlow, or Keras itself."""

ROWS = {"none": "none", "sum": "sum", "mean": "sum_over_batch_size", "weighted_mean": "mean_with_sample_weight"}
"""Our reductions in Keras's words, for losses that are one a row."""

CLASSES = dict(ROWS, valid_mean="sum_over_batch_size")
"""The same for SparseCategoricalCrossentropy, which doesn't count what it ignores."""

NAMES = {"class_balancing": "apply_class_balancing"}
"""Our parameters that Keras calls otherwise."""

ELEMENTS = {
    "row_mean": "none",
    "row_mean_sum": "sum",
    "mean": "sum_over_batch_size",
    "weighted_mean": "mean_with_sample_weight",
}
"""The same for BinaryCrossentropy, which averages over the last axis before it reduces."""


def start(backend: str) -> None:
    """Import Keras on a backend.

    Raises:
        ImportError: it is a Keras that has none to choose.
    """
    os.environ["KERAS_BACKEND"] = backend
    import keras

    if _is_keras_2(keras):
        raise ImportError(f"Keras {keras.__version__} computes with TensorFlow only")


class Loss(NamedTuple):
    """A loss of Keras: its class, its function, the parameters that both take, and the class's reductions."""

    class_name: str
    function_name: str
    options: Sequence[str]
    reductions: Mapping[str, str]
    takes_logits: bool = True

    def of_class(self, find: Find, module: Any, inputs: Tensors, parameters: Parameters) -> Any:
        """Call an instance of the class."""
        keras = find(module)
        leading, weights, reduction = _leading(inputs), inputs.get("weights"), parameters["reduction"]
        if reduction == "weighted_mean" and _version(keras) < WEIGHTED_MEAN:
            raise UnsupportedError("the mean over the sum of the weights came with Keras 3.7")
        _refuse_guard(keras, parameters)
        if reduction == "mean" and parameters.get("ignore_index", "none") != "none":
            raise UnsupportedError("its mean divides by the number of losses that aren't ignored")
        if weights is not None:
            _refuse_weights(leading, weights, parameters, one_a_row=self.reductions is ELEMENTS)
        loss = getattr(keras.losses, self.class_name)(
            reduction=self.reductions.get(reduction, reduction),
            **_dtype(keras, leading),
            **self._keywords(inputs, parameters),
        )
        return loss(inputs["labels"], leading, sample_weight=weights)

    def of_function(self, find: Find, module: Any, inputs: Tensors, parameters: Parameters) -> Any:
        """Call the function."""
        keras = find(module)
        _refuse_guard(keras, parameters)
        function = getattr(keras.losses, self.function_name)
        return function(inputs["labels"], _leading(inputs), **self._keywords(inputs, parameters))

    def _keywords(self, inputs: Tensors, parameters: Parameters) -> Dict[str, Any]:
        options = {NAMES.get(name, name): parameters[name] for name in self.options}
        if parameters.get("ignore_index", "none") != "none":
            options["ignore_class"] = parameters["ignore_index"]
        return dict(options, from_logits="logits" in inputs) if self.takes_logits else options


BINARY = Loss("BinaryCrossentropy", "binary_crossentropy", ("label_smoothing",), ELEMENTS)
CATEGORICAL = Loss("CategoricalCrossentropy", "categorical_crossentropy", ("label_smoothing", "axis"), ROWS)
SPARSE = Loss("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", (), CLASSES)
_FOCAL = ("label_smoothing", "gamma", "alpha")
BINARY_FOCAL = Loss("BinaryFocalCrossentropy", "binary_focal_crossentropy", (*_FOCAL, "class_balancing"), ELEMENTS)
CATEGORICAL_FOCAL = Loss("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", (*_FOCAL, "axis"), ROWS)
DIVERGENCE = Loss("KLDivergence", "kl_divergence", (), ROWS, takes_logits=False)

WEIGHTED_MEAN = (3, 7)
"""The first Keras whose losses reduce by `mean_with_sample_weight`."""


def _leading(inputs: Tensors) -> Any:
    return inputs["probabilities" if "probabilities" in inputs else "logits"]


def _version(keras: Any) -> Tuple[int, ...]:
    """Major and minor; some releases of Keras 2 don't say."""
    return tuple(int(part) for part in getattr(keras, "__version__", "2.0").split(".")[:2])


def _is_keras_2(keras: Any) -> bool:
    return _version(keras) < (3,)


def _refuse_guard(keras: Any, parameters: Parameters) -> None:
    """Refuse the other major's guard of the binary loss against log 0.

    Raises:
        UnsupportedError: which guard it has.
    """
    use = parameters.get("epsilon_use")
    if use is not None and _is_keras_2(keras) is not (use == "clip_add"):
        raise UnsupportedError(
            "Keras 2 adds epsilon to what it has clipped" if _is_keras_2(keras) else "Keras 3 only clips"
        )


def _dtype(keras: Any, leading: Any) -> Dict[str, str]:
    """The dtype of a loss: Keras 3 would cast to float32, Keras 2 computes in the dtype that it is given."""
    return {} if _is_keras_2(keras) else {"dtype": keras.backend.standardize_dtype(leading.dtype)}


def _refuse_weights(leading: Any, weights: Any, parameters: Parameters, *, one_a_row: bool) -> None:
    """Refuse weights that Keras takes for something else than the reduction of that name.

    Raises:
        UnsupportedError: why.
    """
    reduction = parameters["reduction"]
    rank, axis = len(weights.shape), parameters.get("axis", -1)
    by_rows = rank == 0 or (rank == len(leading.shape) and weights.shape[-1] == 1)
    if one_a_row and reduction in ("mean", "weighted_mean") and not by_rows:
        raise UnsupportedError("its weights are one a row: they need a last axis of length 1 here")
    if reduction == "weighted_mean" and _size(weights) * leading.shape[axis] != _size(leading):
        raise UnsupportedError("it divides by the sum of the weights as given, not broadcast to the losses")


def _size(tensor: Any) -> int:
    return int(np.prod(tuple(tensor.shape), dtype=np.int64))


def _of_ops(name: str, options: Sequence[str], find: Find, module: Any, inputs: Tensors, parameters: Parameters) -> Any:
    """A function of keras.ops: of logits alone, or of labels and what they are compared with."""
    keras = find(module)
    _refuse_guard(keras, parameters)
    function = getattr(keras.ops, name)
    keywords = {option: parameters[option] for option in options}
    if "labels" not in inputs:
        return function(inputs["logits"], **keywords)
    return function(inputs["labels"], _leading(inputs), from_logits="logits" in inputs, **keywords)


_AXIS = {"axis": ANY}
_LAST = {"axis": LAST_AXIS}
_SMOOTHING = {"label_smoothing": ANY}
_EPSILON = {"epsilon": (1e-7,)}
_CLIPPED = {"epsilon": (1e-7,), "epsilon_use": ("clip", "clip_add")}
_IGNORES = {"ignore_index": ANY}
_FOCUS = {"label_smoothing": ANY, "gamma": ANY, "alpha": ANY}
_BALANCING = {"class_balancing": ANY}
_BEFORE = dict(_EPSILON, normalize=("before",))
_ZERO = {"empty_mean": ("undefined", "zero")}
_ROW_MEAN = {"reduction": ("row_mean",)}
_SIGMOID, _SOFTMAX, _SPARSE = "sigmoid_cross_entropy", "softmax_cross_entropy", "sparse_softmax_cross_entropy"
_BINARY_P, _CATEGORICAL_P = "binary_cross_entropy", "categorical_cross_entropy"
_SPARSE_P = "sparse_categorical_cross_entropy"


class Table:
    """Makes the rows of one Keras.

    Args:
        prefix: what paths begin with: "tf.keras.".
        find: gives that Keras, of the module that `run` is handed.
        sparse_normalize: when the sparse loss divides probabilities by their sum, `before` or `after` it clips.
        divergence: what its function for the divergence is called.
    """

    def __init__(self, prefix: str, find: Find, sparse_normalize: str, divergence: str, modes: Sequence[str]) -> None:
        self._prefix = prefix
        self._find = find
        self._sparse: Mapping[str, Values] = dict(_EPSILON, normalize=(sparse_normalize,))
        self._divergence = DIVERGENCE._replace(function_name=divergence)
        self._modes = modes

    def losses(self, since: str = "", since_keras_3: str = "") -> Tuple[Implementation, ...]:
        """The losses, of logits and of probabilities, with the first versions of the framework that have them."""
        rows = (
            self._loss(BINARY, _SIGMOID, _ROW_MEAN, _SMOOTHING),
            self._loss(BINARY, _BINARY_P, _ROW_MEAN, _SMOOTHING, _CLIPPED),
            self._loss(CATEGORICAL, _SOFTMAX, {}, _SMOOTHING, _AXIS),
            self._loss(CATEGORICAL, _CATEGORICAL_P, {}, _SMOOTHING, _AXIS, _BEFORE),
            self._loss(SPARSE, _SPARSE, {}, _LAST, _IGNORES),
            self._loss(SPARSE, _SPARSE_P, {}, _LAST, self._sparse, _IGNORES),
            self._loss(BINARY_FOCAL, "sigmoid_focal_cross_entropy", _ROW_MEAN, _FOCUS, _BALANCING),
            self._loss(self._divergence, "kl_divergence", {}, _LAST, _EPSILON),
        )
        of_keras_3 = (
            self._loss(BINARY_FOCAL, "binary_focal_cross_entropy", _ROW_MEAN, _FOCUS, _BALANCING, _EPSILON),
            self._loss(CATEGORICAL_FOCAL, "softmax_focal_cross_entropy", {}, _FOCUS, _AXIS, _EPSILON),
            self._loss(CATEGORICAL_FOCAL, "categorical_focal_cross_entropy", {}, _FOCUS, _AXIS, _BEFORE),
        )
        return (
            *(row._replace(since=since) for pair in rows for row in pair),
            *(row._replace(since=since_keras_3) for pair in of_keras_3 for row in pair),
        )

    def cross_entropies(self, since: str = "") -> Tuple[Implementation, ...]:
        """The cross-entropies of keras.ops, with the first version of the framework that has them."""
        binary, categorical, sparse = (loss.function_name for loss in (BINARY, CATEGORICAL, SPARSE))
        rows = (
            self._op(binary, _SIGMOID),
            self._op(binary, _BINARY_P, _CLIPPED),
            self._op(categorical, _SOFTMAX, _AXIS, options=("axis",)),
            self._op(categorical, _CATEGORICAL_P, _AXIS, _BEFORE, options=("axis",)),
            self._op(sparse, _SPARSE, _LAST, options=("axis",)),
            self._op(sparse, _SPARSE_P, _LAST, self._sparse, options=("axis",)),
        )
        return tuple(row._replace(since=since) for row in rows)

    def of_logits(self) -> Tuple[Implementation, ...]:
        """The functions of keras.ops that losses are made of."""
        return (
            self._op("sigmoid", "sigmoid"),
            self._op("log_sigmoid", "log_sigmoid"),
            *(self._op(name, name, _AXIS, options=("axis",)) for name in ("softmax", "log_softmax", "logsumexp")),
        )

    def _op(self, name: str, operation: str, *parameters: Mapping[str, Values], options: Sequence[str] = ()) -> Any:
        return self._row("ops." + name, operation, partial(_of_ops, name, options), *parameters)

    def _loss(
        self,
        loss: Loss,
        operation: str,
        function_reductions: Mapping[str, Values],
        *parameters: Mapping[str, Values],
    ) -> Tuple[Implementation, Implementation]:
        """The rows of a loss: its class and its function."""
        reductions = dict(_ZERO, reduction=tuple(loss.reductions))
        name, function = "losses." + loss.class_name, "losses." + loss.function_name
        return (
            self._row(name, operation, loss.of_class, reductions, *parameters, inputs=("weights",)),
            self._row(function, operation, loss.of_function, function_reductions, *parameters),
        )

    def _row(
        self,
        name: str,
        operation: str,
        run: Callable[..., Any],
        *parameters: Mapping[str, Values],
        inputs: Sequence[str] = (),
    ) -> Any:
        """A row: in every dtype, and differentiable."""
        return Implementation(
            path=self._prefix + name,
            operation=operation,
            run=partial(run, self._find),
            parameters={name: values for some in parameters for name, values in some.items()},
            inputs=inputs,
            gradients=real_inputs(operation, inputs),
            dtypes=ALL_FLOATS,
            modes=self._modes,
        )


def table(framework: str, sparse_normalize: str, modes: Sequence[str]) -> Tuple[Implementation, ...]:
    """All of Keras 3 on a backend: paths begin with the framework's name in place of `keras`."""
    made = Table(framework + ".", _keras, sparse_normalize, DIVERGENCE.function_name, modes)
    return made.losses() + made.cross_entropies() + made.of_logits()


def _keras(keras: Any) -> Any:
    return keras
