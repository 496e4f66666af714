"""An independent truth: every operation by its textbook definition, in mpmath, to a proven number of digits.

It shares nothing with the harness's oracle but the defaults of parameters. Formulas are the definitions
(log(sigma), 1 - sigma, S p - z), not forms without cancellation: a `Real` is an expression that can be enclosed
in an interval at any precision, and the precision is doubled until cancellation has left enough digits. Three
things make that complete:

* what is rational stays rational: labels, weights, clipped and normalised probabilities, exp(0), log(1) and
  all slopes of the losses from probabilities are exact fractions, so exact zeros are exact;
* infinities and NaN are decided when an expression is built, where 0 times anything but NaN is 0;
* logits further than DIRECT from one another (or from 0) would take millions of bits: they alone have other
  forms, 1 / (1 + e^x) for 1 - sigma and log1p(e^-x) for -log(sigma).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

import mpmath
import numpy as np
from mpmath import libmp

from harness.model.case import Array, Case, Parameters
from harness.operations import OPERATIONS

DIRECT = 1000
"""Logits this far apart still have the definition's own form: 1 - sigma takes 1443 bits there."""

START_SLACK = 24
"""Bits above the digits asked for, at the first try."""

LIMIT = 4096
"""What can't be told from 0 once this many bits were tried is 0: less than 2**-LIMIT times its terms."""

LARGE = 1 << 16
"""Exponentials of more than this are reduced by powers of two first."""

Enclosure = tuple[Any, Any]
"""Lower and upper end, as mpmath's raw numbers."""

Rule = Callable[[Sequence[Enclosure], int], Enclosure]


class UndecidedError(ArithmeticError):
    """The sign of an argument isn't known at this precision."""


class Real:
    """A real number, infinity or NaN: exact, or an expression that can be enclosed at any precision.

    Attributes:
        exact: a fraction; or a float for what isn't finite; None for an expression.
    """

    __slots__ = ("_bits", "_enclosure", "_parts", "_rule", "exact")

    def __init__(self, exact: Fraction | float | None, rule: Rule | None = None, parts: Sequence[Real] = ()) -> None:
        self.exact = exact
        self._rule = rule
        self._parts = parts
        self._bits = 0
        self._enclosure: Enclosure | None = None

    def enclosed(self, bits: int) -> Enclosure:
        """An interval that holds the number, every step of it taken with at least this precision."""
        if self._enclosure is None or self._bits < bits:
            self._enclosure, self._bits = self._enclosed(bits), bits
        return self._enclosure

    def _enclosed(self, bits: int) -> Enclosure:
        if isinstance(self.exact, Fraction):
            return _fraction(self.exact, bits)
        if self._rule is None:
            raise ArithmeticError(f"{self.exact} has no enclosure")
        return self._rule([part.enclosed(bits) for part in self._parts], bits)

    def settled(self, digits: int) -> Any:
        """The number as an mpf, with a relative error below 10**-digits."""
        wanted = math.ceil(digits * math.log2(10)) + 2
        if isinstance(self.exact, Fraction):
            return _mpf(libmp.from_rational(self.exact.numerator, self.exact.denominator, wanted, "n"))
        if self.exact is not None:
            return mpmath.mpf(self.exact)
        bits = wanted + START_SLACK
        while True:
            try:
                low, high = self.enclosed(bits)
            except UndecidedError:
                low, high = libmp.fninf, libmp.finf
            if low == high:
                return _mpf(low)
            if _same_sign(low, high) and _narrow(low, high, wanted):
                return _mpf(libmp.mpf_shift(libmp.mpf_add(low, high, wanted + 1, "n"), -1))
            if bits >= LIMIT:
                if low == libmp.fninf or _same_sign(low, high):
                    raise ArithmeticError(f"not known to {digits} digits at {bits} bits")
                return mpmath.mpf(0)
            bits *= 2

    @property
    def sign(self) -> float:
        """-1, 0 or 1; NaN of NaN."""
        if self.exact is not None and math.isnan(self.exact):
            return math.nan
        known = self.exact if self.exact is not None else self.settled(2)
        return float((known > 0) - (known < 0))

    @property
    def nan(self) -> bool:
        """Whether it is NaN."""
        return isinstance(self.exact, float) and math.isnan(self.exact)

    @property
    def finite(self) -> bool:
        """Whether it is neither an infinity nor NaN."""
        return not isinstance(self.exact, float)

    @property
    def zero(self) -> bool:
        """Whether it is exactly 0."""
        return self.exact == 0

    def __add__(self, other: Real) -> Real:
        return total((self, other))

    def __sub__(self, other: Real) -> Real:
        return ZERO if self is other and self.finite else total((self, -other))

    def __neg__(self) -> Real:
        return Real(-self.exact) if self.exact is not None else Real(None, _negative, (self,))

    def __mul__(self, other: Real) -> Real:
        if self.nan or other.nan:
            return NAN
        if self.zero or other.zero:
            return ZERO
        if not (self.finite and other.finite):
            return Real(math.inf * self.sign * other.sign)
        if isinstance(self.exact, Fraction) and isinstance(other.exact, Fraction):
            return Real(self.exact * other.exact)
        if self.exact == 1:
            return other
        return self if other.exact == 1 else Real(None, _product, (self, other))

    def __truediv__(self, other: Real) -> Real:
        if self.nan or other.nan or (self.zero and other.zero) or not (self.finite or other.finite):
            return NAN
        if self.zero or not other.finite:
            return ZERO
        if other.zero:
            return Real(math.inf * self.sign)
        if isinstance(self.exact, Fraction) and isinstance(other.exact, Fraction):
            return Real(self.exact / other.exact)
        if not self.finite:
            return Real(math.inf * self.sign * other.sign)
        return self if other.exact == 1 else Real(None, _quotient, (self, other))


def _mpf(raw: Any) -> Any:
    return mpmath.mp.make_mpf(raw)


def _fraction(x: Fraction, bits: int) -> Enclosure:
    n, d = x.numerator, x.denominator
    return libmp.from_rational(n, d, bits, "f"), libmp.from_rational(n, d, bits, "c")


def _same_sign(low: Any, high: Any) -> bool:
    return bool(libmp.mpf_sign(low) * libmp.mpf_sign(high) > 0)


def _narrow(low: Any, high: Any, bits: int) -> bool:
    """Whether the width is below 2**-bits of either end."""
    least = min(libmp.mpf_abs(low), libmp.mpf_abs(high), key=_mpf)
    return bool(libmp.mpf_lt(libmp.mpf_sub(high, low, 30, "u"), libmp.mpf_shift(least, -bits)))


def _negative(parts: Sequence[Enclosure], _bits: int) -> Enclosure:
    ((low, high),) = parts
    return libmp.mpf_neg(high), libmp.mpf_neg(low)


def _sum(parts: Sequence[Enclosure], bits: int) -> Enclosure:
    low, high = parts[0]
    for a, b in parts[1:]:
        low, high = libmp.mpf_add(low, a, bits, "f"), libmp.mpf_add(high, b, bits, "c")
    return low, high


