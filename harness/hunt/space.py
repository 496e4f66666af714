"""The input space: points of an operation, made at random and moved about, as rows of arrays.

A number is its place among the numbers of its dtype, in order: neighbours in value are neighbours in
place, and all exponents are equally likely.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.config import ConfigError
from harness.model.case import Array, Domain
from harness.operations.base import Input, Operation
from harness.oracle.formats import Format

Points = Mapping[str, Array]
"""Inputs of many points, laid one after another along the first axis: [points], or [points, classes]."""

UNIT = {"labels", "probabilities"}
"""Inputs whose numbers lie in [0, 1]."""
NEGATIVE = {"log_probabilities"}
STEPS = 5
"""Of eight changes, how many are steps."""
EXTREME = 16
"""Of so many rows made at random, one has only numbers at the ends of the range, whose differences overflow."""
TARGETS = (0.0, 1.0, 0.5)
"""Labels that people use."""


class UnsearchableError(ConfigError):
    """An operation that has no points of this form; the message is for the user."""


def places(numbers: Array, form: Format) -> Array:
    """Numbers as their places (int64): 0 for zeros, one more for each number towards infinity."""
    bits = np.ascontiguousarray(numbers).view(form.bits).astype(np.int64)
    sign = np.int64(1) << np.int64(8 * form.bits.itemsize - 1) if form.bits.itemsize < 8 else np.int64(-(2**63))  # noqa: PLR2004
    size = bits & ~sign
    return np.where(bits & sign, -size, size)


def numbers(where: Array, form: Format) -> Array:
    """The inverse: infinities are as far as places go."""
    farthest = int(places(np.array([np.inf], form.dtype), form)[0])
    clipped = np.clip(where, -farthest, farthest)
    size = np.abs(clipped).astype(np.uint64)
    sign = np.where(clipped < 0, np.uint64(1) << np.uint64(8 * form.bits.itemsize - 1), np.uint64(0))
    return (size | sign).astype(form.bits).view(form.dtype)


@dataclass(frozen=True, slots=True)
class Space:
    """The points of an operation.

    Attributes:
        classes: length of the class axis; 0 where there is none.
    """

    operation: Operation
    form: Format
    classes: int

    def sample(self, count: int, bits: np.random.Generator) -> Points:
        """Points with numbers of all sizes, and labels as people have them and others."""
        return {given.name: self._sampled(given, count, bits) for given in self.inputs}

    def example(self) -> Points:
        """Two points."""
        return self.sample(2, np.random.Generator(np.random.Philox(0)))

    @property
    def inputs(self) -> list[Input]:
        """Those that every point has."""
        return [given for given in self.operation.inputs if not given.optional]

    def moved(self, points: Points, bits: np.random.Generator) -> Points:
        """Points with some of their numbers changed: by a step, to near another's, to their negative, or anew."""
        fresh = self.sample(len(next(iter(points.values()))), bits)
        return {name: self._moved(name, array, fresh[name], bits) for name, array in points.items()}

    def _shape(self, given: Input, count: int) -> tuple[int, ...]:
        return (count, self.classes) if self.classes and given.kind != "index" else (count,)

    def _sampled(self, given: Input, count: int, bits: np.random.Generator) -> Array:
        shape = self._shape(given, count)
        if given.kind == "index":
            return bits.integers(0, max(self.classes, 1), shape)
        if given.name == "labels":
            return self._labels(shape, bits)
        low, high = self._range(given.name)
        anywhere = bits.integers(low, high, shape, endpoint=True)
        usual = places((bits.integers(-400, 400, shape, endpoint=True) / 8).astype(self.form.dtype), self.form)
        ends = self._ends()[bits.integers(0, len(self._ends()), shape)]
        kind = bits.integers(0, EXTREME, (count, *[1] * (len(shape) - 1)))
        found = np.where(kind == 0, ends, np.where(kind % 2, anywhere, usual))
        return numbers(np.clip(found, low, high), self.form)

    def _ends(self) -> Array:
        """Places of 0, and of the smallest normal and the largest number with both signs."""
        tiny, largest = self.form.smallest_normal, self.form.largest
        return places(np.array([0.0, tiny, -tiny, largest, -largest]).astype(self.form.dtype), self.form)

    def _labels(self, shape: tuple[int, ...], bits: np.random.Generator) -> Array:
        """Unit rows, or numbers in [0, 1] that sum to 1 along the class axis as nearly as the format can."""
        if not self.classes:
            soft = bits.integers(0, 1 << 20, shape, endpoint=True) / (1 << 20)
            which = bits.integers(0, len(TARGETS) + 1, shape)
            return np.choose(which, [np.full(shape, t) for t in TARGETS] + [soft]).astype(self.form.dtype)
        unit = np.eye(self.classes)[bits.integers(0, self.classes, shape[0])]
        halves = (unit + np.roll(unit, 1, axis=-1)) / 2
        return np.where(bits.integers(0, 4, (shape[0], 1)) > 0, unit, halves).astype(self.form.dtype)

    def _range(self, name: str) -> tuple[int, int]:
        """The places that an input's finite numbers have."""
        one = int(places(np.array([1.0], self.form.dtype), self.form)[0])
        last = int(places(np.array([self.form.largest], self.form.dtype), self.form)[0])
        if name in UNIT:
            return 0, one
        return (-last, 0) if name in NEGATIVE else (-last, last)

    def _moved(self, name: str, array: Array, fresh: Array, bits: np.random.Generator) -> Array:
        chosen = bits.integers(0, 3, array.shape) == 0
        if name == "labels" or array.dtype.kind in "iu":
            rows = bits.integers(0, 4, (len(array), *[1] * (array.ndim - 1))) == 0
            return np.where(rows, fresh, array)
        low, high = self._range(name)
        where = places(array, self.form)
        step = np.left_shift(np.int64(1), bits.integers(0, 8 * self.form.bits.itemsize - 1, array.shape))
        sign = 1 - 2 * bits.integers(0, 2, array.shape)
        near = (np.roll(where, 1, axis=-1) if array.ndim > 1 else -where) + bits.integers(-2, 3, array.shape)
        ways = [*[_stepped(where, sign * step)] * STEPS, near, -where, places(fresh, self.form)]
        found = np.choose(bits.integers(0, len(ways), array.shape), ways)
        return numbers(np.where(chosen, np.clip(found, low, high), where), self.form)


def _stepped(where: Array, step: Array) -> Array:
    """A sum that stays where it would leave int64."""
    with np.errstate(over="ignore"):
        found = where + step
    return np.where((step > 0) == (found > where), found, where)


def space(operation: Operation, form: Format, classes: int) -> Space:
    """The space of an operation's points.

    Raises:
        UnsearchableError: its inputs are no rows of numbers, with or without a class axis.
    """
    found = Space(operation, form, classes if any(p.name == "axis" for p in operation.parameters) else 0)
    if mixing := [given.name for given in found.inputs if given.extent != "unit"]:
        raise UnsearchableError(f"{operation.name} can't be searched: all points have one {', '.join(mixing)}")
    try:
        made = found.example()
        complete = operation.complete({})
        inside = operation.locate(made, complete).domain is not Domain.UNDEFINED
    except (ValueError, KeyError, IndexError) as error:
        raise UnsearchableError(f"{operation.name} can't be searched: {error}") from error
    if not inside:
        raise UnsearchableError(f"{operation.name} can't be searched: its inputs are no rows of numbers")
    return found
