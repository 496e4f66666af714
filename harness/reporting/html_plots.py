"""Plots of the HTML report: |error| in ulps against the logit, as SVG paths, drawn without a script.

Both axes are logarithmic. The horizontal one is so on both sides of 0, which stands in the middle,
and wide where losses bend, between 0.001 and 1,000.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.model.case import Array
from harness.model.run import Results
from harness.operations.base import VALUE
from harness.oracle.formats import FORMATS, Format
from harness.reporting.curves import Call, Panel, Part, curves
from harness.reporting.stability import BY_HAND
from harness.reporting.values import digits

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 48, 632, 34, 232
WRONG = 14
"""Height of the elements of the wrong class, above all others."""
STEP = 4
"""Each implementation has one dot in so many pixels: its worst."""
LOWEST = 0.1
"""Errors below are drawn here."""

SERIES = 16
"""Implementations in a plot; those with smaller errors are counted."""
MARKS = 6
"""Dots outside the pass line that say their input."""

DTYPES = ("float32", "float64", "float16", "bfloat16")

NARROW, WIDE = -3.0, 3.0
PLACES = (0.02, 0.12, 0.88, 1.0)
"""Where the smallest, the narrow, the wide and the largest logit of a format stand."""


class Mark(NamedTuple):
    """A dot that says what it is."""

    x: int
    y: int
    title: str


class Series(NamedTuple):
    """Implementations with the same dots.

    Attributes:
        path: a dot for each column.
        marks: some of those outside the pass line.
        outside: how many elements are.
    """

    names: Sequence[str]
    path: str
    marks: Sequence[Mark]
    outside: int


class Tick(NamedTuple):
    """A line across the plot, and its label."""

    at: int
    label: str


FRAME = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM, "wrong": WRONG}


class Plot(NamedTuple):
    """One panel: its axes, the area where the pass line lies, and its series, the worst first.

    Attributes:
        by_hand: whether it shows written-out formulas.
        more: implementations that are left out.
    """

    panel: Panel
    by_hand: bool
    across: Sequence[Tick]
    upward: Sequence[Tick]
    line: str
    series: Sequence[Series]
    more: int


class Dots(NamedTuple):
    """The worst element in each column."""

    x: Array
    y: Array
    outside: Array
    titles: Sequence[str]


def plots(results: Results) -> dict[str, list[Plot]]:
    """The plots of each elementwise operation, APIs before written-out formulas."""
    found: dict[str, list[Plot]] = {}
    for panel, names in sorted(curves(results).items(), key=lambda item: rank(item[0])):
        for by_hand in (False, True):
            own = {name: parts for name, parts in names.items() if (BY_HAND in name) is by_hand}
            if own:
                found.setdefault(panel.operation, []).append(plot(panel, own, by_hand=by_hand))
    return found


def rank(panel: Panel) -> tuple[str, int, bool, str]:
    """The order of plots: values before gradients, the usual dtype first."""
    return panel.operation, DTYPES.index(panel.dtype), panel.output != VALUE, panel.output


def plot(panel: Panel, names: Mapping[str, Sequence[Part]], *, by_hand: bool) -> Plot:
    """One panel."""
    form = FORMATS[panel.dtype]
    drawn = [series(name, parts, form) for name, parts in names.items()]
    merged: dict[str, Series] = {}
    for one in sorted(drawn, key=lambda s: (-s.outside, s.names)):
        same = merged.get(one.path)
        merged[one.path] = one if same is None else same._replace(names=[*same.names, *one.names])
    shown = list(merged.values())
    more = sum(len(left.names) for left in shown[SERIES:])
    every = [part for parts in names.values() for part in parts]
    return Plot(panel, by_hand, list(across(form)), list(upward(form)), line(every, form), shown[:SERIES], more)


def series(name: str, parts: Sequence[Part], form: Format) -> Series:
    """One implementation."""
    x = np.concatenate([columns(part.call.logits, form) for part in parts])
    errors = np.concatenate([part.errors for part in parts])
    lines = np.concatenate([part.line for part in parts])
    sizes = np.where(np.isfinite(errors), np.abs(errors), np.inf)
    outside = (sizes > lines) & (x >= 0)
    order = np.lexsort((sizes, outside, x))
    last = order[np.append(np.diff(x[order]) > 0, True)] if order.size else order
    kept = last[x[last] >= 0]
    y = heights(sizes, form)
    path = "".join(f"M{i} {j}h0" for i, j in zip(x[kept].tolist(), y[kept].tolist(), strict=True))
    marks = [Mark(int(x[n]), int(y[n]), title(name, parts, int(n))) for n in marked(kept[outside[kept]], sizes)]
    return Series([name], path, marks, int(outside.sum()))


def marked(places: Array, sizes: Array) -> list[int]:
    """Some places, evenly spread, and the one with the largest error."""
    if not places.size:
        return []
    spread = places[np.linspace(0, places.size - 1, min(MARKS, places.size)).astype(int)]
    return sorted({*spread.tolist(), int(places[np.argmax(sizes[places])])})


def title(name: str, parts: Sequence[Part], number: int) -> str:
    """What an element is, by its number among all of an implementation's."""
    for part in parts:
        if number < part.errors.size:
            error, allowed = part.errors[number], part.line[number]
            far = f"{error:+.3g} ulp, {allowed:.3g} pass" if np.isfinite(error) else "of the wrong class"
            return f"{name}: {far}; {given(part.call, number)}; {part.call.case} {place(part.call, number)}"
        number -= part.errors.size
    raise IndexError(number)