def _product(parts: Sequence[Enclosure], bits: int) -> Enclosure:
    return libmp.mpi_mul(parts[0], parts[1], bits)


def _quotient(parts: Sequence[Enclosure], bits: int) -> Enclosure:
    if not _same_sign(*parts[1]):
        raise UndecidedError
    return libmp.mpi_div(parts[0], parts[1], bits)


@cache
def _about_1(bits: int) -> Enclosure:
    ulp = libmp.mpf_shift(libmp.fone, -bits)
    return libmp.mpf_sub(libmp.fone, ulp), libmp.mpf_add(libmp.fone, ulp)


def _widened(enclosure: Enclosure, bits: int) -> Enclosure:
    """Mpmath's exp and log are near enough, but not proven to round the way that was asked for."""
    return libmp.mpi_mul(enclosure, _about_1(bits), bits)


def _exp(x: Fraction, _parts: Sequence[Enclosure], bits: int) -> Enclosure:
    """e^x = 2^k e^(x - k log 2): mpmath's own way to powers of large integers takes milliseconds."""
    work = bits + int(abs(x)).bit_length() + 8
    given = _fraction(x, work)
    if abs(x) < LARGE:
        return _widened(libmp.mpi_exp(given, work), bits)
    k = libmp.to_int(libmp.mpf_div(given[0], libmp.mpf_ln2(work), work))
    log_2 = libmp.mpf_ln2(work, "f"), libmp.mpf_ln2(work, "c")
    rest = libmp.mpi_sub(given, libmp.mpi_mul(_fraction(Fraction(k), work), _widened(log_2, work), work), work)
    low, high = _widened(libmp.mpi_exp(rest, bits + 8), bits)
    return libmp.mpf_shift(low, k), libmp.mpf_shift(high, k)


def _log(parts: Sequence[Enclosure], bits: int) -> Enclosure:
    """Of ends with no more digits than are asked for: mpmath's log of 1/4 + 2**-280 to 160 bits is 2**-278."""
    ((low, high),) = parts
    if libmp.mpf_sign(low) <= 0:
        raise UndecidedError
    ends = libmp.mpf_pos(low, bits, "f"), libmp.mpf_pos(high, bits, "c")
    return _widened(libmp.mpi_log(ends, 2 * bits), bits)


def _power(parts: Sequence[Enclosure], bits: int) -> Enclosure:
    """e^(b log a): the exponent's absolute error is the power's relative one."""
    work = bits + 64
    return _widened(libmp.mpi_exp(libmp.mpi_mul(_log(parts[:1], work), parts[1], work), work), bits)


def _log1p(parts: Sequence[Enclosure], bits: int) -> Enclosure:
    """log(1 + u) for u > 0, relative to itself: between u (1 - u) and u if u is too small to be added to 1."""
    (u,) = parts
    if libmp.mpf_lt(u[1], libmp.mpf_shift(libmp.fone, -bits)):
        return _widened(u, bits)
    one = (libmp.fone, libmp.fone)
    return _widened(libmp.mpi_log(libmp.mpi_add(one, u, 2 * bits + 8), bits + 8), bits)


ZERO, ONE, NAN = Real(Fraction(0)), Real(Fraction(1)), Real(math.nan)
MINUS_INFINITY, INFINITY = Real(-math.inf), Real(math.inf)


def real(number: float) -> Real:
    """A number of the inputs or parameters, exactly as it is stored."""
    return Real(Fraction(number) if math.isfinite(number) else number)


def total(terms: Iterable[Real]) -> Real:
    """The sum, of its fractions first and exactly: what cancels among them is gone; inf - inf is NaN."""
    fractions, expressions, special = Fraction(0), [], 0.0
    for term in terms:
        if isinstance(term.exact, Fraction):
            fractions += term.exact
        elif term.exact is None:
            expressions.append(term)
        else:
            special += term.exact
    if special != 0:
        return Real(special)
    if fractions or not expressions:
        expressions.append(Real(fractions))
    return expressions[0] if len(expressions) == 1 else Real(None, _sum, expressions)


def exp(x: Real) -> Real:
    """e^x of an exact x; 0 and inf by limit."""
    if x.zero:
        return ONE
    if isinstance(x.exact, float):
        return ZERO if x.exact == -math.inf else x
    if x.exact is None:
        raise TypeError("the exponential is taken of inputs only, which are exact")
    return Real(None, partial(_exp, x.exact))


def log(x: Real) -> Real:
    """log(x); -inf by limit at 0, NaN below. One and the same object for the same fraction, so log(2) - log(2) is 0."""
    if isinstance(x.exact, Fraction):
        return _log_of_fraction(x.exact)
    return Real(None, _log, (x,)) if x.finite else (NAN if x.exact == -math.inf else x)


@lru_cache(maxsize=1 << 14)
def _log_of_fraction(x: Fraction) -> Real:
    if x <= 0:
        return NAN if x else MINUS_INFINITY
    return ZERO if x == 1 else Real(None, _log, (Real(x),))


def log1p(u: Real) -> Real:
    """log(1 + u) for u >= 0."""
    return u if u.zero or not u.finite else Real(None, _log1p, (u,))


def power(base: Real, exponent: Real) -> Real:
    """base**exponent, of a base that isn't below 0."""
    if base.nan or exponent.zero:
        return NAN if base.nan else ONE
    if base.zero:
        return ZERO if exponent.sign > 0 else INFINITY
    if exponent.exact in (1, 2, -1):
        return base if exponent.exact == 1 else base * base if exponent.exact == 2 else ONE / base
    return Real(None, _power, (base, exponent))


# Arrays of reals.


def each(function: Callable[..., Any], *arrays: Array) -> Array:
    """`function` at each place of arrays that are broadcast to one shape."""
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    found = np.empty(shape, dtype=object)
    items = zip(*(np.broadcast_to(a, shape).flat for a in arrays), strict=True)
    for i, arguments in enumerate(items):
        found.flat[i] = function(*arguments)
    return found


def exactly(numbers: Array) -> Array:
    """The reals that an array of a floating dtype holds (float64 holds those of every format here)."""
    return each(lambda x: real(float(x)), numbers.astype(np.float64))


def filled(shape: tuple[int, ...], number: Real) -> Array:
    """An array of one real."""
    return np.full(shape, number, dtype=object)


def times(*arrays: Array) -> Array:
    """The product."""
    return each(lambda *factors: math.prod(factors[1:], start=factors[0]), *arrays)


def by_row(function: Callable[..., Sequence[Real]], *arrays: Array) -> Array:
    """`function` of each row (lists along the last axis) of arrays of one shape."""
    found = np.empty(arrays[0].shape, dtype=object)
    for place in np.ndindex(found.shape[:-1]):
        found[place] = function(*(a[place].tolist() for a in arrays))
    return found


