"""What can't be mapped over examples is told, and not asked."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("name", ["jax", "optax"])
def test_classes_on_the_mapped_axis_are_no_function_of_one_example(
    name: str, started: Callable[..., Any], call: Any, tensor: Any, defaults: Any
) -> None:
    rows = importlib.import_module(f"harness.adapters.{name}").IMPLEMENTATIONS
    row = next(row for row in rows if "axis" in row.parameters)
    inputs = {"logits": tensor([[0.0, 1.0]], "float32"), "labels": tensor([[0.0, 1.0]], "float32")}
    (answer,) = started(name).send([call(row, inputs, defaults(row.operation, axis=0), ["value"], "vmap")])
    reason = "the classes are on the axis that is mapped over"
    assert (answer.outcome, answer.header["reason"]) == ("unsupported", reason)
