"""TensorFlow's kernels, version 1's softmax losses, Keras's operations, 1.15's sequence loss (the island)."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from harness.adapters import UnsupportedError

Tensors = Mapping[str, Any]
Parameters = Mapping[str, Any]


def v1_softmax(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    """It stops the gradient of its labels."""
    return tf.compat.v1.nn.softmax_cross_entropy_with_logits(
        labels=inputs["labels"], logits=inputs["logits"], dim=parameters["axis"]
    )


def v2_softmax(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    """It doesn't."""
    return tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2(
        labels=inputs["labels"], logits=inputs["logits"], axis=parameters["axis"]
    )


def kernel_softmax(tf: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    """Its output `loss`."""
    return _outputs_of(tf.raw_ops.SoftmaxCrossEntropyWithLogits, inputs).loss


def kernel_sparse(tf: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    """Likewise, of index labels."""
    return _outputs_of(tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits, inputs).loss


def backprop_softmax(tf: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    """Its other output: the gradient of each loss, which that of the loss is made of, times upstream."""
    return _outputs_of(tf.raw_ops.SoftmaxCrossEntropyWithLogits, inputs).backprop


def backprop_sparse(tf: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    """Likewise, of index labels."""
    return _outputs_of(tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits, inputs).backprop


def _outputs_of(kernel: Callable[..., Any], inputs: Tensors) -> Any:
    if len(inputs["logits"].shape) != 2:  # noqa: PLR2004 - examples x classes
        raise UnsupportedError("its features have two axes, examples and classes")
    return kernel(features=inputs["logits"], labels=inputs["labels"])


SEQUENCE_FLAGS = {
    "none": {"average_across_timesteps": False, "average_across_batch": False},
    "weighted_mean": {},
    "nonzero_mean": {
        "average_across_timesteps": False,
        "average_across_batch": False,
        "sum_over_timesteps": True,
        "sum_over_batch": True,
    },
}
"""Our reductions as the flags of sequence_loss; both its means add 1e-12 to what they divide by."""


def sequence(tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    """Its weights are required; of ones they change nothing."""
    logits, labels = inputs["logits"], inputs["labels"]
    weights = inputs.get("weights")
    if len(logits.shape) != 3:  # noqa: PLR2004 - batch x timesteps x classes
        raise UnsupportedError("its logits have three axes: batch, timesteps and classes")
    if weights is None:
        weights = tf.ones(labels.shape, logits.dtype)
    elif len(weights.shape) != 2:  # noqa: PLR2004 - batch x timesteps
        raise UnsupportedError("its weights have two axes: batch and timesteps")
    flags = SEQUENCE_FLAGS.get(parameters["reduction"])
    if flags is None:
        raise UnsupportedError("it has no such reduction")
    return tf.contrib.seq2seq.sequence_loss(logits, labels, weights, **flags)
