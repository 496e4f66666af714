from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.adapters import ANY, LAST_AXIS, SECOND_AXIS, WIDE_INDICES, Implementation
from harness.engine.support import refusal
from harness.environments.adapters import adapters
from harness.model.case import Case, Expectation, Source
from harness.operations import OPERATIONS

NAN = float("nan")

Refusal = Callable[..., str]


@pytest.fixture
def refused() -> Refusal:
    """Why an implementation that offers these can't be asked a call with those parameters."""

    def reason(
        offered: dict[str, Any],
        parameters: dict[str, Any],
        *,
        operation: str = "softmax_cross_entropy",
        dtype: str = "float32",
        shape: tuple[int, ...] = (2, 3),
        inputs: tuple[str, ...] = (),
        takes: tuple[str, ...] = (),
    ) -> str:
        given = dict.fromkeys((OPERATIONS[operation].leading, "labels", *inputs), np.zeros(shape, dtype))
        case = Case("x", operation, given, parameters, dtype, Expectation(), Source("x.yaml", 1))
        implementation = Implementation("torch.x", operation, run=lambda: None, parameters=offered, inputs=takes)
        return refusal(implementation, OPERATIONS[operation], case)

    return reason


@pytest.mark.parametrize(
    ("dtype", "reason"),
    [("float32", ""), ("float64", ""), ("float16", "doesn't take float16")],
)
def test_dtypes(refused: Refusal, dtype: str, reason: str) -> None:
    assert refused({}, {}, dtype=dtype) == reason


@pytest.mark.parametrize(
    ("inputs", "takes", "reason"),
    [
        ((), (), ""),
        (("weights",), (), "has no weights"),
        (("weights",), ("weights",), ""),
        (("upstream",), (), ""),
    ],
)
def test_optional_inputs(refused: Refusal, inputs: tuple[str, ...], takes: tuple[str, ...], reason: str) -> None:
    assert refused({}, {}, inputs=inputs, takes=takes) == reason


@pytest.mark.parametrize(
    ("offered", "parameters", "reason"),
    [
        ({}, {}, ""),
        ({}, {"reduction": "none"}, ""),
        ({}, {"reduction": "sum"}, "doesn't offer reduction=sum"),
        ({"reduction": ("mean", "sum")}, {"reduction": "sum"}, ""),
        ({"reduction": ("mean", "sum")}, {}, "doesn't offer reduction=none"),
        ({"reduction": ("mean", "sum")}, {"reduction": "none"}, "doesn't offer reduction=none"),
        ({"label_smoothing": ANY}, {"label_smoothing": 0.125}, ""),
        ({}, {"label_smoothing": 0.125}, "doesn't offer label_smoothing=0.125"),
        ({}, {"label_smoothing": 0}, ""),
        ({"label_smoothing": (0.0, 0.1)}, {"label_smoothing": 0.1}, ""),
        ({"reduction": ANY}, {"label_smoothing": 0.125}, "doesn't offer label_smoothing=0.125"),
    ],
)
def test_parameters(refused: Refusal, offered: dict[str, Any], parameters: dict[str, Any], reason: str) -> None:
    assert refused(offered, parameters) == reason