def given(call: Call, number: int) -> str:
    """`logits -22.18, labels 0`."""
    return ", ".join(f"{name} {digits(array[number])}" for name, array in call.inputs.items())


def place(call: Call, number: int) -> str:
    """`[0, 3]`; "" for scalars."""
    at = [int(i) for i in np.unravel_index(int(call.chosen[number]), call.shape)] if call.shape else []
    return str(at) if at else ""


def line(parts: Iterable[Part], form: Format) -> str:
    """The area between the lowest and the highest pass line of the elements in each column."""
    calls = {id(part.call): part for part in parts}.values()
    x = np.concatenate([columns(part.call.logits, form) for part in calls])
    y = heights(np.concatenate([part.line for part in calls]), form, highest=TOP)
    at = np.unique(x[x >= 0])
    low, high = ([int(pick(y[x == column])) for column in at] for pick in (np.max, np.min))
    there = at.tolist()
    points = [*zip(there, high, strict=True), *reversed(list(zip(there, low, strict=True)))]
    return "M" + "L".join(f"{i} {j}" for i, j in points) + "Z" if points else ""


def columns(logits: Array, form: Format) -> Array:
    """Pixels from the left, in steps; -1 for NaN."""
    smallest, largest = math.log10(form.smallest_subnormal), math.log10(form.largest)
    with np.errstate(all="ignore"):
        side = np.interp(np.log10(np.abs(logits)), (smallest, NARROW, WIDE, largest), PLACES)
    share = (1.0 + np.where(logits == 0, 0.0, np.sign(logits) * side)) / 2.0
    pixels = LEFT + np.rint(share * (RIGHT - LEFT) / STEP) * STEP
    return np.where(np.isnan(logits), -1, pixels).astype(np.int64)


def heights(sizes: Array, form: Format, highest: int = WRONG) -> Array:
    """Pixels from the top of errors in ulps; infinite ones stand highest."""
    share = np.log10(np.clip(sizes, LOWEST, 10.0 ** decades(form)) / LOWEST) / (decades(form) + 1)
    return np.where(np.isinf(sizes), highest, np.rint(BOTTOM - share * (BOTTOM - TOP))).astype(np.int64)


def decades(form: Format) -> int:
    """Powers of ten above one ulp: all bits lost, and what comes after."""
    return math.ceil(form.precision * math.log10(2.0))


def across(form: Format) -> Iterator[Tick]:
    """Ticks of the logits."""
    power = math.floor(math.log10(form.largest))
    inner = (-100.0, -1.0, -0.01, 0.0, 0.01, 1.0, 100.0)
    for logit, label in ((-form.largest, f"-1e{power}"), *((x, f"{x:g}") for x in inner), (form.largest, f"1e{power}")):
        yield Tick(int(columns(np.array([logit]), form)[0]), label)


def upward(form: Format) -> Iterator[Tick]:
    """Ticks of the errors."""
    step = max(1, decades(form) // 4)
    for power in range(0, decades(form) + 1, step):
        yield Tick(int(heights(np.array([10.0**power]), form)[0]), f"{10.0**power:g}")
