"""Plausible bugs in weights and reductions."""

import numpy as np

from harness.adapters import numpy as base
from harness.adapters.planting import BINARY, LOSSES, ROWS, Planted

FRAMEWORK = "mutants_reductions"
PACKAGES = base.PACKAGES
start, call = base.start, base.call
planted = Planted(FRAMEWORK)
OF_PROBABILITIES = ("binary_cross_entropy", "categorical_cross_entropy", "sparse_categorical_cross_entropy")
MEANS = ("mean", "weighted_mean", "nonzero_mean")
CHUNK = 8


def scaled(found, factor):
    """All outputs times a factor."""
    return {name: array * array.dtype.type(factor) for name, array in found.items()}


def reduced_as(name, other, operations=LOSSES):
    """Another reduction than that asked for: a dict of what is asked to what is done."""

    def run(right, arrays, parameters, wanted):
        asked = parameters["reduction"]
        return right(arrays, dict(parameters, reduction=other.get(asked, asked)), wanted)

    run.__name__ = name
    planted.around(*operations)(run)


def reweighted(name, change, operations=LOSSES):
    """Weights altered before they are used."""

    def run(right, arrays, parameters, wanted):
        if "weights" not in arrays:
            return right(arrays, parameters, wanted)
        weights = change(arrays["weights"]).astype(arrays["weights"].dtype)
        return right(dict(arrays, weights=weights), parameters, wanted)

    run.__name__ = name
    planted.around(*operations)(run)


reduced_as("mean_instead_of_sum", {"sum": "mean"})
reduced_as("sum_instead_of_mean", {"mean": "sum"})
reduced_as("mean_divided_by_the_weights", {"mean": "weighted_mean"})
reduced_as("weighted_mean_divided_by_the_count", {"weighted_mean": "mean"})
reduced_as("zero_weights_counted", {"nonzero_mean": "mean"})
reduced_as("nonzero_mean_divided_by_the_weights", {"nonzero_mean": "weighted_mean"})
reweighted("weights_squared", lambda w: w * w)
reweighted("weights_ignored", np.ones_like)
reweighted("weights_normalised", lambda w: w / w.sum() if w.sum() else w)
reweighted("weights_as_integers", np.trunc)
reweighted("weights_as_booleans", lambda w: w != 0)
reweighted("weights_reversed", lambda w: w[::-1] if w.ndim else w)
reweighted("weights_of_the_first_only", lambda w: np.full_like(w, w.reshape(-1)[0]) if w.size else w)
reweighted("weights_clipped_to_1", lambda w: np.minimum(w, w.dtype.type(1)))


def places(arrays, parameters):
    """The shape of the losses."""
    shape = list(arrays.get("logits", arrays.get("probabilities")).shape)
    if "axis" in parameters:
        del shape[parameters["axis"]]
    elif parameters["reduction"].startswith("row") and shape:
        shape = shape[:-1]
    return shape


def mean_over_classes_too(right, arrays, parameters, wanted):
    """Divided by the number of logits, not of rows."""
    found = right(arrays, parameters, wanted)
    classes = arrays.get("logits", arrays.get("probabilities")).shape[parameters["axis"]]
    return scaled(found, 1 / classes) if parameters["reduction"] == "mean" else found


def mean_over_the_batch_only(right, arrays, parameters, wanted):
    """Divided by the length of the first axis: right for one axis."""
    found = right(arrays, parameters, wanted)
    shape = places(arrays, parameters)
    return scaled(found, np.prod(shape[1:])) if parameters["reduction"] == "mean" and len(shape) > 1 else found


def mean_without_one(right, arrays, parameters, wanted):
    """Divided by n - 1."""
    found, count = right(arrays, parameters, wanted), np.prod(places(arrays, parameters))
    return scaled(found, count / (count - 1)) if parameters["reduction"] == "mean" and count > 1 else found


