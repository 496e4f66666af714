"""What was found made small: fewer classes, round numbers that are about as bad, then the simplest by hypothesis."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Any

import numpy as np

from harness.hunt.arena import Badness
from harness.hunt.space import NEGATIVE, UNIT, Points, Space
from harness.model.case import Array

Place = tuple[str, tuple[int, ...]]
"""An input, and where a number is in it."""

TRIES = 1500
"""Examples that hypothesis may try."""
USUAL = (0.0, 1.0, 0.5, 0.25, 0.75)
"""Labels and probabilities, the simplest first."""


def shrink(space: Space, point: Points, badness: Badness) -> Points:
    """The smallest point that is found to be about as bad."""
    enough = badness.enough(float(badness(point)[0]))

    total = _total(space, point)

    def holds(point: Points) -> bool:
        return _total(space, point) == total and bool(badness(point)[0] >= enough)

    return _simplest(space, _round(space, _fewer_classes(space, point, holds), holds), holds)


def _total(space: Space, point: Points) -> float:
    """What the labels of all classes sum to: a find with labels that sum to 0 would be blamed on them."""
    return float(np.sum(point["labels"].astype(np.float64))) if space.classes and "labels" in point else 0.0


def _fewer_classes(space: Space, point: Points, holds: Callable[[Points], bool]) -> Points:
    """One class after another left out, as long as two are left."""
    at = 0
    while space.classes and (classes := max(array.shape[-1] for array in point.values() if array.ndim > 1)) > at:
        smaller = _without(point, at)
        if classes > 2 and smaller is not None and holds(smaller):  # noqa: PLR2004 - one class has no loss
            point = smaller
        else:
            at += 1
    return point


def _without(point: Points, at: int) -> Points | None:
    """A point without a class; None if that is a label."""
    found = {}
    for name, array in point.items():
        if array.ndim > 1:
            found[name] = np.delete(array, at, axis=-1)
            if name == "labels" and array[0, at] != 0:
                return None
        elif array.dtype.kind in "iu":
            if array[0] == at:
                return None
            found[name] = np.where(array > at, array - 1, array)
        else:
            found[name] = array
    return found


def _round(space: Space, point: Points, holds: Callable[[Points], bool]) -> Points:
    """Each number the first round one that will do: hypothesis can't cross to whole ones from one as it was found."""
    for place in _places(point):
        value = float(point[place[0]][place[1]])
        for rounder in _round_numbers(place[0], value):
            if rounder == value:
                break
            if abs(rounder) <= space.form.largest and holds(tried := _with(space, point, [place], [rounder])):
                point = tried
                break
    return point


def _round_numbers(name: str, value: float) -> Iterator[float]:
    """What is simpler than a number, the simplest first: 0, powers of ten that are no larger, then few digits."""
    yield from USUAL if name in UNIT else (0.0,)
    for power in takewhile(lambda power: power <= abs(value), (10.0**n for n in range(309))):
        yield math.copysign(power, value)
        if name not in UNIT | NEGATIVE:
            yield -math.copysign(power, value)
    for digits in range(17):
        yield float(f"{value:.{digits}e}")


def _places(point: Points) -> list[Place]:
    return [
        (name, at) for name, array in point.items() if array.dtype.kind not in "iu" for at in np.ndindex(array.shape)
    ]


def _with(space: Space, point: Points, places: Sequence[Place], values: Sequence[float]) -> Points:
    """A point with other numbers in some places."""
    arrays: dict[str, Array] = {name: array.copy() for name, array in point.items()}
    for (name, at), value in zip(places, values, strict=True):
        arrays[name][at] = space.form.dtype.type(value)
    return arrays


def _simplest(space: Space, point: Points, holds: Callable[[Points], bool]) -> Points:
    import hypothesis  # noqa: PLC0415 - only hunts shrink
    from hypothesis import strategies as st  # noqa: PLC0415

    names = _places(point)
    if not any(point[name][at] for name, at in names):
        return point  # nothing is simpler

    def choices(name: str, at: tuple[int, ...]) -> Any:
        # what takes fewer choices is simpler to hypothesis: the number as it was found takes the most
        own = st.lists(st.integers(), min_size=2, max_size=2).map(lambda _: float(point[name][at]))
        if name in UNIT:
            return st.one_of(st.sampled_from(USUAL), own)
        integers = st.integers(-200, 200).map(float)
        return st.one_of(integers, st.integers(-2000, 2000).map(lambda n: n / 10), own)

    def made(values: list[float]) -> Points:
        return _with(space, point, names, values)

    settings = hypothesis.settings(
        max_examples=TRIES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    strategy = st.tuples(*[choices(*each) for each in names]).map(list)
    try:
        return made(hypothesis.find(strategy, lambda values: holds(made(values)), settings=settings))
    except hypothesis.errors.NoSuchExample:
        return point
