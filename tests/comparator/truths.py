"""Truths with bounds of one's choice: what is right is stated, not computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.comparator import tolerance
from harness.comparator.measure import Pair
from harness.model.case import Array
from harness.oracle.truth import Bounds, Enclosure


def enclosure(values: Any, radius: float = 0.0) -> Enclosure:
    """Numbers that are known exactly, or within a radius."""
    high = np.asarray(values, np.float64)
    nothing = np.zeros(high.shape)
    return Enclosure(high, nothing, nothing + radius, np.full(high.shape, 53, np.uint16))


def bounds(values: Any, dtype: str = "float32", *, terms: int = 1, pairwise: Any = None, **named: Any) -> Bounds:
    """Bounds by name; without any, half the frameworks' usual tolerance, so that twice it is the pass line."""
    high = np.asarray(values, np.float64)
    usual = tolerance.usual(dtype).of(high) / 2
    causes: Mapping[str, Array] = {name: np.broadcast_to(b, high.shape) for name, b in named.items()}
    passing = named.pop("passing", usual)
    found = {name: bound for name, bound in causes.items() if name != "passing"} or {"rounding": usual}
    whole = np.broadcast_to(passing, high.shape)
    narrow = whole if pairwise is None else np.broadcast_to(pairwise, high.shape)
    return Bounds(whole, narrow, found, next(iter(found.values())), terms)


def pair(observed: Array, values: Any, dtype: str = "float32", **more: Any) -> Pair:
    """An array and what it is held against."""
    return Pair(observed, enclosure(values), bounds(values, dtype, **more))
