"""Views of values: the part that a relation compares, with what is true of it and what it may lose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.comparator.measure import pass_line
from harness.model.case import Array, View
from harness.oracle.formats import Format
from harness.oracle.truth import Truth


class Seen(NamedTuple):
    """A view of a value.

    Attributes:
        value: float64.
        bits: as it was given; None of a sum, which nobody gave.
        error: its distance from the truth; 0 where that isn't known.
        allowed: the error up to which it passes, of a sum those of all terms; infinite beyond the format's range.
        radius: what the truth itself isn't known to.
        known: where the truth is a number.
    """

    value: Array
    bits: Array | None
    error: Array
    allowed: Array
    radius: Array
    known: Array


def of_value(value: Array, view: View, truth: Truth, form: Format) -> Seen:
    """A view of what a subject gave for the view's output."""
    enclosed = truth.outputs.get(view.output)
    wide = value.astype(np.float64)
    if enclosed is None or enclosed.high.shape != value.shape:
        nothing = np.zeros(value.shape)
        return _viewed(Seen(wide, value, nothing, nothing, nothing, np.zeros(value.shape, bool)), view)
    with np.errstate(all="ignore"):
        error = (wide - enclosed.high) - enclosed.low
        allowed = np.broadcast_to(pass_line(enclosed, truth.bounds[view.output], form), value.shape)
    return _viewed(Seen(wide, value, error, allowed, enclosed.radius, np.isfinite(enclosed.high)), view)


def of_truth(truth: Truth, view: View, form: Format) -> Seen:
    """A view of the exact value, which is known."""
    high = truth.outputs[view.output].high
    return of_value(high, view, truth, form)._replace(bits=None)


def _viewed(seen: Seen, view: View) -> Seen:
    if view.axis is None:
        return seen
    axis, index = view.axis, view.index

    def part(array: Array) -> Array:
        return np.asarray(np.sum(array, axis=axis) if index is None else np.take(array, index, axis=axis))

    with np.errstate(all="ignore"):
        return Seen(
            part(seen.value),
            None if index is None or seen.bits is None else part(seen.bits),
            part(seen.error),
            part(seen.allowed),
            part(seen.radius),
            part(~seen.known) == 0,
        )
