"""A framework of twenty-nine losses that are all sigmoid cross-entropy, first release."""

import warnings

import numpy as np

__version__ = "1.0"


def losses(x, z):
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


def reduced(found, reduction):
    return found.mean(dtype=found.dtype) if reduction == "mean" else found


def slope(_name, x, z):
    e = np.exp(-np.abs(x))
    s, t = np.where(x >= 0, 1, e) / (1 + e), np.where(x >= 0, e, 1) / (1 + e)
    return ((1 - z) * s - z * t).astype(x.dtype)


def right(x, z, reduction="none"):
    if x.shape != z.shape:
        raise ValueError("shapes differ")
    return reduced(losses(x, z), reduction)


same = value = sign = nan = infinity = zero = shape = dtype = last_element = reduction = right
raises = gradient = compiled = compiled_for_real = narrow = crashes = slower = silent = right
bits = removed = right


def error_type(x, z, reduction="none"):
    raise ValueError("no such thing")


def answers(x, z, reduction="none"):
    right(x, z)
    raise NotImplementedError("not yet")


def default(x, z, reduction="none", epsilon=1e-7):
    return right(x, z, reduction)


def parameter(x, z, reduction="none"):
    return right(x, z, reduction)


def renamed(logits, labels, reduction="none"):
    return right(logits, labels, reduction)


def reordered(x, z, reduction="none", axis=-1, name=None):
    return right(x, z, reduction)


def worse(x, z, reduction="none"):
    return right(x, z, reduction)


def better(x, z, reduction="none"):
    return right(x, z, reduction) * x.dtype.type(1 + np.finfo(x.dtype).eps)


def deprecated(x, z, reduction="none"):
    warnings.warn(f"From {__file__}:70: an old warning of every release", DeprecationWarning, stacklevel=2)
    return right(x, z, reduction)
