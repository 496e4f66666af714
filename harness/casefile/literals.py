"""Numbers as they are written: nested lists of them, and the intervals that printed digits stand for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from harness.casefile.places import Place, Report, described, shortened
from harness.casefile.recipes import HEX_FLOAT
from harness.casefile.tree import Node, Scalar, Sequence
from harness.model.case import Array, Interval
from harness.oracle.formats import FORMATS, Format

T = TypeVar("T")
DECIMAL = re.compile(r"([-+]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?[0-9]+))?")
SPECIALS = {"nan": math.nan, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf}
DOTTED = {word.replace("inf", ".inf").replace("nan", ".nan"): value for word, value in SPECIALS.items()}
MAX_EXPONENT = 5000
MAX_DIGITS = 1000


class LiteralError(Exception):
    """A scalar that isn't what is needed there; the message says so."""


class Nested(NamedTuple, Generic[T]):
    """A nested list: its shape, its leaves in reading order, and where it stands."""

    shape: tuple[int, ...]
    leaves: tuple[T, ...]
    root: Place

    def place(self, index: int) -> Place:
        """Place of a leaf."""
        place = self.root
        for step in np.unravel_index(index, self.shape):
            place = place.nearest(int(step))
        return place


Numbers = Nested[float] | Nested[int]


def nested(place: Place, leaf: Callable[[Scalar], T], report: Report) -> Nested[T] | None:
    """Read a nested list, or report every leaf and every row that is wrong."""
    shape = _shape(place.node)
    scalars = _flat(place.node, shape)
    try:
        if scalars is not None:
            return Nested(shape, tuple(map(leaf, scalars)), place)
    except LiteralError:
        pass
    _report_leaves(place, shape, leaf, report)
    return None


def real(scalar: Scalar) -> float:
    """A number of a floating input; -0 is -0.0."""
    value = scalar.value
    if isinstance(value, str):
        return _hexadecimal(value)
    if value is None or isinstance(value, bool):
        raise LiteralError(f"a number is needed, not {described(scalar)}")
    try:
        wide = float(value)
    except OverflowError:
        wide = math.inf
    _check_held(wide, scalar.text)
    return -0.0 if wide == 0 and scalar.text.startswith("-") else wide


def index(scalar: Scalar) -> int:
    """A whole number of an index input."""
    value = scalar.value
    if isinstance(value, bool) or not isinstance(value, int):
        raise LiteralError(f"class indices are whole numbers, not {described(scalar)}")
    return value


def interval(scalar: Scalar) -> Interval:
    """The reals that a printed number stands for, read from its text."""
    text = scalar.text
    special = {**SPECIALS, **DOTTED}.get(text.lower())
    if special is not None:
        return Interval(text, special=special)
    found = DECIMAL.fullmatch(text) if len(text) <= MAX_DIGITS else None
    if found is None or abs(int(found[4] or 0)) > MAX_EXPONENT:
        raise LiteralError(f"a printed number is needed, not {described(scalar)}")
    sign, whole, decimals, exponent = found[1], found[2], found[3] or "", int(found[4] or 0)
    unit = Fraction(10) ** (exponent - len(decimals))
    return Interval(text, int(f"{sign}{whole}{decimals}") * unit, unit / 2)


