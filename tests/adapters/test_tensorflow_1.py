"""TensorFlow 1.15 through the same adapter, where its environment is made: `harness env create tf1.15`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import config, provision
from harness.adapters import Implementation
from harness.adapters import tensorflow as adapter

ROWS = {f"{row.path}:{row.operation}": row for row in adapter.IMPLEMENTATIONS}
OLD = [row for row in ROWS.values() if not row.absent and not row.since and ".by_hand." not in row.path]
RANKED = ("tf.contrib.losses.softmax", "tf.contrib.losses.sparse", "tf.contrib.seq2seq", "tf.raw_ops")
"""They take one rank only."""
ANY_RANK = [row for row in OLD if not row.path.startswith(RANKED)]
TOLERANCES = {"float32": 1e-4, "float64": 2e-4}
"""tf.losses computes in float32, and the logistic function is good to 1e-4 of itself."""


@pytest.fixture(scope="module")
def worker(start_worker: Any) -> Iterator[Any]:
    contents = provision.kept(config.resolve({})).contents(provision.known()["tf1.15"])
    if contents is None:
        pytest.skip("the environment tf1.15 isn't made: harness env create tf1.15")
    started = start_worker(Path(adapter.__file__), contents.python)
    yield started
    started.close()


def test_it_is_1_15_and_lacks_what_came_later(worker: Any) -> None:
    assert worker.hello["packages"] == {"tensorflow": "1.15.5", "numpy": "1.18.5"}
    absent = worker.hello["absent"]
    assert "tf.keras.losses.BinaryCrossentropy" in absent
    assert not [path for path in absent if "contrib" in path or path.startswith(("tf.losses", "tf.compat"))]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("row", ANY_RANK, ids=lambda row: f"{row.path}:{row.operation}")
def test_agrees_with_the_definition_in_a_session(
    row: Implementation, dtype: str, worker: Any, assert_agrees: Any
) -> None:
    known = row._replace(gradients=[name for name in row.gradients if name not in row.gradients_since])
    assert_agrees(known, worker.send, dtype, mode="session", tolerance=TOLERANCES[dtype], thorough=False)


@pytest.mark.parametrize("mode", adapter.OLD_MODES)
@pytest.mark.parametrize("name", ["sigmoid", "softmax", "sparse_softmax"])
def test_contrib_gives_what_tf_losses_give_though_its_arguments_are_reversed(
    name: str, mode: str, worker: Any, call: Any, tensor: Any, defaults: Any
) -> None:
    operation = f"{name}_cross_entropy"
    labels = tensor([1, 0], "int64") if name.startswith("sparse") else tensor([[0, 1, 0], [1, 0, 0]], "float32")
    logits = tensor([[1.5, -0.5, 0.25], [-2, 3, 0]], "float32")
    smoothing = {} if name.startswith("sparse") else {"label_smoothing": 0.125}
    parameters = defaults(operation, reduction="nonzero_mean", **smoothing)
    inputs = {"logits": logits, "labels": labels}
    asked = [(f"tf.contrib.losses.{operation}", mode), (f"tf.losses.{operation}", "session")]
    calls = [
        call(ROWS[f"{path}:{operation}"], inputs, parameters, ("value", "gradient:logits"), at) for path, at in asked
    ]
    contrib, losses = worker.send(calls)
    for output in ("value", "gradient:logits"):
        np.testing.assert_allclose(contrib.outputs[output].data, losses.outputs[output].data, rtol=1e-5, atol=1e-7)


def test_contrib_takes_logits_first(worker: Any) -> None:
    for name in ("sigmoid", "softmax", "sparse_softmax"):
        old = [each[0] for each in worker.hello["signatures"][f"tf.contrib.losses.{name}_cross_entropy"]]
        later = [each[0] for each in worker.hello["signatures"][f"tf.losses.{name}_cross_entropy"]]
        assert old[0] == "logits"
        assert later[1] == "logits"


def test_label_gradient_that_came_later_is_unsupported(worker: Any, call: Any, tensor: Any, defaults: Any) -> None:
    row = ROWS["tf.nn.softmax_cross_entropy_with_logits:softmax_cross_entropy"]
    inputs = {"logits": tensor([[1.0, 2.0]], "float32"), "labels": tensor([[0.25, 0.75]], "float32")}
    wanted = ["value", "gradient:logits", "gradient:labels"]
    (answer,) = worker.send([call(row, inputs, defaults(row.operation), wanted, "session")])
    assert list(answer.outputs) == ["value", "gradient:logits"]
    assert answer.header["unsupported"] == {
        "gradient:labels": "tensorflow 1.15.5 doesn't differentiate it by labels (new in 2.0)"
    }


def test_formulas_are_not_compiled_with_fast_math(worker: Any, call: Any, tensor: Any, defaults: Any) -> None:
    row = ROWS["tensorflow.by_hand.003_c_1:sigmoid_cross_entropy"]
    inputs = {"logits": tensor([1.0], "float32"), "labels": tensor([0.0], "float32")}
    (answer,) = worker.send([call(row, inputs, defaults(row.operation), ["value"], "xla")])
    assert answer.outcome == "unsupported"
