"""log(sum exp(x)) along the class axis.

By limit it is the largest logit where that is infinite: unlike softmax it has a limit for several
+inf, and for -inf alone. Its gradient is the softmax.
"""

from __future__ import annotations

import numpy as np

from harness.model.case import Array, Inputs, Parameters
from harness.operations.base import LSE, ROUNDING, SHIFT, UPSTREAM, VALUE, Form, Operation, Output, Region, gradient
from harness.operations.losses import UPSTREAM_INPUT, losses_shape
from harness.operations.real import Call, Program, Real, Shape, expanded, of_row, shared
from harness.operations.softmax import (
    AXIS,
    LOGITS,
    all_classes,
    class_axis_region,
    last_axis_back,
    log_sum,
    lse_log_p,
    others,
    probabilities,
    quotient,
    rows,
    squeezed,
)


@of_row
def _top(call: Call) -> Array:
    return np.max(rows(call, "logits"), axis=-1)


def _above_top(call: Call, log_of_sum: Real) -> Real:
    """Max(x) and the logarithm of the sum of exp(x - max(x)), which is no number where that is infinite."""
    top = _top(call)
    return call.exactly(top) + squeezed(log_of_sum).where(np.isfinite(top), 0.0)


def _value(call: Call) -> Real:
    """max + log1p(s - 1)."""
    return _above_top(call, others(call).log1p())


def _shifted_value(call: Call) -> Real:
    """max + log(s): loses what 1 swallows of s."""
    return _above_top(call, log_sum(call))


def _from_value(call: Call) -> Real:
    """exp(x - log(sum exp(x))): the softmax as from the saved value, which has lost what max(x) swallows."""
    return lse_log_p(call, all_classes(call)).exp()


@shared
def _ahead(call: Call) -> Real:
    return expanded(call.real(UPSTREAM)) if UPSTREAM in call.inputs else call.exactly(1.0)


def _slopes(p: Program) -> Program:
    """Upstream times the softmax."""
    return last_axis_back(lambda call: _ahead(call) * p(call))


def _region(inputs: Inputs, parameters: Parameters) -> Region:
    return class_axis_region(inputs, parameters, "logits")


def _shape(inputs: Inputs, parameters: Parameters) -> Shape:
    return losses_shape(inputs["logits"], parameters)


OPERATIONS = (
    Operation(
        "logsumexp",
        "log(sum exp(x))",
        (LOGITS, UPSTREAM_INPUT),
        (AXIS,),
        _region,
        _shape,
        {
            VALUE: Output(_value, (Form(ROUNDING, _value), Form(SHIFT, _shifted_value))),
            gradient("logits"): Output(
                _slopes(probabilities),
                (Form(ROUNDING, _slopes(quotient)), Form(LSE, _slopes(_from_value), passes=False)),
            ),
        },
        by_pieces=True,
    ),
)
