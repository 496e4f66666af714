"""The one assumption of the float64 tier: NumPy's exp, log and log1p are within 1,000 ulps here.

Nothing in a language or an operating system promises that, so it is checked against Arb on this
build, on a few thousand points of the whole range, before the first truth is computed.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from harness.model.case import Array
from harness.oracle.balls import Balls, precision
from harness.oracle.formats import FORMATS

ASSUMED_ULPS = 1000.0
POINTS = 1000
CHECK_BITS = 128


class LibraryError(Exception):
    """A function of the mathematical library is not what the oracle assumes of it."""


@cache
def check() -> dict[str, float]:
    """The largest error found, in ulps, of each function.

    Raises:
        LibraryError: one is larger than assumed.
    """
    found = {name: _worst(name, points) for name, points in _points().items()}
    for name, ulps in found.items():
        if not ulps <= ASSUMED_ULPS:
            raise LibraryError(
                f"NumPy's {name} is off by {ulps:.3g} ulp on this machine; the oracle assumes {ASSUMED_ULPS:g}"
            )
    return found


def _points() -> dict[str, Array]:
    """Arguments over each function's range: arguments of exp as d = x - max has them, sums as log has them."""
    spread = np.linspace(-1.0, 1.0, POINTS)
    tiny = np.ldexp(1.0 + np.abs(spread), np.linspace(-1000, 3, POINTS).astype(int))
    return {
        "exp": np.concatenate([-745.0 * np.abs(spread), spread, spread * 2.0**-30]),
        "log": np.concatenate([tiny, 1.0 + spread / 2, 1.0 + np.abs(spread) * 2.0**20]),
        "log1p": np.concatenate([tiny, spread[1:-1], np.abs(spread) * 2.0**20]),
    }


def _worst(name: str, points: Array) -> float:
    with precision(CHECK_BITS), np.errstate(all="ignore"):
        truth = getattr(Balls.exact(points), name)().enclosed()
        observed = getattr(np, name)(points)
    error = np.abs((observed - truth.high) - truth.low)
    return float(np.max(error / FORMATS["float64"].ulp(truth.high)))
