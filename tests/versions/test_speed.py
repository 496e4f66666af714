"""Run times are told apart only beyond noise."""

import numpy as np
import pytest

from harness.versions.speed import FEWEST, ratio

RNG = np.random.Generator(np.random.Philox(7))
NOISE = np.exp(RNG.normal(0.0, 0.5, (2, 200)))


@pytest.mark.parametrize(("factor", "notable"), [(1.0, False), (1.2, False), (4.0, True), (0.25, True)])
def test_a_factor_is_notable_where_noise_does_not_explain_it(factor: float, notable: bool) -> None:  # noqa: FBT001
    found = ratio(list(NOISE[0]), list(factor * NOISE[1]))
    assert found is not None
    assert found.notable is notable
    assert found.low <= found.median <= found.high


def test_few_pairs_tell_nothing() -> None:
    assert ratio([1.0] * (FEWEST - 1), [9.0] * (FEWEST - 1)) is None


def test_a_few_slow_calls_are_noise() -> None:
    found = ratio([1.0] * 100, [1.0] * 90 + [50.0] * 10)
    assert found is not None
    assert not found.notable