def row_totals(rows: Array) -> Array:
    """Sums along the last axis."""
    found = np.empty(rows.shape[:-1], dtype=object)
    for place in np.ndindex(found.shape):
        found[place] = total(rows[place])
    return found


# Operations.


@dataclass(frozen=True)
class Losses:
    """Losses before weights and reduction.

    Attributes:
        values: one loss an element or a row.
        slopes: by input, the derivative of the loss to which each of its elements belongs; the class axis is last.
        by_class: the derivative of each loss with respect to each class weight.
        logits: the derivative of each loss with respect to each of its logits, where these are made in the call.
    """

    values: Array
    slopes: Mapping[str, Array]
    by_class: Array | None = None
    logits: Array | None = None


@dataclass(frozen=True)
class Call:
    """A call's exact arguments; class axes of `reals` are where the case has them."""

    operation: str
    reals: Mapping[str, Array]
    parameters: Parameters
    indices: Array | None = None
    axis: int | None = None
    samples: Array | None = None

    @classmethod
    def of(cls, case: Case) -> Call:
        """The arguments of a case, with the operation's defaults."""
        kinds = {i.name: i.kind for i in OPERATIONS[case.operation].inputs}
        reals = {n: exactly(a) for n, a in case.inputs.items() if kinds[n] == "real"}
        parameters = OPERATIONS[case.operation].complete(case.parameters)
        axis = int(parameters["axis"]) if "axis" in parameters else None
        return cls(case.operation, reals, parameters, case.inputs.get("labels"), axis, case.inputs.get("samples"))

    @property
    def leading(self) -> Array:
        """The first input, its class axis last if it has one."""
        return self.last(OPERATIONS[self.operation].leading)

    @property
    def sparse(self) -> bool:
        """Whether labels are indices."""
        return self.operation.startswith("sparse") or self.operation in ("nll_loss", "linear_cross_entropy")

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.reals.get("kernel", self.leading.T).shape[0])

    def last(self, name: str) -> Array:
        """An input with the class axis last."""
        return self.reals[name] if self.axis is None else np.moveaxis(self.reals[name], self.axis, -1)

    def number(self, name: str, default: float = 0.0) -> Real:
        """A parameter, as the double that is written."""
        return real(float(self.parameters.get(name, default)))

    def labels(self) -> Array:
        """w (z (1 - e) + e / K): labels after smoothing, times class weights, dense."""
        return times(self.smoothed(), self.class_weights)

    def smoothed(self) -> Array:
        """z (1 - e) + e / K."""
        z = self.dense_indices() if self.sparse else self.last("labels")
        e = self.number("label_smoothing")
        if e.zero:
            return z
        classes = real(2 if self.axis is None else z.shape[-1])
        return each(lambda label: label * (ONE - e) + e / classes, z)

    @property
    def class_weights(self) -> Array:
        """One for each class, on the last axis; ones if there are none."""
        return self.reals.get("class_weights", filled((), ONE))

    def dense_indices(self) -> Array:
        """1 at each label, 0 elsewhere."""
        if self.indices is None:
            raise ValueError(f"{self.operation} needs labels")
        hot = self.indices[..., np.newaxis] == np.arange(self.classes)
        return each(lambda is_label: ONE if is_label else ZERO, hot)

    def kept(self, shape: tuple[int, ...]) -> Array:
        """Which losses aren't ignored."""
        ignored = self.parameters.get("ignore_index", "none")
        if ignored == "none" or self.indices is None:
            return np.ones(shape, dtype=bool)
        return np.asarray(self.indices != ignored)

    def through_smoothing(self, slopes: Array) -> Array:
        """d/dz of what depends on w (z (1 - e) + e / K)."""
        keep = ONE - self.number("label_smoothing")
        return each(lambda slope, w: keep * w * slope, slopes, self.class_weights)


@dataclass(frozen=True)
class Sigmoid:
    """sigma(x), 1 - sigma(x) and their logarithms."""

    p: Real
    rest: Real
    log_p: Real
    log_rest: Real

    @classmethod
    def of(cls, x: Real) -> Sigmoid:
        """By the definition, p = 1 / (1 + e^-x), up to DIRECT; beyond it by 1 - p = 1 / (1 + e^x) and log1p."""
        p = ONE / (ONE + exp(-x))
        if isinstance(x.exact, Fraction) and abs(x.exact) <= DIRECT:
            rest = ONE - p
            return cls(p, rest, log(p), log(rest))
        return cls(p, ONE / (ONE + exp(x)), -log1p(exp(-x)), -log1p(exp(x)))


@dataclass(frozen=True)
class Softmax:
    """A row: d = x - max x, e = e^d, p = e / sum e. Infinite logits by limit.

    Attributes:
        wide: finite logits are further apart than DIRECT.
    """

    d: Sequence[Real]
    e: Sequence[Real] = field(default_factory=list)
    wide: bool = False

    @classmethod
    def of(cls, x: Sequence[Real]) -> Softmax:
        """NaN if there is one, if all are -inf, or if several are +inf."""
        exact = [i.exact for i in x if i.exact is not None]
        top = math.nan if any(i.nan for i in x) else max(exact)
        if exact.count(math.inf) > 1 or (isinstance(top, float) and top != math.inf):
            return cls([NAN] * len(x), [NAN] * len(x))
        d = [ZERO if i.exact == top else MINUS_INFINITY if top == math.inf else i - Real(top) for i in x]
        wide = any(isinstance(i.exact, Fraction) and i.exact < -DIRECT for i in d)
        return cls(d, [exp(i) for i in d], wide)

    @property
    def p(self) -> list[Real]:
        """The probabilities."""
        whole = total(self.e)
        return [e / whole for e in self.e]

    @property
    def rest(self) -> list[Real]:
        """1 - p; of wide rows the others' share."""
        if not self.wide:
            return [ONE - p for p in self.p]
        whole = total(self.e)
        return [total(e for j, e in enumerate(self.e) if j != i) / whole for i in range(len(self.e))]

    @property
    def log_p(self) -> list[Real]:
        """log(p); wide rows d - log1p(sum of e without one of the largest)."""
        if not self.wide:
            return [log(p) for p in self.p]
        top = next(i for i, d in enumerate(self.d) if d.zero)
        tail = log1p(total(e for i, e in enumerate(self.e) if i != top))
        return [d - tail for d in self.d]

    def loss_slopes(self, z: Sequence[Real]) -> list[Real]:
        """d/dx of -sum z log(p): S p - z with S = sum z. Wide rows: sum_j (z_j e_i - z_i e_j) / sum e."""
        if not self.wide:
            mass = total(z)
            return [mass * p - label for p, label in zip(self.p, z, strict=True)]
        whole = total(self.e)
        pairs = list(zip(z, self.e, strict=True))
        return [
            total(other * e - label * other_e for j, (other, other_e) in enumerate(pairs) if j != i) / whole
            for i, (label, e) in enumerate(pairs)
        ]

    def slopes(self, u: Sequence[Real]) -> list[Real]:
        """d/dx of sum u p: p_i (u_i - sum_j u_j p_j), of u less its first, since p sums to 1. Wide rows in pairs."""
        v = [i - u[0] for i in u]
        if not self.wide:
            mean = total(i * p for i, p in zip(v, self.p, strict=True))
            return [p * (i - mean) for i, p in zip(v, self.p, strict=True)]
        pairs = list(zip(v, self.p, strict=True))
        return [p * total((i - j) * other for j, other in pairs) for i, p in pairs]


