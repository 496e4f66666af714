"""The search: points of all kinds first, then steps of every size from the worst that are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.hunt.arena import Badness
from harness.hunt.space import Points, Space
from harness.model.case import Array

BATCH = 4096
"""Points of a call."""
KEPT = 64
"""The worst points, from which others are made."""
FIRST = 0.25
"""Share of the budget that goes to points made at random."""


@dataclass(frozen=True, slots=True)
class Found:
    """The worst point.

    Attributes:
        point: its inputs, one point.
        badness: infinite for an answer of the wrong class, or none.
        evaluations: points that were tried.
    """

    point: Points
    badness: float
    evaluations: int


def search(space: Space, badness: Badness, budget: int, seed: int) -> Found:
    """Look for the worst point; the same seed and budget try the same points.

    Args:
        budget: points that may be tried.
    """
    bits = np.random.Generator(np.random.Philox(seed))
    kept: Points = {}
    scores = np.zeros(0)
    spent = 0
    while spent < budget:
        count = min(BATCH, budget - spent)
        points = space.sample(count, bits)
        if spent >= FIRST * budget:
            points = space.moved(_repeated(kept, count), bits)
        found = badness(points)
        spent += count
        kept, scores = _worst(_joined(kept, points), np.concatenate([scores, found]))
        if np.isinf(scores[0]):
            break
    return Found(_one(kept, 0), float(scores[0]), spent)


def _worst(points: Points, scores: Array) -> tuple[Points, Array]:
    order = np.argsort(-scores, kind="stable")[:KEPT]
    return {name: array[order] for name, array in points.items()}, scores[order]


def _joined(one: Points, other: Points) -> Points:
    return {name: np.concatenate([one[name], array]) for name, array in other.items()} if one else other


def _repeated(points: Points, count: int) -> Points:
    """The worst points over and over: each is the start of as many others."""
    return {name: np.resize(array, (count, *array.shape[1:])) for name, array in points.items()}


def _one(points: Points, at: int) -> Points:
    return {name: array[at : at + 1] for name, array in points.items()}
