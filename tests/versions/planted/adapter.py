"""The adapter of `planted`, a framework of which two releases exist: `old.py` and `new.py` beside this file.

Each implementation is one function of it, in which the new release differs in one way, or in none.
"""

import numpy as np

from harness.adapters import Implementation

FRAMEWORK = "planted"
PACKAGES = ("planted", "numpy")
NAMES = (
    *("same", "value", "sign", "nan", "infinity", "zero", "shape", "dtype", "last_element", "reduction", "error_type"),
    *("raises", "answers", "default", "parameter", "renamed", "reordered", "bits", "worse", "better", "gradient"),
    *("compiled", "narrow", "deprecated", "slower", "crashes", "silent"),
)


def _row(name, **more):
    modes = ("eager", "compiled") if name == "compiled" else ("eager",)
    return Implementation(
        "planted." + name,
        "sigmoid_cross_entropy",
        None,
        {"reduction": ("none", "mean")},
        gradients=("logits",),
        dtypes=("float32", "float64"),
        modes=modes,
        **more,
    )


IMPLEMENTATIONS = (*map(_row, NAMES), _row("removed", until="2.0"), _row("added", since="2.0"))


def start(_threads):
    """Import it."""
    import planted  # noqa: F401


def call(implementation, mode, inputs, parameters, wanted):
    """Run a function and, if it is wanted, its derivative."""
    import planted

    logits, labels = inputs["logits"].data, inputs["labels"].data
    name = implementation.path.partition(".")[2]
    if name == "compiled" and mode == "compiled":
        name = "compiled_for_real"
    with np.errstate(all="ignore"):
        outputs = {"value": getattr(planted, name)(logits, labels, parameters["reduction"])}
        if "gradient:logits" in wanted:
            share = logits.dtype.type(logits.size if parameters["reduction"] == "mean" else 1)
            outputs["gradient:logits"] = planted.slope(name, logits, labels) / share
    return outputs
