"""TensorFlow's own sampler in its sampled losses: their mean over many draws is the expectation of exact losses.

One class a draw, so that the expectation is a sum over classes: E = sum P(k) L(k), L(k) certified, and
P(k) = log((k + 2) / (k + 1)) / log(C + 1). By Hoeffding's inequality the mean of R draws of losses in [a, b] is
within (b - a) sqrt(log(2 / alpha) / (2 R)) of E but with a probability of alpha. The seed is fixed: the answer
is always the same.
https://www.tensorflow.org/api_docs/python/tf/random/log_uniform_candidate_sampler
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from harness.model.case import Case, Expectation, Source
from harness.oracle import truth

DRAWS, ALPHA, SEED = 2000, 1e-9, 20
HIDDEN, LABELS = [[1.0, -0.5], [0.5, 1.0]], [[1], [3]]
KERNEL, BIASES = [[3.0, 2.0], [0.5, -1.0], [-1.0, 0.5], [0.25, 0.75], [-2.0, 1.0]], [1.0, 0.0, 0.0, 0.25, -1.0]
CLASSES = len(KERNEL)
LOSSES = {"sampled_softmax_loss": "sampled_softmax_cross_entropy", "nce_loss": "noise_contrastive_estimation"}

SCRIPT = """
import json, sys
import tensorflow as tf
name, hidden, kernel, biases, labels, draws, seed = json.loads(sys.argv[1])
tf.random.set_seed(seed)
@tf.function
def loss():
    return tf.reduce_mean(getattr(tf.nn, name)(tf.constant(kernel), tf.constant(biases), tf.constant(labels, tf.int64),
        tf.constant(hidden), num_sampled=1, num_classes=len(kernel), remove_accidental_hits=False))
print(json.dumps([float(loss()) for _ in range(draws)]))
"""


def share(number: int) -> float:
    """How likely a class is drawn."""
    return math.log((number + 2) / (number + 1)) / math.log(CLASSES + 1)


def exact(operation: str, number: int) -> float:
    """The certified mean loss of the rows, with this class as the sample."""
    given: dict[str, Any] = {"hidden": HIDDEN, "kernel": KERNEL, "biases": BIASES}
    given |= {"true_expected": [[share(row[0])] for row in LABELS], "sampled_expected": [share(number)]}
    inputs = {name: np.asarray(numbers, np.float64) for name, numbers in given.items()}
    inputs |= {"labels": np.asarray(LABELS), "samples": np.asarray([number])}
    kept = {"remove_accidental_hits": False}
    case = Case("sampler", operation, inputs, kept, "float64", Expectation(), Source("", 0))
    return float(np.mean(truth.evaluate(case).outputs["value"].high))


@pytest.mark.parametrize("name", LOSSES)
def test_the_mean_of_draws_is_the_expectation(name: str) -> None:
    given = json.dumps([name, HIDDEN, KERNEL, BIASES, LABELS, DRAWS, SEED])
    command = [sys.executable, "-c", SCRIPT, given]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if "No module named 'tensorflow'" in done.stderr:
        pytest.skip("no TensorFlow here")
    drawn = json.loads(done.stdout.splitlines()[-1])
    losses = np.array([exact(LOSSES[name], number) for number in range(CLASSES)])
    expected = float(losses @ [share(number) for number in range(CLASSES)])
    margin = float(np.ptp(losses)) * math.sqrt(math.log(2 / ALPHA) / (2 * DRAWS))
    assert abs(float(np.mean(drawn)) - expected) <= margin
    assert abs(float(np.mean(losses)) - expected) > margin, "a uniform sampler would pass"
