"""Plausible losses of precision."""

import numpy as np

from harness.adapters import FLOATS
from harness.adapters import numpy as base
from harness.adapters.planting import LOSSES, PRIMITIVES, SIGMOIDS, SOFTMAXES, Planted

FRAMEWORK = "mutants_precision"
PACKAGES = base.PACKAGES
start, call = base.start, base.call
planted = Planted(FRAMEWORK, FLOATS)
EVERYWHERE = (*PRIMITIVES, *LOSSES)
OF_PROBABILITIES = ("binary_cross_entropy", "categorical_cross_entropy", "sparse_categorical_cross_entropy")


def cast(array, dtype):
    """A real array in another dtype, anything else as it is."""
    return array.astype(dtype) if array.dtype.kind == "f" else array


def computed_in(name, dtype, operations=EVERYWHERE):
    """Everything in another dtype, and back."""

    def run(right, arrays, parameters, wanted):
        x = arrays.get("logits", arrays.get("probabilities"))
        found = right({key: cast(array, dtype) for key, array in arrays.items()}, parameters, wanted)
        return {key: array.astype(x.dtype) for key, array in found.items()}

    run.__name__ = name
    planted.around(*operations)(run)


def truncated(array, bits):
    """A float32 array with some of its last bits cleared; other arrays as they are."""
    if array.dtype != np.float32:
        return array
    return (array.view(np.uint32) & np.uint32((0xFFFFFFFF << bits) & 0xFFFFFFFF)).view(np.float32)


def inputs_altered(name, change, operations=EVERYWHERE):
    """Inputs that lose something on their way."""

    def run(right, arrays, parameters, wanted):
        return right(
            {key: change(np.ascontiguousarray(array)).reshape(array.shape) for key, array in arrays.items()},
            parameters,
            wanted,
        )

    run.__name__ = name
    planted.around(*operations)(run)


def outputs_altered(name, change, operations=EVERYWHERE):
    """Outputs that lose something on their way."""

    def run(right, arrays, parameters, wanted):
        return {key: change(array) for key, array in right(arrays, parameters, wanted).items()}

    run.__name__ = name
    planted.around(*operations)(run)


def flushed(array):
    """Zero for what is below the normal range."""
    if array.dtype.kind != "f":
        return array
    return np.where(np.abs(array) < np.finfo(array.dtype).tiny, array.dtype.type(0), array)


computed_in("computed_in_float16", np.float16)
computed_in("computed_in_float32", np.float32)
inputs_altered("inputs_in_bfloat16", lambda a: truncated(a, 16))
inputs_altered("inputs_with_10_bits", lambda a: truncated(a, 13))
inputs_altered("subnormal_inputs_flushed", flushed, ("sigmoid_cross_entropy", *OF_PROBABILITIES))
outputs_altered("outputs_in_bfloat16", lambda a: truncated(np.ascontiguousarray(a), 16).reshape(np.shape(a)))
outputs_altered("outputs_with_six_decimals", lambda a: np.round(a, 6))
outputs_altered("subnormal_outputs_flushed", flushed, (*PRIMITIVES, *SIGMOIDS, *SOFTMAXES))
outputs_altered("outputs_in_double_precision", lambda a: np.asarray(a, np.float64))
outputs_altered("outputs_in_single_precision", lambda a: np.asarray(a, np.float32))


# sums and functions


def summed(name, total):
    """Softmaxes whose sum is lossy."""

    def softmax(x, axis):
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / total(e, axis).astype(x.dtype)

    def log_softmax(x, axis):
        d = x - x.max(axis, keepdims=True)
        return d - np.log(total(np.exp(d), axis).astype(x.dtype))

    planted.softmaxes(name, softmax, log_softmax)


def exponential(name, exp):
    """Softmaxes and sigmoids with another exponential."""

    def softmax(x, axis):
        e = exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)

    def log_softmax(x, axis):
        d = x - x.max(axis, keepdims=True)
        return d - np.log(exp(d).sum(axis, keepdims=True))

    def sigmoid(x):
        e = exp(-np.abs(x))
        return np.where(x >= 0, x.dtype.type(1), e) / (x.dtype.type(1) + e)

    planted.softmaxes(name, softmax, log_softmax)
    planted.sigmoids(name, sigmoid, lambda x: np.minimum(x, x.dtype.type(0)) - np.log1p(exp(-np.abs(x))))


def by_squares(x):
    """(1 + x / 1024) ** 1024."""
    return np.maximum(x.dtype.type(1) + x / x.dtype.type(1024), x.dtype.type(0)) ** 1024


def by_bits(x):
    """2 ** (x log2(e)) with a fraction that is taken as it is, as Schraudolph has it."""
    y = np.maximum(x * x.dtype.type(1.4426950408889634), x.dtype.type(-1000))
    whole = np.floor(y)
    return np.ldexp(x.dtype.type(1) + (y - whole), np.where(np.isfinite(whole), whole, 0).astype(np.int32))


def with_short_constant(x):
    """2 ** (x log2(e)) with seven digits of the constant."""
    return np.exp2(x * x.dtype.type(1.442695))


summed("sums_in_float16", lambda e, axis: e.sum(axis, keepdims=True, dtype=np.float16))
summed("sums_in_float32", lambda e, axis: e.sum(axis, keepdims=True, dtype=np.float32))
summed("small_terms_left_out", lambda e, axis: np.where(e < 1e-6, e.dtype.type(0), e).sum(axis, keepdims=True))
exponential("exponential_by_squares", by_squares)
exponential("exponential_by_bits", by_bits)
exponential("exponential_with_a_short_constant", with_short_constant)


def reduced_in_float16(right, arrays, parameters, wanted):
    """Sums and means of losses are accumulated in half precision."""
    found = right(arrays, parameters, wanted)
    if parameters["reduction"] not in ("sum", "mean") or "weights" in arrays:
        return found
    losses = right(arrays, dict(parameters, reduction="none"), ["value"])["value"]
    total = np.add.accumulate(losses.astype(np.float16).reshape(-1))[-1:].astype(losses.dtype)
    value = (
        total.reshape(()) if parameters["reduction"] == "sum" else total.reshape(()) / losses.dtype.type(losses.size)
    )
    return dict(found, value=value)


planted.around(*LOSSES)(reduced_in_float16)
IMPLEMENTATIONS = tuple(planted.rows)
