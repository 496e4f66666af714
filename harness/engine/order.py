"""The order of calls under a time budget: the most telling first, every operation and dtype getting some.

First what failed or departed in the baseline, the documents' cases and those that were found; then, in turn, the
cases of each operation and dtype, those at the edges of the format before others and small ones before large. All
calls of a case come together, so that subjects are compared and relations judged as far as the time goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from harness.engine.plan import calls
from harness.model.case import Array, Case, Unit
from harness.model.plan import Item
from harness.oracle.formats import FORMATS

TELLING = ("documents/", "found/")
"""Beginnings of the ids of cases that somebody chose, or that were found to fail."""

EXAMINED = 4096
"""Elements of the largest input that is looked through for values at the edges of its format."""


class Rank(NamedTuple):
    """How soon a unit's turn comes within its operation and dtype."""

    chosen: bool
    edges: bool
    elements: int
    place: int


def telling(items: Sequence[Item], departed: Collection[tuple[str, str]] = ()) -> list[Item]:
    """The items in the order in which they tell most.

    Args:
        items: in the order of the plan.
        departed: cases and subjects that failed or departed from the truth before.
    """
    turns = _turns(list({item.unit.id: item.unit for item in items}.values()))

    def key(item: Item) -> tuple[bool, int, int]:
        first = (item.unit.id, item.subject.id) in departed or item.unit.id.startswith(TELLING)
        return not first, turns[item.unit.id], item.rank

    return sorted(items, key=key)


def _turns(units: Sequence[Unit]) -> dict[str, int]:
    """The place of each unit among those of its operation and dtype."""
    groups: dict[tuple[str, str], list[tuple[Rank, str]]] = defaultdict(list)
    for place, unit in enumerate(units):
        first = calls(unit)[0]
        groups[first.operation, first.dtype].append((_rank(unit, place), unit.id))
    return {name: turn for ranked in groups.values() for turn, (_, name) in enumerate(sorted(ranked))}


def _rank(unit: Unit, place: int) -> Rank:
    """Sorts before others what tells more; False is less than True."""
    made = calls(unit)
    elements = sum(array.size for call in made for array in call.inputs.values())
    return Rank(not unit.id.startswith(TELLING), not any(map(_at_edges, made)), elements, place)


def _at_edges(call: Case) -> bool:
    """Whether an input has a NaN, an infinity, a negative zero, or a number near the end of its dtype's range."""
    floating = (a for a in call.inputs.values() if a.dtype.name in FORMATS and a.size <= EXAMINED)
    return any(_extreme(array) for array in floating)


def _extreme(array: Array) -> bool:
    fmt = FORMATS[array.dtype.name]
    sizes = np.abs(array.astype(np.float64))
    outside = ~((sizes == 0) | ((sizes >= fmt.smallest_normal) & (sizes <= fmt.largest / 2)))
    return bool(np.any(outside) or np.any((sizes == 0) & np.signbit(array.astype(np.float64))))
