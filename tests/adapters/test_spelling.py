"""Calls written down: the text is what was called, values are as ever, and what can't be spelled gives none."""

import json
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from harness.adapters import Implementation
from harness.adapters.formulas import FORMULAS, Primitives, evaluate
from harness.adapters.spelling import SPELLED, spelling
from harness.worker.frames import Tensor

Run = Callable[..., Any]


@pytest.fixture
def kernels() -> types.ModuleType:
    """A framework with a function, a class and a name for a reduction."""
    module = types.ModuleType("kernels")
    nn = types.ModuleType("kernels.nn")

    def loss(logits: Any, labels: Any, reduction: str = "mean", weight: Any = None) -> Any:
        found = (logits - labels) * (1 if weight is None else weight)
        return found.mean() if reduction == "mean" else found

    class Loss:
        def __init__(self, axis: int = -1, name: str = "loss") -> None:
            self.axis = axis
            self.name = name

        def __call__(self, labels: Any, logits: Any) -> Any:
            return (logits - labels).sum(self.axis)

    vars(nn).update(loss=loss, Loss=Loss, exp=np.exp, log=np.log)
    vars(module).update(nn=nn, version="1.2")
    return module


def log_of(run: Run, module: types.ModuleType, parameters: Any = None, aliases: Any = None) -> Any:
    """What a `run` is spelled as, when it is called as adapters call it; its value is right."""
    x, z = np.array([1.0, 2.0], np.float32), np.array([0.0, 1.0], np.float32)
    row = Implementation("kernels.nn.loss", "sigmoid_cross_entropy", run)

    def call(implementation: Any, _mode: str, inputs: Any, given: Any, _wanted: Any) -> Any:
        arrays = {name: tensor.data for name, tensor in inputs.items()}
        return {"value": Tensor.of(np.asarray(implementation.run(module, arrays, given)))}

    inputs = {"logits": Tensor.of(x), "labels": Tensor.of(z)}
    plain = call(row, "eager", inputs, parameters or {}, ["value"])["value"]
    found = spelling(call, aliases or {})(row, "eager", inputs, parameters or {}, ["value"])
    assert found["value"].data.tobytes() == plain.data.tobytes()
    return json.loads(found[SPELLED].data.tobytes())


def test_a_call_is_spelled_as_it_was_made(kernels: types.ModuleType) -> None:
    log = log_of(
        lambda k, t, p: k.nn.loss(t["logits"], t["labels"], reduction=p["reduction"]), kernels, {"reduction": "none"}
    )
    assert log["text"] == "kernels.nn.loss(logits, labels, reduction='none')"
    assert log["calls"] == [
        {
            "function": "kernels.nn.loss",
            "arguments": {"logits": "logits", "labels": "labels", "reduction": "'none'"},
            "defaults": {"reduction": "'mean'", "weight": "None"},
        }
    ]


def test_a_module_is_called_by_its_alias(kernels: types.ModuleType) -> None:
    log = log_of(lambda k, t, _p: k.nn.loss(t["logits"], t["labels"]), kernels, aliases={"ks": "kernels"})
    assert log["text"] == "ks.nn.loss(logits, labels)"


def test_a_class_is_made_and_called(kernels: types.ModuleType) -> None:
    log = log_of(lambda k, t, _p: k.nn.Loss(axis=0)(t["labels"], t["logits"]), kernels)
    assert log["text"] == "kernels.nn.Loss(axis=0)(labels, logits)"
    assert [call["function"] for call in log["calls"]] == ["kernels.nn.Loss", "kernels.nn.Loss(axis=0)"]
    assert log["calls"][0]["defaults"] == {"axis": "-1", "name": "'loss'"}


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (lambda k, t, _p: 1 - k.nn.exp(-t["logits"]) * 2, "1 - (kernels.nn.exp((-logits)) * 2)"),
        (lambda k, t, _p: k.nn.exp(t["logits"])[0:1], "kernels.nn.exp(logits)[0:1]"),
        (
            lambda k, t, _p: k.nn.exp(t["logits"]) + k.nn.log(t["logits"]),
            "kernels.nn.exp(logits) + kernels.nn.log(logits)",
        ),
        (
            lambda k, t, _p: k.nn.exp(t["logits"]).astype(t["labels"].dtype),
            "kernels.nn.exp(logits).astype(labels.dtype)",
        ),
        (lambda k, t, _p: k.nn.exp(t["logits"] if k.version > "1" else None), "kernels.nn.exp(logits)"),
        (
            lambda k, t, _p: k.nn.exp(t["logits"]).reshape((len(t["labels"]), 1)),
            "kernels.nn.exp(logits).reshape((2, 1))",
        ),
        (
            lambda k, t, _p: k.nn.exp(t["logits"], where=t["labels"] != 0, out=t["logits"] * 0),
            "kernels.nn.exp(logits, where=(labels != 0), out=(logits * 0))",
        ),
    ],
)
def test_operators_attributes_and_containers(kernels: types.ModuleType, run: Run, text: str) -> None:
    assert log_of(run, kernels)["text"] == text