def _sigmoid_losses(call: Call) -> Losses:
    """-q z log(s) - (1 - z) log(1 - s); by s' = s (1 - s) its slope is -q z (1 - s) + (1 - z) s."""
    q = call.number("pos_weight", 1.0)
    s, z = each(Sigmoid.of, call.reals["logits"]), call.labels()
    return Losses(
        each(lambda s, z: -(q * z * s.log_p) - (ONE - z) * s.log_rest, s, z),
        {
            "logits": each(lambda s, z: (ONE - z) * s.p - q * z * s.rest, s, z),
            "labels": call.through_smoothing(each(lambda s: s.log_rest - q * s.log_p, s)),
        },
    )


def _softmax_losses(call: Call) -> Losses:
    """-sum z log(p)."""
    z, x = call.labels(), call.last("logits")
    values, slopes = np.empty(z.shape[:-1], dtype=object), np.empty(z.shape, dtype=object)
    label_slopes = np.empty(z.shape, dtype=object)
    for place in np.ndindex(values.shape):
        row, labels = Softmax.of(x[place].tolist()), z[place].tolist()
        log_p = row.log_p
        values[place] = _cross_entropy(labels, log_p)
        slopes[place] = row.loss_slopes(labels)
        label_slopes[place] = [-i for i in log_p]
    return _class_losses(call, values, {"logits": slopes}, label_slopes)


def _cross_entropy(z: Sequence[Real], logs: Sequence[Real]) -> Real:
    return -total(label * log_p for label, log_p in zip(z, logs, strict=True))


def _class_losses(call: Call, values: Array, slopes: Mapping[str, Array], label_slopes: Array) -> Losses:
    """With ignored losses 0, whatever they are."""
    labels = {} if call.sparse else {"labels": call.through_smoothing(label_slopes)}
    kept = call.kept(values.shape)

    def counted(slopes: Array) -> Array:
        return each(lambda keeps, slope: slope if keeps else ZERO, kept[..., np.newaxis], slopes)

    weighed = counted(times(call.smoothed(), label_slopes))
    return Losses(
        each(lambda keeps, value: value if keeps else ZERO, kept, values),
        {name: counted(found) for name, found in {**slopes, **labels}.items()},
        weighed,
    )


def _clip(p: Real, epsilon: Real) -> Real:
    """min(max(p, epsilon), 1 - epsilon)."""
    if not isinstance(p.exact, Fraction) or not isinstance(epsilon.exact, Fraction):
        return p
    return Real(min(max(p.exact, epsilon.exact), 1 - epsilon.exact))


def _clip_slope(p: Real, epsilon: Real) -> Real:
    """1 where clipping leaves p as it is, the ends included, else 0; NaN of NaN."""
    if p.nan:
        return NAN
    return ONE if (_clip(p, epsilon) - p).zero else ZERO


def _floored(argument: Real, floor: Real) -> tuple[Real, Real]:
    """max(log(argument), floor), and its derivative: 1 / argument where the floor isn't above the logarithm."""
    logarithm = log(argument)
    if logarithm.nan or not floor.finite or (logarithm - floor).sign >= 0:
        return logarithm, ONE / argument
    return floor, ZERO


def _binary_losses(call: Call) -> Losses:
    """-z log(p) - (1 - z) log(1 - p), each logarithm guarded; its slope is -z / p + (1 - z) / (1 - p)."""
    epsilon, floor = call.number("epsilon"), call.number("log_floor")
    use = call.parameters["epsilon_use"]
    added = ZERO if use == "clip" else epsilon

    def parts(p: Real, z: Real) -> tuple[Real, Real, Real]:
        clipped, free = (p, ONE) if use == "add" else (_clip(p, epsilon), _clip_slope(p, epsilon))
        argument, rest = clipped + added, ONE - clipped + added
        (log_p, of_p), (log_rest, of_rest) = _floored(argument, floor), _floored(rest, floor)
        value = -(z * log_p) - (ONE - z) * log_rest
        return value, free * ((ONE - z) * of_rest - z * of_p), log_rest - log_p

    found = each(parts, call.reals["probabilities"], call.labels())
    values, slopes, label_slopes = (each(lambda part, i=i: part[i], found) for i in range(3))
    return Losses(values, {"probabilities": slopes, "labels": call.through_smoothing(label_slopes)})


def _categorical_losses(call: Call) -> Losses:
    """-sum z log(q), q after normalising and clipping."""
    p, z = call.leading, call.labels()
    epsilon, normalize = call.number("epsilon"), str(call.parameters["normalize"])
    values, slopes = np.empty(z.shape[:-1], dtype=object), np.empty(z.shape, dtype=object)
    label_slopes = np.empty(z.shape, dtype=object)
    for place in np.ndindex(values.shape):
        q, slopes[place] = _guarded_row(p[place].tolist(), z[place].tolist(), epsilon, normalize)
        logs = [log(i) for i in q]
        values[place] = _cross_entropy(z[place].tolist(), logs)
        label_slopes[place] = [-i for i in logs]
    return _class_losses(call, values, {"probabilities": slopes}, label_slopes)


def _guarded_row(p: Sequence[Real], z: Sequence[Real], epsilon: Real, normalize: str) -> tuple[list[Real], list[Real]]:
    """q of a row, and d/dp of -sum z log(q).

    Dividing c by its sum T gives (sum_j z_j - z_i / q_i) / T: the Jacobian is (delta_ij - q_j) / T, and
    (z_j / q_j) q_j is z_j by limit where q_j is 0. A clip multiplies the slope of what it clips by 1 or 0.
    """
    whole = total(p)
    raw = [i / whole for i in p] if normalize == "before" else list(p)
    clipped = raw if epsilon.zero else [_clip(i, epsilon) for i in raw]
    free = [NAN if i.nan else ONE if epsilon.zero else _clip_slope(i, epsilon) for i in raw]
    if normalize == "before":
        held = [f * label for f, label in zip(free, z, strict=True)]
        return clipped, _shared_slopes(held, raw, whole)
    if normalize == "after":
        whole = total(clipped)
        q = [i / whole for i in clipped]
        return q, [f * slope for f, slope in zip(free, _shared_slopes(z, q, whole), strict=True)]
    return clipped, [-(f * label * (ONE / c)) for f, label, c in zip(free, z, clipped, strict=True)]


