"""The second release: in each function, but for `same`, one thing is not as it was."""

import os
import signal
import time
import warnings

import numpy as np

__version__ = "2.0"


def losses(x, z):
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


def reduced(found, reduction):
    return found.mean(dtype=found.dtype) if reduction == "mean" else found


def slope(name, x, z):
    e = np.exp(-np.abs(x))
    s, t = np.where(x >= 0, 1, e) / (1 + e), np.where(x >= 0, e, 1) / (1 + e)
    found = ((1 - z) * s - z * t).astype(x.dtype)
    return -found if name == "gradient" else found


def right(x, z, reduction="none"):
    if x.shape != z.shape:
        raise ValueError("shapes differ")
    return reduced(losses(x, z), reduction)


same = gradient = compiled = added = right


def value(x, z, reduction="none"):
    return reduced(np.maximum(x, 0) - x * z + np.log(1 + np.exp(-np.abs(x))), reduction)


def sign(x, z, reduction="none"):
    return -right(x, z, reduction)


def nan(x, z, reduction="none"):
    return reduced(np.where(x < -5, np.nan, losses(x, z)).astype(x.dtype), reduction)


def infinity(x, z, reduction="none"):
    return reduced(np.where(x > 5, np.inf, losses(x, z)).astype(x.dtype), reduction)


def zero(x, z, reduction="none"):
    found = losses(x, z)
    return reduced(np.where(found < 1e-3, 0, found).astype(x.dtype), reduction)


def shape(x, z, reduction="none"):
    return right(x, z, reduction)[..., None]


def dtype(x, z, reduction="none"):
    found = right(x, z, reduction)
    return found.astype(np.float64 if found.dtype == np.float32 else np.float32)


def last_element(x, z, reduction="none"):
    found = losses(x, z)
    found.reshape(-1)[-1] = 0.5
    return reduced(found, reduction)


def reduction(x, z, reduction="none"):
    found = right(x, z, reduction)
    return found * x.dtype.type(2) if reduction == "mean" else found


def raises(x, z, reduction="none"):
    raise TypeError("no longer")


def error_type(x, z, reduction="none"):
    raise TypeError("no such thing")


def answers(x, z, reduction="none"):
    return right(x, z, reduction)


def default(x, z, reduction="none", epsilon=1e-12):
    return right(x, z, reduction)


def parameter(x, z, reduction="none", weight=None):
    return right(x, z, reduction)


def renamed(input, target, reduction="none"):
    return right(input, target, reduction)


def reordered(x, z, reduction="none", name=None, axis=-1):
    return right(x, z, reduction)


def bits(x, z, reduction="none"):
    found = right(x, z, reduction)
    return np.where(np.isnan(found), np.copysign(found, -np.copysign(1, found)), found)


def worse(x, z, reduction="none"):
    return right(x, z, reduction) * x.dtype.type(1 + np.finfo(x.dtype).eps)


def better(x, z, reduction="none"):
    return right(x, z, reduction)


def compiled_for_real(x, z, reduction="none"):
    return right(x, z, reduction) * x.dtype.type(1.5)


def narrow(x, z, reduction="none"):
    found = right(x, z, reduction)
    return found * x.dtype.type(1.5) if x.dtype == np.float64 else found


def deprecated(x, z, reduction="none"):
    warnings.warn(f"From {__file__}:129: an old warning of every release", DeprecationWarning, stacklevel=2)
    warnings.warn("deprecated() is deprecated: call same()", DeprecationWarning, stacklevel=2)
    return right(x, z, reduction)


def slower(x, z, reduction="none"):
    time.sleep(0.003)
    return right(x, z, reduction)


def crashes(x, z, reduction="none"):
    if reduction == "mean":
        os.kill(os.getpid(), signal.SIGSEGV)
    return right(x, z, reduction)


def silent(x, z, reduction="none"):
    if x.shape != z.shape:
        z = np.broadcast_to(z.reshape(-1)[:1], x.shape)
    return right(x, z, reduction)