def test_a_formula_is_spelled_in_the_frameworks_own_primitives(kernels: types.ModuleType) -> None:
    formula = next(each for each in FORMULAS if each.name == "003_c_9")

    def run(k: Any, tensors: Any, parameters: Any) -> Any:
        nothing: Any = None
        p = Primitives(
            exp=k.nn.exp, log=k.nn.log, abs=nothing, maximum=nothing, sum=nothing, mean=nothing, sigmoid=nothing,
            softmax=nothing, one_hot=nothing, one=lambda x: x.dtype.type(1), zero=nothing,
        )  # fmt: skip
        return evaluate(formula, p, tensors, parameters)

    log = log_of(run, kernels, {"reduction": "none"})
    assert log["text"] == "((-logits) * labels) + kernels.nn.log((logits.dtype.type(1) + kernels.nn.exp(logits)))"


def test_what_is_given_no_module_runs_as_it_is() -> None:
    x = Tensor.of(np.ones(2, np.float32))
    row = Implementation("mine.loss", "sigmoid", lambda inputs: inputs["logits"] * 2)

    def call(implementation: Any, _mode: str, inputs: Any, _parameters: Any, _wanted: Any) -> Any:
        return {"value": Tensor.of(implementation.run({name: tensor.data for name, tensor in inputs.items()}))}

    found = spelling(call, {})(row, "eager", {"logits": x}, {}, ["value"])
    assert found["value"].data.tolist() == [2.0, 2.0]
    assert json.loads(found[SPELLED].data.tobytes()) == {"text": "", "calls": []}


def test_an_output_of_a_kernel_is_spelled_by_its_name(kernels: types.ModuleType) -> None:
    class Both(NamedTuple):
        loss: Any
        backprop: Any

    kernels.nn.both = lambda features, labels: Both(features - labels, features)
    log = log_of(lambda k, t, _: k.nn.both(features=t["logits"], labels=t["labels"]).loss, kernels)
    assert log["text"] == "kernels.nn.both(features=logits, labels=labels).loss"


def test_an_adapter_that_keeps_what_it_compiled_is_spelled_each_time(kernels: types.ModuleType) -> None:
    kept: dict[str, Any] = {}

    def call(implementation: Any, _mode: str, inputs: Any, _parameters: Any, _wanted: Any) -> Any:
        run = kept.setdefault(implementation.path, implementation.run)
        return {"value": Tensor.of(np.asarray(run(kernels, {name: each.data for name, each in inputs.items()})))}

    row = Implementation("kernels.nn.exp", "sigmoid", lambda k, t: k.nn.exp(t["logits"]))
    made = spelling(call, {})
    for _ in range(2):
        found = made(row, "eager", {"logits": Tensor.of(np.array([1.0], np.float32))}, {}, ["value"])
        assert json.loads(found[SPELLED].data.tobytes())["text"] == "kernels.nn.exp(logits)"


def test_a_default_that_is_a_function_has_its_name(kernels: types.ModuleType) -> None:
    def loss(logits: Any, reduce: Any = np.mean) -> Any:
        return reduce(logits)

    vars(kernels.nn).update(loss=loss)
    (call,) = log_of(lambda k, t, _p: k.nn.loss(t["logits"]), kernels)["calls"]
    assert call["defaults"] == {"reduce": "mean"}
