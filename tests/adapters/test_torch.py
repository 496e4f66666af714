from __future__ import annotations

import math
import shutil
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.adapters import Implementation, Tensor, UnsupportedError, has_index_labels, torch_compile
from harness.adapters import torch as adapter
from harness.operations import OPERATIONS
from harness.worker.layouts import laid_out

ROWS = {f"{i.path}:{i.operation}": i for i in adapter.IMPLEMENTATIONS}
COMPLETE = [row for name, row in ROWS.items() if "000_c_1" not in name]
F = "torch.nn.functional."


def named(row: Implementation) -> str:
    return f"{row.path}:{row.operation}"


def refused(call: Any) -> bool:
    """Its mean of index targets divides by the sum of their class weights."""
    parameters = call.parameters
    by_class = "class_weights" in call.inputs or parameters.get("ignore_index", "none") != "none"
    return by_class and parameters["reduction"] == "mean" and "ignore_index" in parameters


@pytest.mark.parametrize("row", COMPLETE, ids=named)
def test_agrees_with_the_definition(row: Implementation, torch_worker: Any, assert_agrees: Any) -> None:
    assert assert_agrees(row, torch_worker.send, departs=refused) >= 2


@pytest.mark.parametrize("given", [{"ignore_index": 1}, {"class_weights": [1.0, 2.0]}], ids=str)
def test_a_mean_by_class_weights_is_no_plain_mean(
    given: Any, torch_worker: Any, call: Any, tensor: Any, defaults: Any
) -> None:
    row = ROWS[F + "cross_entropy:sparse_softmax_cross_entropy"]
    inputs = {"logits": tensor([[0.0, 1.0], [1.0, 3.0]], "float32"), "labels": tensor([0, 1], "int64")}
    if "class_weights" in given:
        inputs["class_weights"] = tensor(given["class_weights"], "float32")
    ignored = {name: value for name, value in given.items() if name == "ignore_index"}
    means = ("mean", "weighted_mean")
    calls = [call(row, inputs, defaults(row.operation, reduction=mean, **ignored)) for mean in means]
    plain, weighted = torch_worker.send(calls)
    assert plain.outcome == "unsupported"
    assert weighted.outcome == "value"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("row", COMPLETE, ids=named)
def test_agrees_in_other_dtypes(row: Implementation, dtype: str, torch_worker: Any, assert_agrees: Any) -> None:
    assert_agrees(row, torch_worker.send, dtype, thorough=False)


@pytest.mark.parametrize("row", [row for row in COMPLETE if "vmap" in row.modes], ids=named)
def test_vmap_gives_what_all_examples_at_once_give(
    row: Implementation, torch_worker: Any, call: Any, tensor: Any, defaults: Any, values: Any
) -> None:
    indices = has_index_labels(row.operation)
    leading = tensor([[0.25, 0.5, 0.25], [0.125, 0.75, 0.125]], "float64")
    labels = tensor([2, 1], "int64") if indices else tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], "float64")
    needs = [i.name for i in OPERATIONS[row.operation].inputs]
    inputs = {row.gradients[0]: leading, **({"labels": labels} if "labels" in needs else {})}
    offered = row.parameters.get("reduction", ())
    given: dict[str, Any] = {"reduction": next(r for r in ("none", "row_mean") if r in offered)} if offered else {}
    given.update({"axis": 1} if "axis" in row.parameters else {})
    given.update({"log_floor": -100.0} if "log_floor" in row.parameters else {})
    wanted = ["value", "gradient:" + row.gradients[0]]
    parameters = defaults(row.operation, **given)
    eager, mapped = torch_worker.send([call(row, inputs, parameters, wanted, mode) for mode in ("eager", "vmap")])
    for output in wanted:
        np.testing.assert_allclose(values(mapped.outputs[output]), values(eager.outputs[output]), rtol=1e-12)


