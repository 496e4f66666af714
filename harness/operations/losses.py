"""What all losses share: label smoothing, weights, reductions, and their gradients.

A loss is computed in four steps: smooth the labels, one loss for each element (or row),
multiply by `weights`, reduce. The names of reductions say the denominator:

    none           the weighted losses
    sum            their sum
    mean           sum / number of losses
    weighted_mean  sum / sum of the weights (broadcast)              tf.losses MEAN
    nonzero_mean   sum / number of losses whose weight is not 0      tf.losses SUM_BY_NONZERO_WEIGHTS
    row_mean       mean over the last axis, one value a row          Keras's binary_crossentropy
    row_mean_sum   the sum of those                                  Keras's reduction="sum"

With weights, `row_mean` multiplies them after the mean: one weight a row. The mean of nothing is
0/0: undefined, but for the two weighted means, which are 0 by their API's definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters
from harness.operations.base import (
    ROUNDING,
    UPSTREAM,
    VALUE,
    Form,
    Input,
    Operation,
    Output,
    Parameter,
    Region,
    gradient,
    undefined,
)
from harness.operations.real import Call, Real, Shape, expanded, shared

ROW_REDUCTIONS = ("none", "sum", "mean", "weighted_mean", "nonzero_mean")
ELEMENT_REDUCTIONS = (*ROW_REDUCTIONS, "row_mean", "row_mean_sum")
WEIGHTS = Input("weights", optional=True, differentiable=True)
UPSTREAM_INPUT = Input(UPSTREAM, optional=True)
SMOOTHING = Parameter("label_smoothing", 0.0, low=0.0, high=1.0)

MASS_SLACK = 1e-2
"""Rows of labels count as normalised within this: bfloat16 can't sum to 1 more nearly."""

Locator = Callable[[Inputs, Parameters], Region]
Part = Callable[[Call], Real]


@dataclass(frozen=True, slots=True)
class LossForm:
    """A way to compute a loss, before weights and reduction.

    Attributes:
        name: as of the `Form`s that it gives.
        losses: one for each element, or each row along the last axis; None if it is about a slope only.
        slopes: derivatives of an element's, or a row's, loss with respect to inputs, class axis last;
            with respect to labels: the smoothed labels.
        passes: whether the pass line allows what it loses.
    """

    name: str
    losses: Part | None = None
    slopes: Mapping[str, Part] = field(default_factory=dict)
    passes: bool = True


def loss(
    name: str,
    formula: str,
    inputs: Sequence[Input],
    parameters: Sequence[Parameter],
    region: Locator,
    exact: LossForm,
    others: Sequence[LossForm] = (),
    *,
    elementwise: bool = False,
    by_pieces: bool = False,
) -> Operation:
    """An operation made of losses, one a row (an element, if elementwise), weighted and reduced.

    Args:
        exact: its definition, without cancellation, which is an algorithm too.
        others: algorithms that lose more.
    """
    reductions = ELEMENT_REDUCTIONS if elementwise else ROW_REDUCTIONS
    leading = inputs[0].name

    def located(given: Inputs, complete: Parameters) -> Region:
        found = region(given, complete)
        if found.domain is Domain.UNDEFINED:
            return found
        objection = _reduction_objection(complete, given.get("weights"), losses_shape(given[leading], complete))
        return undefined(objection) if objection else found

    def shape(given: Inputs, complete: Parameters) -> Shape:
        return _reduced_shape(losses_shape(given[leading], complete), str(complete["reduction"]))

    forms = (exact, *others)
    with_respect_to = [i.name for i in inputs if i.differentiable]
    outputs = {
        VALUE: _output([(form, form.losses and partial(_value, form.losses)) for form in forms]),
        **{
            gradient(n): _output([(f, f.slopes.get(n) and partial(_slope, f.slopes[n], n, leading)) for f in forms])
            for n in with_respect_to
        },
        gradient("weights"): _output([(f, f.losses and partial(_weights_slope, f.losses)) for f in forms]),
    }
    return Operation(
        name,
        formula,
        (*inputs, WEIGHTS, UPSTREAM_INPUT),
        (*parameters, Parameter("reduction", "none", choices=reductions)),
        located,
        shape,
        outputs,
        elementwise=elementwise,
        by_pieces=by_pieces,
    )


