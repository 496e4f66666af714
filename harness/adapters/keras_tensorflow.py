"""Keras 3 on the backend tensorflow."""

from __future__ import annotations

from types import MappingProxyType

from harness.adapters import calling, copying, keras_losses, tensorflow

FRAMEWORK = "keras-tensorflow"
PACKAGES = ("keras", "tensorflow", "numpy")
ALIASES = MappingProxyType({FRAMEWORK: "keras"})
IMPLEMENTATIONS = copying(keras_losses.table(FRAMEWORK, sparse_normalize="after", modes=("eager", "graph")))

call = calling("keras", tensorflow.call)


def start(threads: int) -> None:
    """Start tensorflow, and import Keras on it."""
    tensorflow.start(threads)
    keras_losses.start("tensorflow")
