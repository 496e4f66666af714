"""Drives adapters as the host does, and holds what they answer against harness.operations."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest

from harness.adapters import LAST_AXIS, SECOND_AXIS, Implementation
from harness.adapters import numpy as numpy_adapter
from harness.operations import OPERATIONS, Operation
from harness.oracle import truth
from harness.oracle.bounds import arithmetics
from harness.oracle.formats import FORMATS
from harness.worker import frames
from harness.worker.frames import Tensor

HARNESS = Path(frames.__file__).parent.parent
SHAPE = (2, 3, 4)
TOLERANCES = {"float16": 2e-2, "bfloat16": 1e-1, "float32": 2e-5, "float64": 1e-12}

TRIED: Mapping[str, tuple[Any, ...]] = {
    "label_smoothing": (0.0, 0.125),
    "axis": (-1, 1, 0),
    "pos_weight": (1.0, 3.0),
    "epsilon": (0.0, 0.25),
    "epsilon_use": ("clip", "add", "clip_add"),
    "gamma": (2.0, 1.5),
    "alpha": (0.25, 0.75),
    "log_floor": (float("-inf"), -0.5),
    "normalize": ("none", "before", "after"),
    "ignore_index": ("none", 1),
    LAST_AXIS: (-1,),
    SECOND_AXIS: (1,),
}
"""Values that a parameter is tried with: of the operation where an implementation takes any, or of a class axis."""


class Call(NamedTuple):
    implementation: Implementation
    inputs: Mapping[str, Tensor]
    parameters: Mapping[str, Any]
    wanted: Sequence[str] = ("value",)
    mode: str = "eager"


class Answer(NamedTuple):
    header: Mapping[str, Any]
    outputs: Mapping[str, Tensor]

    @property
    def outcome(self) -> str:
        return str(self.header["outcome"])


REFERENCES = {row.operation: row for row in numpy_adapter.IMPLEMENTATIONS if ".by_hand." not in row.path}

Send = Callable[[Sequence[Call]], list[Answer]]


class Worker:
    """A worker process: `send` has it answer calls."""

    def __init__(self, adapter: Path, python: str = sys.executable) -> None:
        requests, self._to = os.pipe()
        self._from, answers = os.pipe()
        command = [python, str(HARNESS / "worker" / "process.py"), "--adapter", str(adapter)]
        command += ["--read", str(requests), "--write", str(answers)]
        self._process = subprocess.Popen(
            command, pass_fds=(requests, answers), stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}
        )
        os.close(requests)
        os.close(answers)
        self._requests = os.fdopen(self._to, "wb")
        self._answers = os.fdopen(self._from, "rb")
        self.hello, _ = frames.read(self._answers)

    def send(self, calls: Sequence[Call]) -> list[Answer]:
        described = [
            {
                "implementation": call.implementation.path,
                "operation": call.implementation.operation,
                "mode": call.mode,
                "parameters": dict(call.parameters),
                "wanted": list(call.wanted),
                "inputs": list(call.inputs),
            }
            for call in calls
        ]
        frames.write(self._requests, {"calls": described}, [t for call in calls for t in call.inputs.values()])
        return [self._answer() for _ in calls]

    def _answer(self) -> Answer:
        header, tensors = frames.read(self._answers)
        return Answer(header, dict(zip(header.get("outputs", []), tensors, strict=True)))

    def close(self) -> None:
        self._requests.close()
        self._process.wait(60)
        self._answers.close()


@pytest.fixture(scope="session")
def started() -> Iterator[Callable[[str], Worker]]:
    """A worker of the adapter in a file of harness/adapters, one for all tests; skips where its framework isn't."""
    workers: dict[str, Worker] = {}

    def start(adapter: str) -> Worker:
        if adapter not in workers:
            workers[adapter] = Worker(HARNESS / "adapters" / f"{adapter}.py")
        if not workers[adapter].hello["ready"]:
            pytest.skip(str(workers[adapter].hello["reason"]))
        return workers[adapter]

    yield start
    for worker in workers.values():
        worker.close()


@pytest.fixture(scope="session")
def torch_worker(started: Callable[[str], Worker]) -> Worker:
    return started("torch")


@pytest.fixture(scope="session")
def tensorflow_worker(started: Callable[[str], Worker]) -> Worker:
    return started("tensorflow")


