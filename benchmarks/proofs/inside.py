"""Claim: textbook forms stay inside B, and give no number of another class. B is a bound, not a habit."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.proofs import samples, textbook
from harness.model.case import Array, Case
from harness.oracle import truth
from harness.oracle.formats import FORMATS, Format
from harness.oracle.truth import Truth

ELEMENTS = {"float16": 10_000_000, "bfloat16": 10_000_000, "float32": 10_000_000, "float64": 1_000_000}
"""That the claim is held on."""
BATCH = 256
"""Calls whose truths are evaluated together."""


@dataclass
class Inside:
    """What was seen of a dtype.

    Attributes:
        elements: of all outputs of all calls.
        bounded: those whose B is finite.
        largest: the largest share of B that was lost.
        alarms: where more was lost, or the answer is of another class.
    """

    elements: int = 0
    bounded: int = 0
    largest: float = 0.0
    alarms: list[str] = field(default_factory=list)


def inside(dtype: str, wanted: int, names: Collection[str] = samples.DEFINED) -> Inside:
    """Hold the textbook forms of a dtype against their bounds, on at least so many elements."""
    found = Inside()
    for batch in _batches(samples.calls(dtype, wanted, names)):
        for case, known in zip(batch, truth.evaluate_all(batch), strict=True):
            _held_against(found, case, known, FORMATS[dtype])
    return found


def _batches(calls: Iterator[Case]) -> Iterator[Sequence[Case]]:
    while batch := list(itertools.islice(calls, BATCH)):
        yield batch


def _held_against(found: Inside, case: Case, known: Truth, form: Format) -> None:
    for way in textbook.WAYS[case.dtype]:
        for name, observed in textbook.outputs(case, way).items():
            with np.errstate(all="ignore"):
                share = shares(observed, known, name, form)
            first = way is textbook.WAYS[case.dtype][0]
            found.elements += share.size if first else 0
            found.bounded += int(np.isfinite(known.bounds[name].passing).sum()) if first else 0
            found.largest = max(found.largest, float(np.max(share, initial=0.0)))
            if np.any(share > 1):
                found.alarms.append(_alarm(case, way.name, name, observed, known, share))


def shares(observed: Array, known: Truth, name: str, form: Format) -> Array:
    """|y - T| over B, beyond what the truth itself is not known to; infinite for a number of another class."""
    if observed.dtype != form.dtype:
        return np.full(observed.shape, np.inf)
    exact, bound = known.outputs[name], known.bounds[name].passing
    wide = observed.astype(np.float64)
    lost = np.abs((wide - exact.high) - exact.low) - exact.radius
    share = np.where(lost <= 0, 0.0, lost / bound)
    overflows = np.abs(exact.high) >= form.overflow
    alike = (wide == exact.high) | (np.isnan(wide) & np.isnan(exact.high))
    alike |= overflows & np.isinf(wide) & (np.sign(wide) == np.sign(exact.high))
    share = np.where(np.isfinite(wide) & ~overflows & ~np.isnan(exact.high), share, np.where(alike, 0.0, np.inf))
    # What leaves the range on its way may be anything; also where the truth is infinite, by another's weight or loss.
    return np.where(np.isinf(bound) & ~np.isnan(exact.high), 0.0, share)


def _alarm(case: Case, way: str, name: str, observed: Array, known: Truth, share: Array) -> str:
    place = np.unravel_index(int(np.argmax(share)), share.shape)
    bound = np.broadcast_to(known.bounds[name].passing, share.shape)[place]
    return (
        f"{case.id} {dict(case.parameters)} {name}, sums {way}: {observed[place]} at {tuple(map(int, place))}, "
        f"truth {known.outputs[name].high[place]!r}, B {bound:.3g}, {share[place]:.3g} B; {np.sum(share > 1)} in all"
    )
