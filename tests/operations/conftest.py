"""An independent definition of every operation: textbook formulas in mpmath at 250 digits.

The formulas cancel as badly as textbooks' do; at this precision more than 50 digits are left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ml_dtypes  # noqa: F401 - gives NumPy the name bfloat16
import mpmath
import numpy as np
import pytest

from harness.model.case import Array, Case, Expectation, Source
from harness.operations import OPERATIONS
from harness.oracle import truth
from harness.oracle.truth import Truth

DIGITS = 250
VALUE_ERROR = 1e-14
GRADIENT_ERROR = 1e-13

Parameters = Mapping[str, Any]
Evaluate = Callable[..., Truth]

exp: Any = np.frompyfunc(mpmath.exp, 1, 1)
log: Any = np.frompyfunc(mpmath.log, 1, 1)
exactly: Any = np.frompyfunc(mpmath.mpf, 1, 1)
product: Any = np.frompyfunc(lambda factor, x: factor * x if factor else mpmath.mpf(0), 2, 1)


@pytest.fixture(autouse=True)
def _precision() -> Iterator[None]:
    with mpmath.workdps(DIGITS):
        yield


def _smooth(labels: Array, smoothing: float, classes: int) -> Array:
    return labels * (1 - mpmath.mpf(smoothing)) + mpmath.mpf(smoothing) / classes


def _last(array: Array, parameters: Parameters) -> Array:
    return np.moveaxis(array, parameters["axis"], -1)


def _unit_rows(labels: Array, classes: int) -> Array:
    rows = np.zeros((*labels.shape, classes), dtype=object)
    for place in np.ndindex(labels.shape):
        rows[(*place, int(labels[place]))] = mpmath.mpf(1)
    return rows


def _class_labels(operation: str, given: Mapping[str, Array], parameters: Parameters, classes: int) -> Array:
    sparse = operation.startswith("sparse")
    labels = _unit_rows(given["labels"], classes) if sparse else _last(given["labels"], parameters)
    return _smooth(labels, parameters.get("label_smoothing", 0.0), classes)


def _softmax(x: Array) -> Array:
    return exp(x) / np.sum(exp(x), axis=-1, keepdims=True)


def _clipped(p: Array, epsilon: float) -> Array:
    low = mpmath.mpf(epsilon)
    return np.minimum(np.maximum(p, low), 1 - low)


def _binary(given: Mapping[str, Array], parameters: Parameters) -> Array:
    z, epsilon = _smooth(given["labels"], parameters["label_smoothing"], 2), mpmath.mpf(parameters["epsilon"])
    p = given["probabilities"] if parameters["epsilon_use"] == "add" else _clipped(given["probabilities"], epsilon)
    extra = epsilon if parameters["epsilon_use"] == "add" else 0
    floor = mpmath.mpf(parameters["log_floor"])
    return -product(z, np.maximum(log(p + extra), floor)) - product(1 - z, np.maximum(log(1 - p + extra), floor))


def _categorical(operation: str, given: Mapping[str, Array], parameters: Parameters) -> Array:
    p = _last(given["probabilities"], parameters)
    z = _class_labels(operation, given, parameters, p.shape[-1])
    if parameters["normalize"] == "before":
        p = p / np.sum(p, axis=-1, keepdims=True)
    if parameters["epsilon"]:
        p = _clipped(p, parameters["epsilon"])
    if parameters["normalize"] == "after":
        p = p / np.sum(p, axis=-1, keepdims=True)
    return -np.sum(product(z, log(p)), axis=-1)


def _losses(operation: str, given: Mapping[str, Array], parameters: Parameters) -> Array:
    if operation == "binary_cross_entropy":
        return _binary(given, parameters)
    if operation.endswith("categorical_cross_entropy"):
        return _categorical(operation, given, parameters)
    if operation.endswith("sigmoid_cross_entropy"):
        s, z = 1 / (1 + exp(-given["logits"])), _smooth(given["labels"], parameters["label_smoothing"], 2)
        return -mpmath.mpf(parameters.get("pos_weight", 1.0)) * z * log(s) - (1 - z) * log(1 - s)
    p = _softmax(_last(given["logits"], parameters))
    return -np.sum(_class_labels(operation, given, parameters, p.shape[-1]) * log(p), axis=-1)


def _reduced(losses: Array, weights: Array | None, reduction: str) -> Any:
    if reduction in ("row_mean", "row_mean_sum"):
        rows = np.sum(losses, axis=-1) / losses.shape[-1]
        rows = rows if weights is None else weights * rows
        return rows if reduction == "row_mean" else np.sum(rows)
    full = np.ones(losses.shape, dtype=object) if weights is None else np.broadcast_to(weights, losses.shape)
    weighed = full * losses
    denominators = {
        "sum": 1,
        "mean": losses.size,
        "weighted_mean": np.sum(full),
        "nonzero_mean": np.count_nonzero(full),
    }
    return weighed if reduction == "none" else np.sum(weighed) / denominators[reduction]


def _primitive(operation: str, x: Array, parameters: Parameters) -> Array:
    if operation.endswith("sigmoid"):
        p = 1 / (1 + exp(-x))
    else:
        p = np.moveaxis(_softmax(_last(x, parameters)), -1, parameters["axis"])
    return log(p) if operation.startswith("log") else p


def _value(operation: str, given: Mapping[str, Array], parameters: Parameters) -> Array:
    if operation in ("sigmoid", "log_sigmoid", "softmax", "log_softmax"):
        found = _primitive(operation, given["logits"], parameters)
    else:
        losses = _losses(operation, given, parameters)
        found = _reduced(losses, given.get("weights"), parameters["reduction"])
    return np.asarray(found, dtype=object)


def _gradient(operation: str, given: Mapping[str, Array], parameters: Parameters, upstream: Array | None) -> Array:
    """Of sum(upstream * value), by mpmath's numerical derivative, one element of the input at a time."""
    leading = OPERATIONS[operation].leading
    x = given[leading]
    slopes = np.zeros(x.shape, dtype=object)

    def along(place: tuple[int, ...], t: Any) -> Any:
        moved = x.copy()
        moved[place] = t
        value = _value(operation, {**given, leading: moved}, parameters)
        return np.sum(value if upstream is None else upstream * value)

    for place in np.ndindex(x.shape):
        slopes[place] = mpmath.diff(lambda t, place=place: along(place, t), x[place])
    return slopes


