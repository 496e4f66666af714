"""ONNX Runtime on the CPU, with the optimisations that it makes by default.

Its CPU kernels take no bfloat16; float16 is computed in float32 where there is no kernel of it.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

from harness.adapters import Implementation, Tensor, copying, onnx_models

FRAMEWORK = "onnxruntime"
PACKAGES = ("onnxruntime", "onnx", "numpy")
IMPLEMENTATIONS = copying(onnx_models.rows(FRAMEWORK, ("float16", "float32", "float64")))

ERRORS = 3
_sessions: Dict[bytes, Any] = {}
_threads = [1]


def start(threads: int) -> None:
    """Import ONNX Runtime, which is told of its threads with each session."""
    import onnx  # noqa: F401 - models are built with it
    import onnxruntime

    _threads[:] = [threads]
    onnxruntime.set_default_logger_severity(ERRORS)


def call(
    implementation: Implementation,
    mode: str,
    inputs: Mapping[str, Tensor],
    parameters: Mapping[str, Any],
    wanted: Sequence[str],
) -> Dict[str, Tensor]:
    """Run one call."""
    import onnx
    import onnxruntime

    return onnx_models.call(_evaluate, (onnx, onnxruntime), implementation, inputs, parameters)


def _evaluate(model: Any, feeds: Dict[str, Any], _onnx: Any, onnxruntime: Any) -> Any:
    written = model.SerializeToString()
    if written not in _sessions:
        _sessions[written] = _session(onnxruntime, written)
    return _sessions[written].run(None, feeds)


def _session(onnxruntime: Any, model: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = _threads[0]
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
