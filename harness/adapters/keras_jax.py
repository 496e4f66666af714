"""Keras 3 on the backend jax."""

from __future__ import annotations

from types import MappingProxyType

from harness.adapters import calling, copying, jax, keras_losses

FRAMEWORK = "keras-jax"
PACKAGES = ("keras", "jax", "numpy")
ALIASES = MappingProxyType({FRAMEWORK: "keras"})
IMPLEMENTATIONS = copying(keras_losses.table(FRAMEWORK, sparse_normalize="before", modes=jax.MODES))

call = calling("keras", jax.call)


def start(threads: int) -> None:
    """Start jax, and import Keras on it."""
    jax.start(threads)
    keras_losses.start("jax")