@pytest.fixture(scope="session")
def numpy_worker(started: Callable[[str], Worker]) -> Worker:
    return started("numpy")


@pytest.fixture(scope="session")
def start_worker() -> type[Worker]:
    return Worker


@pytest.fixture(scope="session")
def call() -> type[Call]:
    return Call


def stored(array: Any, dtype: str) -> Tensor:
    """An array as a tensor of the dtype, rounded to it."""
    if dtype == "bfloat16":
        return Tensor(dtype, np.asarray(array).astype(ml_dtypes.bfloat16).view(np.uint16))
    return Tensor.of(np.asarray(array).astype(dtype))


def wide(tensor: Tensor) -> Any:
    """A tensor's values, floats as float64."""
    if tensor.dtype == "bfloat16":
        return tensor.data.view(ml_dtypes.bfloat16).astype(np.float64)
    return tensor.data if tensor.data.dtype.kind in "iu" else tensor.data.astype(np.float64)


@pytest.fixture(scope="session")
def tensor() -> Callable[[Any, str], Tensor]:
    return stored


@pytest.fixture(scope="session")
def values() -> Callable[[Tensor], Any]:
    return wide


def _choices(implementation: Implementation) -> dict[str, tuple[Any, ...]]:
    """The values to try of each parameter that an implementation offers."""
    choices: dict[str, tuple[Any, ...]] = {}
    for parameter in OPERATIONS[implementation.operation].parameters:
        offered = implementation.parameters.get(parameter.name)
        if offered is None or parameter.name == "empty_mean":  # which no call here has
            choices[parameter.name] = (parameter.default,)
        elif isinstance(offered, tuple):
            choices[parameter.name] = offered
        else:
            choices[parameter.name] = TRIED.get(offered) or parameter.choices or TRIED[parameter.name]
    return choices


