"""An implementation with bugs that only few inputs show."""

from pathlib import Path

import pytest

ADAPTER = """
import os

import numpy as np

from harness.adapters import Implementation

FRAMEWORK, PACKAGES = "prey", ("numpy",)


def right(x, z):
    return (np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))).astype(x.dtype)


def narrow(x, z):
    return np.where((x >= 12.5) & (x < 13.5) & (z == 0), np.float32(13), right(x, z)).astype(x.dtype)


def one(x, z):
    return np.where(x == x.dtype.type(0.1), x.dtype.type(7), right(x, z))


def swallowing(x, z):
    return np.where(x > 3e4, x.dtype.type(np.nan), right(x, z))


def crashing(x, z):
    if np.any((x > 100) & (x < 120)):
        os.abort()
    return right(x, z)


def dying(x, z):
    with open(os.environ["PREY_DEATHS"], "a") as told:
        told.write("x")
    os.abort()


def naive(x, z):
    return (np.log1p(np.exp(x)) - x * z).astype(x.dtype)


def spread(x, z):
    shifted = x - np.max(x, axis=-1, keepdims=True)
    return -np.sum(z * (shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))), axis=-1)


def sigmoid(x, z):
    return np.exp(np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))))


def start(threads):
    pass


def call(implementation, mode, inputs, parameters, wanted):
    labels = inputs["labels"].data if "labels" in inputs else None
    return {"value": implementation.run(inputs["logits"].data, labels)}


IMPLEMENTATIONS = tuple(
    Implementation("prey." + run.__name__, "sigmoid_cross_entropy", run, dtypes=("float16", "float32", "float64"))
    for run in (right, narrow, one, swallowing, crashing, dying, naive)
) + (
    Implementation("prey.mean", "sigmoid_cross_entropy", right, {"reduction": ("mean",)}),
    Implementation("prey.smooth", "sigmoid_cross_entropy", right, {"label_smoothing": (0.1,)}),
    Implementation("prey.spread", "softmax_cross_entropy", spread),
    Implementation("prey.sigmoid", "sigmoid", sigmoid),
    Implementation("prey.both", "sigmoid", sigmoid),
    Implementation("prey.both", "sigmoid_cross_entropy", right),
    Implementation("prey.late", "log_sigmoid", sigmoid),
    Implementation("prey.late", "sigmoid_cross_entropy", right),
)
"""


@pytest.fixture
def prey(tmp_path: Path) -> str:
    """Its adapter's file."""
    path = tmp_path / "prey.py"
    path.write_text(ADAPTER)
    return str(path)
