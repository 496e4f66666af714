"""TensorFlow, with the Keras that it brings: called as they are, eagerly, in a graph, through XLA, in a session.

Nothing is emulated. Two namings of reductions are translated to each API's own; a name that isn't
known to them goes to the API as it is, for the API to judge.

Every call is a function of its inputs, so that a graph can't fold them, with its gradient taken
inside; one function is traced for each implementation, mode, parameters and wanted outputs.
"""

from __future__ import annotations

import inspect
import warnings
from functools import partial
from types import MappingProxyType
from typing import Any, Callable, Dict, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from harness.adapters import (
    ALL_FLOATS,
    ANY,
    LAST_AXIS,
    Implementation,
    Tensor,
    UnsupportedError,
    Values,
    gradient_inputs,
    real_inputs,
    sessions,
    tensorflow_kernels,
)
from harness.adapters.formulas import Formula, Primitives, by_hand, evaluate

FRAMEWORK = "tensorflow"
PACKAGES = ("tensorflow", "keras", "numpy")
ALIASES = MappingProxyType({"tf": "tensorflow"})
SESSION = "session"
MODES = ("eager", "graph", "xla", SESSION)
KERAS_MODES = ("eager", "graph", "xla")
"""Keras 3 takes no symbolic tensors of a session's graph."""
OLD_MODES = (SESSION, "eager", "graph", "xla")
"""What is gone since 2.0 was used in sessions."""

Tensors = Mapping[str, Any]
Parameters = Mapping[str, Any]
Outputs = Dict[str, Any]
Traced = Callable[[Dict[str, Any]], Outputs]

_traced: Dict[Tuple[Any, ...], Traced] = {}
_threads = [1]


def start(threads: int) -> None:
    """Import TensorFlow and Keras, and pin TensorFlow's threads."""
    import tensorflow as tf

    _threads[:] = [threads]
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.compat.v1.enable_eager_execution()
    _as_warnings(tf.get_logger())
    _ = tf.keras.losses  # imported on first use, and its version belongs to what is reported


def _as_warnings(logger: Any) -> None:
    """Make Python warnings of the deprecations that TensorFlow logs; the rest, as of every new shape, is left out."""

    def keep(record: Any) -> bool:
        message = record.getMessage()
        if "deprecat" in message.lower():
            warnings.warn(message.partition("): ")[2] or message, DeprecationWarning, stacklevel=2)
        return record.levelname in ("ERROR", "CRITICAL")

    logger.addFilter(keep)


def call(
    implementation: Implementation,
    mode: str,
    inputs: Mapping[str, Tensor],
    parameters: Parameters,
    wanted: Sequence[str],
) -> Dict[str, Tensor]:
    """Run one call; gradients are vector-Jacobian products by GradientTape, in sessions by tf.gradients."""
    import tensorflow as tf

    _refuse_rewritten(tf, implementation, mode)
    if mode == SESSION:
        return _in_session(tf, implementation, inputs, parameters, wanted)
    function = _function(tf, implementation, mode, parameters, tuple(wanted))
    outputs = function({name: tf.constant(_array(tf, tensor)) for name, tensor in inputs.items()})
    return {name: _tensor(tf, outputs[name].numpy()) for name in wanted if name in outputs}


def _refuse_rewritten(tf: Any, implementation: Implementation, mode: str) -> None:
    if mode == "xla" and ".by_hand." in implementation.path and tf.__version__.startswith("1."):
        raise UnsupportedError(
            "XLA of TensorFlow 1 compiles with fast-math: a formula is not computed as it is written"
        )


def _function(tf: Any, implementation: Implementation, mode: str, parameters: Parameters, wanted: Any) -> Traced:
    key = (implementation.path, implementation.operation, mode, tuple(sorted(parameters.items())), wanted)
    if key not in _traced:
        run = partial(implementation.run, tf)
        _traced[key] = _in_mode(tf, mode, partial(_outputs, tf, run, parameters, wanted))
    return _traced[key]


