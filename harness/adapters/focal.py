"""Focal losses of the NumPy reference (the island): w m**gamma l, m what a prediction misses, l its cross-entropy.

Derivatives as they come from the product rule; powers of what is missed, not of 1 less what isn't.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple, Tuple

import numpy as np

from harness.adapters.reference import (
    Array,
    Loss,
    Parameters,
    binary_label_slopes,
    binary_losses,
    binary_slopes,
    log_softmax,
    sigmoid,
    sigmoid_label_slopes,
    sigmoid_losses,
    sigmoid_slopes,
    softmax,
    times,
)

UNGUARDED = {"epsilon_use": "clip", "log_floor": float("-inf")}
"""What the binary cross-entropy from probabilities takes beside epsilon."""


class _Binary(NamedTuple):
    """A cross-entropy of two classes, p and 1 - p of its input, and dp/dx."""

    losses: Callable[[Array, Array, Parameters], Array]
    slopes: Callable[[Array, Array, Parameters], Array]
    label_slopes: Callable[[Array, Array, Parameters], Array]
    shares: Callable[[Array], Tuple[Array, Array]]
    rising: Callable[[Array, Array], Array]


def _weight(z: Array, parameters: Parameters) -> Array:
    one, alpha = z.dtype.type(1), z.dtype.type(parameters["alpha"])
    return z * alpha + (one - z) * (one - alpha) if parameters["class_balancing"] else np.ones_like(z)


def _power(base: Array, exponent: float) -> Array:
    return np.power(base, base.dtype.type(exponent))


def _miss(of: _Binary, x: Array, z: Array) -> Array:
    p, rest = of.shares(x)
    return z * rest + (z.dtype.type(1) - z) * p


def _turning(miss: Array, losses: Array, by: Array, parameters: Parameters) -> Array:
    """gamma m**(gamma - 1) dm l."""
    gamma = parameters["gamma"]
    return times(miss.dtype.type(gamma) * by, times(losses, _power(miss, gamma - 1)))


def _binary(of: _Binary) -> Loss:
    def losses(x: Array, z: Array, parameters: Parameters) -> Array:
        _refuse_outside(x, z, of)
        powers = _power(_miss(of, x, z), parameters["gamma"])
        return _weight(z, parameters) * times(powers, of.losses(x, z, parameters))

    def slopes(x: Array, z: Array, parameters: Parameters) -> Array:
        (p, rest), miss, one = of.shares(x), _miss(of, x, z), x.dtype.type(1)
        by = (one - z - z) * of.rising(p, rest)
        level = times(_power(miss, parameters["gamma"]), of.slopes(x, z, parameters))
        turning = _turning(miss, _finite(of.losses(x, z, parameters)), by, parameters)
        return _weight(z, parameters) * (turning + level)

    def label_slopes(x: Array, z: Array, parameters: Parameters) -> Array:
        (p, rest), miss, found = of.shares(x), _miss(of, x, z), of.losses(x, z, parameters)
        powers = _power(miss, parameters["gamma"])
        level = times(powers, of.label_slopes(x, z, parameters))
        slopes = _weight(z, parameters) * (_turning(miss, found, rest - p, parameters) + level)
        if not parameters["class_balancing"]:
            return slopes
        slopes = x.dtype.type(2 * parameters["alpha"] - 1) * times(powers, found) + slopes
        return np.where(np.isinf(found), found * _balance_at_ends(p, z, parameters), slopes)

    return Loss(losses, slopes, label_slopes)


def _balance_at_ends(p: Array, z: Array, parameters: Parameters) -> Array:
    """The sign of label slopes of infinite losses, for which the product rule has inf - inf: p is 0 or 1."""
    one, by_balance = z.dtype.type(1), z.dtype.type(2 * parameters["alpha"] - 1)
    by_power = z.dtype.type(parameters["gamma"] + 1) * _weight(z, parameters)
    return np.where(p == 0, by_balance * z + by_power, by_balance * (one - z) - by_power)


def _finite(losses: Array) -> Array:
    """An infinite loss has a slope of its own that outweighs the power's."""
    return np.where(np.isinf(losses), losses.dtype.type(0), losses)


def _refuse_outside(x: Array, z: Array, of: _Binary) -> None:
    for name, numbers in (("labels", z), ("probabilities", of.shares(x)[0])):
        if np.any((numbers < 0) | (numbers > 1)):
            raise ValueError(name + " outside [0, 1]: a power of a negative number")