@pytest.mark.parametrize(
    ("token", "shape", "axes"),
    [
        (LAST_AXIS, (4,), {0, -1}),
        (LAST_AXIS, (4, 4), {1, -1}),
        (LAST_AXIS, (4, 4, 4), {2, -1}),
        (SECOND_AXIS, (4,), {0, -1}),
        (SECOND_AXIS, (4, 4), {1, -1}),
        (SECOND_AXIS, (4, 4, 4), {1, -2}),
        (ANY, (4, 4, 4), {-3, -2, -1, 0, 1, 2}),
        (None, (4, 4, 4), {-1}),
    ],
)
def test_axis_tokens(refused: Refusal, token: str | None, shape: tuple[int, ...], axes: set[int]) -> None:
    offered = {} if token is None else {"axis": token}
    possible = range(-len(shape), len(shape))
    assert {axis for axis in possible if not refused(offered, {"axis": axis}, shape=shape)} == axes
    assert refused(offered, {"axis": 9}, shape=shape) == ("" if token == ANY else "doesn't offer axis=9")


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("softmax_cross_entropy", {"reduction": "avg"}),
        ("weighted_sigmoid_cross_entropy", {"pos_weight": NAN}),
        ("weighted_sigmoid_cross_entropy", {"pos_weight": -1.0}),
    ],
)
def test_a_value_that_nobody_knows_reaches_every_api_with_the_parameter(
    refused: Refusal, operation: str, parameters: dict[str, Any]
) -> None:
    ((name, value),) = parameters.items()
    offers = [({name: ANY}, ""), ({name: ("none", "mean")}, "")]
    offers += [({}, f"doesn't offer {name}={value}"), ({name: ("mean",)}, f"doesn't offer {name}={value}")]
    for offered, reason in offers:
        assert refused(offered, parameters, operation=operation) == reason


@pytest.mark.parametrize("axis", ["last", 1.0])
@pytest.mark.parametrize(("token", "reaches"), [(ANY, True), (LAST_AXIS, False), (SECOND_AXIS, False)])
def test_what_is_no_axis_reaches_those_with_a_free_axis(
    refused: Refusal, token: str, axis: Any, *, reaches: bool
) -> None:
    assert (refused({"axis": token}, {"axis": axis}) == "") is reaches


def test_the_leading_input_has_the_class_axis(refused: Refusal) -> None:
    given = {"axis": LAST_AXIS, "label_smoothing": ANY}
    assert refused(given, {"axis": 1}, operation="categorical_cross_entropy") == ""
    assert refused(given, {"axis": 0}, operation="categorical_cross_entropy") == "doesn't offer axis=0"


def test_what_is_absent_is_never_refused_so_that_it_is_reported_as_unavailable() -> None:
    operation = OPERATIONS["sampled_softmax_cross_entropy"]
    case = Case(
        "x", operation.name, {"hidden": np.zeros((1, 2))}, {"num_sampled": 2}, "float16", Expectation(), Source("x", 1)
    )
    implementation = Implementation("tf.nn.sampled_softmax_loss", operation.name, run=lambda: None, absent="later")
    assert refusal(implementation, operation, case) == ""


@pytest.mark.parametrize(("index", "reason"), [("int64", ""), ("int8", "doesn't take indices of int8")])
def test_dtypes_of_indices(index: str, reason: str) -> None:
    given = {"logits": np.zeros((2, 3), np.float32), "labels": np.zeros(2, index)}
    case = Case("x", "sparse_softmax_cross_entropy", given, {}, "float32", Expectation(), Source("x.yaml", 1))
    implementation = Implementation("tf.x", case.operation, run=lambda: None, indices=WIDE_INDICES)
    assert refusal(implementation, OPERATIONS[case.operation], case) == reason


@pytest.mark.parametrize(
    ("copies", "layout", "reason"),
    [
        (True, "strided", "copies the arrays that it is given: how they lie in memory is lost"),
        (True, "", ""),
        (False, "strided", ""),
    ],
)
def test_who_copies_arrays_is_asked_of_no_layout(layout: str, reason: str, *, copies: bool) -> None:
    row = Implementation("a.sigmoid", "sigmoid", run=lambda: None, copies=copies)
    given = {"logits": np.zeros(3, np.float32)}
    case = Case("x", "sigmoid", given, {}, "float32", Expectation(), Source("x.yaml", 1), layout=layout)
    assert refusal(row, OPERATIONS["sigmoid"], case) == reason


def test_frameworks_that_copy_arrays_say_so() -> None:
    copying = {table.framework: {row.copies for row in table.implementations} for table in adapters(())}
    assert {framework for framework, copies in copying.items() if copies == {True}} == {
        "tensorflow",
        "keras-tensorflow",
        "jax",
        "optax",
        "keras-jax",
        "onnxruntime",
    }
    assert all(len(copies) == 1 for copies in copying.values())
