"""What an implementation's table row says about a call: whether its API can express it."""

from __future__ import annotations

import math

from harness.adapters import ANY, LAST_AXIS, SECOND_AXIS, Implementation
from harness.model.case import Case, Scalar
from harness.operations.base import UPSTREAM, Operation


def refusal(implementation: Implementation, operation: Operation, case: Case) -> str:
    """Why the implementation can't be asked this call; "" if it can."""
    if implementation.absent:
        return ""  # its worker says why it is unavailable, whatever the call
    if reason := _of_arrays(implementation, case):
        return reason
    optional = {i.name for i in operation.inputs if i.optional} - {UPSTREAM}
    for name in sorted(optional & set(case.inputs)):
        if name not in implementation.inputs:
            return f"has no {name}"
    rank = case.inputs[operation.leading].ndim
    for parameter in operation.parameters:
        value = case.parameters.get(parameter.name, parameter.default)
        offered = implementation.parameters.get(parameter.name, (parameter.default,))
        known = not parameter.objection(value)
        if not _offers(offered, value, rank, known=known):
            return f"doesn't offer {parameter.name}={value}"
    return ""


def _of_arrays(implementation: Implementation, case: Case) -> str:
    """Why it can't be given the arrays as the call has them."""
    if case.layout and implementation.copies:
        return "copies the arrays that it is given: how they lie in memory is lost"
    if case.dtype not in implementation.dtypes:
        return f"doesn't take {case.dtype}"
    for array in case.inputs.values():
        if array.dtype.kind in "iu" and array.dtype.name not in implementation.indices:
            return f"doesn't take indices of {array.dtype.name}"
    return ""


def _offers(offered: str | tuple[Scalar, ...], value: Scalar, rank: int, *, known: bool) -> bool:
    if offered == ANY:
        return True
    if offered in (LAST_AXIS, SECOND_AXIS):
        return known and int(value) in _axes(str(offered), rank)
    if not known:  # a value that no API knows: every API with that parameter is asked what it does
        return len(offered) > 1
    return any(_same(value, choice) for choice in offered)


def _axes(offered: str, rank: int) -> tuple[int, int]:
    axis = rank - 1 if offered == LAST_AXIS else min(1, rank - 1)
    return axis, axis - rank


def _same(a: Scalar, b: Scalar) -> bool:
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))
