"""Generated inputs: the same numbers on every machine, from every release of NumPy.

Draws are the raw bits of Philox (counter based, Salmon et al., SC 2011), keyed by a digest of what
names the input, and become floats by maps that are exact or a single IEEE operation. No method of
a distribution and no function of libm takes part: those may change between releases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from harness.casefile import recipes
from harness.model.case import Array
from harness.oracle.formats import FORMATS, Format

Shape = tuple[int, ...]

LN2 = Fraction("0.69314718055994530941723212145817656807550013436025525412068")
MANTISSA_BITS = 53
CHECK: tuple[int | str, ...] = ()
"""The key of a site whose numbers only have to be of the right kind: nothing is drawn for them."""
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: multiples of it are spread evenly, modulo 2**64."""


class Site(NamedTuple):
    """Where generated numbers go: one input, in some expansions of its entry.

    Attributes:
        name: the input's name.
        dtype: its dtype.
        shape: the shape that it has if its recipe says none; None if there is nothing to go by.
        axis: the class axis.
        classes: how many classes there are.
        key: what the draws depend on beside the recipe's seed and the expansion: run, entry.
        expansions: their numbers.
    """

    name: str
    dtype: str
    shape: Shape | None
    axis: int
    classes: int
    key: tuple[int | str, ...]
    expansions: range

    @property
    def format(self) -> Format:
        """Format of the floating dtype."""
        return FORMATS[self.dtype]


class RecipeError(Exception):
    """A recipe that can't be followed; the message says why."""


def generate(recipe: recipes.Generator, site: Site) -> Array:
    """The numbers of a recipe, rounded to the site's dtype: an array for each expansion, along the first axis."""
    values = _GENERATORS[type(recipe)](recipe, site)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        rounded = values.astype(site.format.dtype if site.dtype in FORMATS else np.dtype(site.dtype))
    return rounded if is_random(recipe) else np.broadcast_to(rounded, (len(site.expansions), *rounded.shape))


def is_random(recipe: recipes.Generator) -> bool:
    """Whether another expansion of the same entry has other numbers."""
    if isinstance(recipe, recipes.Boundaries):
        return recipe.shuffle
    return not isinstance(recipe, recipes.Grid | recipes.Cycle | recipes.Every)


def bounds(recipe: recipes.Generator) -> Iterable[tuple[str, float]]:
    """The numbers that a recipe names, which the dtype has to hold."""
    for name in _BOUNDS[type(recipe)]:
        given = getattr(recipe, name)
        for number in given if isinstance(given, list) else [given]:
            if number is not None:
                yield name.rstrip("_"), number


_NAMES_OF_NUMBERS = {"from_", "to", "low", "high", "values", "also", "beside"}
_BOUNDS = {model: sorted(_NAMES_OF_NUMBERS & set(model.model_fields)) for model in recipes.GENERATORS.values()}


def _grid(recipe: recipes.Grid, site: Site) -> Array:
    shape = _shape(recipe, site)
    return np.array(_spaced(recipe.from_, recipe.to, math.prod(shape)), np.float64).reshape(shape)


