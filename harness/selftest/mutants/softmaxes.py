"""Plausible bugs in softmaxes and their logarithms."""

import numpy as np

from harness.adapters import numpy as base
from harness.adapters import reference
from harness.adapters.planting import SOFTMAXES, Planted

FRAMEWORK = "mutants_softmaxes"
PACKAGES = base.PACKAGES
start, call = base.start, base.call
planted = Planted(FRAMEWORK)
BLOCK = 8
WIDTH = 1024


# the shift


def shifted(name, shift):
    """Shift by something else than the rows' maxima."""

    def softmax(x, axis):
        e = np.exp(x - shift(x, axis))
        return e / e.sum(axis, keepdims=True)

    def log_softmax(x, axis):
        d = x - shift(x, axis)
        return d - np.log(np.exp(d).sum(axis, keepdims=True))

    planted.softmaxes(name, softmax, log_softmax)


shifted("missing_max_shift", lambda x, axis: x.dtype.type(0))
shifted("shift_by_the_mean", lambda x, axis: x.mean(axis, keepdims=True))
shifted("shift_by_the_smallest", lambda x, axis: x.min(axis, keepdims=True))
shifted("shift_by_the_first_class", lambda x, axis: np.take(x, [0], axis))
shifted("shift_by_the_largest_magnitude", lambda x, axis: np.abs(x).max(axis, keepdims=True))
shifted("shift_by_the_whole_batch", lambda x, axis: x.max(initial=-np.inf))
shifted("shift_not_below_zero", lambda x, axis: np.maximum(x.max(axis, keepdims=True), x.dtype.type(0)))


# the logarithm


def log_of_softmax(name, log):
    """The logarithm of probabilities, guarded in some way."""
    only = ("log_softmax", *SOFTMAXES)
    planted.softmaxes(name, log_softmax=lambda x, axis: log(reference.softmax(x, axis)), only=only)


log_of_softmax("log_of_softmax", np.log)
log_of_softmax("log_of_clipped_probability", lambda p: np.log(np.clip(p, p.dtype.type(1e-7), p.dtype.type(1 - 1e-7))))
log_of_softmax("log_of_probability_not_below_tiny", lambda p: np.log(np.maximum(p, np.finfo(p.dtype).tiny)))
log_of_softmax("epsilon_inside_the_log", lambda p: np.log(p + p.dtype.type(1e-7)))
log_of_softmax("binary_logarithm", np.log2)


def softmax_with_epsilon(x, axis):
    """An epsilon where the denominator can't be 0."""
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / (e.sum(axis, keepdims=True) + x.dtype.type(1e-6))


def log_softmax_with_epsilon(x, axis):
    """An epsilon where the logarithm's argument can't be 0."""
    d = x - x.max(axis, keepdims=True)
    return d - np.log(np.exp(d).sum(axis, keepdims=True) + x.dtype.type(1e-6))


planted.softmaxes("epsilon_in_the_denominator", softmax_with_epsilon, log_softmax_with_epsilon)


# logits and axes altered before


def altered(name, logits=lambda x, axis: x, axes=lambda x, axis: axis):
    """A right softmax of other logits, or over other axes."""
    planted.softmaxes(
        name,
        lambda x, axis: reference.softmax(logits(x, axis), axes(x, axis)),
        lambda x, axis: reference.log_softmax(logits(x, axis), axes(x, axis)),
    )


def clipped(bound):
    """Logits brought between -bound and bound."""
    return lambda x, axis: np.clip(x, x.dtype.type(-bound), x.dtype.type(bound))


def from_the_top(cut):
    """Differences from the rows' maxima, cut in some way."""
    return lambda x, axis: cut(x - x.max(axis, keepdims=True))


altered("wrong_axis", axes=lambda x, axis: 0)
altered("axis_ignored", axes=lambda x, axis: -1)
altered("axis_counted_from_the_end", axes=lambda x, axis: -1 - axis)
altered("normalised_over_all_trailing_axes", axes=lambda x, axis: tuple(range(axis, x.ndim)))
altered("logits_clipped_to_50", clipped(50))
altered("logits_clipped_to_10000", clipped(10000))
altered("differences_not_below_minus_30", from_the_top(lambda d: np.maximum(d, d.dtype.type(-30))))
altered("differences_not_below_minus_80", from_the_top(lambda d: np.maximum(d, d.dtype.type(-80))))
altered("exponential_of_a_table", from_the_top(lambda d: np.round(d * d.dtype.type(256)) / d.dtype.type(256)))
altered("mask_of_minus_100", lambda x, axis: np.where(np.isneginf(x), x.dtype.type(-100), x))
altered("infinite_logit_makes_nan", lambda x, axis: x + x * x.dtype.type(0))


# many classes


def online(name, rescaled, end=lambda classes: classes):
    """Log-sum-exp over blocks of classes with a running maximum, put together wrongly."""

    def log_softmax(x, axis):
        rows = np.moveaxis(x, axis, -1)
        top, total = np.full(rows.shape[:-1], -np.inf, x.dtype), np.zeros(rows.shape[:-1], x.dtype)
        for at in range(0, end(x.shape[axis]), BLOCK):
            block = rows[..., at : min(at + BLOCK, end(x.shape[axis]))]
            higher = np.maximum(top, block.max(-1))
            total = rescaled(total, top, higher) + np.exp(block - higher[..., np.newaxis]).sum(-1)
            top = higher
        return (x - np.expand_dims(top, axis)) - np.log(np.expand_dims(total, axis))

    planted.softmaxes(name, lambda x, axis: np.exp(log_softmax(x, axis)), log_softmax)


def rescaled(total, top, higher):
    """A running sum with respect to a higher maximum: as it is right."""
    return np.where(total == 0, total, total * np.exp(top - higher))


def grouped(function):
    """Groups of 256 classes normalised alone."""

    def run(x, axis):
        edges = range(256, x.shape[axis], 256)
        return np.concatenate([function(part, axis) for part in np.split(x, edges, axis)], axis)

    return run


def of_the_first_classes(x, axis):
    """Classes beyond the first 1,024 add nothing."""
    head = np.take(x, range(min(WIDTH, x.shape[axis])), axis)
    top = head.max(axis, keepdims=True)
    return (x - top) - np.log(np.exp(head - top).sum(axis, keepdims=True))


def without_nan(x, axis):
    """Sums and maxima that skip NaN."""
    top = np.fmax.reduce(x, axis, keepdims=True)
    return (x - top) - np.log(np.nansum(np.exp(x - top), axis, keepdims=True))


def with_exponential(name, log_softmax):
    """A logarithm and its exponential."""
    planted.softmaxes(name, lambda x, axis: np.exp(log_softmax(x, axis)), log_softmax)


online("online_sum_not_rescaled", lambda total, top, higher: total)
online("online_sum_rescaled_at_a_masked_block", lambda total, top, higher: total * np.exp(top - higher))
online("last_partial_block_dropped", rescaled, lambda classes: max(classes // BLOCK * BLOCK, min(BLOCK, classes)))
planted.softmaxes("groups_of_256_classes_alone", grouped(reference.softmax), grouped(reference.log_softmax))
with_exponential("classes_beyond_1024_ignored", of_the_first_classes)
with_exponential("nan_skipped_in_sums", without_nan)
IMPLEMENTATIONS = tuple(planted.rows)