def _combinations(choices: Mapping[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    for combination in itertools.product(*choices.values()):
        yield dict(zip(choices, combination, strict=True))


@pytest.fixture(scope="session")
def combinations() -> Callable[[Implementation], Iterator[dict[str, Any]]]:
    """All combinations of the values to try of an implementation's parameters."""
    return lambda implementation: _combinations(_choices(implementation))


def _layer(operation: Operation, dtype: str) -> dict[str, Tensor]:
    """Three rows of four features, four classes; a sample of two."""
    bits, kinds = np.random.default_rng(20), {i.name: i.kind for i in operation.inputs}
    row = (3, 1) if "samples" in kinds else (3,)
    shapes = {"hidden": (3, 4), "kernel": (4, 4), "biases": (4,), "labels": row, "samples": (2,)}
    shapes |= {"true_expected": row, "sampled_expected": (2,)}
    return {
        name: Tensor.of(bits.integers(0, 4, shapes[name]))
        if kind == "index"
        else stored(bits.uniform(0.125, 1, shapes[name]), dtype)
        for name, kind in kinds.items()
        if name in shapes
    }


def _inputs(operation: Operation, parameters: Mapping[str, Any], dtype: str) -> dict[str, Tensor]:
    if operation.leading == "hidden":
        return _layer(operation, dtype)
    bits = np.random.default_rng(20)
    axis = int(parameters["axis"]) if "axis" in parameters else None
    leading = bits.normal(0, 2, SHAPE) if operation.leading == "logits" else bits.uniform(0.05, 0.95, SHAPE)
    if operation.leading == "log_probabilities":
        leading = np.log(leading)
    inputs = {operation.leading: stored(leading, dtype)}
    labels = next((i for i in operation.inputs if i.name == "labels"), None)
    if labels is not None and labels.kind == "index":
        assert axis is not None
        inputs["labels"] = Tensor.of(bits.integers(0, SHAPE[axis], tuple(np.delete(SHAPE, axis))))
    elif labels is not None:
        dense = bits.uniform(0, 1, SHAPE)
        dense = dense if axis is None else dense / dense.sum(axis=axis, keepdims=True)
        inputs["labels"] = stored(np.log(dense) if parameters.get("log_labels") else dense, dtype)
    return inputs


def _weights(parameters: Mapping[str, Any], shape: Sequence[int], dtype: str) -> Tensor:
    """One for each row: in the losses' shape where these are rows, else with a last axis of length 1."""
    axis = int(parameters["axis"]) if "axis" in parameters else -1
    rows = tuple(int(n) for n in np.delete(shape, axis))
    flat = 0.5 * (np.arange(np.prod(rows)) % 4)
    by_row = "axis" in parameters or str(parameters["reduction"]).startswith("row_mean")
    return stored(flat.reshape(rows if by_row else (*rows, 1)), dtype)


def _calls(implementation: Implementation, dtype: str, mode: str, *, thorough: bool) -> Iterator[Call]:
    """Calls over every value of every parameter (or the first of each), with and without optional inputs."""
    operation = OPERATIONS[implementation.operation]
    choices = _choices(implementation)
    tried = choices if thorough else {name: some[:1] for name, some in choices.items()}
    wanted = ("value", *("gradient:" + name for name in implementation.gradients))
    for parameters in _combinations(tried):
        inputs = _inputs(operation, parameters, dtype)
        yield Call(implementation, inputs, parameters, wanted, mode)
        if "weights" in implementation.inputs:
            weights = _weights(parameters, inputs[operation.leading].data.shape, dtype)
            # optax's say what to include, and where one is 0 its label gradient departs.
            included = implementation.path.startswith("optax.")
            inputs = {**inputs, "weights": stored(np.ones_like(wide(weights)), dtype) if included else weights}
        if "class_weights" in implementation.inputs:
            inputs = {**inputs, "class_weights": stored(0.5 * np.arange(1, SHAPE[parameters["axis"]] + 1), dtype)}
        shape = _referred(Call(implementation, inputs, parameters))["value"].data.shape
        upstream = np.random.default_rng(5).normal(0, 1, shape)
        yield Call(implementation, {**inputs, "upstream": stored(upstream, dtype)}, parameters, wanted, mode)


def _assert_defined(call: Call, answer: Answer, tolerance: float) -> None:
    assert answer.outcome == "value", (call, answer)
    truths = _truths(call)
    assert list(answer.outputs) == list(truths)
    for name, exact in truths.items():
        note = f"{name} of {call.implementation.path} with {dict(call.parameters)}, {list(call.inputs)}"
        observed = wide(answer.outputs[name])
        assert observed.shape == exact.shape, note
        np.testing.assert_allclose(observed, exact, rtol=tolerance, atol=tolerance, err_msg=note)


def _truths(call: Call) -> dict[str, Any]:
    """The wanted outputs of a call."""
    inputs = {name: wide(t) for name, t in call.inputs.items()}
    operation, form = OPERATIONS[call.implementation.operation], FORMATS["float64"]
    running = truth.running_call(inputs, call.parameters, arithmetics(form))
    wanted = [name for name in call.wanted if name in operation.offered(inputs)]
    with np.errstate(all="ignore"):
        return {name: truth.enclosure(operation, name, running, form).high for name in wanted}


def _referred(call: Call) -> Mapping[str, Tensor]:
    """What the reference answers to a call in float64."""
    tensors = {name: Tensor.of(wide(t)) for name, t in call.inputs.items()}
    row = REFERENCES[call.implementation.operation]
    return numpy_adapter.call(row, "eager", tensors, call.parameters, call.wanted)


Except = Callable[[Call], bool]


@pytest.fixture(scope="session")
def assert_agrees() -> Callable[..., int]:
    """Assert that an implementation agrees with its operation's definition; gives the number of calls."""

    def agrees(
        implementation: Implementation,
        send: Send,
        dtype: str = "float32",
        mode: str = "eager",
        *,
        thorough: bool = True,
        tolerance: float | None = None,
        departs: Except = lambda _call: False,
    ) -> int:
        calls = [c for c in _calls(implementation, dtype, mode, thorough=thorough) if not departs(c)]
        for made, answer in zip(calls, send(calls), strict=True):
            _assert_defined(made, answer, tolerance or TOLERANCES[dtype])
        return len(calls)

    return agrees


@pytest.fixture(scope="session")
def defaults() -> Callable[..., dict[str, Any]]:
    """An operation's parameters with some of them set."""

    def complete(operation: str, **given: Any) -> dict[str, Any]:
        return OPERATIONS[operation].complete(given)

    return complete
