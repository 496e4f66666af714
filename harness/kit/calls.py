"""Small telling calls of everything that a row of an adapter's table claims.

Numbers are few binary digits, so every dtype holds them, and no two of a call are alike where that could
hide a mistake: rows and columns differ in length, labels differ by row, upstream by element.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import ml_dtypes
import numpy as np

from harness.adapters import ANY, SECOND_AXIS, Implementation
from harness.engine.support import refusal
from harness.model.case import Array, Case, Domain, Expectation, Parameters, Scalar, Source, StatedTolerance
from harness.operations import OPERATIONS
from harness.operations.base import UPSTREAM, Input, Operation, Parameter
from harness.operations.reductions import EMPTY_MEAN

SOURCE = Source("check-adapter", 0)
LOOSE = {"float16": 0.02, "bfloat16": 0.1, "float32": 1e-3, "float64": 1e-6}
"""How far off, relative and absolute, an answer may be: what is beyond is a mistake, and no matter of accuracy."""
RIGHT_IF_UNDEFINED = frozenset({"error", "nan"})
NO_CHOICE = "no-such-choice"

LOGITS = (0.5, -1.25, 2.0, 0.125, -0.75, 1.5, -2.5, 3.0, 0.25, -0.375, 1.75, -1.0)
ROWS = ((0.5, 0.25, 0.125, 0.125), (0.125, 0.625, 0.125, 0.125), (0.25, 0.125, 0.0625, 0.5625))
SOFT = ((0.0, 0.0, 1.0, 0.0), (0.5, 0.25, 0.25, 0.0), (0.0, 1.0, 0.0, 0.0))
PROBABILITIES = (0.5, 0.25, 0.875, 0.0625, 0.75, 0.125, 0.9375, 0.375, 0.625, 0.1875, 0.8125, 0.3125)
HARD = (1.0, 0.0, 0.25, 1.0, 0.0, 1.0, 0.0, 0.75, 1.0, 0.0, 1.0, 0.5)
WEIGHTS = (2.0, 0.0, 0.5, 1.5, 1.0, 0.25, 3.0, 1.0, 0.0, 0.75, 2.0, 1.25)
AHEAD = (1.5, -0.5, 2.0, 0.25, -1.0, 0.75, 1.25, -2.0, 0.5, 3.0, -0.25, 1.0)
CLASSES, COUNT = 4, 3


@dataclass(frozen=True, slots=True, eq=False)
class Telling:
    """A call, and what is told by it.

    Attributes:
        tries: what is not as in the plain call: `reduction=sum`, `weights`, `upstream`, or a mistake.
    """

    case: Case
    tries: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        """Whether it tries nothing, or the upstream gradient only."""
        return self.tries in ((), (UPSTREAM,))


def telling(row: Implementation, dtype: str) -> Iterator[Telling]:
    """The calls of a row in a dtype: the plain one first, those that the row doesn't offer left out."""
    operation = OPERATIONS[row.operation]
    base = {p.name: _first(row, p) for p in operation.parameters}
    make = partial(_telling, row, operation, dtype)
    weighted, ahead = "weights" in row.inputs, bool(row.gradients)
    yield from make(base)
    if ahead:
        yield from make(base, ahead=True)
    for parameter in operation.parameters:
        for value in _values(row, parameter):
            parameters, tried = base | {parameter.name: value}, f"{parameter.name}={value}"
            yield from make(parameters, tried)
            if parameter.name == "reduction" and (ahead or weighted):
                yield from make(parameters, tried, ahead=ahead, weights=weighted)
    if weighted:
        yield from make(base, weights=True)
    yield from _undefined(row, operation, dtype, base)


def plain(row: Implementation, dtype: str, parameters: Parameters) -> Case:
    """The call with these parameters, complete, and what must be given, whether the row offers it or not."""
    operation = OPERATIONS[row.operation]
    return _case(row, operation, dtype, _inputs(operation, dtype, parameters, second=False), parameters)


def _telling(
    row: Implementation,
    operation: Operation,
    dtype: str,
    parameters: Parameters,
    *tried: str,
    weights: bool = False,
    ahead: bool = False,
) -> Iterator[Telling]:
    """A call that is defined; nothing where it isn't, or isn't offered."""
    inputs = _inputs(operation, dtype, parameters, second=row.parameters.get("axis") == SECOND_AXIS)
    if weights:
        inputs["weights"] = _cast(_filled(WEIGHTS, _weights_shape(operation, inputs, parameters)), dtype)
    case = _case(row, operation, dtype, inputs, parameters)
    if operation.locate(inputs, parameters).domain is Domain.UNDEFINED or refusal(row, operation, case):
        return
    if ahead and operation.shape is not None:
        upstream = _cast(_filled(AHEAD, operation.shape(inputs, parameters)), dtype)
        case = replace(case, inputs={**inputs, UPSTREAM: upstream})
    given = [name for name, there in (("weights", weights), (UPSTREAM, ahead)) if there]
    yield Telling(case, (*tried, *given))


