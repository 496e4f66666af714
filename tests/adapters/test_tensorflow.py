from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.adapters import Implementation
from harness.adapters import tensorflow as adapter
from harness.operations import OPERATIONS

ROWS = {f"{i.path}:{i.operation}": i for i in adapter.IMPLEMENTATIONS}
RUNNABLE = [row for row in ROWS.values() if not row.absent and not row.until]
DEPARTING = ("000_c_1:sigmoid_cross_entropy", "nn.softmax_cross_entropy_with_logits:softmax_cross_entropy_gradient")
"""Half a formula, and a gradient whose derivative by labels is left out."""
COMPLETE = [
    row for name, row in ROWS.items() if row in RUNNABLE and not name.endswith(DEPARTING) and ".raw_ops." not in name
]
STOPPED = [
    *(f"tf.{api}.softmax_cross_entropy" for api in ("compat.v1.losses", "losses", "contrib.losses")),
    "tf.compat.v1.nn.softmax_cross_entropy_with_logits",
]
STOPPED = [path + ":softmax_cross_entropy" for path in STOPPED]
"""Their labels are constants: tf.stop_gradient."""

FORMS = (
    *("keras.losses.CategoricalCrossentropy", "keras.losses.categorical_crossentropy"),
    *("keras.losses.CategoricalFocalCrossentropy", "keras.losses.categorical_focal_crossentropy"),
)


def named(row: Implementation) -> str:
    return f"{row.path}:{row.operation}"


def departs(row: Implementation, parameters: Any) -> bool:
    """Smoothing over the last axis, whichever the classes' is; clip_add is Keras 2's; ignored losses don't count."""
    if parameters.get("reduction") == "mean" and parameters.get("ignore_index", "none") != "none":
        return True
    if row.path.startswith("tf.keras.") and parameters.get("epsilon_use") == "clip_add":
        return True
    return row.path[3:] in FORMS and parameters["axis"] != -1 and parameters["label_smoothing"] > 0


def tolerance(row: Implementation) -> float | None:
    """tf.losses computes in float32, whatever it is given."""
    return 2e-5 if row.path.startswith("tf.compat.v1.losses.") else None


@pytest.mark.parametrize("row", COMPLETE, ids=named)
def test_agrees_with_the_definition(row: Implementation, tensorflow_worker: Any, assert_agrees: Any) -> None:
    calls = assert_agrees(row, tensorflow_worker.send, departs=lambda call: departs(row, call.parameters))
    assert calls >= 2


@pytest.mark.parametrize(
    ("row", "mode"),
    [
        pytest.param(row, mode, id=f"{named(row)}@{mode}")
        for row in COMPLETE
        for mode in row.modes[1:]
        if mode not in row.seldom
    ],
)
def test_agrees_in_other_modes(row: Implementation, mode: str, tensorflow_worker: Any, assert_agrees: Any) -> None:
    assert_agrees(row, tensorflow_worker.send, mode=mode, thorough=False)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("row", COMPLETE, ids=named)
def test_agrees_in_narrow_dtypes(row: Implementation, dtype: str, tensorflow_worker: Any, assert_agrees: Any) -> None:
    assert_agrees(row, tensorflow_worker.send, dtype, thorough=False)


@pytest.mark.parametrize("row", COMPLETE, ids=named)
def test_agrees_in_float64(row: Implementation, tensorflow_worker: Any, assert_agrees: Any) -> None:
    assert_agrees(row, tensorflow_worker.send, "float64", thorough=False, tolerance=tolerance(row))


def test_every_row_is_differentiable_with_respect_to_every_real_input_that_is_not_stopped() -> None:
    for name, row in ROWS.items():
        constant = {"labels"} if ".by_hand." in name or name in STOPPED else set()
        inputs = [i for i in OPERATIONS[row.operation].inputs if not i.optional or i.name in row.inputs]
        real = [i.name for i in inputs if i.differentiable and i.name not in constant]
        assert list(row.gradients) == ([] if row.absent else real), name


@pytest.mark.parametrize("mode", adapter.MODES)
def test_gradient_that_the_api_stops_is_not_given(
    mode: str, tensorflow_worker: Any, call: Any, tensor: Any, defaults: Any
) -> None:
    row = ROWS[STOPPED[0]]
    inputs = {"logits": tensor([[1.0, 2.0]], "float32"), "labels": tensor([[0.25, 0.75]], "float32")}
    wanted = ["value", "gradient:logits", "gradient:labels"]
    (answer,) = tensorflow_worker.send([call(row, inputs, defaults(row.operation), wanted, mode)])
    assert list(answer.outputs) == ["value", "gradient:logits"]


