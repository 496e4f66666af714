"""Generated inputs: the same bits everywhere, and what each recipe promises."""

from __future__ import annotations

import hashlib
import math
import tracemalloc
from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest

from harness.casefile import recipes
from harness.casefile.generators import RecipeError, Site, generate, is_random
from harness.model.case import Array
from harness.oracle.formats import FORMATS


def recipe(**given: Any) -> recipes.Generator:
    return recipes.GENERATORS[given["generate"]].model_validate(given)


def made(
    dtype: str = "float32",
    *,
    like: tuple[int, ...] | None = None,
    axis: int = -1,
    key: tuple[int | str, ...] = (0, "f:a"),
    expansion: int = 0,
    name: str = "logits",
    classes: int = 3,
    **given: Any,
) -> Array:
    site = Site(name, dtype, like, axis, classes, key, range(expansion, expansion + 1))
    return generate(recipe(**given), site)[0, ...]


def grid_of(start: float, stop: float, count: int, dtype: str = "float32") -> Array:
    given: dict[str, Any] = {"from": start, "to": stop, "shape": [count]}
    return made(dtype, generate="grid", **given)


def digest(array: Array) -> str:
    return hashlib.blake2b(array.astype(array.dtype.newbyteorder("<")).tobytes(), digest_size=6).hexdigest()


@pytest.mark.parametrize(
    ("given", "dtype", "expected"),
    [
        ({"generate": "grid", "from": -3.7, "to": 12.1, "shape": [7, 5]}, "float32", "875bf16e9188"),
        ({"generate": "grid", "from": -3.7, "to": 12.1, "shape": [7, 5]}, "float64", "56717e4d7b45"),
        ({"generate": "boundaries"}, "float16", "0a94a27bc1f8"),
        ({"generate": "boundaries"}, "float32", "691f5eb42992"),
        ({"generate": "boundaries"}, "float64", "d89b12cab4d1"),
        ({"generate": "boundaries", "shuffle": True, "also": [1e-7], "repeat": 2}, "float32", "a2469b95d739"),
        ({"generate": "random_bits", "shape": [50]}, "float32", "2dfe6ef55c39"),
        ({"generate": "random_bits", "shape": [50], "high": 1.0, "sign": "positive"}, "float64", "94f29e0535ec"),
        ({"generate": "random_bits", "shape": [50], "only": "all"}, "float16", "30ddb9df86d1"),
        ({"generate": "uniform", "shape": [50], "low": -5.0, "high": 5.0}, "float64", "41f2afb36a39"),
        ({"generate": "uniform", "shape": [50], "seed": 3}, "float32", "cf9186c4ef59"),
        ({"generate": "hard", "shape": [50]}, "float32", "5f38d74a5cf2"),
        ({"generate": "one_hot", "shape": [20, 4]}, "float32", "62648849a012"),
        ({"generate": "indices", "shape": [50], "classes": 10}, "int32", "9841b310c05b"),
        ({"generate": "simplex", "shape": [20, 4]}, "float64", "f10e8d1a8032"),
    ],
)
def test_the_bits_never_change(given: dict[str, Any], dtype: str, expected: str) -> None:
    assert digest(made(dtype, **given)) == expected


@pytest.mark.parametrize(
    "other",
    [{"key": (1, "f:a")}, {"key": (0, "f:b")}, {"expansion": 1}, {"name": "labels"}, {"seed": 1}],
)
def test_draws_depend_on_run_entry_expansion_input_and_seed(other: dict[str, Any]) -> None:
    given: dict[str, Any] = {"generate": "uniform", "shape": [8]}
    assert not np.array_equal(made(**given), made(**given, **other))
    assert np.array_equal(made(**given, **other), made(**given, **other))


@pytest.mark.parametrize(
    "given",
    [
        {"generate": "grid", "from": 0, "to": 1, "shape": [2, 3]},
        {"generate": "boundaries", "shuffle": True, "repeat": 2},
        {"generate": "boundaries", "shuffle": True, "shape": [4]},
        {"generate": "random_bits", "shape": [2, 3]},
        {"generate": "uniform", "shape": []},
        {"generate": "uniform", "shape": [0, 3]},
        {"generate": "hard", "shape": [5]},
        {"generate": "cycle", "values": [1, 2], "shape": [3]},
        {"generate": "one_hot", "shape": [2, 3]},
        {"generate": "simplex", "shape": [2, 3]},
    ],
)
def test_expansions_made_together_are_those_made_alone(given: dict[str, Any]) -> None:
    together = generate(recipe(**given), Site("logits", "float32", None, 0, 3, (0, "f:a"), range(2, 5)))
    alone = [made(expansion=n, axis=0, **given) for n in range(2, 5)]
    assert together.shape == (3, *alone[0].shape)
    assert all(np.array_equal(row, one, equal_nan=True) for row, one in zip(together, alone, strict=True))


