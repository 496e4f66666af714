"""Error against logit: elements of elementwise operations, sampled from a run's calls without reduction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.model.case import Array, Case, Domain, Expectation, Inputs, Source
from harness.model.run import Record, Results
from harness.model.verdict import Verdict
from harness.operations import OPERATIONS
from harness.oracle.formats import FORMATS, Format
from harness.oracle.truth import Bounds, Enclosure, Truth, evaluate
from harness.oracle.units import of_call
from harness.reporting.values import ulps

CALLS = 64
"""Calls of an operation in a dtype that are looked at, those with failures first."""
ELEMENTS = 1024
"""Elements of a call that are looked at: evenly spread, and those that verdicts name."""

FACTOR, ACCURATE_ULPS = 2.0, 4.0
"""The pass line is the larger of so many bounds and so many ulps."""

PROBABILITIES = "probabilities"


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Elements of one call.

    Attributes:
        case: the call's id.
        shape: of all its elements.
        chosen: where the elements stand among all.
        inputs: theirs.
        logits: theirs; log p - log(1 - p) for probabilities p.
        truth: theirs.
    """

    case: str
    shape: tuple[int, ...]
    chosen: Array
    inputs: Inputs
    logits: Array
    truth: Truth


class Part(NamedTuple):
    """Errors on a call's elements: signed, in ulps, not finite where of the wrong class; and the pass line."""

    call: Call
    errors: Array
    line: Array


class Panel(NamedTuple):
    """What is drawn together."""

    operation: str
    dtype: str
    output: str


Curves = dict[Panel, dict[str, list[Part]]]
"""The parts of each implementation, panel by panel."""


def curves(results: Results) -> Curves:
    """The errors of all implementations of elementwise operations."""
    found: Curves = {}
    several = len({v.environment for v in results.verdicts if v.mode}) > 1
    for verdicts in _calls(results.verdicts):
        record = results.record(verdicts[0].case)
        call = sampled(record, [v.index for v in verdicts if v.index is not None]) if record else None
        if record is None or call is None:
            continue
        for v in verdicts:
            if (part := _part(call, record, v)) is not None:
                name = f"{v.environment}: {v.implementation}" if several else v.implementation
                panel = found.setdefault(Panel(record.operation, record.dtype, v.output), {})
                panel.setdefault(name, []).append(part)
    return found


def sampled(record: Record, named: Iterable[tuple[int, ...]]) -> Call | None:
    """Elements of a call, those at the named places among them; None where they aren't independent."""
    operation = OPERATIONS[record.operation]
    units = of_call(operation, record.inputs, operation.complete(record.parameters))
    if units is None:
        return None
    shape = record.inputs[operation.leading].shape
    spread = np.linspace(0, units.count - 1, min(units.count, ELEMENTS)).astype(np.int64)
    chosen = np.union1d(spread, [_flat(index, shape) for index in named if len(index) == len(shape)]).astype(np.int64)
    inputs = units.take(chosen)
    case = Case(record.case, operation.name, inputs, units.parameters, record.dtype, Expectation(), Source("", 0))
    return Call(record.case, shape, chosen, inputs, _logits(operation.leading, inputs), evaluate(case))


def pass_line(truth: Enclosure, bounds: Bounds, form: Format) -> Array:
    """What each element may lose, in ulps."""
    ulp = form.ulp(truth.high)
    with np.errstate(over="ignore"):
        return (np.maximum(FACTOR * bounds.passing, ACCURATE_ULPS * ulp) + truth.radius) / ulp


def _calls(verdicts: Iterable[Verdict]) -> Iterator[Sequence[Verdict]]:
    """The measured verdicts of the calls to look at."""
    found: dict[tuple[str, str], dict[str, list[Verdict]]] = {}
    for v in verdicts:
        operation = OPERATIONS.get(v.operation or "")
        if operation and operation.elementwise and v.dtype in FORMATS and v.grade and v.domain != Domain.UNDEFINED:
            found.setdefault((operation.name, v.dtype), {}).setdefault(v.case, []).append(v)
    for calls in found.values():
        yield from sorted(calls.values(), key=_all_pass)[:CALLS]


def _all_pass(verdicts: Iterable[Verdict]) -> bool:
    return all(v.grade is None or v.grade.passes for v in verdicts)


def _part(call: Call, record: Record, verdict: Verdict) -> Part | None:
    """A subject's errors; None where it gave no array that can be measured."""
    seen, truth = record.observations.get(verdict.subject), call.truth.outputs.get(verdict.output)
    observed = seen.outputs.get(verdict.output) if seen else None
    form = FORMATS[record.dtype]
    if observed is None or truth is None or observed.shape != call.shape or observed.dtype != form.dtype:
        return None
    errors = ulps(observed.reshape(-1)[call.chosen], truth.high)
    if errors is None:
        return None
    return Part(
        call, errors - truth.low / form.ulp(truth.high), pass_line(truth, call.truth.bounds[verdict.output], form)
    )


def _logits(name: str, inputs: Inputs) -> Array:
    given = inputs[name].astype(np.float64)
    if name != PROBABILITIES:
        return given
    with np.errstate(all="ignore"):
        return np.log(given) - np.log1p(-given)


def _flat(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(index, shape, mode="clip")) if index else 0