def test_ignored_losses_do_not_count(one: Any) -> None:
    name = "tf.keras.losses.SparseCategoricalCrossentropy:sparse_softmax_cross_entropy"
    given: dict[str, Any] = {"logits": [[0.0, 0.0], [1.0, 2.0]], "labels": [1, -1], "ignore_index": -1}
    value = one(name, reduction="valid_mean", **given).outputs["value"].data
    np.testing.assert_allclose(value, np.log(2.0), rtol=1e-6)
    answer = one(name, reduction="mean", **given)
    assert answer.outcome == "unsupported"
    assert answer.header["reason"] == "its mean divides by the number of losses that aren't ignored"


def test_says_what_is_absent(tensorflow_worker: Any) -> None:
    hello = tensorflow_worker.hello
    assert hello["packages"]["tensorflow"]
    assert hello["packages"]["keras"]
    absent = {f"{path}:{operation}": why for path, of in hello["absent"].items() for operation, why in of.items()}
    assert set(absent) == set(ROWS) - {named(row) for row in RUNNABLE}
    assert "gone since 2.0" in absent["tf.contrib.losses.sigmoid_cross_entropy:sigmoid_cross_entropy"]


@pytest.fixture
def one(tensorflow_worker: Any, call: Any, tensor: Any, defaults: Any) -> Any:
    """Run one call: row's name, inputs as lists, parameters."""

    def run(name: str, dtype: str = "float32", mode: str = "eager", **given: Any) -> Any:
        row = ROWS[name]
        parameters = {k: given.pop(k) for k in list(given) if k not in {"logits", "probabilities", "labels", "weights"}}
        kinds = {n: "int64" if n == "labels" and row.operation.startswith("sparse") else dtype for n in given}
        inputs = {n: tensor(v, kinds[n]) for n, v in given.items()}
        wanted = ("value", *("gradient:" + n for n in row.gradients))
        made = call(row, inputs, defaults(row.operation, **parameters), wanted, mode)
        (answer,) = tensorflow_worker.send([made])
        return answer

    return run


def test_misspelt_reduction_reaches_the_api(one: Any) -> None:
    rows = [r for r in COMPLETE if len(r.parameters.get("reduction", ())) > 1 and "weights" in r.inputs]
    for row in rows:
        labels = [1] if row.operation.startswith("sparse") else [[0.0, 1.0]]
        answer = one(named(row), reduction="avg", labels=labels, **{row.gradients[0]: [[0.25, 0.75]]})
        assert (answer.outcome, answer.header["error"]) == ("error", "ValueError"), row.path
        assert "avg" in answer.header["reason"]
    assert len(rows) >= 10


@pytest.mark.parametrize("mode", adapter.MODES)
def test_shapes_that_differ_raise(mode: str, one: Any) -> None:
    name = "tf.nn.sigmoid_cross_entropy_with_logits:sigmoid_cross_entropy"
    answer = one(name, mode=mode, logits=[1.0, 2.0], labels=[1.0, 0.0, 1.0])
    assert (answer.outcome, answer.header["error"]) == ("error", "ValueError")


def test_index_out_of_range_raises_eagerly_and_is_nan_under_xla(one: Any) -> None:
    name = "tf.nn.sparse_softmax_cross_entropy_with_logits:sparse_softmax_cross_entropy"
    eager = one(name, logits=[[1.0, 2.0]], labels=[2])
    assert (eager.outcome, eager.header["error"]) == ("error", "InvalidArgumentError")
    assert np.isnan(one(name, mode="xla", logits=[[1.0, 2.0]], labels=[2]).outputs["value"].data).all()


def test_one_hot_of_an_index_out_of_range_is_zero(one: Any) -> None:
    answer = one(
        "tf.by_hand.001_c:sparse_softmax_cross_entropy".replace("tf.", "tensorflow."), logits=[[1.0, 2.0]], labels=[2]
    )
    assert answer.outputs["value"].data.tolist() == [0.0]


def test_v1_losses_answer_float64_with_the_precision_of_float32(one: Any) -> None:
    softmax = one(
        "tf.compat.v1.losses.softmax_cross_entropy:softmax_cross_entropy",
        dtype="float64",
        logits=[[0.1, 0.7]],
        labels=[[1.0, 0.0]],
    )
    assert softmax.outputs["value"].dtype == "float64"
    assert softmax.outputs["value"].data[0] == np.float32(softmax.outputs["value"].data[0])
    log_loss = "tf.compat.v1.losses.log_loss:binary_cross_entropy"
    answer = one(log_loss, dtype="float64", probabilities=[0.3], labels=[1.0], epsilon=1e-7, epsilon_use="add")
    assert answer.outputs["value"].dtype == "float32"
    assert answer.outputs["gradient:probabilities"].dtype == "float64"