def _in_mode(tf: Any, mode: str, function: Traced) -> Traced:
    if mode == "eager":
        return function
    options = {_compiles(tf): True} if mode == "xla" else {}
    return tf.function(function, autograph=False, **options)


def _compiles(tf: Any) -> str:
    """What tf.function calls the option that has XLA compile; older releases call it experimental."""
    known = inspect.signature(tf.function).parameters
    found = [name for name in ("jit_compile", "experimental_compile") if name in known]
    if not found:
        raise UnsupportedError(f"tf.function of TensorFlow {tf.__version__} doesn't have XLA compile it")
    return found[0]


def _in_session(
    tf: Any, implementation: Implementation, inputs: Mapping[str, Tensor], parameters: Parameters, wanted: Sequence[str]
) -> Dict[str, Tensor]:
    function = (implementation.path, implementation.operation, tuple(sorted(parameters.items())))
    arrays = {name: _array(tf, tensor) for name, tensor in inputs.items()}

    def run(tensors: Tensors) -> Any:
        return implementation.run(tf, tensors, parameters)

    found = sessions.outputs(tf, function, run, arrays, wanted, _threads[0])
    return {name: _tensor(tf, array) for name, array in found.items()}


def _outputs(
    tf: Any, run: Callable[..., Any], parameters: Parameters, wanted: Sequence[str], tensors: Dict[str, Any]
) -> Outputs:
    inputs = {name: tensor for name, tensor in tensors.items() if name != "upstream"}
    names = gradient_inputs(wanted, inputs)
    with tf.GradientTape() as tape:
        tape.watch([inputs[name] for name in names])
        value = run(inputs, parameters)
    outputs = {"value": value}
    if names:
        # log_loss answers in float32 whatever it is given
        upstream = tf.cast(tensors["upstream"], value.dtype) if "upstream" in tensors else None
        gradients = tape.gradient(value, [inputs[name] for name in names], output_gradients=upstream)
        # no gradient is given where the API stops it
        given = ((n, g) for n, g in zip(names, gradients) if g is not None)
        outputs.update(("gradient:" + n, tf.convert_to_tensor(g)) for n, g in given)
    return outputs


def _array(tf: Any, tensor: Tensor) -> Any:
    """An array of the same bits, of a dtype that TensorFlow takes."""
    return tensor.data.view(tf.bfloat16.as_numpy_dtype) if tensor.dtype == "bfloat16" else tensor.data


def _tensor(tf: Any, array: Any) -> Tensor:
    """The inverse of `_array`."""
    bits = np.asarray(array)
    half = bits.dtype == tf.bfloat16.as_numpy_dtype
    return Tensor("bfloat16", bits.view(np.uint16)) if half else Tensor.of(bits)


# tf.nn and tf.math


def _nn_sigmoid(tf: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=inputs["labels"], logits=inputs["logits"])


