"""What a wrong answer would be right for: another reduction, a parameter that has no effect, the opposite sign, ..."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from harness.model.case import Array, Case, Domain
from harness.operations import OPERATIONS
from harness.operations.base import UPSTREAM
from harness.oracle.truth import evaluate

NEAR = {"float32": 1e-4, "float64": 1e-9}
"""Relative difference within which an answer counts as another call's; in smaller formats too much is alike."""

Variants = Iterator[tuple[str, Case]]


def guess(case: Case, output: str, observed: Array) -> str:
    """What an answer that is not the truth seems to be; "" if nothing is known that gives it."""
    if case.dtype not in NEAR:
        return ""
    truth = _truth(case, output)
    if truth is None:
        return ""
    if _alike(case, observed, -truth):
        return "it is of the opposite sign"
    for text, variant in _variants(case):
        other = _truth(variant, output)
        if other is not None and _alike(case, observed, other) and not _alike(case, truth, other):
            return f"it is right {text}"
    return _ratio(case, observed, truth)


def _truth(case: Case, output: str) -> Array | None:
    """The exact output of a call, None if it has none."""
    if OPERATIONS[case.operation].locate(case.inputs, case.parameters).domain is Domain.UNDEFINED:
        return None
    found = evaluate(case).outputs.get(output)
    return None if found is None else found.high


def _alike(case: Case, one: Array, other: Array) -> bool:
    if one.shape != other.shape or not one.size:
        return False
    return bool(np.allclose(one.astype(np.float64), other, rtol=NEAR[case.dtype], atol=0, equal_nan=True))


def _variants(case: Case) -> Variants:
    """Calls that differ in one thing."""
    for name in ("weights", UPSTREAM):
        if name in case.inputs:
            yield f"without {name}", replace(case, inputs=_without(case.inputs, name))
    yield from _other_parameters(case)
    first, *rest = [name for name, array in case.inputs.items() if name != UPSTREAM and array.dtype.kind != "i"]
    for other in rest:
        if case.inputs[other].shape == case.inputs[first].shape:
            swapped = {first: case.inputs[other], other: case.inputs[first]}
            yield f"with {first} and {other} in each other's place", replace(case, inputs={**case.inputs, **swapped})


def _other_parameters(case: Case) -> Variants:
    for parameter in OPERATIONS[case.operation].parameters:
        others = parameter.choices or ((0, 1, -1) if parameter.name == "axis" else (parameter.default,))
        for value in others:
            if value != case.parameters[parameter.name]:
                changed = {**case.parameters, parameter.name: value}
                fewer = case.inputs if parameter.name not in {"reduction", "axis"} else _without(case.inputs, UPSTREAM)
                yield f"for {parameter.name}={value}", replace(case, parameters=changed, inputs=fewer)


def _without(inputs: Mapping[str, Array], name: str) -> dict[str, Array]:
    return {key: array for key, array in inputs.items() if key != name}


def _ratio(case: Case, observed: Array, truth: Array) -> str:
    """That the answer is a multiple of the truth, if it is."""
    if observed.shape != truth.shape or truth.size < 2:  # noqa: PLR2004 - any two numbers have a ratio
        return ""
    with np.errstate(all="ignore"):
        ratios = observed.astype(np.float64)[truth != 0] / truth[truth != 0]
    near, ratio = NEAR[case.dtype], ratios[0] if ratios.size > 1 else 1.0
    if abs(ratio - 1) > near and np.isfinite(ratios).all() and np.allclose(ratios, ratio, rtol=near, atol=0):
        return f"it is {ratio:.6g} times the truth everywhere"
    return ""