def near(observed: Array, exact: Array, error: float) -> None:
    """Assert shapes and relative errors, computed in mpmath."""
    assert observed.shape == exact.shape
    assert observed.dtype == np.float64
    for place in np.ndindex(exact.shape):
        assert abs(mpmath.mpf(float(observed[place])) - exact[place]) <= error * abs(exact[place]), (
            f"{observed[place]!r} instead of {mpmath.nstr(exact[place], 20)} at {place}"
        )


def build(operation: str, dtype: str = "float32", /, **given: Any) -> Case:
    """A case: what is no input is a parameter; floating inputs are rounded to the dtype."""
    kinds = {i.name: i.kind for i in OPERATIONS[operation].inputs}
    inputs = {n: np.asarray(v, np.int64 if kinds[n] == "index" else dtype) for n, v in given.items() if n in kinds}
    parameters = {n: v for n, v in given.items() if n not in kinds}
    return Case("tests:case", operation, inputs, parameters, dtype, Expectation(), Source("tests.yaml", 1))


@pytest.fixture(scope="session")
def evaluate() -> Evaluate:
    """Truth as the harness has it."""

    def evaluated(operation: str, dtype: str = "float32", /, **given: Any) -> Truth:
        return truth.evaluate(build(operation, dtype, **given))

    return evaluated


@pytest.fixture(scope="session")
def assert_exact() -> Callable[..., Truth]:
    """Assert value and gradient of a call against mpmath's; gives the truth for further questions."""

    def exact(operation: str, dtype: str = "float32", /, *, gradient: bool = True, **given: Any) -> Truth:
        case = build(operation, dtype, **given)
        found = truth.evaluate(case)
        wide = {n: exactly(a.astype(np.float64)) for n, a in case.inputs.items()}
        upstream = wide.pop("upstream", None)
        complete = OPERATIONS[operation].complete(case.parameters)
        near(found.outputs["value"], _value(operation, wide, complete), VALUE_ERROR)
        if gradient:
            slopes = found.outputs[f"gradient:{OPERATIONS[operation].leading}"]
            near(slopes, _gradient(operation, wide, complete, upstream), GRADIENT_ERROR)
        return found

    return exact