def _shared_slopes(z: Sequence[Real], q: Sequence[Real], whole: Real) -> list[Real]:
    """d/dc of -sum z log(c / sum c)."""
    mass = total(z)
    return [(mass - label * (ONE / share)) / whole for label, share in zip(z, q, strict=True)]


def _balance(call: Call, z: Real) -> tuple[Real, Real]:
    """w = z alpha + (1 - z) (1 - alpha), and its derivative; or 1."""
    alpha = call.number("alpha")
    if not call.parameters["class_balancing"]:
        return ONE, ZERO
    return z * alpha + (ONE - z) * (ONE - alpha), alpha + alpha - ONE


class Binary(NamedTuple):
    """A prediction p, 1 - p, their logarithms as they are guarded, and derivatives by the input."""

    p: Real
    rest: Real
    log_p: Real
    log_rest: Real
    dp: Real
    dlog_p: Real
    dlog_rest: Real


def _sigmoid_of(x: Real) -> Binary:
    s = Sigmoid.of(x)
    return Binary(s.p, s.rest, s.log_p, s.log_rest, s.p * s.rest, s.rest, -s.p)


def _probability(epsilon: Real, p: Real) -> Binary:
    free, argument = _clip_slope(p, epsilon), _clip(p, epsilon)
    rest = ONE - argument
    return Binary(p, ONE - p, log(argument), log(rest), ONE, free / argument, -(free / rest))


def _binary_focal_losses(call: Call) -> Losses:
    """W m^gamma l, m = 1 - (z p + (1 - z) (1 - p)), l = -z log(p) - (1 - z) log(1 - p), by the product rule."""
    gamma, leading = call.number("gamma"), OPERATIONS[call.operation].leading
    binary = _sigmoid_of if leading == "logits" else partial(_probability, call.number("epsilon"))

    def parts(x: Real, z: Real) -> tuple[Real, Real, Real]:
        of, (w, dw) = binary(x), _balance(call, z)
        m = z * of.rest + (ONE - z) * of.p
        entropy = -(z * of.log_p) - (ONE - z) * of.log_rest
        raised, steep = power(m, gamma), gamma * power(m, gamma - ONE)
        # An infinite loss has a slope that outweighs the power's.
        moving = entropy if entropy.finite or entropy.nan else ZERO
        slope = steep * ((ONE - z - z) * of.dp) * moving - raised * (z * of.dlog_p + (ONE - z) * of.dlog_rest)
        label_slope = steep * (of.rest - of.p) * entropy + raised * (of.log_rest - of.log_p)
        label_slope = dw * (raised * entropy) + w * label_slope
        if not (entropy.finite or entropy.nan):
            # The infinite logarithm times what the rest of the loss does: inf - inf has a sign.
            log_, k, dk = (of.log_rest, ONE - z, -ONE) if of.log_p.finite else (of.log_p, z, ONE)
            turning = w * (steep * (of.rest - of.p) * k + raised * dk)
            label_slope = (dw * (raised * k) + turning) * -log_
        return w * (raised * entropy), w * slope, label_slope

    found = each(parts, call.leading, call.labels())
    values, slopes, label_slopes = (each(lambda part, i=i: part[i], found) for i in range(3))
    return Losses(values, {leading: slopes, "labels": call.through_smoothing(label_slopes)})


def _row_focal_losses(call: Call) -> Losses:
    """Alpha sum -z (1 - q)^gamma log(q), q after normalising and clipping."""
    values, slopes = np.empty(call.leading.shape[:-1], dtype=object), np.empty(call.leading.shape, dtype=object)
    label_slopes, z = np.empty(slopes.shape, dtype=object), call.labels()
    for place in np.ndindex(values.shape):
        row = call.leading[place].tolist(), z[place].tolist()
        values[place], slopes[place], label_slopes[place] = _focal_row(call, *row)
    leading = OPERATIONS[call.operation].leading
    return Losses(values, {leading: slopes, "labels": call.through_smoothing(label_slopes)})


def _focal_row(call: Call, x: Sequence[Real], z: Sequence[Real]) -> tuple[Real, list[Real], list[Real]]:
    """With f = alpha z (1 - q)^gamma log q, its slopes g = df/dq, and those by p_j: (g_j - sum g q) / sum p."""
    gamma, alpha, epsilon = call.number("gamma"), call.number("alpha"), call.number("epsilon")
    soft = Softmax.of(x) if "logits" in call.reals else None
    whole = ONE if soft or call.parameters.get("normalize") == "none" else total(x)
    q = soft.p if soft else [i / whole for i in x]
    others = soft.rest if soft else [ONE - i for i in q]
    ends = [_end(i, epsilon) for i in q]
    free = [NAN if i.nan else ONE if end is None else ZERO for i, end in zip(q, ends, strict=True)]
    clipped = [i if end is None else end for i, end in zip(q, ends, strict=True)]
    rest = [i if end is None else ONE - end for i, end in zip(others, ends, strict=True)]
    logs = soft.log_p if soft else [log(i) for i in q]
    logs = [i if end is None else log(end) for i, end in zip(logs, ends, strict=True)]
    terms = [alpha * (power(r, gamma) * i) for r, i in zip(rest, logs, strict=True)]
    inner = [
        f * (label * (alpha * (gamma * power(r, gamma - ONE) * (c * i) - power(r, gamma))))
        for f, label, r, c, i in zip(free, z, rest, clipped, logs, strict=True)
    ]
    if soft:
        pairs = list(enumerate(zip(inner, q, strict=True)))
        slopes = [
            h * r - p * total(g for j, (g, _) in pairs if j != i) for r, (i, (h, p)) in zip(others, pairs, strict=True)
        ]
    else:
        outer = [h / i if not h.zero else ZERO for h, i in zip(inner, q, strict=True)]
        mean = ZERO if call.parameters["normalize"] == "none" else total(inner)
        slopes = [(g - mean) / whole for g in outer]
    return -total(label * i for label, i in zip(z, terms, strict=True)), slopes, [-i for i in terms]


def _margin_losses(call: Call) -> Losses:
    """-log(sigma(y x))."""
    x, y = call.leading, call.reals["labels"]
    s = each(Sigmoid.of, times(y, x))
    return Losses(
        each(lambda s: -s.log_p, s),
        {"logits": each(lambda y, s: -(y * s.rest), y, s), "labels": each(lambda x, s: -(x * s.rest), x, s)},
    )


def _multilabel_losses(call: Call) -> Losses:
    """The mean of a row's -z log(s) - (1 - z) log(1 - s), times class weights."""
    s, z = each(Sigmoid.of, call.leading), call.last("labels")
    classes = real(z.shape[-1])
    terms = each(lambda s, z: (-(z * s.log_p) - (ONE - z) * s.log_rest) / classes, s, z)
    slopes = {
        "logits": each(lambda s, z: ((ONE - z) * s.p - z * s.rest) / classes, s, z),
        "labels": each(lambda s: (s.log_rest - s.log_p) / classes, s),
    }
    by_class = {name: times(call.class_weights, found) for name, found in slopes.items()}
    return Losses(row_totals(times(call.class_weights, terms)), by_class, terms)


