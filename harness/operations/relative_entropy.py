"""Relative entropies of single numbers z from predictions p: z log(z / p), SciPy's rel_entr.

With `generalized` - z + p is added, which makes it a divergence of numbers that sum to anything: SciPy's kl_div.

Both are convex functions, as SciPy has them: 0, or p, of z = 0, and infinite where a number is below 0.
"""

from __future__ import annotations

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters
from harness.operations.base import CANCELLATION, INSIDE, ROUNDING, Region, same_shape, undefined
from harness.operations.divergence import GENERALIZED
from harness.operations.losses import LossForm, loss
from harness.operations.probabilities import PROBABILITIES
from harness.operations.real import Call, Program, Real, shared
from harness.operations.softmax import LABELS


def _generalized(call: Call) -> bool:
    return bool(call.parameters["generalized"])


@shared
def _below(call: Call) -> Array:
    """Where a number is below 0, and none is NaN."""
    z, p = call.inputs["labels"], call.inputs["probabilities"]
    found: Array = ((z < 0) | (p < 0)) & ~np.isnan(z) & ~np.isnan(p)
    return found


@shared
def _labels(call: Call) -> Real:
    return call.exactly(np.where(_below(call), 1.0, call.inputs["labels"]))


@shared
def _predictions(call: Call) -> Real:
    return call.exactly(np.where(_below(call), 1.0, call.inputs["probabilities"]))


@shared
def _log_ratio(call: Call) -> Real:
    """log(z / p), by z - p where they are within a factor of 2: the difference is exact there."""
    z, p = call.inputs["labels"], call.inputs["probabilities"]
    near = (z < 2 * p) & (p < 2 * z)
    return ((_labels(call) - _predictions(call)) / _predictions(call)).log1p().where(near, _apart(call))


@shared
def _apart(call: Call) -> Real:
    return _labels(call).log() - _predictions(call).log()


@shared
def _plain_log_ratio(call: Call) -> Real:
    return (_labels(call) / _predictions(call)).log()


def _entropies(log_ratio: Program) -> Program:
    """Z log(z / p), and where it is generalized p - z."""

    def program(call: Call) -> Real:
        found = _times_labels(call, log_ratio)
        if _generalized(call):
            found = (found + (_predictions(call) - _labels(call))).where(~_outgrown(call), np.inf)
        return found.where(~_below(call), np.inf)

    return program


def _times_labels(call: Call, log_ratio: Program) -> Real:
    """Z log(z / p); 0 of a label of 0, unless p is NaN."""
    counted = (call.inputs["labels"] != 0) | np.isnan(call.inputs["probabilities"])
    return _labels(call) * log_ratio(call).where(counted, 0.0)


def _outgrown(call: Call) -> Array:
    """Where one number is infinite, and outgrows the other's logarithm."""
    return np.isinf(call.inputs["labels"]) ^ np.isinf(call.inputs["probabilities"])


def _term_by_term(call: Call) -> Real:
    """z log z - z log p - z + p, from left to right: each term's rounding stays where they cancel."""
    found = _times_labels(call, _apart)
    if _generalized(call):
        found = ((found - _labels(call)) + _predictions(call)).where(~_outgrown(call), np.inf)
    return found.where(~_below(call), np.inf)


def _slopes(call: Call) -> Real:
    """-z / p, and where it is generalized (p - z) / p."""
    z, p = _labels(call), _predictions(call)
    found = -(z * (1.0 / p))
    if _generalized(call):
        finite = np.isfinite(call.inputs["labels"]) & np.isfinite(call.inputs["probabilities"])
        found = ((p - z) / p).where(finite & (call.inputs["probabilities"] > 0), found + 1.0)
    return _defined(call, found)


def _plain_slopes(call: Call) -> Real:
    """1 - z / p."""
    found = -(_labels(call) * (1.0 / _predictions(call)))
    return _defined(call, found + 1.0 if _generalized(call) else found)


def _label_slopes(log_ratio: Program) -> Program:
    """log(z / p) + 1, and where it is generalized log(z / p): infinite of 0 and 0, as of any other z."""

    def program(call: Call) -> Real:
        neither = (call.inputs["labels"] == 0) & (call.inputs["probabilities"] == 0)
        found = log_ratio(call).where(~neither, np.inf)
        return _defined(call, found if _generalized(call) else found + 1.0)

    return program


def _label_slopes_term_by_term(call: Call) -> Real:
    """(log z + 1) - log p, and where it is generalized - 1 more."""
    found = (_labels(call).log() + 1.0) - _predictions(call).log()
    return _defined(call, found - 1.0 if _generalized(call) else found)


def _defined(call: Call, slopes: Real) -> Real:
    """Where all numbers around are infinite there is no slope."""
    return slopes.where(~_below(call), np.nan)


def _region(inputs: Inputs, _parameters: Parameters) -> Region:
    if objection := same_shape(inputs, "probabilities", "labels"):
        return undefined(objection)
    outside = any(np.any((inputs[name] < 0) | (inputs[name] > 1)) for name in ("probabilities", "labels"))
    return Region(Domain.EXTENDED, "numbers outside [0, 1]") if outside else INSIDE


OPERATIONS = (
    loss(
        "relative_entropy",
        "z log(z / p), generalized z log(z / p) - z + p",
        (PROBABILITIES, LABELS),
        (GENERALIZED,),
        _region,
        LossForm(ROUNDING, _entropies(_log_ratio), {"probabilities": _slopes, "labels": _label_slopes(_log_ratio)}),
        (
            LossForm(
                CANCELLATION,
                _entropies(_plain_log_ratio),
                {"probabilities": _plain_slopes, "labels": _label_slopes(_plain_log_ratio)},
            ),
            LossForm(CANCELLATION, _term_by_term, {"labels": _label_slopes_term_by_term}, passes=False),
        ),
        elementwise=True,
    ),
)