def losses_shape(leading: Array, complete: Parameters) -> Shape:
    """Shape of the losses: the leading input's, without its class axis if there is one."""
    if "axis" not in complete:
        return leading.shape
    axis = int(complete["axis"]) % leading.ndim
    return leading.shape[:axis] + leading.shape[axis + 1 :]


def smoothed(call: Call, labels: Real, classes: int) -> Real:
    """Labels moved toward 1/classes: z (1 - e) + e / classes. Classes is 2 for sigmoid losses."""
    if call.parameter("label_smoothing") == 0:
        return labels
    e = call.constant("label_smoothing")
    return labels * (1.0 - e) + e / call.once_rounded(float(classes))


def label_region(labels: Array, *, rows_on_axis: int | None = None) -> Region:
    """Labels outside [0, 1], or rows that don't sum to 1, are extended input: flagged, still judged."""
    with np.errstate(invalid="ignore"):
        if np.any((labels < 0) | (labels > 1)):
            return Region(Domain.EXTENDED, "labels outside [0, 1]")
        if rows_on_axis is not None and labels.size:
            mass = np.sum(labels, axis=rows_on_axis, dtype=np.float64)
            if np.any(np.abs(mass - 1.0) > MASS_SLACK):
                return Region(Domain.EXTENDED, "rows of labels don't sum to 1")
    return Region(Domain.INSIDE)


def _output(programs: Sequence[tuple[LossForm, Part | None]]) -> Output:
    """The first program is exact, and an algorithm like the others."""
    forms = tuple(Form(form.name, program, form.passes) for form, program in programs if program)
    exact = forms[0]
    return Output(exact.program, forms if len(forms) > 1 or exact.name != ROUNDING else ())


def _value(losses: Part, call: Call) -> Real:
    """Weigh and reduce losses."""
    found, reduction = losses(call), call.parameters["reduction"]
    if reduction in ("row_mean", "row_mean_sum"):
        weighted = _weighted(call, found.sum() / call.once_rounded(float(found.shape[-1])))
        return weighted if reduction == "row_mean" else weighted.sum(None)
    weighted = _weighted(call, found)
    if reduction == "none":
        return weighted
    total = weighted.sum(None)
    return total if reduction == "sum" else _over(call, total, found.shape)


def _weighted(call: Call, losses: Real) -> Real:
    """Losses times their weights, which broadcast to them."""
    return call.real("weights") * losses if "weights" in call.inputs else losses


def _slope(slopes: Part, name: str, leading: str, call: Call) -> Real:
    """The gradient of the reduced losses with respect to an input, times upstream."""
    found = slopes(call)
    if name == "labels" and call.parameters.get("label_smoothing", 0.0) != 0:
        found = (1.0 - call.constant("label_smoothing")) * found
    if not _is_plain(call):
        ahead = _spread(call, losses_shape(call.inputs[leading], call.parameters))
        found = (expanded(ahead) if "axis" in call.parameters else ahead) * found
    if "axis" not in call.parameters:
        return found
    axis = int(call.parameters["axis"])
    return found if axis == -1 else found.shaped(lambda a: np.moveaxis(a, -1, axis))


def _is_plain(call: Call) -> bool:
    """Whether nothing multiplies the slopes."""
    return not {"weights", UPSTREAM} & call.inputs.keys() and call.parameters["reduction"] in ("none", "sum")