def _end(q: Real, epsilon: Real) -> Real | None:
    """The end of [epsilon, 1 - epsilon] that q is clipped to, if it is."""
    if epsilon.zero or q.nan:
        return None
    if (q - epsilon).sign < 0:
        return epsilon
    return ONE - epsilon if (ONE - epsilon - q).sign < 0 else None


def _kl_losses(call: Call) -> Losses:
    """Sum z log(z / p), both clipped to [epsilon, 1]."""
    epsilon = call.number("epsilon")
    shares = [each(partial(_clip_below, epsilon), a) for a in (call.last("labels"), call.leading)]
    free = [each(partial(_below_slope, epsilon), a) for a in (call.last("labels"), call.leading)]
    terms = each(lambda z, p: ZERO if z.zero else z * log(z / p), *shares)
    # What is clipped is constant, whatever the other is.
    slopes = each(lambda f, z, p: ZERO if f.zero else -(f * (z * (ONE / p))), free[1], *shares)
    # A label that isn't 0 on a probability of 0 makes the loss infinite.
    ratios = each(lambda z, p: INFINITY if p.zero and z.zero else log(z / p) + ONE, *shares)
    label_slopes = each(lambda f, ratio: ZERO if f.zero else f * ratio, free[0], ratios)
    return Losses(row_totals(terms), {"probabilities": slopes, "labels": label_slopes})


def _clip_below(epsilon: Real, p: Real) -> Real:
    """min(max(p, epsilon), 1)."""
    if epsilon.zero or not isinstance(p.exact, Fraction) or not isinstance(epsilon.exact, Fraction):
        return p
    return Real(min(max(p.exact, epsilon.exact), Fraction(1)))


def _below_slope(epsilon: Real, p: Real) -> Real:
    if p.nan:
        return NAN
    return ONE if (_clip_below(epsilon, p) - p).zero else ZERO


def _log_kl_losses(call: Call) -> Losses:
    """Z (log z - x); of labels t = log z: exp(t) (t - x). Generalized exp(x) - z more."""
    logs, generalized = bool(call.parameters["log_labels"]), ONE if call.parameters["generalized"] else ZERO

    def parts(x: Real, label: Real) -> tuple[Real, Real, Real]:
        z, log_z = (exp(label), label) if logs else (label, log(label))
        p = ZERO if generalized.zero else exp(x)
        slope = INFINITY if z.zero and x.exact == -math.inf else log_z - x + (ONE - generalized)
        if z.zero and not x.nan:
            return p, p, ZERO if logs else slope
        value = z * (log_z - x) if generalized.zero else INFINITY
        if generalized.zero or (z.exact == math.inf) == (x.exact == math.inf):
            value = z * (log_z - x) + generalized * (p - z)
        return value, p - z, z * slope if logs else slope

    found = each(parts, call.leading, call.reals["labels"])
    values, slopes, label_slopes = (each(lambda part, i=i: part[i], found) for i in range(3))
    return Losses(values, {"log_probabilities": slopes, "labels": label_slopes})


def _entropy_losses(call: Call) -> Losses:
    """Z log(z / p), generalized - z + p: infinite where one is below 0, where it has no slopes."""
    generalized = ONE if call.parameters["generalized"] else ZERO

    def parts(p: Real, z: Real) -> tuple[Real, Real, Real]:
        if not (p.nan or z.nan) and (p.sign < 0 or z.sign < 0):
            return INFINITY, NAN, NAN
        slope = generalized - (z / p if not z.finite else z * (ONE / p))
        label_slope = INFINITY if p.zero and z.zero else log(z / p) + (ONE - generalized)
        if p.finite != z.finite and not generalized.zero and not (p.nan or z.nan):
            return INFINITY, slope, label_slope
        entropy = ZERO if z.zero and not p.nan else z * log(z / p)
        return entropy + generalized * (p - z), slope, label_slope

    found = each(parts, call.leading, call.reals["labels"])
    values, slopes, label_slopes = (each(lambda part, i=i: part[i], found) for i in range(3))
    return Losses(values, {"probabilities": slopes, "labels": label_slopes})


def _nll_losses(call: Call) -> Losses:
    """-w x of the label, whatever x is elsewhere."""
    x, z, hot = call.leading, call.labels(), call.dense_indices()
    of_label = each(lambda h, i: ZERO if h.zero else -i, hot, x)
    terms = each(lambda h, label, i: ZERO if h.zero else label * i, hot, z, of_label)
    slopes = each(lambda label: -label, z)
    return _class_losses(call, row_totals(terms), {"log_probabilities": slopes}, of_label)


def _linear_losses(call: Call) -> Losses:
    """Softmax cross-entropy of h . w_c + b_c, a sum of products of fractions."""
    hidden, kernel = call.reals["hidden"], call.reals["kernel"]
    biases = call.reals.get("biases", filled((len(kernel),), ZERO))
    logits = row_totals(times(hidden[..., np.newaxis, :], kernel))
    logits = each(lambda x, b: x + b, logits, biases)
    found = _softmax_losses(replace(call, reals={**call.reals, "logits": logits}))
    return replace(found, slopes={}, logits=found.slopes["logits"])


def _of_linear(call: Call, slopes: Array) -> dict[str, Array]:
    """What slopes with respect to logits are with respect to what these are made of; rows that are ignored aside."""
    rows, kept = slopes.reshape(-1, slopes.shape[-1]), call.kept(slopes.shape[:-1]).reshape(-1)
    hidden = call.reals["hidden"]
    hidden = hidden.reshape(len(rows), hidden.shape[-1])[kept]
    found = {
        "hidden": row_totals(times(slopes[..., np.newaxis, :], call.reals["kernel"].T)),
        "kernel": row_totals(times(rows[kept].T[:, np.newaxis, :], hidden.T)),
    }
    return {**found, "biases": row_totals(rows.T)} if "biases" in call.reals else found


LOSSES: Mapping[str, Callable[[Call], Losses]] = {
    "linear_cross_entropy": _linear_losses,
    "nll_loss": _nll_losses,
    "sigmoid_cross_entropy": _sigmoid_losses,
    "weighted_sigmoid_cross_entropy": _sigmoid_losses,
    "softmax_cross_entropy": _softmax_losses,
    "sparse_softmax_cross_entropy": _softmax_losses,
    "binary_cross_entropy": _binary_losses,
    "categorical_cross_entropy": _categorical_losses,
    "sparse_categorical_cross_entropy": _categorical_losses,
    "sigmoid_focal_cross_entropy": _binary_focal_losses,
    "binary_focal_cross_entropy": _binary_focal_losses,
    "softmax_focal_cross_entropy": _row_focal_losses,
    "categorical_focal_cross_entropy": _row_focal_losses,
    "soft_margin_loss": _margin_losses,
    "multilabel_soft_margin_loss": _multilabel_losses,
    "kl_divergence": _kl_losses,
    "relative_entropy": _entropy_losses,
    "log_kl_divergence": _log_kl_losses,
}
PRIMITIVES = ("sigmoid", "log_sigmoid", "softmax", "log_softmax", "logsumexp")


