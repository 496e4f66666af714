"""SciPy: the functions of scipy.special, called as they are. They have no gradients.

`expit`, `log_expit`, `rel_entr` and `kl_div` are compiled for float32 and float64 only, and widen float16; the others
are written in NumPy, and take float16 too.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Sequence

import numpy as np

from harness.adapters import ANY, FLOATS, Implementation, Tensor, Values

FRAMEWORK = "scipy"
PACKAGES = ("scipy", "numpy")

Arrays = Mapping[str, Any]
Parameters = Mapping[str, Any]


def start(threads: int) -> None:
    """Import scipy.special; there is no thread to pin."""
    import scipy.special  # noqa: F401 - rows call it


def call(
    implementation: Implementation,
    mode: str,
    inputs: Mapping[str, Tensor],
    parameters: Parameters,
    wanted: Sequence[str],
) -> Dict[str, Tensor]:
    """Run one call."""
    import scipy.special

    with np.errstate(all="ignore"):
        value = implementation.run(scipy.special, {name: t.data for name, t in inputs.items()}, parameters)
    return {"value": Tensor.of(np.asarray(value))}


def _expit(special: Any, inputs: Arrays, _parameters: Parameters) -> Any:
    return special.expit(inputs["logits"])


def _log_expit(special: Any, inputs: Arrays, _parameters: Parameters) -> Any:
    return special.log_expit(inputs["logits"])


def _softmax(special: Any, inputs: Arrays, parameters: Parameters) -> Any:
    return special.softmax(inputs["logits"], axis=parameters["axis"])


def _log_softmax(special: Any, inputs: Arrays, parameters: Parameters) -> Any:
    return special.log_softmax(inputs["logits"], axis=parameters["axis"])


def _logsumexp(special: Any, inputs: Arrays, parameters: Parameters) -> Any:
    return special.logsumexp(inputs["logits"], axis=parameters["axis"])


def _rel_entr(special: Any, inputs: Arrays, _parameters: Parameters) -> Any:
    return special.rel_entr(inputs["labels"], inputs["probabilities"])


def _kl_div(special: Any, inputs: Arrays, _parameters: Parameters) -> Any:
    return special.kl_div(inputs["labels"], inputs["probabilities"])


_AXIS: Mapping[str, Values] = {"axis": ANY}
_WRITTEN_IN_NUMPY = ("float16", *FLOATS)


def _row(name: str, operation: str, run: Callable[..., Any], **more: Any) -> Implementation:
    return Implementation("scipy.special." + name, operation, run, **more)


IMPLEMENTATIONS = (
    _row("expit", "sigmoid", _expit),
    _row("log_expit", "log_sigmoid", _log_expit, since="1.8"),
    _row("softmax", "softmax", _softmax, parameters=_AXIS, dtypes=_WRITTEN_IN_NUMPY, since="1.2"),
    _row("log_softmax", "log_softmax", _log_softmax, parameters=_AXIS, dtypes=_WRITTEN_IN_NUMPY, since="1.5"),
    _row("logsumexp", "logsumexp", _logsumexp, parameters=_AXIS, dtypes=_WRITTEN_IN_NUMPY),
    _row("rel_entr", "relative_entropy", _rel_entr),
    _row("kl_div", "relative_entropy", _kl_div, parameters={"generalized": (True,)}),
)
