"""Textbook-stable implementations in every dtype: the NumPy reference, its sums added up in a chosen way.

Every step is rounded to the dtype, half formats too (NumPy and ml_dtypes evaluate one step on them in
float32 and round it). That loses more than to evaluate a whole loss in float32 and round it once, as most
frameworks do, and is what the bounds speak of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from harness.adapters import reference
from harness.adapters.numpy import IMPLEMENTATIONS
from harness.model.case import Array, Case
from harness.operations import OPERATIONS
from harness.operations.base import VALUE, gradient
from harness.oracle import running
from harness.oracle.formats import FORMATS, Format
from harness.oracle.running import Arithmetic

EIGHT, BLOCK = 8, 128
"""NumPy's pairwise sum has eight partial sums, and blocks of at most so many terms."""


WIDER: Mapping[str, Any] = dict.fromkeys(FORMATS, np.float64) | {"float64": np.longdouble}
"""Where the same steps are nearly exact; on some machines long double is no wider than float64."""
POINTS = 250_000
EXPONENTS = (-0.5, 0.5, 1.5, 2.5, 5.0)
"""That every format holds."""


class Way(NamedTuple):
    """How sums are added up.

    Attributes:
        total: the sum along the last axis, in the array's dtype.
        depth: additions on its longest path, from the number of terms.
    """

    name: str
    total: Callable[[Array], Array]
    depth: Callable[[int], int]


def _one_after_another(terms: Array) -> Array:
    return np.add.accumulate(terms, axis=-1)[..., -1]


def _in_pairs(terms: Array) -> Array:
    """A tree over all places."""
    while terms.shape[-1] > 1:
        odd = terms.shape[-1] % 2
        paired = terms[..., 0 : terms.shape[-1] - odd : 2] + terms[..., 1::2]
        terms = np.concatenate([paired, terms[..., -1:]], axis=-1) if odd else paired
    return terms[..., 0]


def _as_numpy_does(terms: Array) -> Array:
    return np.sum(terms, axis=-1)


def _depth_of_numpy(terms: int) -> int:
    """One after another below eight terms; eight sums and a tree of them in a block; halves beyond."""
    if terms < EIGHT:
        return terms - 1
    if terms <= BLOCK:
        return terms // EIGHT - 1 + 3 + terms % EIGHT
    half = terms // 2 - terms // 2 % EIGHT
    return 1 + max(_depth_of_numpy(half), _depth_of_numpy(terms - half))


RECURSIVE = Way("recursive", _one_after_another, lambda terms: terms - 1)
PAIRWISE = Way("pairwise", _in_pairs, lambda terms: math.ceil(math.log2(terms)))
NUMPY = Way("numpy", _as_numpy_does, _depth_of_numpy)
SINGLE = Way("numpy", _as_numpy_does, lambda terms: min(terms - 1, 1))
"""Of float16, which NumPy adds up in float32 and rounds once."""

WAYS: Mapping[str, tuple[Way, ...]] = {
    "float16": (PAIRWISE, SINGLE),
    "bfloat16": (PAIRWISE,),  # ml_dtypes' own sum is recursive, which no half format bears
    "float32": (NUMPY, RECURSIVE),
    "float64": (NUMPY, RECURSIVE),
}
"""How the textbook forms of each dtype add up; the first is the one that tightness is measured with."""


@dataclass(frozen=True, slots=True)
class Own(Arithmetic):
    """The arithmetic of one implementation: its sums are of a known depth.

    Attributes:
        depth: additions on a sum's longest path, from the number of terms.
        power: the error of its powers in units of u, if that is known.
    """

    depth: Callable[[int], int]
    power: float | None

    def additions(self, terms: Array | int, places: int) -> Array:
        """h: terms that are exactly 0 cost nothing."""
        return np.minimum(np.maximum(terms, 1) - 1, self.depth(max(places, 1)))

    def raising(self, logs: Array) -> Array:
        """Libraries' powers lose far less than the exponential of a rounded logarithm."""
        return Arithmetic.raising(self, logs) if self.power is None else np.asarray(self.power * self.unit)


def own(form: Format, way: Way, library: float | None = None) -> Own:
    """A dtype's arithmetic with the sums of an implementation; with its m too, if that is given."""
    base = running.of_format(form, recursive=False)
    powers = None if library is None else power(form.name)
    base = replace(base, library=base.library if library is None else library)
    return Own(**{field.name: getattr(base, field.name) for field in fields(base)}, depth=way.depth, power=powers)