def test_dtypes_share_their_draws() -> None:
    wide = made("float64", generate="uniform", shape=[100])
    assert np.array_equal(wide.astype(np.float32), made("float32", generate="uniform", shape=[100]))


def test_a_grid_is_exactly_spaced_and_has_both_ends() -> None:
    grid = grid_of(0.1, 0.7, 7, "float64")
    assert grid[0] == 0.1
    assert grid[-1] == 0.7
    with mpmath.workdps(50):
        step = (mpmath.mpf(0.7) - mpmath.mpf(0.1)) / 6
        assert grid.tolist() == [float(mpmath.mpf(0.1) + i * step) for i in range(7)]


def test_a_grid_of_one_number_is_its_beginning() -> None:
    assert grid_of(2.0, 3.0, 1).tolist() == [2.0]


@pytest.mark.parametrize("dtype", list(FORMATS))
def test_boundaries_have_every_landmark_with_both_signs(dtype: str) -> None:
    form = FORMATS[dtype]
    values = made(dtype, generate="boundaries").astype(np.float64)
    present = set(values[np.isfinite(values)].tolist())
    landmarks = {0.0, form.smallest_subnormal, form.smallest_normal, 1.0, form.largest, form.unit_roundoff}
    assert landmarks | {-x for x in landmarks} <= present
    assert form.smallest_normal - form.smallest_subnormal in present
    assert {1.0 + 2 * form.unit_roundoff, 1.0 - form.unit_roundoff} <= present
    assert np.isnan(values).any()
    assert {math.inf, -math.inf} <= set(values.tolist())
    zeros = values[values == 0]
    assert sorted(np.signbit(zeros).tolist()) == [False, True]


@pytest.mark.parametrize("dtype", list(FORMATS))
def test_boundaries_stand_on_both_sides_of_the_thresholds_of_exp(dtype: str) -> None:
    form = FORMATS[dtype]
    values = made(dtype, generate="boundaries", only="finite").astype(np.float64)
    with mpmath.workdps(40):
        overflow = mpmath.log(mpmath.mpf(form.largest) + mpmath.ldexp(1, form.max_exponent - form.precision))
        thresholds = [
            overflow,
            -mpmath.log(mpmath.mpf(form.smallest_normal)),
            -mpmath.log(mpmath.mpf(form.smallest_subnormal) / 2),
            -mpmath.log(mpmath.mpf(form.unit_roundoff)),
        ]
        for threshold in map(float, thresholds):
            ulp = float(form.ulp(np.array(threshold)))
            assert ((values <= threshold) & (values >= threshold - 2 * ulp)).any()
            assert ((values >= threshold) & (values <= threshold + 2 * ulp)).any()


def test_boundaries_within_limits_repeated_and_fitted_to_a_shape() -> None:
    assert made(generate="boundaries", only="nonfinite", shape=[2, 2])[0].tolist() == [-math.inf, math.inf]
    within = made(generate="boundaries", low=0.0, high=1.0)
    assert within.min() == 0.0
    assert within.max() == 1.0
    assert np.array_equal(made(generate="boundaries", low=0.0, high=1.0, repeat=3), np.repeat(within, 3))
    near = made(generate="boundaries", low=0.0, high=1.0, also=[0.25])
    neighbours = np.nextafter(np.float32(0.25), np.array([0, 1], np.float32))
    assert set(near.tolist()) - set(within.tolist()) == {0.25, *neighbours.tolist()}


def test_a_limit_of_zero_leaves_out_the_other_zero() -> None:
    def zeros(**limits: Any) -> list[bool]:
        values = made(generate="boundaries", only="finite", **limits)
        return np.signbit(values[values == 0]).tolist()

    assert zeros(low=0.0) == [False]
    assert zeros(low=-0.0) == [True, False]
    assert zeros(high=0.0) == [True, False]
    assert zeros(high=-0.0) == [True]


def test_shuffled_boundaries_are_the_same_in_another_order() -> None:
    plain = made(generate="boundaries", only="finite")
    shuffled = made(generate="boundaries", only="finite", shuffle=True)
    assert not np.array_equal(plain, shuffled)
    assert np.array_equal(np.sort(plain), np.sort(shuffled))


