"""Faults, and formulas of another kind, planted in the NumPy reference (the island).

An adapter that looks at what a suite notices is made of rows of the reference with one thing altered: around
it, in what it is given and what it gives, or within it, in a formula. `harness selftest` runs such adapters.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, List, Sequence

from harness.adapters import Implementation, reference
from harness.adapters.numpy import IMPLEMENTATIONS, Arrays, run_loss, run_primitive
from harness.adapters.reference import Array, Loss, Parameters, times

SIGMOIDS = ("sigmoid_cross_entropy", "weighted_sigmoid_cross_entropy")
BINARY = (*SIGMOIDS, "binary_cross_entropy")
DENSE = ("softmax_cross_entropy", "categorical_cross_entropy")
SPARSE = ("sparse_softmax_cross_entropy", "sparse_categorical_cross_entropy")
SOFTMAXES = ("softmax_cross_entropy", "sparse_softmax_cross_entropy")
ROWS = (*SOFTMAXES, "categorical_cross_entropy", "sparse_categorical_cross_entropy")
LOSSES = (*BINARY, *ROWS)
PRIMITIVES = ("sigmoid", "log_sigmoid", "softmax", "log_softmax")

Answer = Callable[[Arrays, Parameters, Sequence[str]], Dict[str, Array]]
"""What a row of the reference does with inputs, parameters and wanted outputs."""


class Planted:
    """Rows of the reference with something altered.

    Args:
        framework: of the adapter; the first part of each row's path.
        dtypes: what the rows offer; the reference's own if none are given.
    """

    def __init__(self, framework: str, dtypes: Sequence[str] = ()) -> None:
        self.framework = framework
        self.rows: List[Implementation] = []
        self._dtypes = dtypes

    def around(self, *operations: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Plant a function of (right, arrays, parameters, wanted) in operations: right is the reference's `Answer`."""

        def plant(function: Callable[..., Any]) -> Callable[..., Any]:
            for operation in operations:
                self._add(function.__name__, operation, partial(function, _row(operation).run))
            return function

        return plant

    def losses(self, name: str, operations: Sequence[str], **parts: Callable[..., Any]) -> None:
        """Plant other `losses`, `slopes` or `label_slopes` in losses."""
        for operation in operations:
            self._add(name, operation, partial(run_loss, _loss(operation)._replace(**parts), operation))

    def softmaxes(
        self,
        name: str,
        softmax: Callable[..., Array] = reference.softmax,
        log_softmax: Callable[..., Array] = reference.log_softmax,
        only: Sequence[str] = ("softmax", "log_softmax", *SOFTMAXES),
    ) -> None:
        """Plant building blocks, functions of logits and axis, in what is made of them."""
        loss = _softmax_loss(softmax, log_softmax)
        made: Dict[str, Answer] = {
            "softmax": partial(run_primitive, softmax, partial(_softmax_vjp, softmax)),
            "log_softmax": partial(run_primitive, log_softmax, partial(_log_softmax_vjp, softmax)),
            **{operation: partial(run_loss, loss, operation) for operation in SOFTMAXES},
        }
        for operation in only:
            self._add(name, operation, made[operation])

    def sigmoids(
        self,
        name: str,
        sigmoid: Callable[[Array], Array] = reference.sigmoid,
        log_sigmoid: Callable[[Array], Array] = reference.log_sigmoid,
        only: Sequence[str] = ("sigmoid", "log_sigmoid", *SIGMOIDS),
    ) -> None:
        """Plant building blocks, functions of logits, in what is made of them."""
        loss = _sigmoid_loss(sigmoid, log_sigmoid)
        made: Dict[str, Answer] = {
            "sigmoid": partial(run_primitive, sigmoid, lambda x, upstream: upstream * (sigmoid(x) * sigmoid(-x))),
            "log_sigmoid": partial(run_primitive, log_sigmoid, lambda x, upstream: upstream * sigmoid(-x)),
            **{operation: partial(run_loss, loss, operation) for operation in SIGMOIDS},
        }
        for operation in only:
            self._add(name, operation, made[operation])

    def _add(self, name: str, operation: str, run: Answer) -> None:
        row = _row(operation)
        path = self.framework + "." + name
        self.rows.append(row._replace(path=path, run=run, dtypes=self._dtypes or row.dtypes))


def _row(operation: str) -> Implementation:
    return next(row for row in IMPLEMENTATIONS if row.operation == operation)


def _loss(operation: str) -> Loss:
    """The formulas of the reference's row."""
    loss: Loss = _row(operation).run.args[0]  # type: ignore[attr-defined]
    return loss


def _softmax_loss(softmax: Callable[..., Array], log_softmax: Callable[..., Array]) -> Loss:
    def losses(x: Array, z: Array, parameters: Parameters) -> Array:
        axis = parameters["axis"]
        return -times(z, log_softmax(x, axis)).sum(axis)

    def slopes(x: Array, z: Array, parameters: Parameters) -> Array:
        axis = parameters["axis"]
        return softmax(x, axis) * z.sum(axis, keepdims=True) - z

    return Loss(losses, slopes, lambda x, _z, parameters: -log_softmax(x, parameters["axis"]))


def _softmax_vjp(softmax: Callable[..., Array], x: Array, upstream: Array, axis: int) -> Array:
    p = softmax(x, axis)
    return p * (upstream - (upstream * p).sum(axis, keepdims=True))


def _log_softmax_vjp(softmax: Callable[..., Array], x: Array, upstream: Array, axis: int) -> Array:
    return upstream - softmax(x, axis) * upstream.sum(axis, keepdims=True)


def _sigmoid_loss(sigmoid: Callable[[Array], Array], log_sigmoid: Callable[[Array], Array]) -> Loss:
    def losses(x: Array, z: Array, parameters: Parameters) -> Array:
        one, q = x.dtype.type(1), x.dtype.type(parameters.get("pos_weight", 1))
        return -(times(q * z, log_sigmoid(x)) + times(one - z, log_sigmoid(-x)))

    def slopes(x: Array, z: Array, parameters: Parameters) -> Array:
        one, q = x.dtype.type(1), x.dtype.type(parameters.get("pos_weight", 1))
        return (one - z) * sigmoid(x) - q * z * sigmoid(-x)

    return Loss(losses, slopes, reference.sigmoid_label_slopes)