@cache
def library(dtype: str) -> float:
    """The largest error of NumPy's exp, log and log1p on this machine, in units of u; seen on a million points."""
    form, wide = FORMATS[dtype], WIDER[dtype]
    bits = np.random.Generator(np.random.Philox(1))
    spread = np.concatenate([bits.uniform(0, 1, POINTS), 10.0 ** bits.uniform(-12, 0, POINTS)])
    worst = 0.0
    for function, points in ((np.exp, -16 * spread), (np.log, spread), (np.log1p, spread), (np.log1p, -spread)):
        rounded = points.astype(form.dtype)
        with np.errstate(all="ignore"):
            exact = function(rounded.astype(wide))
            lost = np.abs(function(rounded).astype(wide) - exact) / np.abs(exact)
        normal = np.isfinite(lost) & (np.abs(exact) >= form.smallest_normal)
        worst = max(worst, float(np.max(lost[normal])) / form.unit_roundoff)
    return worst


@cache
def power(dtype: str) -> float:
    """The largest error of NumPy's powers of probabilities on this machine, likewise."""
    form, wide = FORMATS[dtype], WIDER[dtype]
    bits = np.random.Generator(np.random.Philox(2))
    base = np.concatenate([bits.uniform(0, 1, POINTS), 10.0 ** bits.uniform(-12, 0, POINTS)]).astype(form.dtype)
    worst = 0.0
    for exponent in EXPONENTS:
        with np.errstate(all="ignore"):
            exact = np.power(base.astype(wide), wide(exponent))
            lost = np.abs(np.power(base, form.dtype.type(exponent)).astype(wide) - exact) / exact
        normal = np.isfinite(lost) & (exact >= form.smallest_normal)
        worst = max(worst, float(np.max(lost[normal])) / form.unit_roundoff)
    return worst


class _Summing(np.ndarray[Any, Any]):
    """An array that NumPy's functions add up in the class's way."""

    way: ClassVar[Way]

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.sum:
            return self._added(*args, **kwargs)
        if func is np.mean:
            total = self._added(*args, **kwargs)
            return total / self.dtype.type(args[0].size // max(total.size, 1))
        if func is np.clip:  # which makes float32 of bfloat16
            return np.minimum(np.maximum(args[0], args[1]), args[2])
        return self._alike(super().__array_function__(func, types, args, kwargs))

    def _added(self, terms: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        axes = tuple(range(terms.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        kept = terms.ndim - len(axes)
        moved = np.moveaxis(terms.view(np.ndarray), axes, range(kept, terms.ndim))
        flat = np.ascontiguousarray(moved).reshape(*moved.shape[:kept], -1)
        total = type(self).way.total(flat) if flat.shape[-1] else np.zeros(flat.shape[:-1], terms.dtype)
        return self._alike(np.expand_dims(total, axes) if keepdims else total)

    def _alike(self, result: Any) -> Any:
        return np.asarray(result).view(type(self)) if isinstance(result, np.ndarray | np.generic) else result


_KINDS: Mapping[Way, type[_Summing]] = {
    way: type(f"Summing_{way.name}", (_Summing,), {"way": way}) for way in (RECURSIVE, PAIRWISE, NUMPY, SINGLE)
}
ROWS = {row.operation: row for row in IMPLEMENTATIONS if row.path == f"numpy.{row.operation}"}
"""The NumPy adapter's row of each operation."""


def others(case: Case, output: str) -> list[Array]:
    """Other textbook forms of an output that the bounds allow; for calls without weights, upstream and reduction."""
    if (case.operation, output) == ("weighted_sigmoid_cross_entropy", gradient("labels")):
        x = case.inputs["logits"]
        q = x.dtype.type(case.parameters.get("pos_weight", 1))
        scale = x.dtype.type(1 - float(case.parameters.get("label_smoothing", 0)))
        with np.errstate(all="ignore"):
            return [scale * (reference.log_sigmoid(-x) - q * reference.log_sigmoid(x))]
    return []


def outputs(case: Case, way: Way, wanted: Sequence[str] = ()) -> dict[str, Array]:
    """The reference's outputs of a case: those that are wanted, or value and all gradients."""
    row, operation = ROWS[case.operation], OPERATIONS[case.operation]
    inputs = {name: array.view(_KINDS[way]) for name, array in case.inputs.items()}
    wanted = wanted or [VALUE, *(gradient(name) for name in row.gradients if name in inputs)]
    with np.errstate(all="ignore"):
        found = row.run(inputs, operation.complete(case.parameters), wanted)
    return {name: np.asarray(found[name]).view(np.ndarray) for name in wanted}
