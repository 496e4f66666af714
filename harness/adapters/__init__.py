"""What an adapter is: one file that names a framework's public calls and runs them.

The island (this package and `harness.worker`): Python 3.7 syntax, standard library and NumPy
only, nothing else of the harness, because it runs inside other people's interpreters. The host
imports an adapter to read its table, so a module's top level imports no framework.

An adapter is a module with

    FRAMEWORK        its name, as in subject ids ("torch")
    PACKAGES         modules whose `__version__` decides its results, the framework's first
    IMPLEMENTATIONS  a tuple of `Implementation`, one for each public call
    ALIASES          optional: what is imported for a name that paths begin with, or that a package has
                     ({"tf": "tensorflow", "scikit-learn": "sklearn"})
    start(threads)   imports the framework and pins its threads; an ImportError here means
                     that the framework is unavailable
    call(implementation, mode, inputs, parameters, wanted)
                     runs one call and returns a dict of output names to `Tensor`

`call` receives every parameter of the operation by its name in the operation's signature, those
that a case leaves out with the operation's default; `inputs` maps input names to `Tensor`;
`wanted` lists outputs: "value", and "gradient:NAME" for the vector-Jacobian product of the value
with `inputs["upstream"]` (ones if absent) with respect to the input NAME, if the call has that
input. It raises whatever the framework raises, and `UnsupportedError` for what the API can't express.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any, Callable, Container, Dict, List, Mapping, NamedTuple, Sequence, Tuple, Union

from harness.worker.frames import Tensor

__all__ = [
    "ALL_FLOATS",
    "ANY",
    "FLOATS",
    "INDICES",
    "LAST_AXIS",
    "SECOND_AXIS",
    "WIDE_INDICES",
    "Implementation",
    "Tensor",
    "UnsupportedError",
    "calling",
    "copying",
    "gradient_inputs",
    "has_index_labels",
    "leading_input",
    "real_inputs",
]

ANY = "any"
"""A parameter that the API takes with every value."""

LAST_AXIS = "last axis"
"""A class axis that can only be the last one."""

SECOND_AXIS = "second axis"
"""A class axis that is axis 1, or axis 0 of a single example, as in torch."""

FLOATS = ("float32", "float64")
ALL_FLOATS = ("float16", "bfloat16", "float32", "float64")
INDICES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
WIDE_INDICES = ("int32", "int64")
GRADIENT = "gradient:"
LEADING = MappingProxyType(
    {
        "binary_cross_entropy": "probabilities",
        "categorical_cross_entropy": "probabilities",
        "sparse_categorical_cross_entropy": "probabilities",
        "kl_divergence": "probabilities",
        "relative_entropy": "probabilities",
        "log_kl_divergence": "log_probabilities",
        "nll_loss": "log_probabilities",
        "linear_cross_entropy": "hidden",
        "sampled_softmax_cross_entropy": "hidden",
        "noise_contrastive_estimation": "hidden",
        "binary_focal_cross_entropy": "probabilities",
        "categorical_focal_cross_entropy": "probabilities",
    }
)
"""Leading inputs that aren't logits."""

DENSE = ("cross_entropy", "cross_entropy_gradient", "kl_divergence", "relative_entropy", "soft_margin_loss")
"""How names of operations with real-valued labels end."""

INDEXED = ("nll_loss", "linear_cross_entropy", "sampled_softmax_cross_entropy", "noise_contrastive_estimation")
"""Operations with index labels whose names don't say so."""

Values = Union[str, Tuple[Any, ...]]


class UnsupportedError(Exception):
    """The API can't express this call; the reason is the message."""


class Implementation(NamedTuple):
    """One public way to compute an operation in a framework.

    Attributes:
        path: the import path that users type, or FRAMEWORK.NAME where there is none.
        operation: the operation that it computes.
        run: what the adapter's `call` hands the tensors and the parameters to; nobody else calls it.
        parameters: for each parameter that it offers, the values it takes: `ANY`, `LAST_AXIS`,
            `SECOND_AXIS` or a tuple. A parameter that isn't listed is offered with the
            operation's default only.
        inputs: optional inputs that it offers ("weights").
        gradients: inputs with respect to which it can be differentiated.
        alias: another name of what is a row already, as documents type it: asked only where a case names it.
        gradients_since: first versions in which it can be, for inputs where it couldn't always.
        narrowed: for a mode that takes less, its parameters that differ, as in `parameters`.
        dtypes: dtypes of the floating inputs.
        indices: dtypes of index inputs, if it doesn't take all of `INDICES`.
        modes: how it can be executed; the first is the usual one.
        seldom: those of them that are asked only where a case names them (`torch.*@compile`).
        copies: whether arrays are copied into the framework's own, so that how they lay in memory is lost.
        since: first version of the framework that has it, or that it was tried with; "" for always.
        until: first version that no longer has it, "" for none.
        absent: why it can't be run yet, "" if it can.
    """

    path: str
    operation: str
    run: Callable[..., Any]
    parameters: Mapping[str, Values] = MappingProxyType({})
    inputs: Sequence[str] = ()
    gradients: Sequence[str] = ()
    dtypes: Sequence[str] = FLOATS
    modes: Sequence[str] = ("eager",)
    since: str = ""
    until: str = ""
    absent: str = ""
    alias: bool = False
    gradients_since: Mapping[str, str] = MappingProxyType({})
    narrowed: Mapping[str, Mapping[str, Values]] = MappingProxyType({})
    indices: Sequence[str] = INDICES
    seldom: Sequence[str] = ()
    copies: bool = False

    def in_mode(self, mode: str) -> Implementation:
        """The row with the parameters that it offers in a mode."""
        return self._replace(parameters=dict(self.parameters, **self.narrowed.get(mode, {})))


def calling(name: str, call: Callable[..., Dict[str, Tensor]]) -> Callable[..., Dict[str, Tensor]]:
    """A framework's `call` for rows of a package that computes with it: their `run` is handed that package instead."""

    def made(implementation: Implementation, *given: Any) -> Dict[str, Tensor]:
        package = import_module(name)

        def run(_framework: Any, *rest: Any) -> Any:
            return implementation.run(package, *rest)

        return call(implementation._replace(run=run), *given)

    return made


def copying(rows: Sequence[Implementation]) -> Tuple[Implementation, ...]:
    """Rows of a framework that copies the arrays that it is given into its own."""
    return tuple(row._replace(copies=True) for row in rows)


def gradient_inputs(wanted: Sequence[str], inputs: Container[str]) -> List[str]:
    """Names of the given inputs whose gradients are among the wanted outputs, in their order."""
    names = [output[len(GRADIENT) :] for output in wanted if output.startswith(GRADIENT)]
    return [name for name in names if name in inputs]


def leading_input(operation: str) -> str:
    """Name of an operation's leading input, the one whose shape and dtype lead."""
    return LEADING.get(operation, "logits")


def has_index_labels(operation: str) -> bool:
    """Whether an operation's labels are indices."""
    return operation.startswith("sparse") or operation in INDEXED


def real_inputs(operation: str, optional: Sequence[str] = ()) -> Tuple[str, ...]:
    """Names of an operation's real-valued inputs: the leading one, labels that aren't indices, the optional ones."""
    dense = operation.endswith(DENSE) and not has_index_labels(operation)
    return (leading_input(operation), *(("labels",) if dense else ()), *optional)
