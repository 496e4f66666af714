"""Whether enclosures hold what mpmath says, and are as narrow as they have to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np

from harness.model.case import Array, Case
from harness.operations import OPERATIONS
from harness.oracle import enclosures, truth
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Enclosure
from tests.oracle import independent

DIGITS = 40
"""Of mpmath's own numbers: all the slack that there is. Radii of float64's truths are some 10**-32 |T|."""

WORK_BITS = 4096
"""Spans the exponents of two floats: their sum and its distance from a number are exact enough."""

TOO_LARGE = mpmath.ldexp(mpmath.mpf(2**54 - 1), 1024 - 54)
"""The least real that rounds to a float64 infinity."""


def objections(case: Case) -> list[str]:
    """Where the truth of a case isn't mpmath's, or not known as nearly as its dtype asks for."""
    return compared(case, truth.evaluate(case).outputs)


def compared(case: Case, outputs: Mapping[str, Enclosure]) -> list[str]:
    """The same of outputs that are there already."""
    exact = independent.outputs(case, DIGITS)
    # A gradient of what can't be differentiated is no output of ours.
    missing = exact.keys() ^ outputs.keys()
    found = [f"{case.id}: outputs {sorted(missing)} on one side only"] if missing else []
    for name in exact.keys() & outputs.keys():
        found += [f"{case.id} {name} {message}" for message in _differences(exact[name], outputs[name])]
        found += [f"{case.id} {name} {message}" for message in _wide(outputs[name], case.dtype)]
    return found


def elements(case: Case) -> int:
    """Elements of all outputs of a case."""
    operation = OPERATIONS[case.operation]
    if operation.shape is None:
        return 0
    value = operation.shape(case.inputs, operation.complete(case.parameters))
    gradients = [name.partition(":")[2] for name in operation.offered(case.inputs) if ":" in name]
    return int(np.prod(value)) + sum(case.inputs[name].size for name in gradients)


def _differences(exact: Array, enclosure: Enclosure) -> list[str]:
    high, low, radius = enclosure.high, enclosure.low, enclosure.radius
    if not exact.shape == high.shape == low.shape == radius.shape == enclosure.bits.shape:
        return [f"has shapes {exact.shape}, {high.shape}, {low.shape}, {radius.shape}, {enclosure.bits.shape}"]
    with mpmath.workprec(WORK_BITS):
        return [
            f"{place}: {mpmath.nstr(exact[place], 25)} is not {high[place]!r} + {low[place]!r} within {radius[place]!r}"
            for place in np.ndindex(exact.shape)
            if not _holds(exact[place], float(high[place]), float(low[place]), float(radius[place]))
        ]


def _holds(exact: Any, high: float, low: float, radius: float) -> bool:
    if mpmath.isnan(exact):
        return bool(np.isnan(high)) and radius == 0
    if np.isinf(high):
        return radius == 0 and low == 0 and bool(mpmath.sign(exact) == np.sign(high) and abs(exact) >= TOO_LARGE)
    if np.isnan(high) or not mpmath.isfinite(exact):
        return False
    distance = abs(exact - (mpmath.mpf(high) + mpmath.mpf(low)))
    return bool(distance <= mpmath.mpf(radius) + abs(exact) * mpmath.mpf(10) ** -DIGITS)


def _wide(enclosure: Enclosure, dtype: str) -> list[str]:
    """Radii that are more than the contract allows: a 64th of u |T| or of the smallest number."""
    wide = np.argwhere(~enclosures.is_narrow(enclosure, FORMATS[dtype]))
    return [
        f"{tuple(place)}: radius {enclosure.radius[tuple(place)]!r} of {enclosure.high[tuple(place)]!r}"
        for place in wide.tolist()
    ]
