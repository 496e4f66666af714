"""Tells the harness what my_losses computes, and how it is called. It runs in a process of its own."""

import sys
from pathlib import Path

from harness.adapters import Implementation

FRAMEWORK = "my_losses"  # as in subject ids: current:my_losses.fused@eager
PACKAGES = ("my_losses", "numpy")  # whose versions decide results, the project's own first


def start(threads):
    """Import what is measured. An exception here means: unavailable."""
    sys.path.insert(0, str(Path(__file__).parent))  # the project needn't be installed
    import my_losses  # noqa: F401


def row(name):
    """A function that takes logits and class indices, in float32 and float64, with its gradient."""
    return Implementation(
        path=f"my_losses.{name}",
        operation="sparse_softmax_cross_entropy",
        run=name,
        gradients=("logits",),
        dtypes=("float32", "float64"),
    )


IMPLEMENTATIONS = (row("fused"), row("naive"))


def call(implementation, mode, inputs, parameters, wanted):
    """Run one call: a dict of output names to arrays."""
    import my_losses

    function = getattr(my_losses, implementation.run)
    losses, gradients = function(inputs["logits"].data, inputs["labels"].data)
    if "upstream" in inputs:
        gradients = gradients * inputs["upstream"].data[..., None]
    return {"value": losses, "gradient:logits": gradients}
