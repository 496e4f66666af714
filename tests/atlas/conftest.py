"""A made-up framework with two functions of one loss, and runs of it."""

from pathlib import Path

import pytest

ADAPTER = """
import sys
import types

import numpy as np

from harness.adapters import ANY, Implementation

FRAMEWORK, PACKAGES, ALIASES = "{name}", ("{name}",), {{"{alias}": "{name}"}}


def right(x, z):
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


def reduced(losses, reduction):
    return losses if reduction == "none" else np.asarray(getattr(losses, reduction)(), losses.dtype)


def start(threads):
    module = types.ModuleType("{name}")
    module.__version__ = "1.0"

{body}
    module.bce = bce
    sys.modules["{name}"] = module


def call(implementation, mode, inputs, parameters, wanted):
    import {name} as framework

    tensors = {{name: tensor.data for name, tensor in inputs.items()}}
    return {{"value": implementation.run(framework, tensors, parameters)}}


IMPLEMENTATIONS = (Implementation("{alias}.bce", "sigmoid_cross_entropy", {run}, {offered}),)
"""


@pytest.fixture
def alpha(tmp_path: Path) -> Path:
    """Takes (logits, labels), reduces by mean unless told otherwise, and smooths."""
    body = """
    def bce(logits, labels, reduction="mean", smoothing=0.0, name=None):
        if reduction not in ("none", "mean", "sum"):
            raise KeyError(reduction)
        return reduced(right(logits, labels * (1 - smoothing) + smoothing / 2).astype(logits.dtype), reduction)
"""
    run = 'lambda f, t, p: f.bce(t["logits"], t["labels"], reduction=p["reduction"], smoothing=p["label_smoothing"])'
    offered = '{"reduction": ("none", "mean", "sum"), "label_smoothing": ANY}'
    return written(tmp_path / "alpha.py", name="alphas", alias="al", body=body, run=run, offered=offered)


@pytest.fixture
def beta(tmp_path: Path) -> Path:
    """Takes (y_true, y_pred), and reduces by a word of its own; a word that it doesn't know is nan."""
    body = """
    def bce(y_true, y_pred, how="each"):
        losses = right(y_pred, y_true).astype(y_pred.dtype)
        return {"each": losses, "average": np.asarray(losses.mean(), losses.dtype)}.get(how, losses * np.nan)
"""
    words = '{"none": "each", "mean": "average"}.get(p["reduction"], "?")'
    run = f'lambda f, t, p: f.bce(t["labels"], t["logits"], how={words})'
    offered = '{"reduction": ("none", "mean")}'
    return written(tmp_path / "beta.py", name="betas", alias="be", body=body, run=run, offered=offered)


def written(path: Path, **parts: str) -> Path:
    path.write_text(ADAPTER.format(**parts))
    return path
