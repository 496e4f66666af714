"""The textbook-stable NumPy forms in four dtypes, on drawn inputs, held against the bounds themselves.

NumPy has no bfloat16 of its own: there every step is evaluated in float32 and rounded, as frameworks do.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.adapters.numpy import IMPLEMENTATIONS
from harness.model.case import Array, Case, Domain, Expectation, Scalar, Source
from harness.operations import OPERATIONS
from harness.oracle.formats import FORMATS, Format
from harness.oracle.truth import Bounds, Enclosure, evaluate

ACCURATE_ULPS = 4.0
NEAR_SUBNORMAL = 8.0
UNDERFLOW = 4.0

TEXTBOOK = {i.operation: i for i in IMPLEMENTATIONS if i.path == f"numpy.{i.operation}"}
SCALES = tuple(10.0**k for k in range(-1, 5))
EDGES = (0.0, -0.0, 0.5, 1.0, -1.0, 10.0, -10.0, 16.0, -17.5, 88.0, -88.75, 104.0, 710.0, -745.0)


class Stepwise(np.ndarray[Any, Any]):
    """An array whose sums and means are evaluated in float32 and rounded once, as bfloat16's other functions are."""

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if func not in (np.sum, np.mean):
            return super().__array_function__(func, types, args, kwargs)
        wide = [a.view(np.ndarray).astype(np.float32) if isinstance(a, Stepwise) else a for a in args]
        return np.asarray(func(*wide, **kwargs)).astype(self.dtype).view(Stepwise)


@dataclass(frozen=True)
class Kind:
    """A kind of call: what of an operation is run.

    Attributes:
        classes: length of the class axis; None for elementwise operations.
        recipes: names of how the leading input is drawn.
        labels: `hard` or `soft`.
        extras: optional inputs that are given.
        losses: losses in a call that reduces them, 0 for as many as a block has.
    """

    operation: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    classes: int | None = None
    recipes: tuple[str, ...] = ("bits", "normal", "margins", "ties")
    labels: str = "hard"
    extras: tuple[str, ...] = ()
    losses: int = 0

    @property
    def reduced(self) -> bool:
        """Whether a call has one loss."""
        return self.parameters.get("reduction", "none") != "none"

    def __str__(self) -> str:
        parts = [f"{n}={v}" for n, v in self.parameters.items()]
        parts += [f"{self.classes} classes"] if self.classes else []
        parts += [f"{self.losses} losses"] if self.losses else []
        return ", ".join((self.operation, *parts, *([self.labels] if "cross" in self.operation else []), *self.extras))