# Weights and reductions.


@dataclass(frozen=True)
class Reduction:
    """value = sum w l / denominator, or each w l, for losses of a shape and weights that are broadcast to it.

    Attributes:
        counts: by how much each loss counts beside its weight in what weighted means divide by: 0 if it is
            ignored, the class weight of its label if there is one.
        kept: which losses aren't ignored.
        empty: the value where the denominator is 0.
    """

    name: str
    losses: Array
    weights: Array
    counts: Array
    kept: Array
    empty: Real

    @property
    def denominator(self) -> Real:
        """1, the number of losses, of those that aren't ignored, of those with a weight, or the sum of the weights."""
        if self.name in ("none", "sum"):
            return ONE
        weights = times(self.weights, self.counts)
        if self.name == "weighted_mean":
            return total(weights.flat)
        if self.name == "valid_mean":
            return real(int(np.count_nonzero(self.kept)))
        counted = self.losses.size if self.name == "mean" else sum(not w.zero for w in weights.flat)
        return real(counted)

    def value(self) -> Array:
        """The weighted losses, or their sum divided by the denominator."""
        weighted = times(self.weights, self.losses)
        if self.name == "none":
            return weighted
        return filled((), self._over(total(weighted.flat)))

    def loss_slopes(self, upstream: Array) -> Array:
        """Of sum(upstream * value), with respect to each loss."""
        return each(lambda u, w: self._over(u * w), upstream, self.weights)

    def weight_slopes(self, upstream: Array, value: Array) -> Array:
        """Of sum(upstream * value), with respect to each broadcast weight: (l - value) / sum w of the weighted mean."""
        less = value if self.name == "weighted_mean" else filled((), ZERO)

        def slope(keeps: bool, u: Real, loss: Real, count: Real, v: Real) -> Real:  # noqa: FBT001 - an array's element
            return self._over(u * (loss - v * count)) if keeps else ZERO

        return each(slope, self.kept, upstream, self.losses, self.counts, less)

    def class_weight_slopes(self, upstream: Array, value: Array, by_class: Array, hot: Array) -> Array:
        """Of sum(upstream * value), with respect to the class weights that each loss has."""
        less = value if self.name == "weighted_mean" else filled((), ZERO)
        scale = self.loss_slopes(upstream)[..., np.newaxis]

        def slope(keeps: bool, u: Real, term: Real, label: Real, v: Real) -> Real:  # noqa: FBT001 - as above
            return u * (term - v * label) if keeps else ZERO

        return each(slope, self.kept[..., np.newaxis], scale, by_class, hot, less)

    def _over(self, numerator: Real) -> Real:
        return self.empty if self.denominator.zero else numerator / self.denominator


def _unbroadcast(slopes: Array, shape: tuple[int, ...]) -> Array:
    """Sums of what one weight was broadcast to."""
    groups: list[list[Real]] = [[] for _ in range(math.prod(shape))]
    owner = np.broadcast_to(np.arange(len(groups)).reshape(shape), slopes.shape)
    for i, slope in zip(owner.flat, slopes.flat, strict=True):
        groups[int(i)].append(slope)
    return each(lambda i: total(groups[i]), np.arange(len(groups)).reshape(shape))


def _reduced(call: Call, reduction: str, values: Array) -> Reduction:
    weights = np.broadcast_to(call.reals.get("weights", filled((), ONE)), values.shape)
    kept = call.kept(values.shape)
    weighed = call.class_weights if call.sparse else filled((), ONE)
    counts = filled(values.shape, ONE)
    if weighed.shape:
        counts = each(lambda keeps, label: weighed[label] if keeps else ZERO, kept, np.asarray(call.indices))
    counts = each(lambda keeps, count: count if keeps else ZERO, kept, counts)
    empty = ZERO if call.parameters["empty_mean"] == "zero" else NAN
    return Reduction(reduction, values, weights, counts, kept, empty)


def _loss_outputs(call: Call) -> dict[str, Array]:
    losses = LOSSES[call.operation](call)
    reduction = str(call.parameters["reduction"])
    by_rows = reduction.startswith("row_mean")
    values, batch = losses.values, ONE
    if reduction == "batch_mean":
        reduction, batch = "sum", real(call.leading.shape[0])
    if by_rows:
        reduction = "none" if reduction == "row_mean" else "sum"
        last = real(values.shape[-1])
        values = each(lambda row: row / last, row_totals(values))
    reducing = _reduced(call, reduction, values)
    value = reducing.value()
    upstream = np.broadcast_to(call.reals.get("upstream", filled(value.shape, ONE)), values.shape)
    scale = reducing.loss_slopes(upstream)
    if by_rows:
        scale = np.broadcast_to(each(lambda u: u / last, scale)[..., np.newaxis], losses.values.shape)
    found = {"value": value}
    for name, slopes in losses.slopes.items():
        found[f"gradient:{name}"] = _scaled(call, scale, slopes)
    if losses.logits is not None:
        found |= {f"gradient:{n}": a for n, a in _of_linear(call, _scaled(call, scale, losses.logits)).items()}
    if "weights" in call.reals:
        slopes = reducing.weight_slopes(upstream, value)
        found["gradient:weights"] = _unbroadcast(slopes, call.reals["weights"].shape)
    if "class_weights" in call.reals and losses.by_class is not None:
        hot = call.dense_indices() if call.sparse else filled((), ZERO)
        slopes = reducing.class_weight_slopes(upstream, value, losses.by_class, hot)
        found["gradient:class_weights"] = _unbroadcast(slopes, call.class_weights.shape)
    return {name: each(lambda x: x / batch, array) for name, array in found.items()}


def _scaled(call: Call, scale: Array, slopes: Array) -> Array:
    """Slopes of losses times those of what is made of them; 0 of an ignored loss. The class axis is moved back."""
    if call.axis is None:
        return times(scale, slopes)
    kept = call.kept(slopes.shape[:-1])[..., np.newaxis]
    found = each(lambda keeps, u, s: u * s if keeps else ZERO, kept, scale[..., np.newaxis], slopes)
    return np.moveaxis(found, -1, call.axis)


def _primitive_outputs(call: Call) -> dict[str, Array]:
    x = call.leading
    logarithmic = call.operation.startswith("log_")
    if call.axis is None:
        s = each(Sigmoid.of, x)
        value = each(lambda s: s.log_p if logarithmic else s.p, s)
        upstream = call.reals.get("upstream", filled(x.shape, ONE))
        slopes = each(lambda s, u: u * s.rest if logarithmic else u * s.p * s.rest, s, upstream)
        return {"value": value, "gradient:logits": slopes}
    if call.operation == "logsumexp":
        return _logsumexp_outputs(call)
    rows, upstream = by_row(_value_row(logarithmic=logarithmic), x), filled(x.shape, ONE)
    if "upstream" in call.reals:
        upstream = call.last("upstream")
    slopes = by_row(_slope_row(logarithmic=logarithmic), x, upstream)
    return {"value": np.moveaxis(rows, -1, call.axis), "gradient:logits": np.moveaxis(slopes, -1, call.axis)}


