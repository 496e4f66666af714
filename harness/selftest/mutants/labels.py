"""Plausible bugs in how labels are read and smoothed."""

import numpy as np

from harness.adapters import numpy as base
from harness.adapters.planting import BINARY, DENSE, SPARSE, Planted

FRAMEWORK = "mutants_labels"
PACKAGES = base.PACKAGES
start, call = base.start, base.call
planted = Planted(FRAMEWORK)
SMOOTHED = ("sigmoid_cross_entropy", "binary_cross_entropy", "softmax_cross_entropy", "sparse_softmax_cross_entropy")


def classes(arrays, parameters):
    """How many classes there are: 2 where there is no class axis."""
    x = arrays.get("logits", arrays.get("probabilities"))
    return x.shape[parameters["axis"]] if "axis" in parameters else 2


def relabelled(name, operations, change):
    """Labels altered before they are used: a function of labels and the number of classes."""

    def run(right, arrays, parameters, wanted):
        labels = change(arrays["labels"], classes(arrays, parameters)).astype(arrays["labels"].dtype)
        return right(dict(arrays, labels=labels), parameters, wanted)

    run.__name__ = name
    planted.around(*operations)(run)


# indices

relabelled("labels_counted_from_1", SPARSE, lambda k, n: np.where(k == 0, n - 1, k - 1))
relabelled("labels_off_by_one", SPARSE, lambda k, n: (k + 1) % n)
relabelled("last_label_is_the_first", SPARSE, lambda k, n: np.where(k == n - 1, 0, k))
relabelled("negative_labels_from_the_end", SPARSE, lambda k, n: np.where((k < 0) & (k >= -n), k + n, k))
relabelled("labels_clamped", SPARSE, lambda k, n: np.clip(k, 0, n - 1))
relabelled("labels_modulo_classes", SPARSE, lambda k, n: k % n)
relabelled("label_minus_1_ignored_unasked", SPARSE, lambda k, n: np.where(k == -1, 0, k))
relabelled("label_minus_100_ignored_unasked", SPARSE, lambda k, n: np.where(k == -100, 0, k))
relabelled("label_of_classes_accepted", SPARSE, lambda k, n: np.where(k == n, n - 1, k))


def held_in(name, dtype):
    """Indices that are classes, kept in a dtype that holds few of them."""

    def narrowed(k, n):
        with np.errstate(over="ignore"):
            kept = np.nan_to_num(k.astype(dtype), posinf=0).astype(np.int64) % n
        return np.where((k < 0) | (k >= n), k, kept)

    relabelled(name, SPARSE, narrowed)


held_in("labels_in_int8", np.int8)
held_in("labels_in_uint8", np.uint8)
held_in("labels_in_int16", np.int16)
held_in("labels_in_float16", np.float16)


def flat_index_in_int16(right, arrays, parameters, wanted):
    """Positions of labels in the whole array overflow."""
    k, n = arrays["labels"], classes(arrays, parameters)
    flat = np.arange(k.size).reshape(k.shape) * n + k
    wrapped = np.where((k < 0) | (k >= n), k, flat.astype(np.int16) % n)
    return right(dict(arrays, labels=wrapped), parameters, wanted)


planted.around(*SPARSE)(flat_index_in_int16)


# soft labels


def of_largest(z, _n):
    """The class with the largest label, by the last axis, as its only one."""
    return (z == z.max(-1, keepdims=True, initial=-np.inf)).astype(z.dtype)


relabelled("soft_labels_made_hard", DENSE, of_largest)
relabelled("labels_normalised", DENSE, lambda z, n: z / z.sum(-1, keepdims=True))
relabelled("labels_rounded", BINARY, lambda z, n: np.round(z))
relabelled("labels_as_integers", (*BINARY, *DENSE), lambda z, n: np.trunc(z))
relabelled("labels_of_the_other_class", BINARY, lambda z, n: z.dtype.type(1) - z)
relabelled("labels_clipped_to_0_and_1", (*BINARY, *DENSE), lambda z, n: np.clip(z, z.dtype.type(0), z.dtype.type(1)))
relabelled("labels_in_float16_bits", (*BINARY, *DENSE), lambda z, n: z.astype(np.float16))
relabelled("negative_labels_dropped", (*BINARY, *DENSE), lambda z, n: np.maximum(z, z.dtype.type(0)))


