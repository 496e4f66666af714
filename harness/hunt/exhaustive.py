"""Every number of a small format: as a logit with each usual label, or as the margin of two classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.hunt.arena import Badness
from harness.hunt.search import BATCH, Found
from harness.hunt.space import TARGETS, Points, Space, UnsearchableError, numbers, places

SMALL = 2
"""Bytes of a format whose numbers can all be tried."""


def everything(space: Space, badness: Badness) -> Found:
    """Try every number, unless one is answered in the wrong class: nothing is worse. The worst point.

    Raises:
        UnsearchableError: there are too many.
    """
    if space.form.bits.itemsize > SMALL:
        raise UnsearchableError(f"{space.form.name} has too many numbers to try them all: --search, or a half format")
    worst, bad, tried = {}, -1.0, 0
    for points in _batches(space):
        found = badness(points)
        at = int(np.argmax(found))
        tried += len(found)
        if found[at] > bad:
            worst, bad = {name: array[at : at + 1] for name, array in points.items()}, float(found[at])
        if np.isinf(bad):
            break  # nothing is worse
    return Found(worst, bad, tried)


def _batches(space: Space) -> Iterator[Points]:
    last = int(places(np.array([space.form.largest], space.form.dtype), space.form)[0])
    every = numbers(np.arange(-last, last + 1), space.form)
    leading = space.operation.leading
    if leading == "probabilities":
        every = every[(every >= 0) & (every <= 1)]
    for start in range(0, len(every), BATCH):
        part = every[start : start + BATCH]
        for label in range(space.classes) if space.classes else range(len(TARGETS)):
            yield {given.name: _input(space, given.name, given.kind, part, label) for given in space.inputs}


def _input(space: Space, name: str, kind: str, part: np.ndarray, label: int) -> np.ndarray:
    if kind == "index":
        return np.full(len(part), label)
    if name == "labels":
        made = np.eye(space.classes)[label] if space.classes else TARGETS[label]
        return np.broadcast_to(made, (len(part), space.classes) if space.classes else (len(part),)).astype(part.dtype)
    if not space.classes:
        return part
    row = np.zeros((len(part), space.classes), part.dtype)
    row[:, 0] = part
    return row