def test_autocast_computes_losses_in_float32_and_products_in_bfloat16(
    torch_worker: Any, call: Any, tensor: Any, defaults: Any, values: Any
) -> None:
    logits, rows = tensor([[1.1, 0.3]], "float32"), tensor([[0.25, 0.75]], "float32")
    half = {"logits": tensor([[1.0, 0.5]], "bfloat16"), "labels": tensor([[0.25, 0.75]], "bfloat16")}
    loss = ROWS[F + "cross_entropy:softmax_cross_entropy"]
    linear = ROWS[F + "linear_cross_entropy:linear_cross_entropy"]
    layer = {"hidden": logits, "kernel": tensor([[1.3, 0.7], [0.9, 0.1]], "float32"), "labels": tensor([1], "int64")}
    calls = [
        call(row, inputs, defaults(row.operation), ["value"], mode)
        for row, inputs in ((loss, {"logits": logits, "labels": rows}), (linear, layer))
        for mode in ("eager", "autocast")
    ]
    plain, cast, product, rounded = (values(a.outputs["value"]) for a in torch_worker.send(calls))
    np.testing.assert_array_equal(cast, plain)
    assert 1e-4 < abs(rounded - product) < 2e-2
    (answer,) = torch_worker.send([call(loss, half, defaults(loss.operation), ["value"], "autocast")])
    assert answer.outputs["value"].dtype == "float32"


def test_torch_compile_gives_what_eager_gives_or_says_that_it_cannot_here(
    torch_worker: Any, call: Any, tensor: Any, defaults: Any, values: Any
) -> None:
    row = ROWS[F + "cross_entropy:softmax_cross_entropy"]
    inputs = {"logits": tensor([[1.0, 0.0]], "float32"), "labels": tensor([[0.25, 0.75]], "float32")}
    wanted = ["value", "gradient:logits"]
    eager, compiled = torch_worker.send(
        [call(row, inputs, defaults(row.operation), wanted, mode) for mode in ("eager", "compile")]
    )
    if shutil.which("g++") is None:
        assert (compiled.outcome, compiled.header["reason"]) == (
            "unsupported",
            "there is no C++ compiler for inductor",
        )
        return
    for output in wanted:
        np.testing.assert_allclose(values(compiled.outputs[output]), values(eager.outputs[output]), rtol=1e-6)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("No working C++ compiler found in cxx: (None, 'g++')", "there is no C++ compiler for inductor"),
        ("Dynamo is not supported on Python 3.12+", "Dynamo is not supported on Python 3.12+"),
    ],
)
def test_a_machine_that_cannot_compile_is_no_error_of_the_call(said: str, reason: str) -> None:
    def compiled(_function: Any, **_options: Any) -> Any:
        raise RuntimeError(said)

    torch = SimpleNamespace(compiler=SimpleNamespace(reset=lambda: None), compile=compiled)
    with pytest.raises(UnsupportedError) as refused:
        torch_compile.compiled(torch, lambda: None)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("logits", "given", "reason"),
    [
        ([0.0, 1.0], {"axis": 0}, "the classes are on the axis that is mapped over"),
        (0.0, {}, "there is no axis to map over"),
    ],
    ids=str,
)
def test_vmap_refuses_what_is_no_function_of_one_example(
    logits: Any, given: Any, reason: str, torch_worker: Any, call: Any, tensor: Any, defaults: Any
) -> None:
    row = ROWS[F + "cross_entropy:softmax_cross_entropy"]
    inputs = {"logits": tensor(logits, "float32"), "labels": tensor(logits, "float32")}
    (answer,) = torch_worker.send([call(row, inputs, defaults(row.operation, **given), ["value"], "vmap")])
    assert (answer.outcome, answer.header["reason"]) == ("unsupported", reason)