def test_keras_smooths_by_the_last_axis_whatever_the_class_axis(one: Any) -> None:
    name = "tf.keras.losses.CategoricalCrossentropy:softmax_cross_entropy"
    logits, labels = [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]], [[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
    answer = one(name, dtype="float64", logits=logits, labels=labels, axis=0, label_smoothing=0.5)
    # two classes, so labels of 0.75 and 0.25; Keras makes 0.625 and 0.125 of them, as if there were four
    np.testing.assert_allclose(answer.outputs["value"].data, [0.75 * np.log(2)] * 4)


def test_keras_binary_mean_takes_weights_of_rows_only(one: Any) -> None:
    name = "tf.keras.losses.BinaryCrossentropy:sigmoid_cross_entropy"
    given = {"logits": [[1.0, 2.0], [3.0, 4.0]], "labels": [[1.0, 0.0], [0.0, 1.0]]}
    assert one(name, reduction="mean", weights=[[1.0], [2.0]], **given).outcome == "value"
    assert one(name, reduction="mean", weights=2.0, **given).outcome == "value"
    assert one(name, reduction="mean", weights=[[1.0, 1.0], [2.0, 2.0]], **given).outcome == "unsupported"
    assert one(name, reduction="weighted_mean", weights=2.0, **given).outcome == "unsupported"


def test_keras_guards_the_binary_loss_as_its_major_does(one: Any) -> None:
    name = "tf.keras.losses.BinaryCrossentropy:binary_cross_entropy"
    given = {"probabilities": [[0.25, 0.5]], "labels": [[1.0, 0.0]], "epsilon": 1e-7, "reduction": "row_mean"}
    assert one(name, epsilon_use="clip", **given).outcome == "value"
    assert one(name, epsilon_use="clip_add", **given).header["reason"] == "Keras 3 only clips"


def test_v1_weights_of_fewer_axes_than_the_losses_are_unsupported(one: Any) -> None:
    name = "tf.compat.v1.losses.sigmoid_cross_entropy:sigmoid_cross_entropy"
    given = {"logits": [[1.0, 2.0]], "labels": [[1.0, 0.0]]}
    assert one(name, weights=[1.0, 2.0], **given).outcome == "unsupported"
    assert one(name, weights=2.0, **given).outcome == "value"


def test_autodiff_of_the_final_formula_is_wrong_at_zero(one: Any) -> None:
    answer = one("tensorflow.by_hand.003_c_10:sigmoid_cross_entropy", logits=[0.0], labels=[0.0])
    assert answer.outputs["gradient:logits"].data.tolist() == [1.0]  # sigmoid(0) - 0 is 0.5


def test_same_signature_is_traced_once(one: Any) -> None:
    name = "tf.nn.softmax:softmax"
    first = one(name, mode="xla", logits=[[1.0, 2.0, 5.0, 7.0, 1.0]])
    again = one(name, mode="xla", logits=[[1.5, 2.0, 5.0, 7.0, 1.0]])
    assert again.header["seconds"] < first.header["seconds"] / 3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_sessions_keep_every_dtype(dtype: str, tensorflow_worker: Any, assert_agrees: Any) -> None:
    row = ROWS["tf.nn.softmax_cross_entropy_with_logits:softmax_cross_entropy"]
    assert assert_agrees(row, tensorflow_worker.send, dtype, mode="session") >= 2


def test_a_session_runs_each_shape(one: Any) -> None:
    for shape in ([1.0], [1.0, 2.0], [[1.0], [2.0]]):
        answer = one("tf.math.sigmoid:sigmoid", mode="session", logits=shape)
        np.testing.assert_allclose(answer.outputs["value"].data, 1 / (1 + np.exp(-np.array(shape))), rtol=1e-6)


def test_label_out_of_range_raises_in_a_session(one: Any) -> None:
    name = "tf.compat.v1.losses.sparse_softmax_cross_entropy:sparse_softmax_cross_entropy"
    answer = one(name, mode="session", logits=[[1.0, 2.0]], labels=[2])
    assert (answer.outcome, answer.header["error"]) == ("error", "InvalidArgumentError")


def test_signatures_are_those_of_the_public_functions(tensorflow_worker: Any) -> None:
    found = tensorflow_worker.hello["signatures"]
    names = [name for name, _, _ in found["tf.nn.softmax_cross_entropy_with_logits"]]
    assert names == ["labels", "logits", "axis", "name"]
    assert ["from_logits", "POSITIONAL_OR_KEYWORD", "False"] in found["tf.keras.losses.BinaryCrossentropy"]


def test_kernels_take_rows_of_classes(one: Any) -> None:
    name = "tf.raw_ops.SoftmaxCrossEntropyWithLogits:softmax_cross_entropy"
    answer = one(name, logits=[[1.0, 2.0]], labels=[[0.0, 1.0]])
    np.testing.assert_allclose(answer.outputs["value"].data, [np.log1p(np.exp(-1))], rtol=1e-6)
    np.testing.assert_allclose(answer.outputs["gradient:logits"].data, [[0.26894143, -0.26894143]], rtol=1e-6)
    answer = one(name, logits=[1.0, 2.0], labels=[0.0, 1.0])
    assert (answer.outcome, answer.header["reason"]) == (
        "unsupported",
        "its features have two axes, examples and classes",
    )
