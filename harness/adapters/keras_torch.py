"""Keras 3 on the backend torch."""

from __future__ import annotations

from types import MappingProxyType

from harness.adapters import calling, keras_losses, torch

FRAMEWORK = "keras-torch"
PACKAGES = ("keras", "torch", "numpy")
ALIASES = MappingProxyType({FRAMEWORK: "keras"})
IMPLEMENTATIONS = keras_losses.table(FRAMEWORK, sparse_normalize="before", modes=("eager",))

call = calling("keras", torch.call)


def start(threads: int) -> None:
    """Start torch, and import Keras on it."""
    torch.start(threads)
    keras_losses.start("torch")
