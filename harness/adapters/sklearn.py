"""scikit-learn: sklearn.metrics.log_loss, called as it is. It has no gradient.

Its labels are classes, so that soft labels can't be expressed; `labels` is always given, because a
batch need not have an example of every class. It clips probabilities by the unit of their dtype,
2 ** -23 for float32. It returns a Python number, which is taken in the probabilities' dtype.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Callable, Dict, Mapping, Sequence

import numpy as np

from harness.adapters import LAST_AXIS, Implementation, Tensor, UnsupportedError, Values

FRAMEWORK = "sklearn"
PACKAGES = ("scikit-learn", "scipy", "numpy")
ALIASES = MappingProxyType({"scikit-learn": "sklearn"})

Arrays = Mapping[str, Any]
Parameters = Mapping[str, Any]


def start(threads: int) -> None:
    """Import scikit-learn; no thread of its own is at work here."""
    import sklearn.metrics  # noqa: F401 - rows call it


def call(
    implementation: Implementation,
    mode: str,
    inputs: Mapping[str, Tensor],
    parameters: Parameters,
    wanted: Sequence[str],
) -> Dict[str, Tensor]:
    """Run one call."""
    import sklearn.metrics

    arrays = {name: tensor.data for name, tensor in inputs.items()}
    p = arrays["probabilities"]
    _refuse(p, arrays, parameters)
    with np.errstate(all="ignore"):
        value = implementation.run(sklearn.metrics, arrays, parameters)
    return {"value": Tensor.of(np.asarray(value, dtype=p.dtype))}


def _refuse(p: Any, inputs: Arrays, parameters: Parameters) -> None:
    """Refuse what the API computes otherwise, or can't be told.

    Raises:
        UnsupportedError: why.
    """
    if parameters["epsilon"] != np.finfo(p.dtype).eps:
        raise UnsupportedError(f"it clips {p.dtype} by {np.finfo(p.dtype).eps!r}")
    if "weights" in inputs and parameters["reduction"] == "mean":
        raise UnsupportedError("with weights its mean divides by their sum")
    if "weights" in inputs and inputs["weights"].shape != p.shape[:1]:
        raise UnsupportedError("its weights are one a row")
    if inputs["labels"].dtype.kind == "f" and not np.isin(inputs["labels"], (0, 1)).all():
        raise UnsupportedError("its labels are classes")


def _options(inputs: Arrays, parameters: Parameters) -> Dict[str, Any]:
    known = {"sum": False, "mean": True, "weighted_mean": True}
    return {
        "normalize": known.get(parameters["reduction"], parameters["reduction"]),
        "sample_weight": inputs.get("weights"),
    }


def _of_classes(metrics: Any, inputs: Arrays, parameters: Parameters) -> Any:
    classes = list(range(_of_rank(inputs, 2, "examples and classes").shape[1]))
    return metrics.log_loss(inputs["labels"], inputs["probabilities"], labels=classes, **_options(inputs, parameters))


def _of_indicators(metrics: Any, inputs: Arrays, parameters: Parameters) -> Any:
    p, indicators = _of_rank(inputs, 2, "examples and classes"), inputs["labels"].astype("int64")
    return metrics.log_loss(indicators, p, **_options(inputs, parameters))


def _binary(metrics: Any, inputs: Arrays, parameters: Parameters) -> Any:
    p = _of_rank(inputs, 1, "examples, of which it has the probability of the positive class")
    return metrics.log_loss(inputs["labels"].astype("int64"), p, labels=[0, 1], **_options(inputs, parameters))


def _of_rank(inputs: Arrays, rank: int, axes: str) -> Any:
    if inputs["probabilities"].ndim != rank:
        raise UnsupportedError(f"the axes of its probabilities are {axes}")
    return inputs["probabilities"]


_PATH = "sklearn.metrics.log_loss"
_DTYPES = ("float16", "float32", "float64")
_OFFERED: Mapping[str, Values] = {
    "reduction": ("sum", "mean", "weighted_mean"),
    "epsilon": tuple(float(np.finfo(dtype).eps) for dtype in _DTYPES),
}
_ROWS: Mapping[str, Values] = dict(_OFFERED, axis=LAST_AXIS)


def _row(operation: str, run: Callable[..., Any], parameters: Mapping[str, Values]) -> Implementation:
    return Implementation(_PATH, operation, run, parameters, ("weights",), dtypes=_DTYPES, since="1.5")


IMPLEMENTATIONS = (
    _row("binary_cross_entropy", _binary, _OFFERED),
    _row("categorical_cross_entropy", _of_indicators, _ROWS),
    _row("sparse_categorical_cross_entropy", _of_classes, _ROWS),
)