def _undefined(row: Implementation, operation: Operation, dtype: str, base: Parameters) -> Iterator[Telling]:
    """Calls that have no value, for which an error is right."""
    for mistake, changed, parameters in _mistakes(row, operation, dtype, base):
        case = _case(row, operation, dtype, changed, parameters)
        if operation.locate(changed, parameters).domain is Domain.UNDEFINED and not refusal(row, operation, case):
            yield Telling(replace(case, expect=Expectation(undefined=RIGHT_IF_UNDEFINED)), (mistake,))


def _mistakes(
    row: Implementation, operation: Operation, dtype: str, base: Parameters
) -> Iterator[tuple[str, dict[str, Array], dict[str, Scalar]]]:
    inputs = _inputs(operation, dtype, base, second=row.parameters.get("axis") == SECOND_AXIS)
    for given in operation.inputs:
        if given.kind == "index":
            for label in (CLASSES, -1):
                labels = inputs[given.name].copy()
                labels.flat[0] = label
                yield f"label {label} of {CLASSES} classes", inputs | {given.name: labels}, dict(base)
        elif given.name == "labels":
            yield "labels of another shape", inputs | {"labels": inputs["labels"][:, :1]}, dict(base)
    for parameter in operation.parameters:
        is_argument = parameter is not EMPTY_MEAN  # that says what an API answers to a mean of nothing
        if is_argument and parameter.choices and len(row.parameters.get(parameter.name, ())) > 1:
            yield f"{parameter.name}={NO_CHOICE}", inputs, {**base, parameter.name: NO_CHOICE}


def _case(
    row: Implementation, operation: Operation, dtype: str, inputs: Mapping[str, Array], parameters: Parameters
) -> Case:
    """A call that is to be about right."""
    line = StatedTolerance(LOOSE[dtype], LOOSE[dtype], "no matter of accuracy")
    expect = Expectation(tolerance=line)
    return Case("check", operation.name, inputs, parameters, dtype, expect, SOURCE, implementations=row.path)


def _first(row: Implementation, parameter: Parameter) -> Scalar:
    """The default, or what comes first where the API doesn't offer it."""
    offered = row.parameters.get(parameter.name, ())
    if offered == SECOND_AXIS:
        return 1
    return parameter.default if isinstance(offered, str) or not offered or parameter.default in offered else offered[0]


def _values(row: Implementation, parameter: Parameter) -> Iterator[Scalar]:
    """The values of a parameter that tell whether it is heeded."""
    offered = row.parameters.get(parameter.name, ())
    if not isinstance(offered, str):
        yield from offered
    elif parameter.name == "axis":
        yield from (0, 1, -1) if offered == ANY else (1, -1)
    else:
        yield from parameter.choices or [_between(parameter)]


def _between(parameter: Parameter) -> Scalar:
    """A value within the range that is not the default."""
    low, high = parameter.low, parameter.high
    if np.isfinite(low) and np.isfinite(high):
        return float(low + min((high - low) / 4, 2.5))
    found = low + 2.5 if np.isfinite(low) else high - 2.5 if np.isfinite(high) else 1.5
    return int(found) if isinstance(parameter.default, int) else float(found)


def _inputs(operation: Operation, dtype: str, parameters: Parameters, *, second: bool) -> dict[str, Array]:
    """The inputs that are never left out, with the class axis where the parameters have it."""
    batch = (2, COUNT) if second else (COUNT,)
    return {given.name: _input(given, dtype, batch, parameters) for given in operation.inputs if not given.optional}


def _input(given: Input, dtype: str, batch: tuple[int, ...], parameters: Parameters) -> Array:
    shape = (*batch, CLASSES)
    if given.kind == "index":
        return np.resize(np.array([2, 0, 3, 1, 2]), batch)
    if "axis" not in parameters:
        flat = {"probabilities": PROBABILITIES, "labels": HARD}.get(given.name, LOGITS)
        return _cast(_filled(flat, shape), dtype)
    rows = {"probabilities": ROWS, "labels": SOFT}.get(given.name, np.reshape(LOGITS, (COUNT, CLASSES)))
    axis = int(parameters["axis"])
    return _cast(np.moveaxis(_filled(np.ravel(rows), shape), -1, axis), dtype)


def _weights_shape(operation: Operation, inputs: Mapping[str, Array], parameters: Parameters) -> tuple[int, ...]:
    """One weight for each loss; for each row where rows are averaged first."""
    reduction = "row_mean" if str(parameters.get("reduction", "")).startswith("row_mean") else "none"
    return operation.shape(inputs, {**parameters, "reduction": reduction}) if operation.shape else ()


def _filled(values: object, shape: tuple[int, ...]) -> Array:
    return np.resize(np.array(values, np.float64), shape)


def _cast(array: Array, dtype: str) -> Array:
    return array.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