def _guarded(function: Callable[[Array, Array, Parameters], Array]) -> Callable[[Array, Array, Parameters], Array]:
    return lambda x, z, parameters: function(x, z, dict(UNGUARDED, **parameters))


SIGMOID = _binary(
    _Binary(
        sigmoid_losses,
        sigmoid_slopes,
        sigmoid_label_slopes,
        lambda x: (sigmoid(x), sigmoid(-x)),
        lambda p, rest: p * rest,
    )
)
BINARY = _binary(
    _Binary(
        _guarded(binary_losses),
        _guarded(binary_slopes),
        _guarded(binary_label_slopes),
        lambda p: (p, p.dtype.type(1) - p),
        lambda p, _rest: np.ones_like(p),
    )
)


class _Shares(NamedTuple):
    """q, 1 - q and log q as clipped; where the clip leaves q; q itself."""

    q: Array
    rest: Array
    log_q: Array
    free: Array
    whole: Array


def _clipped(q: Array, log_q: Array, whole: Array, epsilon: float) -> _Shares:
    one = q.dtype.type(1)
    if not epsilon:
        return _Shares(q, one - q, log_q, np.ones(q.shape, bool), whole)
    low, high = q.dtype.type(epsilon), q.dtype.type(1 - epsilon)
    logs = np.clip(log_q, q.dtype.type(np.log(epsilon)), q.dtype.type(np.log1p(-epsilon)))
    return _Shares(np.clip(q, low, high), np.clip(one - q, low, high), logs, ~((q < low) | (one - q < low)), whole)


def _of_logits(x: Array, parameters: Parameters) -> _Shares:
    axis = parameters["axis"]
    return _clipped(softmax(x, axis), log_softmax(x, axis), x, parameters["epsilon"])


def _of_probabilities(p: Array, parameters: Parameters) -> _Shares:
    if np.any((p < 0) | (p > 1)):
        raise ValueError("probabilities outside [0, 1]: a power of a negative number")
    whole = np.ones_like(p)
    if parameters["normalize"] == "before":
        whole = np.sum(p, axis=parameters["axis"], keepdims=True)
    q = p / whole
    return _clipped(q, np.log(q), whole, parameters["epsilon"])


def _focal_logs(of: _Shares, parameters: Parameters) -> Array:
    """-alpha (1 - q)**gamma log q."""
    return -of.q.dtype.type(parameters["alpha"]) * times(_power(of.rest, parameters["gamma"]), of.log_q)


def _inner(of: _Shares, z: Array, parameters: Parameters) -> Array:
    """Slopes by log q: z alpha (gamma (1 - q)**(gamma - 1) q log q - (1 - q)**gamma); 0 where the clip holds."""
    alpha, gamma = z.dtype.type(parameters["alpha"]), parameters["gamma"]
    steep = times(z.dtype.type(gamma) * times(of.q, of.log_q), _power(of.rest, gamma - 1))
    slopes = times(z, alpha * (steep - _power(of.rest, gamma)))
    return np.where(of.free, slopes, z.dtype.type(0))


def _rows(shares: Callable[[Array, Parameters], _Shares], back: Callable[..., Array]) -> Loss:
    def losses(x: Array, z: Array, parameters: Parameters) -> Array:
        return np.sum(times(z, _focal_logs(shares(x, parameters), parameters)), axis=parameters["axis"])

    def slopes(x: Array, z: Array, parameters: Parameters) -> Array:
        of = shares(x, parameters)
        inner = _inner(of, z, parameters)
        return back(of, inner, np.sum(inner, axis=parameters["axis"], keepdims=True), parameters)

    def label_slopes(x: Array, _z: Array, parameters: Parameters) -> Array:
        return _focal_logs(shares(x, parameters), parameters)

    return Loss(losses, slopes, label_slopes)


def _back_to_logits(of: _Shares, inner: Array, total: Array, parameters: Mapping[str, Any]) -> Array:
    return inner - softmax(of.whole, parameters["axis"]) * total


def _back_to_probabilities(of: _Shares, inner: Array, total: Array, parameters: Mapping[str, Any]) -> Array:
    slopes = times(inner, inner.dtype.type(1) / of.q)
    return slopes if parameters["normalize"] == "none" else (slopes - total) / of.whole


SOFTMAX = _rows(_of_logits, _back_to_logits)
CATEGORICAL = _rows(_of_probabilities, _back_to_probabilities)
