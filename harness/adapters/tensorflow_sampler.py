"""TensorFlow's sampled losses with their own sampler, held against the loss of a given sample.

One class is drawn at a time, DRAWS times with a fixed seed. The sum of losses where the given class is drawn, over
DRAWS and over how likely that class is, is its loss on average, and so are the slopes: if classes are drawn as often as
the documentation says, and if the loss subtracts the logarithms of just these expected counts.
https://www.tensorflow.org/api_docs/python/tf/random/log_uniform_candidate_sampler
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Mapping

from harness.adapters import Tensor, UnsupportedError

SAMPLER = "sampler"
"""The mode."""

DRAWS, SEED = 4000, 20

Tensors = Mapping[str, Any]
Parameters = Mapping[str, Any]
Run = Callable[..., Any]


def drawing(run: Run) -> Run:
    """A row's `run` with draws of its own; traced anew for each call, since a traced sampler goes on where it was."""
    return partial(_mean, run)


def refuse(version: str, inputs: Mapping[str, Tensor], parameters: Parameters) -> None:
    """Refuse samples that can't be told from others by what they slope, and TensorFlow 1.

    Raises:
        UnsupportedError: why.
    """
    if version.startswith("1."):
        raise UnsupportedError("TensorFlow 1 can't run a loop of draws: it finds no kernel of its condition")
    samples = inputs["samples"].data
    if samples.size != 1 or samples[0] in inputs["labels"].data or parameters["remove_accidental_hits"]:
        raise UnsupportedError("it draws one class at a time, which is none of the labels where it counts")


def _mean(run: Run, tf: Any, inputs: Tensors, parameters: Parameters) -> Any:
    given = dict(parameters, **{SAMPLER: True})
    sample, biases = inputs["samples"][0], inputs["biases"]

    def draw(count: Any, total: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(biases)
            losses = run(tf, inputs, given)
        slopes = tf.convert_to_tensor(tape.gradient(losses, biases))
        drawn = tf.not_equal(tf.gather(slopes, sample), 0)
        return count + 1, total + tf.cast(drawn, losses.dtype) * losses

    nothing = tf.zeros_like(inputs["hidden"][:, 0])
    _, total = tf.while_loop(lambda count, _: count < DRAWS, draw, (0, nothing), parallel_iterations=1)
    return total / (DRAWS * inputs["sampled_expected"][0])
