"""Gradients are the slopes of values: the truth of one held against differences of the truth of the other.

Each number x of an input goes to x (1 + t r), r being 1 or -1: zeros stay where they are, since weights of 0 may not be
counted. The slope of sum(upstream * value) in t is the sum of gradient * x r. A central difference misses it by the
order of its step squared, 2^-36, times the third derivative.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from harness import casefile
from harness.model.case import Array, Case
from harness.operations.base import UPSTREAM
from harness.oracle.truth import Truth, evaluate_all

STEP = 2.0**-18
WITHIN = 1e-8
PAIRS = casefile.cases_folder() / "exhaustive" / "pairs.yaml"
"""Covering arrays: every pair of choices of each operation's parameters and optional inputs."""


def cases() -> Iterator[Case]:
    for entry in casefile.load([PAIRS], casefile.cases_folder()):
        for unit in casefile.expand(entry, 0):
            if isinstance(unit, Case) and unit.dtype == "float32" and not unit.expect.undefined:
                real = {name: each.astype(np.float64) for name, each in unit.inputs.items() if each.dtype.kind == "f"}
                yield replace(unit, inputs={**unit.inputs, **real}, dtype="float64")


def direction(array: Array) -> Array:
    return array * np.random.default_rng(array.size).choice([-1.0, 1.0], array.shape)


def moved(case: Case, name: str, step: float) -> Case:
    array = case.inputs[name]
    return replace(case, inputs={**case.inputs, name: array + step * direction(array)})


def rise(case: Case, up: Truth, down: Truth) -> float:
    """What sum(upstream * value) rises by."""
    high, low = (getattr(up.outputs["value"], part) - getattr(down.outputs["value"], part) for part in ("high", "low"))
    return float(np.sum((high + low) * case.inputs.get(UPSTREAM, 1.0)))


def test_gradients_are_slopes_of_values() -> None:
    every = list(cases())
    asked = [
        (case, output, found.high)
        for case, truth in zip(every, evaluate_all(every), strict=True)
        for output, found in truth.outputs.items()
        if output != "value" and np.isfinite(found.high).all()
    ]
    names = [output.partition(":")[2] for _, output, _ in asked]
    ups, downs = (
        evaluate_all([moved(case, name, step) for (case, *_), name in zip(asked, names, strict=True)])
        for step in (STEP, -STEP)
    )
    seen: dict[str, int] = defaultdict(int)
    for (case, output, gradient), name, up, down in zip(asked, names, ups, downs, strict=True):
        terms = gradient * direction(case.inputs[name])
        slope = rise(case, up, down) / (2 * STEP)
        assert abs(slope - terms.sum()) <= WITHIN * (1 + np.abs(terms).sum()), (case.id, output)
        seen[case.operation] += 1
    assert set(seen) == {case.operation for case in every}
