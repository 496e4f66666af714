"""A running bound holds what the same steps lose when they are run in the dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from harness.model.case import Array
from harness.oracle.formats import FORMATS
from harness.oracle.running import ORACLE, Running, of_format, parameter

DTYPES = ("float16", "float32")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """As the oracle runs programs: infinities and NaN are among its numbers."""
    with np.errstate(all="ignore"):
        yield


def running(values: Any, dtype: str, *, recursive: bool = True) -> Running:
    return Running.exact(np.asarray(values, np.float64), (of_format(FORMATS[dtype], recursive=recursive),))


def drawn(dtype: str, count: int = 4000) -> tuple[Array, Array]:
    bits = np.random.Generator(np.random.Philox(5))
    return tuple((10.0 ** bits.uniform(-2, 1, count) * bits.choice([-1, 1], count)).astype(dtype) for _ in range(2))


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "(a + b) * b": lambda a, b: (a + b) * b,
    "(a * b + a) / b": lambda a, b: (a * b + a) / b,
    "(a - b) - b * a": lambda a, b: (a - b) - b * a,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("step", STEPS)
def test_arithmetic_loses_no_more_than_its_bound(step: str, dtype: str) -> None:
    a, b = drawn(dtype)
    exact = STEPS[step](running(a, dtype), running(b, dtype))
    lost = np.abs(STEPS[step](a, b).astype(np.float64) - exact.value)
    assert np.all(lost <= exact.bound(0) * (1 + 1e-9))
    assert np.nanmax(lost / exact.bound(0)) > 0.4  # nor is it much too wide


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("power", range(-3, 4))
@pytest.mark.parametrize("step", ["*", "/"])
def test_a_power_of_two_loses_nothing_but_at_the_ends_of_the_range(step: str, power: int, dtype: str) -> None:
    """A mean over two losses is as exact as their sum."""
    form = FORMATS[dtype]
    small = np.multiply.outer([form.smallest_subnormal, form.smallest_normal], [1, 3, 2.75, 4.5]).ravel()
    a = np.concatenate([drawn(dtype)[0], small, form.largest * np.asarray([1, 0.3, 0.1])]).astype(dtype)
    b = np.asarray(2.0**power, dtype)
    exact = STEPS[step](running(a, dtype), running(b, dtype))
    lost = np.abs(STEPS[step](a, b).astype(np.float64) - exact.value)
    assert np.all(lost <= exact.bound(0))
    inside = (np.abs(exact.value) >= form.smallest_normal) & (np.abs(exact.value) <= form.largest)
    assert not exact.bound(0)[inside].any()
    assert inside.sum() >= drawn(dtype)[0].size


def test_what_was_lost_before_a_power_of_two_may_lead_below_the_normal_numbers() -> None:
    form = FORMATS["float16"]
    before, normal = running([3.0, 2.5], "float16"), form.smallest_normal
    losing = Running(before.value * normal, [np.full(2, normal)], before.arithmetics)
    safe, open_ = (losing / 2.0).bound(0)
    assert safe == losing.bound(0)[0] / 2
    assert open_ > losing.bound(0)[1] / 2 + form.unit_roundoff * normal


@pytest.mark.parametrize("name", ["exp", "log", "log1p"])
def test_functions_carry_what_their_argument_has_lost(name: str) -> None:
    a, b = (np.abs(x) for x in drawn("float32"))
    exact = getattr(running(a, "float32") * running(b, "float32"), name)()
    lost = np.abs(getattr(np, name)(a * b).astype(np.float64) - exact.value)
    assert np.all(lost <= exact.bound(0) * (1 + 1e-9))


@pytest.mark.parametrize(("recursive", "additions"), [(True, 999), (False, 10)])
def test_sums_are_recursive_or_pairwise(recursive: bool, additions: int) -> None:  # noqa: FBT001 - a parameter
    form = FORMATS["float32"]
    exact = running(np.ones(1000), "float32", recursive=recursive).sum()
    assert exact.bound(0) == pytest.approx(additions * form.unit_roundoff * 1000, rel=1e-4)


def in_pairs(terms: Array) -> Any:
    """A sum by a tree over all places."""
    while len(terms) > 1:
        terms = terms[::2] + terms[1::2]
    return terms[0]


def test_a_tree_may_need_more_steps_than_its_terms_would() -> None:
    """Five terms of which each addition loses u: at these places a tree of four levels adds one after another."""
    form = FORMATS["float16"]
    terms = np.zeros(16, np.float16)
    terms[[0, 1, 2, 4, 8]] = [1.0, *[form.unit_roundoff] * 4]
    exact = running(terms, "float16", recursive=False).sum()
    lost = abs(float(in_pairs(terms)) - float(exact.value))
    assert lost == 4 * form.unit_roundoff
    assert lost <= exact.bound(0)


@pytest.mark.parametrize(("terms", "additions"), [(1, 0), (3, 2), (40, 6)])
def test_a_tree_is_no_deeper_than_its_terms_or_its_places_allow(terms: int, additions: int) -> None:
    some = np.where(np.arange(64) < terms, 1.0, 0.0)
    found = running(some, "float32", recursive=False).sum()
    assert found.bound(0) == pytest.approx(additions * 2.0**-24 * terms, rel=1e-4)


def test_adding_what_became_nothing_is_exact() -> None:
    label, x = running([0.0, 1.0, 0.0], "float32"), running([0.1, 0.2, 0.3], "float32")
    product = label * (x * x)
    assert product.sum().bound(0) == pytest.approx(product.bound(0)[1])


def test_what_needs_no_rounding_has_none() -> None:
    x = running([0.1, 2.5, -3.0], "float32")
    for same in (x * 1.0, x / 1.0, x + 0.0, 0.0 - x, x * -1.0, x * 0.0, running([0.0, 0.0, 0.0], "float32").exp()):
        assert not same.bound(0).any()
    assert not running([[0.0, 1.0, 0.0]], "float32").sum().bound(0).any()


def test_a_product_with_an_exact_zero_is_zero() -> None:
    zero, wild = running([0.0, 0.0], "float32"), running([np.inf, -np.inf], "float32")
    assert (zero * wild).value.tolist() == [0.0, 0.0]
    assert np.isnan((zero * running([np.nan, np.nan], "float32")).value).all()


def test_zero_times_what_may_be_no_number_may_be_anything() -> None:
    """Infinity is a number that 0 makes nothing of, the difference of two is not."""
    zero, high = running([0.0], "float16"), running([60000.0], "float16")
    assert (zero * (high + high)).bound(0)[0] == 0
    assert (zero * ((high + high) - (high + high))).bound(0)[0] == np.inf
    partly = running([60000.0, 60000.0, -60000.0, -60000.0], "float16").sum()
    assert (zero * partly).bound(0)[0] == np.inf
    assert (zero * (partly * running(3.0, "float16"))).bound(0)[0] == np.inf


def test_a_step_out_of_range_may_lose_everything() -> None:
    assert (running([300.0], "float16") * running([300.0], "float16")).bound(0)[0] == np.inf
    assert (running([-65504.0], "float16") - running([65504.0], "float16")).exp().bound(0)[0] < 1e-6


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_was_lost_may_lead_out_of_range(dtype: str) -> None:
    form = FORMATS[dtype]
    bits = np.random.Generator(np.random.Philox(3))
    a = (bits.uniform(1, 2, 20_000)).astype(form.dtype)
    b = (form.largest / (a * a).astype(np.float64)).astype(form.dtype)
    squared, inside = running(a, dtype) * running(a, dtype), running(b, dtype)
    for exact, observed in ((squared * inside, (a * a) * b), ((squared - 1.0) * inside + inside, (a * a - 1) * b + b)):
        leaves = (np.abs(exact.value) <= form.largest) & np.isinf(observed)
        assert leaves.any()
        assert np.isinf(exact.bound(0)[leaves]).all()


def test_what_is_not_rounded_stays_in_range() -> None:
    largest = running([-FORMATS["float32"].largest], "float32") - running([0.5], "float32").log1p()
    for same in (largest, largest * 1.0, largest / 1.0, largest + 0.0, largest.sum()):
        assert np.isfinite(same.bound(0)).all()


def test_a_choice_loses_what_the_chosen_has_lost() -> None:
    fine, rough = running([2.0, 1.0], "float16") * 0.7, running([1.0, 1.0], "float16") * 0.69999
    assert fine.maximum(rough * rough).bound(0)[0] == fine.bound(0)[0]
    assert (rough * rough).minimum(fine).bound(0)[0] == (rough * rough).bound(0)[0]
    assert fine.maximum(rough).bound(0)[1] == max(fine.bound(0)[1], rough.bound(0)[1])  # rounding decides


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [0.5, 0.1, 1e-7, 3e-5, 1e-40, 1.5 * 2.0**-149, 3 * 2.0**-149, 2.0**-150, 1e5, 1e39])
def test_a_parameter_loses_what_its_dtype_cannot_hold(number: float, dtype: str) -> None:
    bound = parameter(number, (of_format(FORMATS[dtype], recursive=True),)).bound(0)
    lost = abs(float(np.asarray(number).astype(dtype)) - number)
    assert lost <= bound
    assert (lost == 0) == (bound == 0)


def test_a_parameter_is_rounded_once_where_it_has_to_be() -> None:
    kinds = (ORACLE, of_format(FORMATS["float16"], recursive=False))
    assert parameter(0.5, kinds).is_exact
    tenth = parameter(0.1, kinds)
    assert tenth.bound(0) == 0.0
    assert abs(float(np.float16(0.1)) - 0.1) <= tenth.bound(1)