def _weights_slope(losses: Part, call: Call) -> Real:
    """The gradient with respect to weights, in their shape: summed where they were broadcast."""
    found, weights = losses(call), call.inputs["weights"]
    reduction, ahead = call.parameters["reduction"], _upstream(call)
    if reduction in ("row_mean", "row_mean_sum"):
        found = found.sum() / call.once_rounded(float(found.shape[-1]))
    if reduction == "weighted_mean":
        found = found - _value(losses, call)
    slopes = ahead * found
    if reduction in ("mean", "weighted_mean", "nonzero_mean"):
        slopes = _over(call, slopes, found.shape)
    return _collected(slopes.shaped(lambda a: np.broadcast_to(a, found.shape)), weights.shape)


def _collected(slopes: Real, shape: Shape) -> Real:
    """Slopes summed, in one sum, over the axes along which an input of this shape was broadcast."""
    before = len(slopes.shape) - len(shape)
    kept = [before + axis for axis, length in enumerate(shape) if length == slopes.shape[before + axis]]
    if len(kept) == len(slopes.shape):
        return slopes
    lengths = [slopes.shape[axis] for axis in kept]
    flat = slopes.shaped(lambda a: np.moveaxis(a, kept, range(len(kept))).reshape(*lengths, -1))
    return flat.sum().shaped(lambda a: a.reshape(shape))


def _spread(call: Call, shape: Shape) -> Real:
    """The gradient of reduced losses with respect to each loss, times upstream: shape of the losses."""

    def made() -> Real:
        reduction = str(call.parameters["reduction"])
        ahead = _weighted(call, _upstream(call))
        if reduction in ("row_mean", "row_mean_sum"):
            rows = ahead / call.once_rounded(float(shape[-1]))
            ahead = expanded(rows.shaped(lambda a: np.broadcast_to(a, shape[:-1])))
        elif reduction not in ("none", "sum"):
            ahead = _over(call, ahead, shape)
        return ahead.shaped(lambda a: np.broadcast_to(a, shape))

    found: Real = call.once("spread", made)
    return found


@shared
def _upstream(call: Call) -> Real:
    return call.real(UPSTREAM) if UPSTREAM in call.inputs else call.exactly(1.0)


def _over(call: Call, numerator: Real, shape: Shape) -> Real:
    """Divided by what a mean of losses of this shape divides by; 0 where that is 0."""
    weights = call.inputs.get("weights")
    count = int(np.prod(shape, dtype=np.int64))
    if weights is None or call.parameters["reduction"] == "mean":
        return numerator / call.once_rounded(float(count))
    full = np.broadcast_to(weights, shape)
    if call.parameters["reduction"] == "nonzero_mean":
        count = int(np.count_nonzero(full))
        return numerator / call.once_rounded(float(count)) if count else numerator * 0.0
    whole = call.exactly(full).sum(None)
    return numerator / whole if _has_sum(full) else numerator * 0.0


def _has_sum(weights: Array) -> bool:
    """Whether weights have a sum other than 0: fsum rounds the exact one, once."""
    return not np.isfinite(weights).all() or math.fsum(np.ravel(weights).tolist()) != 0


def _reduced_shape(losses: Shape, reduction: str) -> Shape:
    if reduction == "none":
        return losses
    return losses[:-1] if reduction == "row_mean" else ()


def _reduction_objection(complete: Parameters, weights: Array | None, shape: Shape) -> str:
    """Why losses of this shape can't be weighted and reduced so; "" if they can."""
    reduction = complete["reduction"]
    if reduction in ("row_mean", "row_mean_sum"):
        if not shape or shape[-1] == 0:
            return f"{reduction} has no last axis to average over"
        shape = shape[:-1]
    if weights is not None:
        try:
            fits = np.broadcast_shapes(weights.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            return f"weights have shape {list(weights.shape)}, which does not broadcast to the losses' {list(shape)}"
    empty_mean = reduction == "mean" or (weights is None and reduction not in {"none", "sum"})
    if empty_mean and 0 in shape:
        return "the mean of no losses"
    return ""