@dataclass
class Tally:
    """How outputs lie with respect to their bounds.

    Attributes:
        elements: all.
        by_ulps, by_underflow: outside B, within 4 ulp, or what the underflow rule allows.
        without: elements for which there is no finite bound, since an intermediate leaves the range.
        alarms: outside all of these, or of another class than the truth.
        worst: the largest error in units of B, and in units of B with pairwise sums.
        first: the first alarm, told.
    """

    elements: int = 0
    by_ulps: int = 0
    by_underflow: int = 0
    without: int = 0
    alarms: int = 0
    worst: float = 0.0
    pairwise: float = 0.0
    first: str = ""

    def add(self, other: Tally) -> None:
        """Count another's elements too."""
        for name in ("elements", "by_ulps", "by_underflow", "without", "alarms"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.worst, self.pairwise = max(self.worst, other.worst), max(self.pairwise, other.pairwise)
        self.first = self.first or other.first


def draw(key: str) -> np.random.Generator:
    """Raw bits that are the same everywhere."""
    return np.random.Generator(np.random.Philox(zlib.crc32(key.encode())))


def numbers(bits: np.random.Generator, recipe: str, form: Format, shape: tuple[int, ...]) -> Array:
    """Logits in float64, before they are rounded to the dtype."""
    if recipe == "bits":
        patterns = bits.integers(0, 1 << form.bits.itemsize * 8, shape, dtype=form.bits, endpoint=False)
        found = patterns.view(form.dtype).astype(np.float64)
        return np.where(np.isfinite(found), found, 1.0)
    scale = bits.choice(SCALES, (*shape[:-1], 1) if len(shape) > 1 else shape)
    found = bits.standard_normal(shape) * scale
    if recipe == "margins":
        # A logit that leads by a margin, however the others lie.
        margin = 10.0 ** bits.uniform(-3.0, 2.5, found.shape[:-1]) * bits.choice([1.0, -1.0], found.shape[:-1])
        if len(shape) == 1:
            return bits.choice(EDGES, shape) + 10.0 ** bits.uniform(-6.0, 0.0, shape) * bits.choice([1.0, -1.0], shape)
        found = found / np.maximum(scale, 1.0)
        found[..., 0] = found[..., 1:].max(axis=-1) + margin
    elif recipe == "ties":
        found = bits.choice(EDGES, shape) if len(shape) == 1 else np.round(found / scale) * np.minimum(scale, 100.0)
    return found


def shares(bits: np.random.Generator, recipe: str, form: Format, shape: tuple[int, ...], *, rows: bool) -> Array:
    """Probabilities in float64, before they are rounded to the dtype."""
    if recipe == "bits":
        found = np.abs(numbers(bits, "bits", form, shape))
        found = np.where(found > 1.0, 1.0 / found, found)
    elif recipe == "margins":
        small = 10.0 ** bits.uniform(np.log10(form.unit_roundoff), 0.0, shape)
        found = np.where(bits.random(shape) < 0.5, small, 1.0 - small)
    elif recipe == "ties":
        found = bits.choice([0.0, 1.0, 0.5, 0.25, form.unit_roundoff, 1.0 - form.unit_roundoff], shape)
    else:
        found = bits.random(shape)
    if rows and recipe != "bits":
        with np.errstate(invalid="ignore"):
            found = found / np.sum(found, axis=-1, keepdims=True)
        found = np.nan_to_num(found, nan=1.0)
    return found


def inputs(kind: Kind, form: Format, recipe: str, size: int, bits: np.random.Generator) -> dict[str, Array]:
    """Inputs of a call with about so many elements."""
    operation, by_class = OPERATIONS[kind.operation], kind.classes is not None
    losses = kind.losses or max(1, size // (kind.classes or 1))
    by_rows = str(kind.parameters.get("reduction", "")).startswith("row_mean")
    shape = (losses, kind.classes) if kind.classes else (max(1, size // losses), losses) if by_rows else (losses,)
    if operation.leading == "probabilities":
        found = {"probabilities": shares(bits, recipe, form, shape, rows=by_class)}
    else:
        found = {"logits": numbers(bits, recipe, form, shape)}
    kinds = {i.name: i.kind for i in operation.inputs}
    if kinds.get("labels") == "index":
        found["labels"] = bits.integers(0, kind.classes or 1, losses)
    elif "labels" in kinds:
        found["labels"] = labels(bits, kind, shape)
    if "weights" in kind.extras:
        weighted = shape[:-1] if by_class or by_rows else shape
        found["weights"] = bits.choice([0.0, 1.0, 0.3, 2.25, 3.0], weighted) * bits.uniform(0.5, 1.0, weighted)
    made = {n: a if a.dtype.kind == "i" else a.astype(form.dtype) for n, a in found.items()}
    if "upstream" in kind.extras and operation.shape is not None:
        value = operation.shape(made, operation.complete(kind.parameters))
        made["upstream"] = np.asarray(bits.standard_normal(value)).astype(form.dtype)
    return made


def labels(bits: np.random.Generator, kind: Kind, shape: tuple[int, ...]) -> Array:
    """Labels of elements, or unit rows; soft ones have both ends and both halves among them."""
    if kind.labels == "hard":
        if kind.classes is None:
            return bits.integers(0, 2, shape).astype(np.float64)
        return (bits.integers(0, kind.classes, shape[:-1])[..., np.newaxis] == np.arange(kind.classes)).astype(float)
    soft = bits.random(shape)
    if kind.classes is None:
        return np.where(bits.random(shape) < 0.2, bits.choice([0.5, 0.25, 0.0, 1.0, 2.0**-20], shape), soft)
    soft = np.where(bits.random(shape) < 0.3, 0.0, soft)
    return soft / np.maximum(np.sum(soft, axis=-1, keepdims=True), 2.0**-20)


def run(case: Case, wanted: Sequence[str]) -> dict[str, Array]:
    """The textbook form's outputs."""
    complete = OPERATIONS[case.operation].complete(case.parameters)
    given = dict(case.inputs)
    if case.dtype == "bfloat16":
        given = {n: a if a.dtype.kind == "i" else a.view(Stepwise) for n, a in given.items()}
    with np.errstate(all="ignore"):
        found = TEXTBOOK[case.operation].run(given, complete, wanted)
    return {name: np.asarray(found[name]).view(np.ndarray) for name in wanted}


def tally(observed: Array, truth: Enclosure, bounds: Bounds, form: Format) -> Tally:
    """Hold an output against its bounds."""
    with np.errstate(all="ignore"):
        wide, high = observed.astype(np.float64), truth.high
        passing = np.broadcast_to(bounds.passing, high.shape)
        within = np.abs(high) < form.overflow
        compared = within & np.isfinite(wide)
        error = np.where(compared, np.abs((wide - high) - truth.low), 0.0)
        alike = (wide == high) | (np.isnan(wide) & np.isnan(high)) | (np.isinf(wide) & ~within & (wide * high > 0))
        # A truth next to the largest number may be rounded past it.
        reaches = np.isinf(wide) & (np.abs(high) + passing >= form.overflow) & (wide * high > 0)
        without = np.isinf(passing) & ~np.isnan(high)
        inside = np.where(compared, error <= passing + truth.radius, alike | reaches) | without
        ulps = compared & (error <= ACCURATE_ULPS * form.ulp(high) + truth.radius)
        near = NEAR_SUBNORMAL * form.smallest_normal
        flushed = compared & (np.abs(high) < near) & (np.abs(wide) < near)
        flushed &= error <= passing + UNDERFLOW * form.smallest_normal
        alarm = ~(inside | ulps | flushed)
        parts = [
            np.where(compared & (b > 0) & np.isfinite(b), np.maximum(error - truth.radius, 0) / b, 0.0)
            for b in (passing, np.broadcast_to(bounds.pairwise, high.shape))
        ]
    return Tally(
        high.size,
        int(np.sum(~inside & ulps)),
        int(np.sum(~inside & ~ulps & flushed)),
        int(np.sum(without)),
        int(np.sum(alarm)),
        float(np.max(parts[0], initial=0.0)),
        float(np.max(parts[1], initial=0.0)),
        _told(alarm if alarm.any() else ~inside, wide, truth, passing),
    )


def _told(which: Array, wide: Array, truth: Enclosure, passing: Array) -> str:
    if not which.any():
        return ""
    at = tuple(np.argwhere(which)[0].tolist())
    return f"at {at}: {wide[at]!r} for {truth.high[at]!r}, off by {wide[at] - truth.high[at]:.3g}, B {passing[at]:.3g}"


def judged(case: Case) -> dict[str, Tally]:
    """All outputs of a call."""
    truth = evaluate(case)
    observed = run(case, tuple(truth.outputs))
    form = FORMATS[case.dtype]
    return {n: tally(observed[n], truth.outputs[n], truth.bounds[n], form) for n in truth.outputs}


def calls(kind: Kind, dtype: str, elements: int, size: int) -> Iterator[Case]:
    """Calls of a kind with about so many elements of the leading input, in blocks of the given size."""
    form, operation = FORMATS[dtype], OPERATIONS[kind.operation]
    n = 0
    while elements > 0:
        recipe = kind.recipes[n % len(kind.recipes)]
        key = f"{kind}/{dtype}/{recipe}/{n}"
        given = inputs(kind, form, recipe, min(size, elements), draw(key))
        n, elements = n + 1, elements - given[operation.leading].size
        if operation.locate(given, kind.parameters).domain is not Domain.UNDEFINED:
            yield Case(key, kind.operation, given, kind.parameters, dtype, Expectation(), Source("bounds", n))
