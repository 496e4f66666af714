"""Other formulas that are as stable as the reference's."""

import numpy as np

from harness.adapters import FLOATS, reference
from harness.adapters import numpy as base
from harness.adapters.planting import SIGMOIDS, SOFTMAXES, Planted
from harness.adapters.reference import times

FRAMEWORK = "variants_formulas"
PACKAGES = base.PACKAGES
start, call = base.start, base.call
planted = Planted(FRAMEWORK, FLOATS)
LOGARITHMS = ("log_sigmoid", *SIGMOIDS)


# softmaxes


def parts(x, axis):
    """Differences from the maximum, their exponentials, and the exponentials' sum."""
    d = x - x.max(axis, keepdims=True)
    e = np.exp(d)
    return d, e, e.sum(axis, keepdims=True)


def without_the_largest(x, axis):
    """log1p of the sum without the largest term, which is 1."""
    d, e, _ = parts(x, axis)
    at = np.expand_dims(np.argmax(x, axis), axis)
    np.put_along_axis(e, at, np.where(np.isnan(np.take_along_axis(x, at, axis)), np.nan, 0).astype(x.dtype), axis)
    return d - np.log1p(e.sum(axis, keepdims=True))


def by_reciprocal(x, axis):
    """exp(d) times 1 / s."""
    _, e, s = parts(x, axis)
    return e * (x.dtype.type(1) / s)


def by_logarithm(x, axis):
    """exp of the logarithm of the softmax."""
    return np.exp(reference.log_softmax(x, axis))


def of_negated(x, axis):
    """The smallest of -x is the largest of x."""
    low = (-x).min(axis, keepdims=True)
    d = -(-x - low)
    return d - np.log(np.exp(d).sum(axis, keepdims=True))


def twice(x, axis):
    """The softmax's logarithm of logits that have been shifted before."""
    return reference.log_softmax(x - x.max(axis, keepdims=True), axis)


planted.softmaxes("log1p_of_the_other_classes", log_softmax=without_the_largest)
planted.softmaxes("softmax_by_reciprocal", by_reciprocal)
planted.softmaxes("softmax_by_logarithm", by_logarithm)
planted.softmaxes("shift_by_the_smallest_of_negated", log_softmax=of_negated)
planted.softmaxes("shifted_twice", log_softmax=twice)


def gathered_losses(x, z, parameters):
    """The sum of labels times log s, less the sum of labels times differences: for one-hot rows a gather."""
    axis = parameters["axis"]
    d, _, s = parts(x, axis)
    return times(z, np.log(s) - d).sum(axis)


def fused_slopes(x, z, parameters):
    """Sum of the labels times exp(d) less labels times s, over s: one division a row."""
    axis = parameters["axis"]
    return np.exp(reference.log_softmax(x, axis)) * z.sum(axis, keepdims=True) - z


planted.losses("loss_by_gather", SOFTMAXES, losses=gathered_losses)
planted.losses("gradient_by_log_softmax", SOFTMAXES, slopes=fused_slopes)


# sigmoids


def in_two_branches(x):
    """1 / (1 + exp(-x)) above 0 and exp(x) / (1 + exp(x)) below."""
    one, below = x.dtype.type(1), np.exp(np.minimum(x, x.dtype.type(0)))
    return np.where(x >= 0, one / (one + np.exp(-np.maximum(x, x.dtype.type(0)))), below / (one + below))


def exponential_of_logarithm(x):
    """exp(log_sigmoid(x))."""
    return np.exp(reference.log_sigmoid(x))


def by_softplus(x):
    """-log(exp(0) + exp(-x)), by NumPy's own guarded sum."""
    return -np.logaddexp(x.dtype.type(0), -x)


def softplus_losses(x, z, parameters):
    """q z softplus(-x) + (1 - z) softplus(x)."""
    zero, q = x.dtype.type(0), x.dtype.type(parameters.get("pos_weight", 1))
    return times(q * z, np.logaddexp(zero, -x)) + times(x.dtype.type(1) - z, np.logaddexp(zero, x))


def relative_slopes(x, z, parameters):
    """((1 - z) e^x - z) / (1 + e^x) for x below 0, mirrored above: no difference of near numbers."""
    one, e = x.dtype.type(1), np.exp(-np.abs(x))
    q = x.dtype.type(parameters.get("pos_weight", 1))
    rest = one - z
    return np.where(x >= 0, rest - q * z * e, rest * e - q * z) / (one + e)


planted.sigmoids("sigmoid_in_two_branches", in_two_branches)
planted.sigmoids("sigmoid_by_log_sigmoid", exponential_of_logarithm)
planted.sigmoids("log_sigmoid_by_softplus", log_sigmoid=by_softplus, only=LOGARITHMS)
planted.sigmoids("losses_by_log_sigmoid", only=SIGMOIDS)
planted.losses("losses_by_softplus", SIGMOIDS, losses=softplus_losses)
planted.losses("gradient_over_one_denominator", SIGMOIDS, slopes=relative_slopes)
IMPLEMENTATIONS = tuple(planted.rows)
