"""Bounds on what algorithms may lose on an input, by running error analysis of their programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.model.case import Array, Parameters
from harness.operations.base import UPSTREAM, VALUE, Form, Operation, Output, gradient
from harness.operations.real import Call
from harness.oracle import running
from harness.oracle.enclosures import Enclosure
from harness.oracle.formats import Format
from harness.oracle.running import ORACLE, Arithmetic, Running

HALF_FORMATS = ("float16", "bfloat16")

PASSING, PAIRWISE = 1, 2
"""Places of the arithmetics whose bounds are asked for; the oracle's own is the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """What algorithms may lose on this input, element by element; infinite where one leaves the range.

    Attributes:
        passing: B, what the reference algorithms may lose, sums one term after another in float32
            and float64, pairwise in half formats.
        pairwise: the same with pairwise sums.
        named: bounds by what loses so much, the most accurate form first, pairwise sums; with those
            that the pass line does not allow.
        attainable: what the input's own conditioning loses, where it is known; else what the most
            accurate form does.
        terms: of the longest sum.
    """

    passing: Array
    pairwise: Array
    named: Mapping[str, Array]
    attainable: Array
    terms: int

    def shaped(self, change: Callable[[Array], Array]) -> Bounds:
        """Elements selected or rearranged."""
        named = {cause: change(bound) for cause, bound in self.named.items()}
        return Bounds(change(self.passing), change(self.pairwise), named, change(self.attainable), self.terms)


def arithmetics(form: Format) -> tuple[Arithmetic, ...]:
    """The oracle's float64, and the dtype with the passing kind of sum and with pairwise sums."""
    pairwise = running.of_format(form, recursive=False)
    if form.name in HALF_FORMATS:
        return ORACLE, pairwise, pairwise
    return ORACLE, running.of_format(form, recursive=True), pairwise


def bounds(output: Output, call: Call) -> Bounds:
    """Bounds from the output's forms, in the second and third arithmetic of the call."""
    named: dict[str, Array] = {}
    passing = pairwise = np.zeros(())
    for form in output.algorithms:
        lost = run(form, output, call)
        narrow = lost.bound(PAIRWISE)
        named[form.name] = np.maximum(named.get(form.name, 0.0), narrow)
        if form.passes:
            passing, pairwise = np.maximum(passing, lost.bound(PASSING)), np.maximum(pairwise, narrow)
    return Bounds(passing, pairwise, named, next(iter(named.values())), _terms(call))


def run(form: Form, output: Output, call: Call) -> Running:
    """An algorithm's result with what it loses; the exact program, which has run already, is not run again."""
    found: Running = call.run(form.program) if form.program is output.exact else form.program(call)
    return found


def _terms(call: Call) -> int:
    """Terms of the longest sum: over classes, or over losses."""
    leading = next(iter(call.whole.inputs.values())).shape
    classes = leading[int(call.parameters["axis"])] if "axis" in call.parameters else 1
    reduced = call.parameters.get("reduction", "none") != "none"
    return max(classes, int(np.prod(leading, dtype=np.int64)) // max(classes, 1) if reduced else 1)


def conditioning(operation: Operation, call: Call, outputs: Mapping[str, Enclosure]) -> Array | None:
    """|T| + sum |x dT/dx| of a loss, x each logit or probability and label; None for what isn't one.

    A relative change of u in the input changes the value by so many u: no algorithm does better.
    """
    value = outputs[VALUE].high
    unknown = gradient(operation.leading) not in outputs
    if unknown or "reduction" not in call.parameters or UPSTREAM in call.inputs:
        return None
    found = np.abs(value)
    for name in (operation.leading, "labels"):
        slopes = outputs.get(gradient(name))
        if slopes is not None:
            found = found + _gathered(np.abs(call.inputs[name] * slopes.high), value.shape, call.parameters)
    return found


def _gathered(terms: Array, shape: tuple[int, ...], parameters: Parameters) -> Array:
    """Terms of each element of the value: its own, its row's, or all."""
    if terms.shape == shape:
        return terms
    axis = int(parameters.get("axis", -1))
    if len(shape) == terms.ndim - 1 and np.delete(terms.shape, axis).tolist() == list(shape):
        return np.sum(terms, axis=axis)
    return np.asarray(np.sum(terms))