def rounded(numbers: Numbers, dtype: str) -> Array:
    """Numbers in a dtype that holds them."""
    if dtype not in FORMATS:
        return np.array(numbers.leaves, dtype=dtype).reshape(numbers.shape)
    wide = np.array(numbers.leaves, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        return wide.astype(FORMATS[dtype].dtype).reshape(numbers.shape)


def unheld(numbers: Numbers, dtype: str) -> Iterator[tuple[Place, str]]:
    """Places of the numbers that a dtype can't hold, and why. Rounding is no reason."""
    if dtype not in FORMATS:
        yield from _outside(numbers, dtype)
        return
    form = FORMATS[dtype]
    if _plain(numbers, form):
        return
    wide = np.array(numbers.leaves, dtype=np.float64)
    narrow = rounded(numbers, dtype).astype(np.float64).reshape(-1)
    for i in np.flatnonzero(np.isinf(narrow) & ~np.isinf(wide)).tolist():
        yield (at := numbers.place(i)), _beyond(at, dtype, form.largest)
    for i in np.flatnonzero((narrow == 0) & (wide != 0)).tolist():
        yield (at := numbers.place(i)), _below(at, dtype, form.smallest_subnormal)


def _plain(numbers: Numbers, form: Format) -> bool:
    """Whether all numbers are of a size that the format holds anyway: no array is needed to tell."""
    least, most = form.smallest_normal, form.largest
    return all(v == 0 or least <= abs(v) <= most or not math.isfinite(v) for v in numbers.leaves)


def _outside(numbers: Numbers, dtype: str) -> Iterator[tuple[Place, str]]:
    limits = np.iinfo(dtype)
    for i, value in enumerate(numbers.leaves):
        if not limits.min <= value <= limits.max:
            yield numbers.place(i), f"{value} is outside {dtype}, which holds {limits.min} to {limits.max}"


def _beyond(place: Place, dtype: str, largest: float) -> str:
    return f"{_text(place)} is more than {dtype} holds: its largest number is {largest:.9g}"


def _below(place: Place, dtype: str, smallest: float) -> str:
    return f"{_text(place)} would be 0 in {dtype}: its smallest number is {smallest:.9g}"


def _text(place: Place) -> str:
    return shortened(place.node.text) if isinstance(place.node, Scalar) else ""


def _hexadecimal(text: str) -> float:
    if HEX_FLOAT.fullmatch(text):
        try:
            value = float.fromhex(text)
        except OverflowError:
            value = math.inf
        _check_held(value, text)
        return value
    if text.lower() in SPECIALS:
        raise LiteralError(f"{text!r} is text in YAML: write {_dotted(text.lower())}")
    raise LiteralError(f"a number is needed, not the text {shortened(text)!r}")


def _dotted(text: str) -> str:
    return text.replace("inf", ".inf").replace("nan", ".nan")


def _check_held(value: float, text: str) -> None:
    """A written number that float64 turns into infinity or zero is a mistake."""
    lowered = text.lower().lstrip("+-")
    digits = lowered[2:].partition("p")[0] if lowered.startswith("0x") else lowered.partition("e")[0]
    if math.isinf(value) and "inf" not in text.lower():
        raise LiteralError(f"{shortened(text)} is more than float64 holds")
    if value == 0 and digits.strip("0."):
        raise LiteralError(f"{shortened(text)} would be 0 in float64")


def _shape(node: Node) -> tuple[int, ...]:
    """The shape that the first item of each level leads one to expect."""
    shape = []
    while isinstance(node, Sequence):
        shape.append(len(node.items))
        if not node.items:
            break
        node = node.items[0]
    return tuple(shape)


def _flat(node: Node, shape: tuple[int, ...]) -> list[Scalar] | None:
    """The leaves of a list of this shape; None if it isn't of this shape."""
    level: list[Node] = [node]
    for size in shape:
        below: list[Node] = []
        for row in level:
            if not isinstance(row, Sequence) or len(row.items) != size:
                return None
            below += row.items
        level = below
    scalars = [item for item in level if isinstance(item, Scalar)]
    return scalars if len(scalars) == len(level) else None


def _report_leaves(place: Place, shape: tuple[int, ...], leaf: Callable[[Scalar], object], report: Report) -> None:
    """Report what is wrong at and below a place."""
    if not shape and isinstance(place.node, Scalar):
        try:
            leaf(place.node)
        except LiteralError as error:
            report.add(place, str(error))
    elif not shape:
        report.add(place, f"a number is needed, not {described(place.node)}")
    elif not isinstance(place.node, Sequence):
        report.add(place, f"a row of {shape[0]} is needed, as the first is, not {described(place.node)}")
    elif len(place.node.items) != shape[0]:
        report.add(place, f"a ragged list: this row has length {len(place.node.items)}, the first {shape[0]}")
    else:
        for item in place.items():
            _report_leaves(item, shape[1:], leaf, report)
