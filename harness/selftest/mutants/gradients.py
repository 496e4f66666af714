"""Plausible bugs in gradients; the values are right."""

import numpy as np

from harness.adapters import numpy as base
from harness.adapters import reference
from harness.adapters.planting import BINARY, LOSSES, PRIMITIVES, ROWS, SIGMOIDS, SOFTMAXES, Planted
from harness.adapters.reference import times

FRAMEWORK = "mutants_gradients"
PACKAGES = base.PACKAGES
start, call = base.start, base.call
planted = Planted(FRAMEWORK)
EVERYWHERE = (*PRIMITIVES, *LOSSES)
OF_LOGITS = (*PRIMITIVES, *SIGMOIDS, *SOFTMAXES)
LEADING = ("gradient:logits", "gradient:probabilities")


def altered(name, operations, change, outputs=None):
    """Gradients altered after they were computed: a function of gradient and inputs."""

    def run(right, arrays, parameters, wanted):
        found = right(arrays, parameters, wanted)
        chosen = [name for name in found if name in (outputs or found) and name != "value"]
        return dict(found, **{name: change(found[name], arrays).astype(found[name].dtype) for name in chosen})

    run.__name__ = name
    planted.around(*operations)(run)


def asked_with(name, operations, **changed):
    """Gradients of another call: inputs and parameters changed by functions, or left out by None."""

    def run(right, arrays, parameters, wanted):
        others = {name: change(arrays[name]) for name, change in changed.items() if name in arrays}
        inputs = {name: array for name, array in {**arrays, **others}.items() if array is not None}
        settings = {key: changed[key](value) if key in changed else value for key, value in parameters.items()}
        gradients = right(
            inputs, settings, [each for each in wanted if each.rpartition(":")[2] in inputs or each == "value"]
        )
        return dict(right(arrays, parameters, wanted), **{n: a for n, a in gradients.items() if n != "value"})

    run.__name__ = name
    planted.around(*operations)(run)


def in_float16(x):
    """An array with what half precision leaves of it."""
    return x.astype(np.float16).astype(x.dtype)


def leading(arrays):
    """The logits or probabilities."""
    return arrays.get("logits", arrays.get("probabilities"))


altered("gradient_of_the_wrong_sign", EVERYWHERE, lambda g, _: -g)
altered("gradient_nan_made_0", EVERYWHERE, lambda g, _: np.nan_to_num(g, nan=0.0, posinf=np.inf, neginf=-np.inf))
altered("gradient_clipped_to_1", EVERYWHERE, lambda g, _: np.clip(g, g.dtype.type(-1), g.dtype.type(1)))
altered("gradient_cut_below_1e_7", EVERYWHERE, lambda g, _: np.where(np.abs(g) < 1e-7, g.dtype.type(0), g))
altered("gradient_half_at_0", ("log_sigmoid", *SIGMOIDS), lambda g, a: np.where(leading(a) == 0, g / 2, g), LEADING)
altered(
    "gradient_stops_above_15", OF_LOGITS, lambda g, a: np.where(np.abs(leading(a)) > 15, g.dtype.type(0), g), LEADING
)
asked_with("upstream_ignored", EVERYWHERE, upstream=lambda u: None)
asked_with("upstream_squared", EVERYWHERE, upstream=lambda u: u * u)
asked_with("upstream_of_the_first_only", EVERYWHERE, upstream=lambda u: np.full_like(u, u.reshape(-1)[0]))
asked_with("upstream_magnitude", EVERYWHERE, upstream=np.abs)
asked_with("gradient_without_weights", LOSSES, weights=lambda w: None)
asked_with("gradient_weighted_twice", LOSSES, weights=lambda w: w * w)
asked_with("gradient_of_the_sum_for_the_mean", LOSSES, reduction=lambda r: "sum" if r == "mean" else r)
asked_with("gradient_of_the_mean_for_the_sum", LOSSES, reduction=lambda r: "mean" if r == "sum" else r)
asked_with("gradient_in_float16", EVERYWHERE, logits=in_float16, probabilities=in_float16)
asked_with("gradient_by_hard_labels", BINARY, labels=np.round)


