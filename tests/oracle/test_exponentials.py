"""Exponentials in few passes are those of the steps, and what they lose is what the steps lose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from harness.model.case import Array
from harness.oracle import exponentials as module
from harness.oracle.bounds import arithmetics
from harness.oracle.exponentials import Exponentials
from harness.oracle.formats import FORMATS
from harness.oracle.running import Running, of_format
from harness.oracle.scaled import MUCH

DTYPES = ("float16", "bfloat16", "float32", "float64")
INF = float("inf")
SECOND_ORDER = 2e-4
"""What taking exp(t) - 1 as at most t (1 + the largest t) may add, as a share: 2 * 746 u of float32."""

HIGHER_ORDER = 1e-5
"""What x (1 + x) of the steps has more than exp(x) - 1."""

SUBNORMAL = 1e-323
"""What float64 loses of numbers as small as that."""

BITS = np.random.Generator(np.random.Philox(9))
NORMAL = BITS.standard_normal((5, 30))
ROWS: dict[str, Array] = {
    "normal": 3 * NORMAL,
    "wide": 300 * NORMAL,
    "beyond half formats": np.clip(2e4 * NORMAL, -6e4, 6e4),
    "zeros": np.where(NORMAL > 0, 0.0, 4 * NORMAL),
    "some zeros": np.where(NORMAL > 1, 0.0, 4 * NORMAL),
    "ties": np.round(NORMAL),
    "uniform": np.full((2, 7), 3.0),
    "one class": np.array([[0.0], [-2.5]]),
    "masked": np.where(NORMAL > 0.5, -INF, NORMAL),
    "NaN": np.where(np.arange(5)[:, None] == 2, np.nan, NORMAL),
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """As the oracle runs programs: infinities and NaN are among its numbers."""
    with np.errstate(all="ignore"):
        yield


def rows(name: str, dtype: str) -> Array:
    """As rounded to the dtype."""
    return ROWS[name].astype(FORMATS[dtype].dtype).astype(np.float64)


def exponentials(x: Array, dtype: str) -> Exponentials:
    largest, kinds = np.max(x, axis=-1, keepdims=True), arithmetics(FORMATS[dtype])
    return Exponentials.of(x, largest, np.argmax(x, axis=-1), kinds)


def steps(x: Array, dtype: str) -> Running:
    """d, by the rules one by one."""
    kinds = arithmetics(FORMATS[dtype])
    return Running.exact(x, kinds) - Running.exact(np.max(x, axis=-1, keepdims=True), kinds)


MADE: dict[str, tuple[Callable[[Exponentials], Any], Callable[[Running, Exponentials], Running]]] = {
    "shares": (lambda e: e.shares(e.sums()[1]), lambda d, e: d.exp() / e.sums()[1]),
    "powers": (lambda e: e.powers(e.sums()[1].log()), lambda d, e: (d - e.sums()[1].log()).exp()),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("made", MADE)
def test_they_lose_what_the_steps_lose(made: str, name: str, dtype: str) -> None:
    x = rows(name, dtype)
    whole, (fast, slow) = exponentials(x, dtype), MADE[made]
    found, expected = fast(whole)(whole.terms(lambda a: a)), slow(steps(x, dtype), whole)
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-12, atol=1e-320)
    for place, kind in enumerate(arithmetics(FORMATS[dtype])):
        quick, exact = found.bound(place), expected.bound(place)
        known = np.isfinite(exact)
        if kind.unit * 1500 < MUCH:
            assert np.all(quick[known] >= exact[known] * (1 - HIGHER_ORDER) - SUBNORMAL)
        assert np.all(quick[known] <= exact[known] * (1 + SECOND_ORDER))
        # Of what is masked the steps know nothing.
        assert np.all(np.isinf(quick[~known]) | np.isinf(x[~known]))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", [name for name in ROWS if name != "NaN"])
def test_algorithms_in_the_dtype_lose_no_more(name: str, dtype: str) -> None:
    x = rows(name, dtype).astype(dtype)
    whole = exponentials(x.astype(np.float64), dtype)
    d = x - np.max(x, axis=-1, keepdims=True)
    s = np.exp(d).sum(axis=-1, keepdims=True)
    for made, observed in (("shares", np.exp(d) / s), ("powers", np.exp(d - np.log(s)))):
        found = MADE[made][0](whole)(whole.terms(lambda a: a))
        assert np.all(np.abs(observed.astype(np.float64) - found.value) <= found.bound(1))


@pytest.mark.parametrize("made", MADE)
def test_some_classes_of_some_rows_are_those_of_the_whole(made: str) -> None:
    x = rows("masked", "float32")
    whole, (fast, _) = exponentials(x, "float32"), MADE[made]
    at_once = fast(whole)(whole.terms(lambda a: a))
    some = whole.shaped(lambda a: a[1:3])
    for made_of in (fast(some), fast(whole).shaped(lambda a: a[1:3])):
        part = made_of(some.terms(lambda a: a[:, 4:9]))
        np.testing.assert_array_equal(part.value, at_once.value[1:3, 4:9])
        for place in range(3):
            np.testing.assert_array_equal(part.bound(place), at_once.bound(place)[1:3, 4:9])


def test_sums_are_those_of_the_steps() -> None:
    x = (3 * BITS.standard_normal((5, 300))).astype(np.float32)
    top = x.max(axis=-1, keepdims=True)
    kinds = (of_format(FORMATS["float32"], recursive=True),)
    others, whole = Exponentials.of(x.astype(float), top.astype(float), x.argmax(axis=-1), kinds).sums()
    e = np.exp(x - top)
    assert np.all(np.abs(e.sum(axis=-1, keepdims=True) - whole.value) <= whole.bound(0))
    by_steps = (Running.exact(x.astype(float), kinds) - Running.exact(top, kinds)).exp().sum(keepdims=True)
    np.testing.assert_allclose(whole.value, by_steps.value, rtol=1e-14)
    np.testing.assert_allclose(whole.bound(0), by_steps.bound(0), rtol=0.05)
    np.testing.assert_allclose(others.value, by_steps.value - 1.0, rtol=1e-12)


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = rows("normal", "bfloat16")
    monkeypatch.setattr(module, "SEGMENT", 4)
    at_once = exponentials(x, "bfloat16")
    monkeypatch.setattr(module, "TILE", 8)
    tiled, alone = exponentials(x, "bfloat16"), exponentials(x[3:4], "bfloat16")
    np.testing.assert_array_equal(tiled.others, at_once.others)
    np.testing.assert_array_equal(tiled.lost, at_once.lost)
    np.testing.assert_array_equal(alone.others, at_once.others[3:4])


def test_a_row_of_nan_is_nan_alone() -> None:
    x = rows("NaN", "float32")
    whole = exponentials(x, "float32")
    found = MADE["shares"][0](whole)(whole.terms(lambda a: a)).value
    np.testing.assert_array_equal(np.isnan(found).all(axis=-1), np.arange(5) == 2)
    np.testing.assert_array_equal(np.isnan(found).any(axis=-1), np.arange(5) == 2)