@pytest.mark.parametrize("dtype", list(FORMATS))
def test_random_bits_stay_within_their_magnitudes(dtype: str) -> None:
    values = made(dtype, generate="random_bits", shape=[2000], low=0.25, high=2.0).astype(np.float64)
    assert np.abs(values).min() >= 0.25
    assert np.abs(values).max() <= 2.0
    assert 0.4 < (values < 0).mean() < 0.6
    assert 0.25 < (np.abs(values) < 0.5).mean() < 0.42  # one binade of three


def test_random_bits_of_one_sign_and_with_all_patterns() -> None:
    assert (made(generate="random_bits", shape=[200], sign="positive") >= 0).all()
    assert (made(generate="random_bits", shape=[200], sign="negative") <= 0).all()
    assert np.isfinite(made("float16", generate="random_bits", shape=[2000])).all()
    assert np.isnan(made("float16", generate="random_bits", shape=[2000], only="all")).any()


def test_uniform_hard_and_cycle() -> None:
    values = made("float64", generate="uniform", shape=[4000], low=-1.0, high=3.0)
    assert values.min() >= -1.0
    assert values.max() < 3.0
    assert abs(values.mean() - 1.0) < 0.1
    assert set(made(generate="hard", shape=[100]).tolist()) == {0.0, 1.0}
    assert made(generate="cycle", values=[0, 1, 0.5], like=(5,)).tolist() == [0, 1, 0.5, 0, 1]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_one_hot_rows_are_those_that_indices_name(axis: int) -> None:
    rows = made(generate="one_hot", shape=[4, 3, 5], axis=axis, name="labels")
    shape = tuple(np.delete((4, 3, 5), axis).tolist())
    indices = made("int64", generate="indices", like=shape, classes=(4, 3, 5)[axis], name="labels")
    assert np.array_equal(rows.sum(axis=axis), np.ones(shape))
    assert np.array_equal(rows.argmax(axis=axis), indices)


def test_one_hot_rows_of_many_classes_take_the_memory_of_rows() -> None:
    tracemalloc.start()
    made("float32", generate="one_hot", shape=[3, 30000], name="labels")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 3 * 30000 * 8


@pytest.mark.parametrize("axis", [0, -1])
def test_simplex_rows_sum_to_about_one(axis: int) -> None:
    rows = made("float64", generate="simplex", shape=[6, 7], axis=axis)
    assert (rows > 0).all()
    assert np.abs(rows.sum(axis=axis) - 1).max() < 1e-15


def test_arrays_have_the_dtype_and_shape_asked_for() -> None:
    values = made("bfloat16", generate="uniform", shape=[2, 3])
    assert values.dtype == np.dtype(ml_dtypes.bfloat16)
    assert values.shape == (2, 3)
    assert made("int8", generate="indices", like=(4,)).dtype == np.int8


@pytest.mark.parametrize(
    ("given", "random"),
    [
        ({"generate": "grid", "from": 0, "to": 1}, False),
        ({"generate": "cycle", "values": [1]}, False),
        ({"generate": "boundaries"}, False),
        ({"generate": "boundaries", "shuffle": True}, True),
        ({"generate": "uniform"}, True),
    ],
)
def test_which_recipes_draw(given: dict[str, Any], random: bool) -> None:  # noqa: FBT001 - parametrised
    assert is_random(recipe(**given)) is random


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_number_of_a_half_format_is_there_once(dtype: str) -> None:
    numbers = made(dtype, generate="every", only="all")
    bits = numbers[~np.isnan(numbers.astype(np.float32))].view(np.uint16)
    nans = {"float16": 2046, "bfloat16": 254}[dtype]
    assert (numbers.size, len(set(bits.tolist()))) == (1 << 16, (1 << 16) - nans)
    finite = made(dtype, generate="every").astype(np.float64)
    assert np.isfinite(finite).all()
    assert (np.diff(finite) >= 0).all()
    assert np.signbit(finite[finite == 0]).tolist() == [True, False]
    assert made(dtype, generate="every", low=0.0).size == finite.size // 2


def test_every_number_beside_others_makes_rows() -> None:
    rows = made("float16", generate="every", low=1.0, high=1.001, repeat=2, beside=[0.0, -1.0])
    assert rows.tolist() == [[1.0, 0.0, -1.0]] * 2 + [[1.0009765625, 0.0, -1.0]] * 2


def test_a_format_with_too_many_numbers_has_not_every_one() -> None:
    with pytest.raises(RecipeError, match="float32 has too many numbers"):
        made("float32", generate="every")
    with pytest.raises(ValueError, match="the shape that it has"):
        recipe(generate="every", shape=[3])