def logits_and_labels_swapped(right, arrays, parameters, wanted):
    """Arguments in the order of another framework."""
    if arrays["logits"].shape != arrays["labels"].shape:
        raise ValueError("shapes differ")
    return right(dict(arrays, logits=arrays["labels"], labels=arrays["logits"]), parameters, wanted)


planted.around("sigmoid_cross_entropy", "weighted_sigmoid_cross_entropy", "softmax_cross_entropy")(
    logits_and_labels_swapped
)


def labels_broadcast(right, arrays, parameters, wanted):
    """Labels of another shape are stretched, instead of an error."""
    x = arrays.get("logits", arrays.get("probabilities"))
    return right(dict(arrays, labels=np.broadcast_to(arrays["labels"], x.shape)), parameters, wanted)


planted.around(*BINARY, *DENSE)(labels_broadcast)


# smoothing


def smoothed(name, amount, operations=SMOOTHED):
    """Another amount of smoothing than that asked for: a function of it and of the number of classes."""

    def run(right, arrays, parameters, wanted):
        asked = parameters["label_smoothing"]
        other = amount(asked, classes(arrays, parameters)) if 0 < asked <= 1 else asked
        return right(arrays, dict(parameters, label_smoothing=other), wanted)

    run.__name__ = name
    planted.around(*operations)(run)


smoothed("smoothing_ignored", lambda s, n: 0)
smoothed("smoothing_over_the_other_classes", lambda s, n: s * n / (n - 1) if n > 1 and s * n <= n - 1 else s / 2)
smoothed("smoothing_twice", lambda s, n: 1 - (1 - s) ** 2)
smoothed("smoothing_halved", lambda s, n: s / 2)
smoothed("smoothing_is_what_stays", lambda s, n: 1 - s)
smoothed("smoothing_in_percent", lambda s, n: s / 100)


def smoothing_of_any_size(right, arrays, parameters, wanted):
    """Amounts outside [0, 1] are taken as they are, without an error."""
    within = min(max(parameters["label_smoothing"], 0), 1)
    return right(arrays, dict(parameters, label_smoothing=within), wanted)


def smoothing_forgotten_in_the_gradient(right, arrays, parameters, wanted):
    """Gradients are those of the labels as given."""
    found = right(arrays, parameters, wanted)
    plain = right(arrays, dict(parameters, label_smoothing=0), wanted)
    return {name: found[name] if name == "value" else plain[name] for name in found}


def smoothing_adds_without_taking(right, arrays, parameters, wanted):
    """s / C is added to all labels, and nothing is taken of the right one."""
    s, n = parameters["label_smoothing"], classes(arrays, parameters)
    z = arrays["labels"]
    raised = z + z.dtype.type(s / n) if 0 < s < 1 else z
    return right(dict(arrays, labels=raised), dict(parameters, label_smoothing=s if s <= 0 or s >= 1 else 0), wanted)


def smoothing_takes_without_adding(right, arrays, parameters, wanted):
    """The right label is 1 - s, and the others stay 0."""
    s, z = parameters["label_smoothing"], arrays["labels"]
    lowered = z * z.dtype.type(1 - s) if 0 < s < 1 else z
    return right(dict(arrays, labels=lowered), dict(parameters, label_smoothing=s if s <= 0 or s >= 1 else 0), wanted)


DENSELY = ("sigmoid_cross_entropy", "binary_cross_entropy", "softmax_cross_entropy")
planted.around(*SMOOTHED)(smoothing_of_any_size)
planted.around(*SMOOTHED)(smoothing_forgotten_in_the_gradient)
planted.around(*DENSELY)(smoothing_adds_without_taking)
planted.around(*DENSELY)(smoothing_takes_without_adding)
IMPLEMENTATIONS = tuple(planted.rows)
