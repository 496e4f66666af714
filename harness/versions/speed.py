"""Run time of an API on both sides of an upgrade: a ratio within one run, told only beyond noise.

The same calls are paired. The median of their ratios has a distribution-free confidence interval
from order statistics: of n sorted ratios, the k-th from either end with k from the binomial
distribution of n fair coins (H. A. David, H. N. Nagaraja, "Order Statistics", 3rd ed., 7.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 16
"""Pairs that a ratio is told of."""
NOTABLE = 1.5
"""Ratios between its inverse and this are one class of run time: calls of small cases are mostly dispatch."""
DEVIATIONS = 3.29
"""Standard normal quantile of a confidence of 99.9 %: a hundred APIs are looked at."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Seconds after over seconds before.

    Attributes:
        median: of the pairs.
        low: lower end of the median's confidence interval.
        high: upper end.
        pairs: how many.
    """

    median: float
    low: float
    high: float
    pairs: int

    @property
    def notable(self) -> bool:
        """Whether the whole interval is outside one class of run time."""
        return self.low > NOTABLE or self.high < 1 / NOTABLE


def ratio(before: Sequence[float], after: Sequence[float]) -> Ratio | None:
    """Compare seconds of the same calls; None where there are too few.

    Args:
        before: seconds of each call on one side.
        after: of the same call on the other side.
    """
    both = [(a, b) for a, b in zip(before, after, strict=True) if a > 0 and b > 0]
    if len(both) < FEWEST:
        return None
    ratios = np.sort(np.array([b / a for a, b in both]))
    count = len(ratios)
    outer = max(0, math.floor(count / 2 - DEVIATIONS * math.sqrt(count) / 2) - 1)
    return Ratio(float(np.median(ratios)), float(ratios[outer]), float(ratios[count - 1 - outer]), count)