def test_every_loss_is_differentiable_with_respect_to_its_labels_and_none_to_its_weights() -> None:
    for row in ROWS.values():
        dense = "labels" in (i.name for i in OPERATIONS[row.operation].inputs if i.kind == "real")
        constant = ".by_hand." in row.path or row.operation == "soft_margin_loss"
        labels = ("labels",) if dense and not constant else ()
        classes = ("class_weights",) if labels and "class_weights" in row.inputs else ()
        layer = ("kernel", "biases") if row.operation == "linear_cross_entropy" else ()
        assert row.gradients == (OPERATIONS[row.operation].leading, *labels, *classes, *layer), named(row)


@pytest.mark.parametrize("row", [row for row in ROWS.values() if "weights" in row.inputs], ids=named)
def test_weights_that_require_a_gradient_raise(
    row: Implementation, torch_worker: Any, call: Any, tensor: Any, defaults: Any
) -> None:
    inputs = {name: tensor([0.25, 0.75], "float32") for name in (row.gradients[0], "labels", "weights")}
    (answer,) = torch_worker.send([call(row, inputs, defaults(row.operation), ["gradient:weights"])])
    assert (answer.outcome, answer.header["error"]) == ("error", "RuntimeError")
    assert "'weight'" in answer.header["reason"]


def test_gradient_of_a_target_lacks_the_floor_of_its_loss(
    torch_worker: Any, call: Any, tensor: Any, defaults: Any
) -> None:
    row = ROWS[F + "binary_cross_entropy:binary_cross_entropy"]
    inputs = {"probabilities": tensor([0.0, 1.0], "float32"), "labels": tensor([0.5, 0.5], "float32")}
    wanted = ["value", "gradient:labels"]
    (answer,) = torch_worker.send([call(row, inputs, defaults(row.operation, log_floor=-100.0), wanted)])
    assert answer.outputs["value"].data.tolist() == [50.0, 50.0]
    assert answer.outputs["gradient:labels"].data.tolist() == [
        math.inf,
        -math.inf,
    ]  # the loss's slopes are 100 and -100


def test_says_its_versions(torch_worker: Any) -> None:
    assert torch_worker.hello["packages"]["torch"]
    assert torch_worker.hello["absent"] == {}


def test_incomplete_formula_gives_its_half(
    torch_worker: Any, call: Any, tensor: Any, defaults: Any, values: Any
) -> None:
    row = ROWS["torch.by_hand.000_c_1:sigmoid_cross_entropy"]
    inputs = {"logits": tensor([0.2, 0.3], "float64"), "labels": tensor([0.0, 1.0], "float64")}
    (answer,) = torch_worker.send([call(row, inputs, defaults(row.operation))])
    np.testing.assert_allclose(values(answer.outputs["value"]), [0.0, math.log1p(math.exp(-0.3))])


def test_misspelt_reduction_reaches_the_api(torch_worker: Any, call: Any, tensor: Any, defaults: Any) -> None:
    calls = []
    for row in ROWS.values():
        if "reduction" in row.parameters:
            inputs = {row.gradients[0]: tensor([[0.25, 0.75]], "float32"), "labels": tensor([[1.0, 0.0]], "float32")}
            if has_index_labels(row.operation):
                inputs["labels"] = tensor([1], "int64")
            if "biases" in row.inputs:
                inputs["kernel"] = tensor([[1.0, 2.0], [3.0, 4.0]], "float32")
            calls.append(call(row, inputs, defaults(row.operation, reduction="avg")))
    answers = torch_worker.send(calls)
    assert len(answers) >= 6
    assert {a.outcome for a in answers} == {"error"}
    assert {a.header["reason"] for a in answers} <= {
        "avg is not a valid value for reduction",
        "unknown reduction 'avg'",
        "avg is not valid",
    }


def test_shapes_that_differ_raise(torch_worker: Any, call: Any, tensor: Any, defaults: Any) -> None:
    inputs = {"logits": tensor([1.0, 2.0], "float32"), "labels": tensor([1.0, 0.0, 1.0], "float32")}
    row = ROWS[F + "binary_cross_entropy_with_logits:sigmoid_cross_entropy"]
    (answer,) = torch_worker.send([call(row, inputs, defaults(row.operation))])
    assert (answer.outcome, answer.header["error"]) == ("error", "ValueError")


