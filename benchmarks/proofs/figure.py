"""The figure of docs/numerics.md: errors of the documents' forms against the logit, as SVG."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from benchmarks.proofs.documents import FLOAT32, FORMS, Run, sampled
from harness.comparator.measure import pass_line
from harness.model.case import Array, Case
from harness.operations.base import VALUE
from harness.oracle import truth

WIDTH, HEIGHT, LEFT, TOP, GAP = 760, 300, 56, 30, 44
LOW, HIGH = -104.0, 104.0
BINS, IN_BIN = 130, 40
LEAST, MOST, WRONG = -1.0, 8.0, 8.6
"""Decimal logarithms of ulps that are drawn; numbers of the wrong class stand above."""
COLOURS = ("#0b6e4f", "#c1121f", "#e07a00", "#1d4ed8", "#7c3aed")
SHOWN = (1, 0, 2, 7, 9)
"""Places of the forms that are drawn."""
LABELS = ("0", "1")


class Series(NamedTuple):
    """The largest error in each bin, as a decimal logarithm of ulps."""

    name: str
    colour: str
    heights: Array


def figure() -> str:
    """Both sides of the label, one panel each."""
    panels = [_panel(n, label) for n, label in enumerate(LABELS)]
    legend = [
        f'<text x="{LEFT}" y="{HEIGHT + 18 + 16 * n}" fill="{colour}">{_escaped(name)}</text>'
        for n, (name, colour) in enumerate([*((FORMS[p].text, c) for p, c in zip(SHOWN, COLOURS, strict=True)), PASS])
    ]
    height = HEIGHT + 24 + 16 * len(legend)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
            ' font-family="sans-serif" font-size="11">',
            "<title>Errors of the documents' forms of sigmoid cross-entropy in float32, in ulps</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            *panels,
            *legend,
            "</svg>",
            "",
        )
    )


PASS = ("the pass line", "#888")


def _panel(number: int, label: str) -> str:
    wide = (WIDTH - LEFT - GAP) // 2
    left = LEFT + number * (wide + GAP)
    rows = [f'<text x="{left}" y="{TOP - 12}">label {label}: |error| in ulps against the logit</text>']
    for power in range(int(LEAST), int(MOST) + 1):
        y = _y(float(power))
        rows.append(f'<path d="M{left} {y}h{wide}" stroke="#ddd"/>')
        rows.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{_power(power)}</text>')
    rows.append(f'<text x="{left - 6}" y="{_y(WRONG) + 4}" text-anchor="end">wrong</text>')
    for x in (-100, -50, 0, 50, 100):
        at = left + (x - LOW) / (HIGH - LOW) * wide
        rows.append(f'<text x="{at:.0f}" y="{HEIGHT - 4}" text-anchor="middle">{x}</text>')
    for series in _series(label):
        points = [(left + (n + 0.5) / BINS * wide, _y(h)) for n, h in enumerate(series.heights.tolist())]
        path = "L".join(f"{x:.0f} {y}" for x, y in points)
        dash = ' stroke-dasharray="4 3"' if series.name == PASS[0] else ""
        rows.append(f'<path d="M{path}" fill="none" stroke="{series.colour}" stroke-width="1.3"{dash}/>')
    return "\n".join(rows)


def _series(label: str) -> list[Series]:
    cases = [
        sampled(FORMS[0], label, low, low + (HIGH - LOW) / BINS, IN_BIN)
        for low in np.linspace(LOW, HIGH, BINS, endpoint=False)
    ]
    truths = truth.evaluate_all(cases)
    lines = [pass_line(t.outputs[VALUE], t.bounds[VALUE], FLOAT32) / FLOAT32.ulp(t.outputs[VALUE].high) for t in truths]
    allowed = np.array([math.log10(float(np.median(line))) for line in lines])
    forms = [
        Series(form.text, colour, np.array([_height(form.runs[0], c, t) for c, t in zip(cases, truths, strict=True)]))
        for form, colour in ((FORMS[place], colour) for place, colour in zip(SHOWN, COLOURS, strict=True))
    ]
    return [Series(*PASS, allowed), *forms]


def _height(run: Run, case: Case, known: truth.Truth) -> float:
    exact = known.outputs[VALUE]
    with np.errstate(all="ignore"):
        ulps = np.abs((run(case.inputs) - exact.high) - exact.low) / FLOAT32.ulp(exact.high)
    worst = float(np.max(ulps))
    return min(max(math.log10(max(worst, 1e-9)), LEAST), MOST) if math.isfinite(worst) else WRONG


def _y(height: float) -> int:
    bottom = HEIGHT - 20
    return round(bottom - (height - LEAST) / (WRONG - LEAST) * (bottom - TOP))


def _power(power: int) -> str:
    return "0.1" if power == -1 else "1" if power == 0 else "10" if power == 1 else f"1e{power}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
