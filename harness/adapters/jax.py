"""JAX: jax.nn and jax.scipy.special, called as they are: operation by operation, under jax.jit or jax.vmap.

Every call is a function of its inputs, with its gradient taken inside (jax.vjp), so that jit
compiles both together; one function is kept for each implementation, parameters and wanted outputs.
64 bits are enabled, as float64 needs. What `call` runs may be of another package that computes with JAX.
Called operation by operation, JAX compiles each primitive for each shape, 25 ms every time; its own
persistent cache brings that to 1 ms for what a process of the same machine has compiled before.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple

import numpy as np

from harness.adapters import ALL_FLOATS, ANY, Implementation, Tensor, Values, gradient_inputs, real_inputs
from harness.adapters.mapping import narrowed, of_one, refuse
from harness.worker.fingerprint import fingerprint

FRAMEWORK = "jax"
PACKAGES = ("jax", "jaxlib", "numpy")
MODES = ("eager", "jit")
VMAP = "vmap"
"""The mode of functions of one example, each with its gradient, mapped over the leading axis of all inputs."""

Tensors = Mapping[str, Any]
Parameters = Mapping[str, Any]
Outputs = Dict[str, Any]

_kept: Dict[Tuple[Any, ...], Callable[[Tensors], Outputs]] = {}


def start(threads: int) -> None:
    """Import JAX for the CPU, with 64 bits, and pin its threads."""
    os.environ["NPROC"] = str(threads)  # read by its CPU client for the size of the pool
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 - its signature
    if os.environ.get("HARNESS_COMPILED"):
        _keep_compiled(jax, Path(os.environ["HARNESS_COMPILED"]) / "jax" / _machine(threads))


def _keep_compiled(jax: Any, folder: Path) -> None:
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _machine(threads: int) -> str:
    """What a compilation for the CPU depends on besides what JAX makes its key of: program, flags and version."""
    facts = json.dumps(fingerprint(threads), sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def call(
    implementation: Implementation,
    mode: str,
    inputs: Mapping[str, Tensor],
    parameters: Parameters,
    wanted: Sequence[str],
) -> Dict[str, Tensor]:
    """Run one call; gradients are vector-Jacobian products by jax.vjp."""
    import jax

    tensors = {name: jax.numpy.asarray(_array(jax, tensor)) for name, tensor in inputs.items()}
    if mode == VMAP:
        refuse(implementation, tensors, gradient_inputs(wanted, inputs), parameters)
        parameters = of_one(parameters)
    function = _function(jax, implementation, mode, parameters, tuple(wanted))
    outputs = function(tensors)
    return {name: _tensor(jax, outputs[name]) for name in wanted if name in outputs}


def _function(
    jax: Any, implementation: Implementation, mode: str, parameters: Parameters, wanted: Tuple[str, ...]
) -> Callable[[Tensors], Outputs]:
    key = (implementation.path, implementation.operation, mode, tuple(sorted(parameters.items())), wanted)
    if key not in _kept:
        function = partial(_outputs, jax, implementation, parameters, wanted)
        _kept[key] = {"jit": jax.jit, VMAP: jax.vmap}[mode](function) if mode != "eager" else function
    return _kept[key]


def _outputs(
    jax: Any, implementation: Implementation, parameters: Parameters, wanted: Sequence[str], tensors: Tensors
) -> Outputs:
    names = gradient_inputs(wanted, tensors)

    def value_of(*differentiated: Any) -> Any:
        return implementation.run(jax, dict(tensors, **dict(zip(names, differentiated))), parameters)

    if not names:
        return {"value": value_of()}
    value, pull_back = jax.vjp(value_of, *(tensors[name] for name in names))
    upstream = tensors["upstream"] if "upstream" in tensors else jax.numpy.ones_like(value)
    gradients = pull_back(upstream.astype(value.dtype))
    return dict({"gradient:" + name: g for name, g in zip(names, gradients)}, value=value)


def _array(jax: Any, tensor: Tensor) -> Any:
    """An array of the same bits, of a dtype that JAX takes."""
    return tensor.data.view(jax.numpy.bfloat16) if tensor.dtype == "bfloat16" else tensor.data


def _tensor(jax: Any, array: Any) -> Tensor:
    """The inverse of `_array`."""
    bits = np.asarray(array)
    half = bits.dtype == jax.numpy.bfloat16
    return Tensor("bfloat16", bits.view(np.uint16)) if half else Tensor.of(bits)


def _sigmoid(jax: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return jax.nn.sigmoid(inputs["logits"])


def _expit(jax: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return jax.scipy.special.expit(inputs["logits"])


def _log_sigmoid(jax: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return jax.nn.log_sigmoid(inputs["logits"])


def _softmax(jax: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return jax.nn.softmax(inputs["logits"], axis=parameters["axis"])


def _log_softmax(jax: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return jax.nn.log_softmax(inputs["logits"], axis=parameters["axis"])


def _logsumexp(jax: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return jax.scipy.special.logsumexp(inputs["logits"], axis=parameters["axis"])


def _rel_entr(jax: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return jax.scipy.special.rel_entr(inputs["labels"], inputs["probabilities"])


def _kl_div(jax: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return jax.scipy.special.kl_div(inputs["labels"], inputs["probabilities"])


_AXIS: Mapping[str, Values] = {"axis": ANY}


def row(
    path: str, operation: str, run: Callable[..., Any], parameters: Mapping[str, Values] = _AXIS, since: str = ""
) -> Implementation:
    """A row of the table: in every dtype and mode, and differentiable."""
    return Implementation(
        path,
        operation,
        run,
        parameters,
        (),
        real_inputs(operation),
        ALL_FLOATS,
        (*MODES, VMAP),
        since=since,
        narrowed={VMAP: narrowed(parameters)},
        seldom=(VMAP,),
        copies=True,
    )


IMPLEMENTATIONS = (
    row("jax.nn.sigmoid", "sigmoid", _sigmoid, {}),
    row("jax.scipy.special.expit", "sigmoid", _expit, {}),
    row("jax.nn.log_sigmoid", "log_sigmoid", _log_sigmoid, {}),
    row("jax.nn.softmax", "softmax", _softmax),
    row("jax.nn.log_softmax", "log_softmax", _log_softmax),
    row("jax.scipy.special.logsumexp", "logsumexp", _logsumexp),
    row("jax.scipy.special.rel_entr", "relative_entropy", _rel_entr, {}, since="0.4.29"),
    row("jax.scipy.special.kl_div", "relative_entropy", _kl_div, {"generalized": (True,)}, since="0.4.29"),
)
