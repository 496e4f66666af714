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
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple

import numpy as np

from harness.adapters import (
    ALL_FLOATS,
    ANY,
    LAST_AXIS,
    WIDE_INDICES,
    Implementation,
    Tensor,
    UnsupportedError,
    Values,
    copying,
    gradient_inputs,
    keras_losses,
    real_inputs,
    sessions,
    tensorflow_kernels,
)
from harness.adapters import tensorflow_sampler as sampler
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
    if mode == sampler.SAMPLER:
        sampler.refuse(tf.__version__, inputs, parameters)
        tf.random.set_seed(sampler.SEED)
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
    if mode == sampler.SAMPLER:
        run = partial(sampler.drawing(implementation.run), tf)
        return _in_mode(tf, "graph", partial(_outputs, tf, run, parameters, wanted))
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
    leading = inputs["probabilities" if "probabilities" in inputs else "logits"]
    rank, losses_rank = len(inputs["weights"].shape), len(leading.shape) - ("axis" in parameters)
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


def _sampled(name: str, tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    drawn = (inputs["samples"], inputs["true_expected"], inputs["sampled_expected"])
    return getattr(tf.nn, name)(
        weights=inputs["kernel"],
        biases=inputs["biases"],
        labels=inputs["labels"],
        inputs=inputs["hidden"],
        num_sampled=int(inputs["samples"].shape[0]),
        num_classes=int(inputs["kernel"].shape[0]),
        num_true=int(inputs["labels"].shape[1]),
        sampled_values=None if parameters.get(sampler.SAMPLER) else drawn,
        remove_accidental_hits=parameters["remove_accidental_hits"],
    )


def _gradient(run: Callable[..., Any], tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    """The gradient of unreduced losses by logits, as a function to be differentiated once more."""
    from tensorflow import GradientTape  # not `tf`'s: what is inside of a tape can't be written down as one expression

    with GradientTape() as tape:
        tape.watch(inputs["logits"])
        losses = run(tf, inputs, parameters)
    return tape.gradient(losses, inputs["logits"])


KERAS_2, KERAS_3 = "2.12", "2.16"
"""The first TensorFlow whose tf.keras, Keras 2 then, was tried; and the first whose tf.keras is Keras 3."""
KERAS = keras_losses.Table("tf.keras.", lambda tf: tf.keras, "after", "kullback_leibler_divergence", KERAS_MODES)

_SIGMOID, _SOFTMAX, _SPARSE = "sigmoid_cross_entropy", "softmax_cross_entropy", "sparse_softmax_cross_entropy"
_WEIGHTS = ("weights",)
_LABELS = ("labels",)
_AXIS = {"axis": ANY}
_LAST = {"axis": LAST_AXIS}
_SMOOTHING = {"label_smoothing": ANY}
_ZERO = {"empty_mean": ("undefined", "zero")}
_NONZERO_MEAN = dict(_ZERO, reduction=("nonzero_mean",))
_V1_REDUCTIONS = dict(_ZERO, reduction=tuple(V1_REDUCTIONS))


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


def _v1(
    name: str,
    operation: str,
    run: Callable[..., Any],
    *parameters: Mapping[str, Values],
    stopped: Sequence[str] = (),
    **more: Any,
) -> Tuple[Implementation, Implementation]:
    """The rows of a loss of tf.losses: by the path that both majors have, and as it was typed until 2.0."""
    offered = (_V1_REDUCTIONS, *parameters)
    common: Dict[str, Any] = dict(more, inputs=_WEIGHTS, stopped=stopped)
    return (
        _row("losses." + name, operation, run, *offered, modes=(SESSION,), until="2.0", alias=True, **common),
        _row("compat.v1.losses." + name, operation, run, *offered, **common),
    )


def _contrib(operation: str, run: Callable[..., Any], *parameters: Mapping[str, Values], **more: Any) -> Any:
    path = "contrib.losses." + operation
    more = dict(more, inputs=_WEIGHTS, modes=OLD_MODES, until="2.0")
    return _row(path, operation, run, _NONZERO_MEAN, *parameters, **more)


def _of_sample(name: str, operation: str) -> Any:
    """A loss over a given sample; XLA has no kernel that finds accidental hits."""
    found = _row("nn." + name, operation, partial(_sampled, name), {HITS: ANY}, narrowed={"xla": {HITS: (False,)}})
    modes = (*MODES, sampler.SAMPLER)
    return found._replace(gradients=("hidden", "kernel", "biases"), modes=modes, seldom=(sampler.SAMPLER,))


def _differentiated(
    path: str, operation: str, run: Callable[..., Any], *parameters: Mapping[str, Values], **more: Any
) -> Any:
    """The row of a loss's gradient: its own gradient is double backward."""
    return _row(path, operation + "_gradient", partial(_gradient, run), *parameters, since=DOUBLE_BACKWARD, **more)


DOUBLE_BACKWARD = "2.2"
"""The first TensorFlow that differentiates the sparse kernel twice: https://github.com/tensorflow/tensorflow/issues/27875"""
HITS = "remove_accidental_hits"

_ROWS = (
    _row("math.sigmoid", "sigmoid", _sigmoid),
    _row("math.log_sigmoid", "log_sigmoid", _log_sigmoid),
    _row("nn.softmax", "softmax", _softmax, _AXIS),
    _row("nn.log_softmax", "log_softmax", _log_softmax, _AXIS),
    _row("math.reduce_logsumexp", "logsumexp", _logsumexp, _AXIS),
    _row("reduce_logsumexp", "logsumexp", _logsumexp, _AXIS, alias=True),
    _row("nn.sigmoid_cross_entropy_with_logits", _SIGMOID, _nn_sigmoid),
    _row("nn.weighted_cross_entropy_with_logits", "weighted_" + _SIGMOID, _nn_weighted, {"pos_weight": ANY}),
    _row("nn.softmax_cross_entropy_with_logits", _SOFTMAX, _nn_softmax, _AXIS, gradients_since={"labels": "2.0"}),
    _row("nn.sparse_softmax_cross_entropy_with_logits", _SPARSE, _nn_sparse, _LAST, indices=WIDE_INDICES),
    _row(
        "compat.v1.nn.softmax_cross_entropy_with_logits",
        _SOFTMAX,
        tensorflow_kernels.v1_softmax,
        _AXIS,
        stopped=_LABELS,
    ),
    _row("compat.v1.nn.softmax_cross_entropy_with_logits_v2", _SOFTMAX, tensorflow_kernels.v2_softmax, _AXIS),
    _row("raw_ops.SoftmaxCrossEntropyWithLogits", _SOFTMAX, tensorflow_kernels.kernel_softmax, _LAST),
    _row(
        "raw_ops.SparseSoftmaxCrossEntropyWithLogits",
        _SPARSE,
        tensorflow_kernels.kernel_sparse,
        _LAST,
        indices=WIDE_INDICES,
    ),
    _row(
        "raw_ops.SoftmaxCrossEntropyWithLogits",
        _SOFTMAX + "_gradient",
        tensorflow_kernels.backprop_softmax,
        _LAST,
        since=DOUBLE_BACKWARD,
    ),
    _row(
        "raw_ops.SparseSoftmaxCrossEntropyWithLogits",
        _SPARSE + "_gradient",
        tensorflow_kernels.backprop_sparse,
        _LAST,
        since=DOUBLE_BACKWARD,
        indices=WIDE_INDICES,
    ),
    _differentiated("nn.sigmoid_cross_entropy_with_logits", _SIGMOID, _nn_sigmoid),
    _differentiated("nn.softmax_cross_entropy_with_logits", _SOFTMAX, _nn_softmax, _AXIS),
    _differentiated("nn.sparse_softmax_cross_entropy_with_logits", _SPARSE, _nn_sparse, _LAST, indices=WIDE_INDICES),
    *KERAS.losses(KERAS_2, KERAS_3),
    *KERAS.cross_entropies(KERAS_3),
    *_v1("sigmoid_cross_entropy", _SIGMOID, _v1_sigmoid, _SMOOTHING),
    *_v1("softmax_cross_entropy", _SOFTMAX, _v1_softmax, _SMOOTHING, _LAST, stopped=_LABELS),
    *_v1("sparse_softmax_cross_entropy", _SPARSE, _v1_sparse, _LAST, indices=WIDE_INDICES),
    *_v1("log_loss", "binary_cross_entropy", _v1_log_loss, {"epsilon": ANY, "epsilon_use": ("add",)}),
    _contrib(_SIGMOID, _contrib_sigmoid, _SMOOTHING),
    _contrib(_SOFTMAX, _contrib_softmax, _SMOOTHING, _LAST, stopped=_LABELS),
    _contrib(_SPARSE, _contrib_sparse, _LAST, indices=WIDE_INDICES),
    _row(
        "contrib.seq2seq.sequence_loss",
        _SPARSE,
        tensorflow_kernels.sequence,
        {"reduction": tuple(tensorflow_kernels.SEQUENCE_FLAGS)},
        _LAST,
        inputs=_WEIGHTS,
        modes=OLD_MODES,
        until="2.0",
        indices=WIDE_INDICES,
    ),
    _of_sample("sampled_softmax_loss", "sampled_softmax_cross_entropy"),
    _of_sample("nce_loss", "noise_contrastive_estimation"),
    *by_hand(
        FRAMEWORK,
        lambda formula: partial(_by_hand, formula),
        differentiable=True,
        dtypes=ALL_FLOATS,
        modes=MODES,
    ),
)

IMPLEMENTATIONS = copying(_ROWS)
