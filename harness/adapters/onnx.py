"""ONNX as onnx's own ReferenceEvaluator computes it, with NumPy."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

import numpy as np

from harness.adapters import ALL_FLOATS, Implementation, Tensor, onnx_models

FRAMEWORK = "onnx"
PACKAGES = ("onnx", "ml_dtypes", "numpy")
IMPLEMENTATIONS = onnx_models.rows(FRAMEWORK, ALL_FLOATS)


def start(threads: int) -> None:
    """Import the evaluator; there is no thread to pin."""
    import onnx.reference  # noqa: F401 - it is what evaluates


def call(
    implementation: Implementation,
    mode: str,
    inputs: Mapping[str, Tensor],
    parameters: Mapping[str, Any],
    wanted: Sequence[str],
) -> Dict[str, Tensor]:
    """Run one call."""
    import onnx

    with np.errstate(all="ignore"):
        return onnx_models.call(_evaluate, (onnx,), implementation, inputs, parameters)


def _evaluate(model: Any, feeds: Dict[str, Any], onnx: Any) -> Any:
    return onnx.reference.ReferenceEvaluator(model).run(None, feeds)