# formulas


def massless_softmax(x, z, parameters):
    """p - z, which is right only where labels sum to 1."""
    return reference.softmax(x, parameters["axis"]) - z


def massless_categorical(p, z, parameters):
    """What comes of labels that are brought to a sum of 1 first."""
    axis = parameters["axis"]
    return reference.categorical_slopes(p, times(z, 1 / z.sum(axis, keepdims=True)), parameters)


def without_own_probability(x, z, parameters):
    """-z + p at the other classes only."""
    axis = parameters["axis"]
    p = reference.softmax(x, axis) * z.sum(axis, keepdims=True)
    return np.where(z == 0, p, -z)


def unguarded_difference(x, z, parameters):
    """sigmoid(x) - z, which cancels for positive labels and logits."""
    q = x.dtype.type(parameters.get("pos_weight", 1))
    one = x.dtype.type(1)
    return (one - z + q * z) * reference.sigmoid(x) - q * z


def by_magnitude(x, z, parameters):
    """The slope of |x| taken as 1 at 0, and the tail's as it is."""
    found = reference.sigmoid_slopes(x, z, parameters)
    return np.where(x == 0, found + x.dtype.type(0.5), found)


planted.losses("gradient_without_the_mass", ("softmax_cross_entropy",), slopes=massless_softmax)
planted.losses("gradient_without_the_mass", ("categorical_cross_entropy",), slopes=massless_categorical)
planted.losses(
    "gradient_without_own_probability",
    SOFTMAXES,
    slopes=without_own_probability,
)
planted.losses("gradient_of_sigmoid_less_label", SIGMOIDS, slopes=unguarded_difference)
planted.losses("gradient_one_sided_at_0", SIGMOIDS, slopes=by_magnitude)


def label_slopes(name, operations, change):
    """Other derivatives with respect to labels: a function of the right ones and the leading input."""
    for operation in operations:
        planted.losses(name, (operation,), label_slopes=changed(operation, change))


def changed(operation, change):
    """The label slopes of an operation, altered."""
    right = {
        "softmax_cross_entropy": reference.softmax_label_slopes,
        "categorical_cross_entropy": reference.categorical_label_slopes,
        "sigmoid_cross_entropy": reference.sigmoid_label_slopes,
        "weighted_sigmoid_cross_entropy": reference.sigmoid_label_slopes,
        "binary_cross_entropy": reference.binary_label_slopes,
    }[operation]
    return lambda x, z, parameters: change(right(x, z, parameters), x)


label_slopes(
    "label_gradient_missing",
    ("softmax_cross_entropy", "categorical_cross_entropy", *BINARY),
    lambda g, _: g * g.dtype.type(0),
)
label_slopes(
    "label_gradient_is_the_input", ("softmax_cross_entropy", "weighted_sigmoid_cross_entropy"), lambda g, x: -x
)


def weight_gradient_not_gathered(right, arrays, parameters, wanted):
    """Of weights that are broadcast, the gradient of the first place they went to."""
    found = right(arrays, parameters, wanted)
    w, whole = arrays.get("weights"), arrays["labels"]
    if "gradient:weights" not in found or w.size == 0 or w.size >= whole.size:
        return found
    share = found["gradient:weights"] / found["gradient:weights"].dtype.type(max(whole.size // w.size, 2))
    return dict(found, **{"gradient:weights": share})


def weight_gradient_of_the_sum(right, arrays, parameters, wanted):
    """The derivative with respect to weights forgets that they are in the denominator."""
    found = right(arrays, parameters, wanted)
    if "gradient:weights" not in found or parameters["reduction"] != "weighted_mean":
        return found
    other = right(arrays, dict(parameters, reduction="mean"), ["gradient:weights"])
    return dict(found, **other)


planted.around(*BINARY, *ROWS)(weight_gradient_not_gathered)
planted.around(*LOSSES)(weight_gradient_of_the_sum)
IMPLEMENTATIONS = tuple(planted.rows)