@pytest.mark.parametrize("path", [F + "cross_entropy", "torch.by_hand.001_c"])
def test_index_out_of_range_raises(path: str, torch_worker: Any, call: Any, tensor: Any, defaults: Any) -> None:
    row = ROWS[f"{path}:sparse_softmax_cross_entropy"]
    inputs = {"logits": tensor([[1.0, 2.0]], "float32"), "labels": tensor([2], "int64")}
    (answer,) = torch_worker.send([call(row, inputs, defaults(row.operation, axis=1))])
    assert answer.outcome == "error"


def test_narrower_indices_are_taken_as_int64(torch_worker: Any, call: Any, tensor: Any, defaults: Any) -> None:
    row = ROWS[F + "cross_entropy:sparse_softmax_cross_entropy"]
    inputs = {"logits": tensor([[1.0, 2.0]], "float32"), "labels": tensor([1], "int32")}
    (answer,) = torch_worker.send([call(row, inputs, defaults(row.operation, axis=1))])
    assert answer.outcome == "value"


@pytest.mark.parametrize(("mode", "shape"), [("eager", (1, 2)), ("vmap", (1, 2)), ("eager", (1, 2, 1))])
def test_uint8_is_taken_where_torch_takes_it(
    mode: str, shape: tuple[int, ...], torch_worker: Any, call: Any, tensor: Any, defaults: Any
) -> None:
    row = ROWS[F + "cross_entropy:sparse_softmax_cross_entropy"]
    labels = tensor(np.ones((1, *shape[2:])), "uint8")
    inputs = {"logits": tensor(np.zeros(shape), "float32"), "labels": labels}
    (answer,) = torch_worker.send([call(row, inputs, defaults(row.operation, axis=1), mode=mode)])
    assert answer.outcome == "value", answer.header


@pytest.mark.parametrize(("layout", "strides"), [("strided", (24, 8)), ("transposed", (4, 8)), ("expanded", (0, 4))])
def test_arrays_keep_their_layout(layout: str, strides: tuple[int, ...]) -> None:
    torch = SimpleNamespace(from_numpy=lambda array: array)
    found = adapter.to_torch(torch, Tensor("float32", laid_out(np.ones((2, 3), np.float32), layout)))
    assert found.strides == strides


def test_bfloat16_travels_bit_by_bit(torch_worker: Any, call: Any, tensor: Any, defaults: Any) -> None:
    row = ROWS["torch.by_hand.003_c_9:sigmoid_cross_entropy"]
    logits = tensor([-200.0, -1e-30, -3.0], "bfloat16")
    inputs = {"logits": logits, "labels": tensor([1.0, 1.0, 1.0], "bfloat16")}
    (answer,) = torch_worker.send([call(row, inputs, defaults(row.operation))])
    assert answer.outputs["value"].dtype == "bfloat16"
    assert answer.outputs["value"].data[0] == logits.data[0] & 0x7FFF  # -(-200) + log(1 + 0)


def test_a_torch_that_cannot_see_bits_as_another_dtype_is_no_fault_of_its_losses() -> None:
    class Old:
        __version__ = "1.4.0"
        bfloat16 = "torch.bfloat16"

        @staticmethod
        def from_numpy(_data: Any) -> Any:
            class Bits:
                @staticmethod
                def view(_dtype: Any) -> Any:
                    raise TypeError("view(): argument 'size' must be tuple of ints")

            return Bits

    with pytest.raises(UnsupportedError, match=r"torch 1\.4\.0 can't be given the bits of bfloat16"):
        adapter.to_torch(Old, Tensor("bfloat16", np.zeros(2, np.uint16)))
