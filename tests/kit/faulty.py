"""An adapter with one fault a row, as `harness check-adapter` is to find them. Written as users write adapters."""

import os
import random
import signal

import numpy as np

from harness.adapters import ANY, Implementation, UnsupportedError

FRAMEWORK = "faulty"
PACKAGES = ("numpy",)
STATE = {"dtype": "float64"}


def losses(x, z, smoothing):
    z = z * x.dtype.type(1 - smoothing) + x.dtype.type(smoothing / 2)
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


def right(x, z, w, u, parameters):
    """No fault."""
    if x.shape != z.shape:
        raise ValueError("shapes differ")
    smoothing, reduction = parameters["label_smoothing"], parameters["reduction"]
    each, scale = losses(x, z, smoothing) * w, x.dtype.type(1 / x.size if reduction == "mean" else 1)
    value = {"none": each, "sum": each.sum(), "mean": each.mean()}[reduction]
    slopes = 1 / (1 + np.exp(-x)) - (z * x.dtype.type(1 - smoothing) + x.dtype.type(smoothing / 2))
    return {"value": value, "gradient:logits": slopes * w * u * scale}


def wrong_value(x, z, w, u, parameters):
    return {name: array + 1 for name, array in right(x, z, w, u, parameters).items()}


def opposite_sign(x, z, w, u, parameters):
    found = right(x, z, w, u, parameters)
    return dict(found, **{"gradient:logits": -found["gradient:logits"]})


def forgets_smoothing(x, z, w, u, parameters):
    return right(x, z, w, u, dict(parameters, label_smoothing=0.0))


def sum_for_mean(x, z, w, u, parameters):
    return right(x, z, w, u, dict(parameters, reduction="sum" if parameters["reduction"] == "mean" else "none"))


def ignores_upstream(x, z, w, u, parameters):
    return right(x, z, w, np.ones_like(u), parameters)


def ignores_weights(x, z, w, u, parameters):
    return right(x, z, np.ones_like(w), u, parameters)


def swapped(x, z, w, u, parameters):
    return right(z, x, w, u, parameters)


def doubled(x, z, w, u, parameters):
    return {name: 2 * array for name, array in right(x, z, w, u, parameters).items()}


def upcast(x, z, w, u, parameters):
    return {name: array.astype("float64") for name, array in right(x, z, w, u, parameters).items()}


def wrong_shape(x, z, w, u, parameters):
    return {name: np.ravel(array) for name, array in right(x, z, w, u, parameters).items()}


def returns_none(x, z, w, u, parameters):
    right(x, z, w, u, parameters)


def no_gradient(x, z, w, u, parameters):
    return {"value": right(x, z, w, u, parameters)["value"]}


def misnamed(x, z, w, u, parameters):
    found = right(x, z, w, u, parameters)
    return {"value": found["value"], "gradients:logits": found["gradient:logits"]}


def object_array(x, z, w, u, parameters):
    return {name: np.array([None]) for name in right(x, z, w, u, parameters)}


def refuses(x, z, w, u, parameters):
    if parameters["reduction"] == "sum":
        raise UnsupportedError("no sums here")
    return right(x, z, w, u, parameters)


def raises(x, z, w, u, parameters):
    raise KeyError("logit")


def accepts_everything(x, z, w, u, parameters):
    return right(x, np.broadcast_to(z, x.shape), w, u, parameters)


def writes(x, z, w, u, parameters):
    found = right(x, z, w, u, parameters)
    x -= x.max()
    return found


def needs_writable(x, z, w, u, parameters):
    if not x.flags.writeable:
        raise ValueError("buffer source array is read-only")
    return right(x, z, w, u, parameters)


def by_chance(x, z, w, u, parameters):
    found = right(x, z, w, u, parameters)
    return dict(found, value=found["value"] * x.dtype.type(1 + random.randrange(1, 99) * np.finfo(x.dtype).eps))


def remembers(x, z, w, u, parameters):
    found, before = right(x, z, w, u, parameters), STATE["dtype"]
    STATE["dtype"] = x.dtype.name
    return dict(
        found, value=found["value"] * x.dtype.type(1 if before == x.dtype.name else 1 + 9 * np.finfo(x.dtype).eps)
    )


def crashes(x, z, w, u, parameters):
    os.kill(os.getpid(), signal.SIGSEGV)


def hangs(x, z, w, u, parameters):
    while True:
        pass


RUNS = (right, wrong_value, opposite_sign, forgets_smoothing, sum_for_mean, ignores_upstream, ignores_weights)
RUNS += (swapped, doubled, upcast, wrong_shape, returns_none, no_gradient, misnamed, object_array, refuses, raises)
RUNS += (accepts_everything, writes, needs_writable, by_chance, remembers, crashes, hangs)
IMPLEMENTATIONS = tuple(
    Implementation(
        "faulty." + run.__name__,
        "sigmoid_cross_entropy",
        run,
        parameters={"label_smoothing": ANY, "reduction": ("none", "sum", "mean")},
        inputs=("weights",),
        gradients=("logits",),
    )
    for run in RUNS
)


def start(threads):
    """Nothing to import."""


def call(implementation, mode, inputs, parameters, wanted):
    """Run a row."""
    x, z = inputs["logits"].data, inputs["labels"].data
    w = inputs["weights"].data if "weights" in inputs else np.ones((), x.dtype)
    u = inputs["upstream"].data if "upstream" in inputs else np.ones((), x.dtype)
    found = implementation.run(x, z, w, u, parameters)
    return found if found is None else {n: a if a.dtype == object else np.asarray(a) for n, a in found.items()}
