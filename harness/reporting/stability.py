"""The stability view: how far each implementation's output is from the truth in each dtype, and where."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harness.model.verdict import Cause, Grade, Verdict
from harness.oracle.formats import FORMATS
from harness.reporting.values import measure

BY_HAND = ".by_hand."
"""In the name of every written-out formula."""

LEAST = 5
"""Implementations that a summary names."""

MEANINGS: Mapping[Grade, str] = {
    Grade.EXACT: "correctly rounded",
    Grade.ACCURATE: "within 4 ulp",
    Grade.STABLE: "within twice the bound B",
    Grade.RANGE: "an intermediate of the reference algorithm leaves the range: passes unless another has the value",
    Grade.UNDERFLOW: "lost near the subnormal range: fails",
    Grade.INACCURATE: "outside the pass line: fails",
    Grade.BROKEN: "of the wrong class (NaN, infinity, sign, shape, an error): fails",
}
"""What each grade says, from best to worst."""

CAUSES: Mapping[Cause, str] = {
    Cause.ROUNDING: "what the most accurate algorithm loses too",
    Cause.SHIFT: "log(s) added to shifted logits",
    Cause.CANCELLATION: "a difference or quotient rounded near its limit",
    Cause.LSE: "log-sum-exp subtracted from logits",
    Cause.SUM: "terms added one after another",
    Cause.UNDERFLOW: "lost near the subnormal range",
    Cause.RANGE: "an intermediate left the range",
    Cause.NONE: "no bound explains it",
}
"""What each cause says, in the order in which they are tried."""


class Stability(NamedTuple):
    """One output of one implementation in one dtype: its graded verdicts, whatever the mode.

    Attributes:
        farthest: the verdict with the largest error in ulps; None where nothing was measured.
        beyond: the verdict with the largest error in units of B, likewise.
    """

    environment: str
    implementation: str
    dtype: str
    output: str
    verdicts: Sequence[Verdict]
    grades: Mapping[Grade, int]
    farthest: Verdict | None
    beyond: Verdict | None

    @property
    def bits_lost(self) -> float | None:
        """Leading bits that the largest error leaves wrong, of the format's precision."""
        if self.farthest is None:
            return None
        off = abs(self.farthest.max_ulp or 0.0)
        lost = math.log2(max(2.0 * off, 1.0)) if math.isfinite(off) else math.inf
        return min(lost, float(FORMATS[self.dtype].precision))

    @property
    def avoidable_bits(self) -> float | None:
        """Most bits lost beyond what the input's conditioning loses."""
        return max((v.avoidable_bits for v in self.verdicts if v.avoidable_bits is not None), default=None)

    @property
    def summation_length(self) -> int | None:
        """Most additions on a sum's longest path that an error tells of."""
        return max((v.summation_length for v in self.verdicts if v.summation_length is not None), default=None)

    @property
    def cause(self) -> Cause | None:
        """What explains the largest error in units of B."""
        return self.beyond.cause if self.beyond else None

    @property
    def severity(self) -> tuple[float, int]:
        """What it is ranked by: the largest error in units of B, then how many verdicts are no pass."""
        largest = _size(self.beyond.max_bound) if self.beyond else -1.0
        return largest, sum(count for grade, count in self.grades.items() if not grade.passes)

    @property
    def finding(self) -> str:
        """`1e+07 B, -1.2e+07 ulp, shift`; "" where nothing was measured."""
        if self.farthest is None or self.beyond is None:
            return ""
        bounds = f"{measure(self.beyond.max_bound)} B" if self.beyond.max_bound is not None else ""
        return ", ".join(filter(None, (bounds, f"{measure(self.farthest.max_ulp, '+')} ulp", self.cause or "")))

    @property
    def by_hand(self) -> bool:
        """Whether it is a written-out formula, not a framework's API."""
        return BY_HAND in self.implementation


def view(verdicts: Iterable[Verdict]) -> list[Stability]:
    """All that has a grade, the least stable first."""
    found: dict[tuple[str, str, str, str], list[Verdict]] = {}
    for v in verdicts:
        if v.grade is not None and v.dtype in FORMATS:
            found.setdefault((v.environment, v.implementation, v.dtype, v.output), []).append(v)
    lines = [Stability(*key, own, _grades(own), *_extremes(own)) for key, own in found.items()]
    return sorted(lines, key=lambda line: line.severity, reverse=True)


def least_stable(lines: Iterable[Stability], most: int = LEAST) -> list[Stability]:
    """The worst line of each API that has an error outside twice its bound, the least stable first."""
    firsts: dict[tuple[str, str], Stability] = {}
    for line in lines:
        if not line.by_hand and line.beyond is not None and not Grade(line.beyond.grade or "exact").passes:
            firsts.setdefault((line.environment, line.implementation), line)
    return list(firsts.values())[:most]


def _grades(verdicts: Iterable[Verdict]) -> dict[Grade, int]:
    """Verdicts by grade, from best to worst."""
    found = Counter(v.grade for v in verdicts)
    return {grade: found[grade] for grade in MEANINGS if found[grade]}


def _extremes(verdicts: Iterable[Verdict]) -> tuple[Verdict | None, Verdict | None]:
    """The verdicts with the largest error in ulps and in units of B."""
    measured = [v for v in verdicts if v.max_ulp is not None]
    return (
        max(measured, key=lambda v: _size(v.max_ulp), default=None),
        max(measured, key=lambda v: _size(v.max_bound), default=None),
    )


def _size(error: float | None) -> float:
    """An error to rank by: what can't be said is not the worst."""
    return 0.0 if error is None or math.isnan(error) else abs(error)