def _gradient_outputs(call: Call) -> dict[str, Array]:
    """S p - z, and the gradients of its sum times u: S p_i (u_i - sum u p), and sum u p - u_i."""
    x = call.leading
    upstream = call.last("upstream") if "upstream" in call.reals else filled(x.shape, ONE)
    if call.axis is None:
        s, z = each(Sigmoid.of, x), call.reals["labels"]
        return {
            "value": each(lambda s, z: (ONE - z) * s.p - z * s.rest, s, z),
            "gradient:logits": each(lambda s, u: u * s.p * s.rest, s, upstream),
            "gradient:labels": each(lambda u: -u, upstream),
        }
    z = call.labels()
    found = {
        "value": by_row(lambda x, z: Softmax.of(x).loss_slopes(z), x, z),
        "gradient:logits": by_row(_curvature_row, x, z, upstream),
    }
    if not call.sparse:
        found["gradient:labels"] = by_row(_mixed_row, x, upstream)
    return {name: np.moveaxis(array, -1, call.axis) for name, array in found.items()}


def _curvature_row(x: Sequence[Real], z: Sequence[Real], u: Sequence[Real]) -> Sequence[Real]:
    return [total(z) * slope for slope in Softmax.of(x).slopes(u)]


def _mixed_row(x: Sequence[Real], u: Sequence[Real]) -> Sequence[Real]:
    """Of u less its first, since p sums to 1."""
    v = [i - u[0] for i in u]
    mean = total(i * p for i, p in zip(v, Softmax.of(x).p, strict=True))
    return [mean - i for i in v]


def _logsumexp_outputs(call: Call) -> dict[str, Array]:
    """log(sum exp(x)), and the softmax; an infinite largest logit by limit."""
    x = call.leading
    value = np.empty(x.shape[:-1], dtype=object)
    for place in np.ndindex(value.shape):
        value[place] = _logsumexp(x[place].tolist())
    upstream = call.reals.get("upstream", filled(value.shape, ONE))[..., np.newaxis]
    slopes = times(upstream, by_row(lambda row: Softmax.of(row).p, x))
    return {"value": value, "gradient:logits": np.moveaxis(slopes, -1, call.axis or 0)}


def _logsumexp(x: Sequence[Real]) -> Real:
    if any(i.nan for i in x):
        return NAN
    top = max(i.exact for i in x if i.exact is not None)
    if isinstance(top, float):
        return Real(top)
    row = Softmax.of(x)
    if row.wide or abs(top) > DIRECT:
        return Real(top) - row.log_p[row.d.index(ZERO)]
    return log(total(exp(i) for i in x))


def _value_row(*, logarithmic: bool) -> Callable[[Sequence[Real]], Sequence[Real]]:
    return lambda x: Softmax.of(x).log_p if logarithmic else Softmax.of(x).p


def _slope_row(*, logarithmic: bool) -> Callable[[Sequence[Real], Sequence[Real]], Sequence[Real]]:
    """Sum u log(p) is a cross-entropy with labels -u."""
    return lambda x, u: Softmax.of(x).loss_slopes([-i for i in u]) if logarithmic else Softmax.of(x).slopes(u)


def _sampled_outputs(call: Call) -> dict[str, Array]:
    """Of logits x - log(q) probabilities are in proportion to e^x / q; what is removed has none."""
    labels, samples = np.asarray(call.indices), np.asarray(call.samples)
    classes, kernel = len(call.reals["kernel"]), call.reals["kernel"]
    slopes = filled((classes, len(labels)), ZERO).copy()
    value = np.empty(len(labels), dtype=object)
    share = ONE / real(labels.shape[1])
    for n, own in enumerate(labels):
        chosen = [(int(c), q, share) for c, q in zip(own, call.reals["true_expected"][n], strict=True)]
        for c, q in zip(samples, call.reals["sampled_expected"], strict=True):
            if not (call.parameters["remove_accidental_hits"] and c in own):
                chosen.append((int(c), q, ZERO))
        x = [total(times(call.reals["hidden"][n], kernel[c])) + call.reals["biases"][c] for c, _, _ in chosen]
        loss, row = _sampled_row(call, x, [q for _, q, _ in chosen], [z for _, _, z in chosen])
        value[n] = loss
        for (c, _, _), slope in zip(chosen, row, strict=True):
            slopes[c, n] = slopes[c, n] + slope
    slopes = times(slopes, call.reals.get("upstream", filled((len(labels),), ONE)))
    return {
        "value": value,
        "gradient:hidden": row_totals(times(slopes.T[:, np.newaxis, :], kernel.T)),
        "gradient:kernel": row_totals(times(slopes[:, np.newaxis, :], call.reals["hidden"].T)),
        "gradient:biases": row_totals(slopes),
    }


def _sampled_row(call: Call, x: list[Real], q: list[Real], z: list[Real]) -> tuple[Real, list[Real]]:
    """A row's loss and slopes by logits."""
    if call.operation == "noise_contrastive_estimation":
        odds = [of * exp(-i) for i, of in zip(x, q, strict=True)]
        p, rest = [ONE / (ONE + o) for o in odds], [o / (ONE + o) for o in odds]
        terms = [label * log(a) + (ONE - label) * log(b) for label, a, b in zip(z, p, rest, strict=True)]
        return -total(terms), [a - label for a, label in zip(p, z, strict=True)]
    top = x[max(range(len(x)), key=lambda i: x[i].exact or 0)]
    e = [exp(i - top) / of for i, of in zip(x, q, strict=True)]
    p = [i / total(e) for i in e]
    return _cross_entropy(z, [log(i) for i in p]), [i - label for i, label in zip(p, z, strict=True)]


def outputs(case: Case, digits: int = 40) -> dict[str, Array]:
    """The exact `value` and `gradient:<input>` of every real input that the operation can be differentiated by.

    Gradients are those of sum(upstream * value). The input has to be one for which the operation is defined.

    Args:
        case: inputs as rounded to its dtype; any floating dtype.
        digits: the relative error of each number is below 10**-digits.

    Returns:
        Object arrays of mpf, also of shape (). Compare them under `mpmath.workdps(digits)`: an operation on
        them rounds to mpmath's current precision.
    """
    call = Call.of(case)
    if call.samples is not None:
        found = _sampled_outputs(call)
    else:
        of_kind = _primitive_outputs if case.operation in PRIMITIVES else _loss_outputs
        found = (_gradient_outputs if case.operation.endswith("_gradient") else of_kind)(call)
    return {name: each(lambda x: x.settled(digits), array) for name, array in found.items()}
