"""An adapter with one plausible bug a row: the harness must notice every one, and pass the right ones."""

from types import MappingProxyType

import numpy as np

from harness.adapters import ANY, Implementation

FRAMEWORK = "wrong"
PACKAGES = ("numpy",)
EVERYTHING = MappingProxyType({"label_smoothing": ANY, "reduction": ANY, "axis": ANY})
SMOOTHING = MappingProxyType({"label_smoothing": ANY, "reduction": ANY})
NO_SMOOTHING = MappingProxyType({"reduction": ANY})


def sigmoid_losses(x, z):
    """The stable form, for the bugs to be planted in."""
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


def log_softmax(x, axis=-1):
    """The stable form along an axis."""
    d = x - x.max(axis=axis, keepdims=True)
    return d - np.log(np.exp(d).sum(axis=axis, keepdims=True))


def reduced(losses, parameters):
    """The reductions that the cases ask for."""
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[parameters["reduction"]]


def right_sigmoid(x, z, parameters):
    """No bug."""
    return reduced(sigmoid_losses(x, z), parameters)


def missing_term(x, z, parameters):
    """Without the logarithm's term."""
    return reduced(np.maximum(x, 0) - x * z, parameters)


def swallowed_nan(x, z, parameters):
    """NaN is replaced by 0."""
    return reduced(np.nan_to_num(sigmoid_losses(x, z), nan=0.0), parameters)


def mean_instead_of_sum(x, z, parameters):
    """The sum divided by the number of losses."""
    losses = sigmoid_losses(x, z)
    return losses.mean() if parameters["reduction"] == "sum" else reduced(losses, parameters)


def wrong_sign(x, z, parameters):
    """Labels of the other class."""
    return reduced(sigmoid_losses(-x, z), parameters)


def forgets_smoothing(x, z, parameters):
    """Takes label_smoothing and does nothing with it."""
    return right_sigmoid(x, z, parameters)


def right_softmax(x, k, parameters):
    """No bug."""
    logs = log_softmax(x)
    return reduced(-np.take_along_axis(logs, k[..., None], -1)[..., 0], parameters)


def wrong_axis(x, k, parameters):
    """Normalised over the batch."""
    logs = log_softmax(x, axis=0)
    return reduced(-np.take_along_axis(logs, k[..., None], -1)[..., 0], parameters)


def off_by_one(x, k, parameters):
    """Labels counted from 1."""
    return right_softmax(x, (k + 1) % x.shape[-1], parameters)


def unshifted(x, k, parameters):
    """exp without subtracting the maximum first."""
    with np.errstate(all="ignore"):
        losses = np.log(np.exp(x).sum(-1)) - np.take_along_axis(x, k[..., None], -1)[..., 0]
    return reduced(losses, parameters)


def accepts_anything(x, k, parameters):
    """A number for a label that is no class."""
    return right_softmax(x, np.clip(k, 0, x.shape[-1] - 1), parameters)


SIGMOID = (missing_term, swallowed_nan, mean_instead_of_sum, wrong_sign, forgets_smoothing)
SPARSE = (right_softmax, wrong_axis, off_by_one, unshifted, accepts_anything)
IMPLEMENTATIONS = tuple(
    Implementation("wrong." + row.__name__, operation, row, parameters=offered)
    for operation, rows, offered in (
        ("sigmoid_cross_entropy", (right_sigmoid,), NO_SMOOTHING),
        ("sigmoid_cross_entropy", SIGMOID, SMOOTHING),
        ("sparse_softmax_cross_entropy", SPARSE, EVERYTHING),
    )
    for row in rows
)


def start(_threads):
    """Nothing to import."""


def call(implementation, _mode, inputs, parameters, _wanted):
    """Run a row."""
    logits, labels = inputs["logits"].data, inputs["labels"].data
    return {"value": np.asarray(implementation.run(logits, labels, parameters), logits.dtype)}