@lru_cache(maxsize=64)
def _spaced(start: float, stop: float, count: int) -> tuple[float, ...]:
    """start + i (stop - start) / (count - 1), correctly rounded: integers divided by integers."""
    (a, b), (c, d) = start.as_integer_ratio(), stop.as_integer_ratio()
    common, steps = math.lcm(b, d), max(count - 1, 1)
    first, last = a * (common // b), c * (common // d)
    return tuple((first * (steps - i) + last * i) / (common * steps) for i in range(count))


def _boundaries(recipe: recipes.Boundaries, site: Site) -> Array:
    values = _limited(_special(recipe, site.format), recipe)
    if not recipe.shuffle:
        return _fitted(values, recipe)
    orders = np.argsort(_draw(recipe, site, (values.size,)), kind="stable")
    return np.stack([_fitted(row, recipe) for row in values[orders]])


def _fitted(values: Array, recipe: recipes.Boundaries) -> Array:
    repeated = _repeated(values, recipe)
    return repeated if recipe.shape is None else np.resize(repeated, recipe.shape)


def _repeated(values: Array, recipe: recipes.Boundaries | recipes.Every, columns: int = 1) -> Array:
    if values.size * recipe.repeat * columns > recipes.MAX_ELEMENTS:
        size = " x ".join(f"{n:,}" for n in (values.size, recipe.repeat, columns) if n > 1)
        raise RecipeError(f"{size} numbers are more than {recipes.MAX_ELEMENTS:,}: repeat is to be smaller")
    return np.repeat(values, recipe.repeat)


def _limited(values: Array, recipe: recipes.Boundaries | recipes.Every) -> Array:
    """The values within the limits; a limit of 0 leaves out the zero of the other sign."""
    if recipe.low is None and recipe.high is None:
        return values
    low = -math.inf if recipe.low is None else recipe.low
    high = math.inf if recipe.high is None else recipe.high
    negative, zero = np.signbit(values), values == 0
    beyond = zero & ((negative & (low == 0) & (not np.signbit(low))) | (~negative & (high == 0) & np.signbit(high)))
    within = values[(values >= low) & (values <= high) & ~beyond]
    if not within.size:
        raise RecipeError(f"no boundary lies between {low:g} and {high:g}")
    return within


def _special(recipe: recipes.Boundaries, form: Format) -> Array:
    """Boundary values in ascending order, then infinities and NaN; float64."""
    nonfinite = np.array([-math.inf, math.inf, math.nan])
    if recipe.only == "nonfinite":
        return nonfinite
    magnitudes = _magnitudes(form, tuple(recipe.also))
    finite = np.concatenate([-magnitudes[::-1], magnitudes])
    return finite if recipe.only == "finite" else np.concatenate([finite, nonfinite])


@lru_cache(maxsize=64)
def _magnitudes(form: Format, also: tuple[float, ...]) -> Array:
    """Magnitudes at which something happens and their neighbours, zero first; float64."""
    named = np.abs(np.array([*_landmarks(form), *also])).astype(form.dtype).view(form.bits).astype(np.int64)
    top = int(np.array(form.largest).astype(form.dtype).view(form.bits))
    bits = np.unique(np.clip(named[:, np.newaxis] + np.array([-1, 0, 1]), 0, top))
    return bits.astype(form.bits).view(form.dtype).astype(np.float64)


def _landmarks(form: Format) -> tuple[float, ...]:
    """The magnitudes themselves. Thresholds of exp and log are multiples of ln 2."""
    eta, smallest = form.smallest_subnormal, form.smallest_normal
    u = form.unit_roundoff
    return (
        0.0,
        eta,
        smallest - eta,
        smallest,
        u,
        0.5,
        1.0,
        float(form.precision * LN2),  # 1 + exp(-x) == 1
        float(-form.min_exponent * LN2),  # exp(-x) is subnormal
        float((form.precision - form.min_exponent) * LN2),  # exp(-x) rounds to 0
        float((form.max_exponent + 1) * LN2),  # exp(x) overflows
        form.largest,
    )


def _every(recipe: recipes.Every, site: Site) -> Array:
    if site.format.bits != np.uint16:
        raise RecipeError(f"{site.dtype} has too many numbers for every one of them: float16 and bfloat16 have 65,536")
    values = _repeated(_limited(_all_numbers(site.format, recipe.only), recipe), recipe, 1 + len(recipe.beside))
    if not recipe.beside:
        return values
    others = np.broadcast_to(np.array(recipe.beside), (values.size, len(recipe.beside)))
    return np.column_stack([values, others])


@lru_cache(maxsize=8)
def _all_numbers(form: Format, only: str) -> Array:
    """The numbers of a format of 16 bits in ascending order, -0.0 before 0.0, then NaNs; float64."""
    bits = np.arange(1 << 16, dtype=np.uint16)
    ordered = np.concatenate([bits[: 1 << 15 : -1], bits[1 << 15 : (1 << 15) + 1], bits[: 1 << 15]])
    with np.errstate(invalid="ignore"):
        values = ordered.view(form.dtype).astype(np.float64)
    finite = values[np.isfinite(values)]
    if only == "finite":
        return finite
    return np.concatenate([values[values == -math.inf], finite, values[values == math.inf], values[np.isnan(values)]])


def _random_bits(recipe: recipes.RandomBits, site: Site) -> Array:
    shape, form = _shape(recipe, site), site.format
    width = form.dtype.itemsize * 8
    last = (1 << (width - 1)) - 1 if recipe.only == "all" else _bits(form.largest, form)
    low = 0 if recipe.low is None else _bits(recipe.low, form)
    high = last if recipe.high is None else min(_bits(recipe.high, form), last)
    draws = _draw(recipe, site, (*shape, 2))
    magnitudes = np.uint64(low) + draws[..., 0] % np.uint64(high - low + 1)
    signs = _signs(recipe, draws[..., 1])
    return (magnitudes | np.left_shift(signs, np.uint64(width - 1))).astype(form.bits).view(form.dtype)


def _signs(recipe: recipes.RandomBits, draws: Array) -> Array:
    drawn = draws >> np.uint64(63)
    return drawn if recipe.sign == "both" else np.full_like(drawn, recipe.sign == "negative")


@lru_cache(maxsize=256)
def _bits(magnitude: float, form: Format) -> int:
    with np.errstate(over="ignore", under="ignore"):
        return int(np.array(magnitude).astype(form.dtype).view(form.bits))


def _uniform(recipe: recipes.Uniform, site: Site) -> Array:
    fractions = (_draw(recipe, site, _shape(recipe, site)) >> np.uint64(64 - MANTISSA_BITS)).astype(np.float64)
    fractions *= 2.0**-MANTISSA_BITS
    return recipe.low + (recipe.high - recipe.low) * fractions


def _hard(recipe: recipes.Hard, site: Site) -> Array:
    return _draw(recipe, site, _shape(recipe, site)) >> np.uint64(63)


def _cycle(recipe: recipes.Cycle, site: Site) -> Array:
    return np.resize(np.array(recipe.values, np.float64), _shape(recipe, site))


def _one_hot(recipe: recipes.OneHot, site: Site) -> Array:
    shape = _shape(recipe, site)
    axis = _axis(shape, site)
    labels = _lots(recipe, site, _without(shape, axis), shape[axis])
    rows = np.zeros((len(labels), *shape))
    np.put_along_axis(rows, np.expand_dims(labels, axis + 1), 1.0, axis + 1)
    return rows


def _indices(recipe: recipes.Indices, site: Site) -> Array:
    return _lots(recipe, site, _shape(recipe, site), recipe.classes or site.classes)


def _simplex(recipe: recipes.Simplex, site: Site) -> Array:
    """Integers below 2**24, over their sum: the sum is exact and the quotient correctly rounded."""
    shape = _shape(recipe, site)
    lots = (_draw(recipe, site, shape) >> np.uint64(40)).astype(np.float64) + 1.0
    return lots / np.sum(lots, axis=_axis(shape, site) + 1, keepdims=True)


_GENERATORS: Mapping[type, Callable[[Any, Site], Array]] = {
    recipes.Grid: _grid,
    recipes.Boundaries: _boundaries,
    recipes.Every: _every,
    recipes.RandomBits: _random_bits,
    recipes.Uniform: _uniform,
    recipes.Hard: _hard,
    recipes.Cycle: _cycle,
    recipes.OneHot: _one_hot,
    recipes.Indices: _indices,
    recipes.Simplex: _simplex,
}


def _shape(recipe: recipes.Generator, site: Site) -> Shape:
    if recipe.shape is not None:
        return tuple(recipe.shape)
    if site.shape is None:
        raise RecipeError("a shape is needed: there is no other input to take it from")
    return site.shape


def _axis(shape: Shape, site: Site) -> int:
    """The class axis counted from the end; the last if there is no such axis: that is found later."""
    if 0 in shape or not shape:
        raise RecipeError("a class axis with at least one class is needed")
    return site.axis % len(shape) if -len(shape) <= site.axis < len(shape) else len(shape) - 1


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def _lots(recipe: recipes.Generator, site: Site, shape: Shape, classes: int) -> Array:
    """Class indices drawn by lot."""
    return (_draw(recipe, site, shape) % np.uint64(max(classes, 1))).astype(np.int64)


def _draw(recipe: recipes.Generator, site: Site, shape: Shape) -> Array:
    """64-bit words of the streams that belong to this input, one stream for each expansion."""
    count = math.prod(shape)
    draws = np.empty((len(site.expansions), count), np.uint64)
    if site.key == CHECK:
        draws[:] = np.arange(1, count + 1, dtype=np.uint64) * GOLDEN
        return draws.reshape(len(draws), *shape)
    import hashlib  # noqa: PLC0415 - as with Philox

    stream = _philox()
    run, *entry = site.key
    for row, expansion in zip(draws, site.expansions, strict=True):
        words = "\x1f".join(map(str, (run, recipe.seed, *entry, expansion, site.name)))
        key = np.frombuffer(hashlib.blake2b(words.encode(), digest_size=16).digest(), "<u8")
        # A counter-based generator is its key and counter: setting them costs a fifth of making a new one.
        stream.state = {**_BEGINNING, "state": {"counter": _ZERO, "key": key}}
        row[:] = stream.random_raw(count)
    return draws.reshape(len(draws), *shape)


_ZERO = np.zeros(4, np.uint64)


_BEGINNING = {
    "bit_generator": "Philox",
    "buffer": _ZERO,
    "buffer_pos": 4,
    "has_uint32": 0,
    "uinteger": 0,
}


@cache
def _philox() -> Any:
    from numpy.random import Philox  # noqa: PLC0415 - 20 ms that files without draws don't pay

    return Philox(key=0)
