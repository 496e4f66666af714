"""What holds of every adapter, but those with tests of their own: a new one is tried by being listed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.adapters import Implementation
from harness.environments.adapters import BUILT_IN

OWN = {"numpy", "tensorflow", "torch", "sklearn"}

Row = tuple[str, Implementation]
ROWS: list[Row] = [
    (name, row)
    for name in BUILT_IN
    if name not in OWN
    for row in importlib.import_module(f"harness.adapters.{name}").IMPLEMENTATIONS
    if not row.absent
]
MODES = [(name, row, mode) for name, row in ROWS for mode in row.modes[1:]]
DTYPES = [(name, row, dtype) for name, row in ROWS for dtype in row.dtypes if dtype != "float32"]


def departs(call: Any) -> bool:
    """Smoothing over the last axis, clip_add, which is Keras 2's, and means that don't count all losses."""
    path, given = call.implementation.path, call.parameters
    if given.get("reduction") == "mean" and (
        given.get("ignore_index", "none") != "none" or "class_weights" in call.inputs
    ):
        return True
    dense = ".losses.Categorical" in path or ".losses.categorical" in path
    return given.get("epsilon_use") == "clip_add" or (dense and given["axis"] != -1 and given["label_smoothing"] > 0)


def tolerance(row: Implementation, dtype: str) -> float | None:
    """Keras's mean over the last axis is computed in float32 on torch and JAX, whatever it is given."""
    averages = row.path.startswith(("keras-torch.losses.", "keras-jax.losses.")) and "inary" in row.path
    return 1e-6 if averages and dtype == "float64" else None


def named(given: Any) -> str:
    return f"{given.path}:{given.operation}" if isinstance(given, Implementation) else str(given)


@pytest.mark.parametrize(("name", "row"), ROWS, ids=named)
def test_agrees_with_the_definition(
    name: str, row: Implementation, started: Callable[..., Any], assert_agrees: Any
) -> None:
    assert assert_agrees(row, started(name).send, departs=departs) >= 2


@pytest.mark.parametrize(("name", "row", "dtype"), DTYPES, ids=named)
def test_agrees_in_other_dtypes(
    name: str, row: Implementation, dtype: str, started: Callable[..., Any], assert_agrees: Any
) -> None:
    assert assert_agrees(row, started(name).send, dtype, thorough=False, tolerance=tolerance(row, dtype)) >= 1


@pytest.mark.parametrize(("name", "row", "mode"), MODES, ids=named)
def test_agrees_in_other_modes(
    name: str, row: Implementation, mode: str, started: Callable[..., Any], assert_agrees: Any
) -> None:
    assert assert_agrees(row, started(name).send, mode=mode, thorough=False) >= 1


@pytest.mark.parametrize("name", sorted({name for name, _ in ROWS}))
def test_says_the_versions_of_its_packages(name: str, started: Callable[..., Any]) -> None:
    packages = importlib.import_module(f"harness.adapters.{name}").PACKAGES
    assert all(started(name).hello["packages"][package] for package in packages)


def test_onnx_takes_the_logarithm_of_no_examples(
    started: Callable[..., Any], call: Any, tensor: Any, defaults: Any
) -> None:
    """It writes to what it is given."""
    row = next(row for name, row in ROWS if name == "onnx" and row.path == "onnx.LogSoftmax")
    inputs = {"logits": tensor(np.zeros((0, 3)), "float32")}
    (answer,) = started("onnx").send([call(row, inputs, defaults("log_softmax"), ["value"])])
    assert answer.outputs["value"].data.shape == (0, 3)
