"""Plausible bugs in sigmoids, their logarithms, and losses of probabilities."""

import numpy as np

from harness.adapters import numpy as base
from harness.adapters import reference
from harness.adapters.planting import SIGMOIDS, Planted
from harness.adapters.reference import times

FRAMEWORK = "mutants_sigmoids"
PACKAGES = base.PACKAGES
start, call = base.start, base.call
planted = Planted(FRAMEWORK)
LOGARITHMS = ("log_sigmoid", *SIGMOIDS)


def unguarded(x):
    """exp(x) / (1 + exp(x)), which overflows."""
    return np.exp(x) / (x.dtype.type(1) + np.exp(x))


def by_tanh(x):
    """1/2 + tanh(x/2) / 2, which has no digits far below 0."""
    half = x.dtype.type(0.5)
    return half + half * np.tanh(half * x)


def hard(x):
    """The piecewise linear one."""
    return np.clip(x / x.dtype.type(6) + x.dtype.type(0.5), x.dtype.type(0), x.dtype.type(1))


def by_reflection(x):
    """1 - sigmoid(-x) below 0, which cancels."""
    right = x.dtype.type(1) / (x.dtype.type(1) + np.exp(-np.abs(x)))
    return np.where(x >= 0, right, x.dtype.type(1) - right)


def clamped(function, bound):
    """A function of logits brought between -bound and bound."""
    return lambda x: function(np.clip(x, x.dtype.type(-bound), x.dtype.type(bound)))


def tailed(name, tail):
    """A logarithm of the sigmoid with another tail than log1p(exp(-|x|))."""
    planted.sigmoids(name, log_sigmoid=lambda x: np.minimum(x, x.dtype.type(0)) - tail(x), only=LOGARITHMS)


planted.sigmoids("sigmoid_overflows", unguarded)
planted.sigmoids("sigmoid_by_tanh", by_tanh)
planted.sigmoids("hard_sigmoid", hard)
planted.sigmoids("sigmoid_by_reflection", by_reflection)
planted.sigmoids("sigmoid_clamped_to_15", clamped(reference.sigmoid, 15))
planted.sigmoids("log_of_sigmoid", log_sigmoid=lambda x: np.log(reference.sigmoid(x)), only=LOGARITHMS)
planted.sigmoids("log_sigmoid_clamped_to_100", log_sigmoid=clamped(reference.log_sigmoid, 100), only=LOGARITHMS)
planted.sigmoids("log_sigmoid_overflows", log_sigmoid=lambda x: -np.log1p(np.exp(-x)), only=LOGARITHMS)
planted.sigmoids(
    "log_of_sigmoid_and_epsilon",
    log_sigmoid=lambda x: np.log(reference.sigmoid(x) + x.dtype.type(1e-8)),
    only=LOGARITHMS,
)
tailed("log_without_log1p", lambda x: np.log(x.dtype.type(1) + np.exp(-np.abs(x))))
tailed("tail_missing", np.zeros_like)
tailed("tail_cut_above_20", lambda x: np.where(np.abs(x) > 20, x.dtype.type(0), np.log1p(np.exp(-np.abs(x)))))
tailed("tail_of_one_term", lambda x: np.exp(-np.abs(x)))
tailed("tail_of_the_wrong_sign", lambda x: np.log1p(np.exp(-x)))


# losses of probabilities

EDGES = (1e-7, 1 - 1e-7)


def binary(name, log, log_rest):
    """-z log(p) - (1 - z) log(1 - p) and -sum z log(p) with other guards than those asked for."""

    def binary_losses(p, z, parameters):
        floor = p.dtype.type(parameters["log_floor"])
        logs, rests = np.maximum(log(p), floor), np.maximum(log_rest(p), floor)
        return -(times(z, logs) + times(p.dtype.type(1) - z, rests))

    def categorical_losses(p, z, parameters):
        axis = parameters["axis"]
        shares = p if parameters["normalize"] == "none" else p / p.sum(axis, keepdims=True)
        return -times(z, log(shares)).sum(axis)

    planted.losses(name, ("binary_cross_entropy",), losses=binary_losses)
    planted.losses(name, ("categorical_cross_entropy", "sparse_categorical_cross_entropy"), losses=categorical_losses)


def clipped_to(low, high):
    """log(p) with p clipped."""
    return lambda p: np.log(np.clip(p, p.dtype.type(low), p.dtype.type(high)))


def added(epsilon):
    """log(p + epsilon)."""
    return lambda p: np.log(p + p.dtype.type(epsilon))


def rest(function):
    """The function of 1 - p."""
    return lambda p: function(p.dtype.type(1) - p)


binary("probabilities_clipped_unasked", clipped_to(*EDGES), rest(clipped_to(*EDGES)))
binary("probabilities_clipped_below_only", clipped_to(1e-12, np.inf), rest(clipped_to(1e-12, np.inf)))
binary("epsilon_added_unasked", added(1e-7), rest(added(1e-7)))
binary("logarithm_of_magnitude", lambda p: np.log(np.abs(p)), rest(lambda p: np.log(np.abs(p))))
IMPLEMENTATIONS = tuple(planted.rows)