def _nn_weighted(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return tf.nn.weighted_cross_entropy_with_logits(
        labels=inputs["labels"], logits=inputs["logits"], pos_weight=parameters["pos_weight"]
    )


def _nn_softmax(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    axis = {"dim" if tf.__version__.startswith("1.") else "axis": parameters["axis"]}  # 1.x refuses axis beside dim=-1
    return tf.nn.softmax_cross_entropy_with_logits(labels=inputs["labels"], logits=inputs["logits"], **axis)


def _nn_sparse(tf: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=inputs["labels"], logits=inputs["logits"])


def _sigmoid(tf: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return tf.math.sigmoid(inputs["logits"])


def _log_sigmoid(tf: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return tf.math.log_sigmoid(inputs["logits"])


def _softmax(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return tf.nn.softmax(inputs["logits"], axis=parameters["axis"])


def _log_softmax(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return tf.nn.log_softmax(inputs["logits"], axis=parameters["axis"])


def _logsumexp(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return tf.math.reduce_logsumexp(inputs["logits"], axis=parameters["axis"])


# tf.keras.losses: a class reduces, a function gives what the class reduces

KERAS_ROWS = {"none": "none", "sum": "sum", "mean": "sum_over_batch_size", "weighted_mean": "mean_with_sample_weight"}
"""Our reductions in Keras's words, for losses that are one a row."""

KERAS_SPARSE = dict(KERAS_ROWS, valid_mean="sum_over_batch_size")
"""The same for SparseCategoricalCrossentropy, which doesn't count what it ignores."""

KERAS_NAMES = {"class_balancing": "apply_class_balancing"}
"""Our parameters that Keras calls otherwise."""

KERAS_ELEMENTS = {
    "row_mean": "none",
    "row_mean_sum": "sum",
    "mean": "sum_over_batch_size",
    "weighted_mean": "mean_with_sample_weight",
}
"""The same for BinaryCrossentropy, which averages over the last axis before it reduces."""


def _leading(inputs: Tensors) -> Any:
    return inputs["probabilities" if "probabilities" in inputs else "logits"]


class KerasLoss(NamedTuple):
    """A loss of Keras: its class, its function, the parameters that both take, and the class's reductions."""

    class_name: str
    function_name: str
    options: Sequence[str]
    reductions: Mapping[str, str]
    takes_logits: bool = True

    def of_class(self, tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
        """Call an instance of the class."""
        leading, weights, reduction = _leading(inputs), inputs.get("weights"), parameters["reduction"]
        if reduction == "weighted_mean" and _keras_version(tf) < WEIGHTED_MEAN:
            raise UnsupportedError("the mean over the sum of the weights came with Keras 3.7")
        _refuse_guard(tf, parameters)
        if reduction == "mean" and parameters.get("ignore_index", "none") != "none":
            raise UnsupportedError("its mean divides by the number of losses that aren't ignored")
        if weights is not None:
            _refuse_weights(leading, weights, parameters, one_a_row=self.reductions is KERAS_ELEMENTS)
        loss = getattr(tf.keras.losses, self.class_name)(
            reduction=self.reductions.get(reduction, reduction),
            **_dtype(tf, leading),
            **self._keywords(inputs, parameters),
        )
        return loss(inputs["labels"], leading, sample_weight=weights)

    def of_function(self, tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
        """Call the function."""
        _refuse_guard(tf, parameters)
        function = getattr(tf.keras.losses, self.function_name)
        return function(inputs["labels"], _leading(inputs), **self._keywords(inputs, parameters))

    def _keywords(self, inputs: Tensors, parameters: Parameters) -> Dict[str, Any]:
        options = {KERAS_NAMES.get(name, name): parameters[name] for name in self.options}
        if parameters.get("ignore_index", "none") != "none":
            options["ignore_class"] = parameters["ignore_index"]
        return dict(options, from_logits="logits" in inputs) if self.takes_logits else options


BINARY = KerasLoss("BinaryCrossentropy", "binary_crossentropy", ("label_smoothing",), KERAS_ELEMENTS)
CATEGORICAL = KerasLoss("CategoricalCrossentropy", "categorical_crossentropy", ("label_smoothing", "axis"), KERAS_ROWS)
SPARSE = KerasLoss("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", (), KERAS_SPARSE)
_FOCAL = ("label_smoothing", "gamma", "alpha")
BINARY_FOCAL = KerasLoss(
    "BinaryFocalCrossentropy", "binary_focal_crossentropy", (*_FOCAL, "class_balancing"), KERAS_ELEMENTS
)
CATEGORICAL_FOCAL = KerasLoss(
    "CategoricalFocalCrossentropy", "categorical_focal_crossentropy", (*_FOCAL, "axis"), KERAS_ROWS
)
DIVERGENCE = KerasLoss("KLDivergence", "kullback_leibler_divergence", (), KERAS_ROWS, takes_logits=False)


WEIGHTED_MEAN = (3, 7)
"""The first Keras whose losses reduce by `mean_with_sample_weight`."""


def _keras_version(tf: Any) -> Tuple[int, ...]:
    """Major and minor; some releases of Keras 2 don't say."""
    return tuple(int(part) for part in getattr(tf.keras, "__version__", "2.0").split(".")[:2])


def _is_keras_2(tf: Any) -> bool:
    return _keras_version(tf) < (3,)


def _refuse_guard(tf: Any, parameters: Parameters) -> None:
    """Refuse the other major's guard of the binary loss against log 0.

    Raises:
        UnsupportedError: which guard it has.
    """
    use = parameters.get("epsilon_use")
    if use is not None and _is_keras_2(tf) is not (use == "clip_add"):
        raise UnsupportedError(
            "Keras 2 adds epsilon to what it has clipped" if _is_keras_2(tf) else "Keras 3 only clips"
        )


def _dtype(tf: Any, leading: Any) -> Dict[str, str]:
    """The dtype of a loss: Keras 3 would cast to float32, Keras 2 computes in the dtype that it is given."""
    return {} if _is_keras_2(tf) else {"dtype": leading.dtype.name}


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
    return int(np.prod(tensor.shape.as_list(), dtype=np.int64))


# tf.compat.v1.losses, and tf.contrib.losses, which takes labels last

V1_REDUCTIONS = {
    "none": "NONE",
    "sum": "SUM",
    "mean": "SUM_OVER_BATCH_SIZE",
    "weighted_mean": "MEAN",
    "nonzero_mean": "SUM_BY_NONZERO_WEIGHTS",
}
"""Our reductions as the names of tf.compat.v1.losses.Reduction."""


def _v1_options(tf: Any, inputs: Tensors, parameters: Parameters) -> Dict[str, Any]:
    name = parameters["reduction"]
    reduction = getattr(tf.compat.v1.losses.Reduction, V1_REDUCTIONS.get(name, ""), name)
    return {"weights": _v1_weights(inputs, parameters), "reduction": reduction}


def _v1_weights(inputs: Tensors, parameters: Parameters) -> Any:
    """The weights, or the API's default.

    Raises:
        UnsupportedError: they broadcast as NumPy's rules have it, but not as the API's: a scalar,
            or as many axes as the losses.
    """
    if "weights" not in inputs:
        return 1.0
    rank, losses_rank = len(inputs["weights"].shape), len(_leading(inputs).shape) - ("axis" in parameters)
    if 0 < rank < losses_rank:
        raise UnsupportedError("its weights are a scalar or have as many axes as the losses")
    return inputs["weights"]


def _v1_sigmoid(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return tf.compat.v1.losses.sigmoid_cross_entropy(
        multi_class_labels=inputs["labels"],
        logits=inputs["logits"],
        label_smoothing=parameters["label_smoothing"],
        **_v1_options(tf, inputs, parameters),
    )


def _v1_softmax(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return tf.compat.v1.losses.softmax_cross_entropy(
        onehot_labels=inputs["labels"],
        logits=inputs["logits"],
        label_smoothing=parameters["label_smoothing"],
        **_v1_options(tf, inputs, parameters),
    )


def _v1_sparse(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return tf.compat.v1.losses.sparse_softmax_cross_entropy(
        labels=inputs["labels"], logits=inputs["logits"], **_v1_options(tf, inputs, parameters)
    )


def _v1_log_loss(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return tf.compat.v1.losses.log_loss(
        labels=inputs["labels"],
        predictions=inputs["probabilities"],
        epsilon=parameters["epsilon"],
        **_v1_options(tf, inputs, parameters),
    )


def _contrib_sigmoid(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return tf.contrib.losses.sigmoid_cross_entropy(
        inputs["logits"],
        inputs["labels"],
        weights=_v1_weights(inputs, parameters),
        label_smoothing=parameters["label_smoothing"],
    )


def _contrib_softmax(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    _refuse_deep(inputs)
    return tf.contrib.losses.softmax_cross_entropy(
        inputs["logits"],
        inputs["labels"],
        weights=_v1_weights(inputs, parameters),
        label_smoothing=parameters["label_smoothing"],
    )


def _contrib_sparse(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    _refuse_deep(inputs)
    return tf.contrib.losses.sparse_softmax_cross_entropy(
        inputs["logits"], inputs["labels"], weights=_v1_weights(inputs, parameters)
    )


def _refuse_deep(inputs: Tensors) -> None:
    if len(inputs["logits"].shape) != 2:  # noqa: PLR2004 - examples x classes
        raise UnsupportedError("its logits have two axes, examples and classes")


# written out by hand


def _primitives(tf: Any) -> Primitives:
    return Primitives(
        exp=tf.exp,
        log=tf.math.log,
        abs=tf.abs,
        maximum=tf.maximum,
        sum=lambda x, keepdims=False: tf.reduce_sum(x, axis=-1, keepdims=keepdims),
        mean=tf.reduce_mean,
        sigmoid=tf.sigmoid,
        softmax=tf.nn.softmax,
        one_hot=lambda labels, x: tf.one_hot(labels, x.shape[-1], dtype=x.dtype),
        one=lambda x: tf.ones([], x.dtype),
        zero=lambda x: tf.zeros([], x.dtype),
    )


def _by_hand(formula: Formula, tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return evaluate(formula, _primitives(tf), inputs, parameters)


def _sampled(_tf: Any, _inputs: Tensors, _parameters: Parameters) -> Any:
    raise UnsupportedError(SAMPLED)


SAMPLED = "estimated by sampling: comes with the catalogue of sampled losses"
KERAS_2, KERAS_3 = "2.12", "2.16"
"""The first TensorFlow whose tf.keras, Keras 2 then, was tried; and the first whose tf.keras is Keras 3."""

_SIGMOID, _SOFTMAX, _SPARSE = "sigmoid_cross_entropy", "softmax_cross_entropy", "sparse_softmax_cross_entropy"
_WEIGHTS = ("weights",)
_LABELS = ("labels",)
_AXIS = {"axis": ANY}
_LAST = {"axis": LAST_AXIS}
_SMOOTHING = {"label_smoothing": ANY}
_CLIPPED = {"epsilon": (1e-7,), "epsilon_use": ("clip", "clip_add")}
_CLIP = {"epsilon": (1e-7,)}
_FOCUS = {"label_smoothing": ANY, "gamma": ANY, "alpha": ANY}
_BALANCING = {"class_balancing": ANY}
_BEFORE = {"epsilon": (1e-7,), "normalize": ("before",)}
_AFTER = {"epsilon": (1e-7,), "normalize": ("after",)}
_ROW_MEAN = {"reduction": ("row_mean",)}
_ZERO = {"empty_mean": ("undefined", "zero")}
_NONZERO_MEAN = dict(_ZERO, reduction=("nonzero_mean",))
_V1_REDUCTIONS = dict(_ZERO, reduction=tuple(V1_REDUCTIONS))
_IGNORES = {"ignore_index": ANY}


def _row(
    path: str,
    operation: str,
    run: Callable[..., Any],
    *parameters: Mapping[str, Values],
    inputs: Sequence[str] = (),
    stopped: Sequence[str] = (),
    modes: Sequence[str] = MODES,
    **more: Any,
) -> Any:
    """A row of the table: in every dtype, and differentiable except where the API stops the gradient."""
    return Implementation(
        path="tf." + path,
        operation=operation,
        run=run,
        parameters={name: values for some in parameters for name, values in some.items()},
        inputs=inputs,
        gradients=tuple(name for name in real_inputs(operation, inputs) if name not in stopped),
        dtypes=ALL_FLOATS,
        modes=modes,
        **more,
    )


def _keras(
    loss: KerasLoss,
    operation: str,
    function_reductions: Mapping[str, Values],
    *parameters: Mapping[str, Values],
    since: str = KERAS_2,
) -> Tuple[Implementation, Implementation]:
    """The rows of a Keras loss: its class and its function."""
    reductions = dict(_ZERO, reduction=tuple(loss.reductions))
    of_class = _row(
        "keras.losses." + loss.class_name,
        operation,
        loss.of_class,
        reductions,
        *parameters,
        inputs=_WEIGHTS,
        modes=KERAS_MODES,
        since=since,
    )
    of_function = _row(
        "keras.losses." + loss.function_name,
        operation,
        loss.of_function,
        function_reductions,
        *parameters,
        modes=KERAS_MODES,
        since=since,
    )
    return of_class, of_function


def _keras_operation(name: str, operation: str, run: Callable[..., Any], *parameters: Mapping[str, Values]) -> Any:
    """The row of a function of keras.ops, which Keras 3 has."""
    return _row("keras.ops." + name, operation, run, *parameters, modes=KERAS_MODES, since=KERAS_3)


def _v1(
    name: str,
    operation: str,
    run: Callable[..., Any],
    *parameters: Mapping[str, Values],
    stopped: Sequence[str] = (),
) -> Tuple[Implementation, Implementation]:
    """The rows of a loss of tf.losses: by the path that both majors have, and as it was typed until 2.0."""
    offered = (_V1_REDUCTIONS, *parameters)
    common: Dict[str, Any] = {"inputs": _WEIGHTS, "stopped": stopped}
    return (
        _row("losses." + name, operation, run, *offered, modes=(SESSION,), until="2.0", alias=True, **common),
        _row("compat.v1.losses." + name, operation, run, *offered, **common),
    )


def _contrib(
    operation: str, run: Callable[..., Any], *parameters: Mapping[str, Values], stopped: Sequence[str] = ()
) -> Any:
    path = "contrib.losses." + operation
    return _row(
        path, operation, run, _NONZERO_MEAN, *parameters, inputs=_WEIGHTS, stopped=stopped, modes=OLD_MODES, until="2.0"
    )


IMPLEMENTATIONS = (
    _row("math.sigmoid", "sigmoid", _sigmoid),
    _row("math.log_sigmoid", "log_sigmoid", _log_sigmoid),
    _row("nn.softmax", "softmax", _softmax, _AXIS),
    _row("nn.log_softmax", "log_softmax", _log_softmax, _AXIS),
    _row("math.reduce_logsumexp", "logsumexp", _logsumexp, _AXIS),
    _row("reduce_logsumexp", "logsumexp", _logsumexp, _AXIS, alias=True),
    _row("nn.sigmoid_cross_entropy_with_logits", _SIGMOID, _nn_sigmoid),
    _row("nn.weighted_cross_entropy_with_logits", "weighted_" + _SIGMOID, _nn_weighted, {"pos_weight": ANY}),
    _row("nn.softmax_cross_entropy_with_logits", _SOFTMAX, _nn_softmax, _AXIS, gradients_since={"labels": "2.0"}),
    _row("nn.sparse_softmax_cross_entropy_with_logits", _SPARSE, _nn_sparse, _LAST),
    _row(
        "compat.v1.nn.softmax_cross_entropy_with_logits",
        _SOFTMAX,
        tensorflow_kernels.v1_softmax,
        _AXIS,
        stopped=_LABELS,
    ),
    _row("compat.v1.nn.softmax_cross_entropy_with_logits_v2", _SOFTMAX, tensorflow_kernels.v2_softmax, _AXIS),
    _row("raw_ops.SoftmaxCrossEntropyWithLogits", _SOFTMAX, tensorflow_kernels.kernel_softmax, _LAST),
    _row("raw_ops.SparseSoftmaxCrossEntropyWithLogits", _SPARSE, tensorflow_kernels.kernel_sparse, _LAST),
    _keras_operation("binary_crossentropy", _SIGMOID, tensorflow_kernels.keras_binary),
    _keras_operation("binary_crossentropy", "binary_cross_entropy", tensorflow_kernels.keras_binary, _CLIPPED),
    _keras_operation("categorical_crossentropy", _SOFTMAX, tensorflow_kernels.keras_categorical, _AXIS),
    _keras_operation(
        "categorical_crossentropy", "categorical_cross_entropy", tensorflow_kernels.keras_categorical, _AXIS, _BEFORE
    ),
    _keras_operation("sparse_categorical_crossentropy", _SPARSE, tensorflow_kernels.keras_sparse, _LAST),
    _keras_operation(
        "sparse_categorical_crossentropy",
        "sparse_categorical_cross_entropy",
        tensorflow_kernels.keras_sparse,
        _LAST,
        _AFTER,
    ),
    *_keras(BINARY, _SIGMOID, _ROW_MEAN, _SMOOTHING),
    *_keras(BINARY, "binary_cross_entropy", _ROW_MEAN, _SMOOTHING, _CLIPPED),
    *_keras(CATEGORICAL, _SOFTMAX, {}, _SMOOTHING, _AXIS),
    *_keras(CATEGORICAL, "categorical_cross_entropy", {}, _SMOOTHING, _AXIS, _BEFORE),
    *_keras(SPARSE, _SPARSE, {}, _LAST, _IGNORES),
    *_keras(SPARSE, "sparse_categorical_cross_entropy", {}, _LAST, _AFTER, _IGNORES),
    *_keras(BINARY_FOCAL, "sigmoid_focal_cross_entropy", _ROW_MEAN, _FOCUS, _BALANCING),
    *_keras(BINARY_FOCAL, "binary_focal_cross_entropy", _ROW_MEAN, _FOCUS, _BALANCING, _CLIP, since=KERAS_3),
    *_keras(CATEGORICAL_FOCAL, "softmax_focal_cross_entropy", {}, _FOCUS, _AXIS, _CLIP, since=KERAS_3),
    *_keras(CATEGORICAL_FOCAL, "categorical_focal_cross_entropy", {}, _FOCUS, _AXIS, _BEFORE, since=KERAS_3),
    *_keras(DIVERGENCE, "kl_divergence", {}, _LAST, _CLIP),
    *_v1("sigmoid_cross_entropy", _SIGMOID, _v1_sigmoid, _SMOOTHING),
    *_v1("softmax_cross_entropy", _SOFTMAX, _v1_softmax, _SMOOTHING, _LAST, stopped=_LABELS),
    *_v1("sparse_softmax_cross_entropy", _SPARSE, _v1_sparse, _LAST),
    *_v1("log_loss", "binary_cross_entropy", _v1_log_loss, {"epsilon": ANY, "epsilon_use": ("add",)}),
    _contrib(_SIGMOID, _contrib_sigmoid, _SMOOTHING),
    _contrib(_SOFTMAX, _contrib_softmax, _SMOOTHING, _LAST, stopped=_LABELS),
    _contrib(_SPARSE, _contrib_sparse, _LAST),
    _row(
        "contrib.seq2seq.sequence_loss",
        _SPARSE,
        tensorflow_kernels.sequence,
        {"reduction": tuple(tensorflow_kernels.SEQUENCE_FLAGS)},
        _LAST,
        inputs=_WEIGHTS,
        modes=OLD_MODES,
        until="2.0",
    ),
    Implementation("tf.nn.sampled_softmax_loss", "sampled_softmax_cross_entropy", _sampled, absent=SAMPLED),
    Implementation("tf.nn.nce_loss", "noise_contrastive_estimation", _sampled, absent=SAMPLED),
    *by_hand(
        FRAMEWORK,
        lambda formula: partial(_by_hand, formula),
        differentiable=True,
        dtypes=ALL_FLOATS,
        modes=MODES,
    ),
)