def mean_of_means(right, arrays, parameters, wanted):
    """Means of micro-batches of 8 averaged, the last of which may be smaller."""
    found, (count, *rest) = right(arrays, parameters, wanted), [*places(arrays, parameters), 0]
    if (
        parameters["reduction"] != "mean"
        or "weights" in arrays
        or len(rest) != 1
        or count <= CHUNK
        or not count % CHUNK
    ):
        return found
    losses = right(arrays, dict(parameters, reduction="none"), ["value"])["value"]
    value = np.mean([np.mean(losses[at : at + CHUNK]) for at in range(0, count, CHUNK)]).astype(losses.dtype)
    return dict(found, value=value)


def weights_along_the_last_axis(right, arrays, parameters, wanted):
    """Weights of rows stretched as NumPy would, along the last axis."""
    w, shape = arrays.get("weights"), places(arrays, parameters)
    if w is None or len(shape) != 2 or w.shape != (shape[0], 1) or shape[0] > shape[1]:
        return right(arrays, parameters, wanted)
    stretched = np.resize(w[:, 0], shape[1])
    found = right(dict(arrays, weights=stretched), parameters, [name for name in wanted if name != "gradient:weights"])
    return dict(right(arrays, parameters, wanted), **found)


def weights_after_the_mean(right, arrays, parameters, wanted):
    """The mean of the losses times the mean of the weights."""
    found = right(arrays, parameters, wanted)
    if parameters["reduction"] != "mean" or "weights" not in arrays:
        return found
    plain = right({name: a for name, a in arrays.items() if name != "weights"}, parameters, ["value"])["value"]
    return dict(found, value=plain * arrays["weights"].mean(dtype=plain.dtype))


def weighted_mean_of_nothing_is_nan(right, arrays, parameters, wanted):
    """0/0 where all weights are 0."""
    found = right(arrays, parameters, wanted)
    nothing = "weights" in arrays and not arrays["weights"].any() and parameters["reduction"] in MEANS[1:]
    return scaled(found, np.nan) if nothing else found


def mean_of_nothing_is_zero(right, arrays, parameters, wanted):
    """The mean of no losses is 0, without an error."""
    if 0 in places(arrays, parameters) and parameters["reduction"] == "mean":
        return right(arrays, dict(parameters, reduction="sum"), wanted)
    return right(arrays, parameters, wanted)


def sum_over_the_first_axis(right, arrays, parameters, wanted):
    """Of several axes only the first is summed over."""
    found = right(arrays, parameters, wanted)
    if parameters["reduction"] != "sum" or len(places(arrays, parameters)) < 2:
        return found
    return dict(found, value=right(arrays, dict(parameters, reduction="none"), ["value"])["value"].sum(0))


def weight_zero_times_infinity(right, arrays, parameters, wanted):
    """0 times an infinite loss is NaN."""
    found = right(arrays, parameters, wanted)
    if parameters["reduction"] != "none" or "weights" not in arrays:
        return found
    plain = right({name: a for name, a in arrays.items() if name != "weights"}, parameters, ["value"])["value"]
    return dict(found, value=plain * arrays["weights"])


def unknown_reduction_is_none(right, arrays, parameters, wanted):
    """A misspelt reduction is taken for none, without an error."""
    known = parameters["reduction"] in ("sum", "row_mean", "row_mean_sum", *MEANS)
    return right(arrays, parameters if known else dict(parameters, reduction="none"), wanted)


planted.around(*LOSSES)(unknown_reduction_is_none)
planted.around(*ROWS)(mean_over_classes_too)
planted.around(*LOSSES)(mean_over_the_batch_only)
planted.around(*LOSSES)(mean_without_one)
planted.around(*LOSSES)(mean_of_means)
planted.around(*BINARY)(weights_along_the_last_axis)
planted.around(*LOSSES)(weights_after_the_mean)
planted.around(*LOSSES)(weighted_mean_of_nothing_is_nan)
planted.around(*LOSSES)(mean_of_nothing_is_zero)
planted.around(*LOSSES)(sum_over_the_first_axis)
planted.around(*OF_PROBABILITIES)(weight_zero_times_infinity)
IMPLEMENTATIONS = tuple(planted.rows)
