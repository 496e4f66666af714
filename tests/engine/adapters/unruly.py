"""An adapter whose calls misbehave as processes: each row is one way to do so."""

import os
import signal
import sys
import time
import warnings
from types import MappingProxyType

import numpy as np

from harness.adapters import ANY, Implementation

FRAMEWORK = "unruly"
PACKAGES = ("numpy",)
EVERYTHING = MappingProxyType({"label_smoothing": ANY, "reduction": ANY})


def killed(_logits):
    """Ended from outside, as by the kernel when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def segmentation_fault(_logits):
    """A bug in native code."""
    sys.stderr.write("about to touch memory that is not ours\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)


def hanging(_logits):
    """Never answers."""
    time.sleep(3600)


def chatty(logits):
    """Prints where a naive protocol would listen."""
    sys.stdout.write('{"outcome": "value"}\n' * 1000)
    os.write(1, b"raw bytes on standard output\n")
    return good(logits)


def deprecated(logits):
    """Warns of its own end."""
    warnings.warn("deprecated() goes away: use good()", DeprecationWarning, stacklevel=2)
    return good(logits)


def exiting(_logits):
    """Ends the interpreter."""
    os._exit(7)


def out_of_memory(_logits):
    """Asks for more than there is."""
    raise MemoryError


def wrong_shape(logits):
    """One element too many."""
    return np.append(good(logits), np.float32(0))


def wrong_dtype(logits):
    """Computed in double, and left so."""
    return good(logits.astype(np.float64))


def no_array(_logits):
    """An object where an array belongs."""
    return np.array([object()])


def good(logits):
    """As it should be: sigmoid cross-entropy of label 0."""
    return np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))


ROWS = (
    killed,
    segmentation_fault,
    hanging,
    chatty,
    deprecated,
    exiting,
    out_of_memory,
    wrong_shape,
    wrong_dtype,
    no_array,
    good,
)
IMPLEMENTATIONS = (
    *(Implementation("unruly." + row.__name__, "sigmoid_cross_entropy", row, parameters=EVERYTHING) for row in ROWS),
    Implementation(
        "unruly.later", "sigmoid_cross_entropy", good, gradients=("logits",), gradients_since={"logits": "999.1"}
    ),
)


def start(_threads):
    """Nothing to import."""


def call(implementation, _mode, inputs, _parameters, _wanted):
    """Run a row."""
    return {"value": implementation.run(inputs["logits"].data)}
