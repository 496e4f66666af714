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

from collections.abc import Callable, Sequence

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters
from harness.operations.base import Input, Operation, Parameter, Region, times, undefined, widened

ROW_REDUCTIONS = ("none", "sum", "mean", "weighted_mean", "nonzero_mean")
ELEMENT_REDUCTIONS = (*ROW_REDUCTIONS, "row_mean", "row_mean_sum")
WEIGHTS = Input("weights", optional=True)
UPSTREAM_INPUT = Input("upstream", optional=True)
SMOOTHING = Parameter("label_smoothing", 0.0, low=0.0, high=1.0)

MASS_SLACK = 1e-2
"""Rows of labels count as normalised within this: bfloat16 can't sum to 1 more nearly."""

Losses = Callable[[Inputs, Parameters], Array]
Slopes = Callable[[Inputs, Parameters, Array], Array]
Locator = Callable[[Inputs, Parameters], Region]


def loss(
    name: str,
    formula: str,
    inputs: Sequence[Input],
    parameters: Sequence[Parameter],
    region: Locator,
    losses: Losses,
    slopes: Slopes,
    *,
    elementwise: bool = False,
) -> Operation:
    """An operation made of `losses`, one a row (an element, if elementwise), weighted and reduced.

    Args:
        losses: unweighted losses from float64 inputs and complete parameters.
        slopes: gradient of sum(upstream * losses) with respect to the first input.
    """
    reductions = ELEMENT_REDUCTIONS if elementwise else ROW_REDUCTIONS

    def value(given: Inputs, complete: Parameters) -> Array:
        wide = widened(given)
        return reduced(losses(wide, complete), wide.get("weights"), str(complete["reduction"]))

    def gradient(given: Inputs, complete: Parameters, upstream: Array) -> Array:
        wide = widened(given)
        scale = spread(
            _losses_shape(given, inputs, complete), wide.get("weights"), str(complete["reduction"]), upstream
        )
        return slopes(wide, complete, scale)

    def located(given: Inputs, complete: Parameters) -> Region:
        found = region(given, complete)
        if found.domain is Domain.UNDEFINED:
            return found
        objection = _reduction_objection(complete, given.get("weights"), _losses_shape(given, inputs, complete))
        return undefined(objection) if objection else found

    return Operation(
        name,
        formula,
        (*inputs, WEIGHTS, UPSTREAM_INPUT),
        (*parameters, Parameter("reduction", "none", choices=reductions)),
        located,
        value,
        gradient,
        elementwise=elementwise,
    )


def reduced(losses: Array, weights: Array | None, reduction: str) -> Array:
    """Weigh and reduce losses (float64, any shape)."""
    if reduction in ("row_mean", "row_mean_sum"):
        rows = np.mean(losses, axis=-1)
        weighted = rows if weights is None else times(weights, rows)
        return weighted if reduction == "row_mean" else np.sum(weighted)
    weighted = losses if weights is None else times(np.broadcast_to(weights, losses.shape), losses)
    if reduction == "none":
        return weighted
    total = np.sum(weighted)
    return total if reduction == "sum" else _over(total, denominator(losses.shape, weights, reduction))


def denominator(shape: tuple[int, ...], weights: Array | None, reduction: str) -> float:
    """What a mean of losses of this shape divides by."""
    count = float(np.prod(shape, dtype=np.int64))
    if weights is None or reduction == "mean":
        return count
    full = np.broadcast_to(weights, shape)
    return float(np.sum(full)) if reduction == "weighted_mean" else float(np.count_nonzero(full))


def spread(shape: tuple[int, ...], weights: Array | None, reduction: str, upstream: Array) -> Array:
    """The gradient of reduced losses with respect to each loss, times upstream: shape of the losses."""
    one = np.ones(shape)
    if reduction in ("row_mean", "row_mean_sum"):
        rows = np.broadcast_to(upstream, shape[:-1]) * (1.0 if weights is None else weights)
        return one * (rows / shape[-1])[..., np.newaxis]
    scaled = one * upstream * (1.0 if weights is None else weights)
    if reduction in ("none", "sum"):
        return scaled
    return _over(scaled, denominator(shape, weights, reduction))


def smoothed(labels: Array, smoothing: float, classes: float) -> Array:
    """Labels moved toward 1/classes: z (1 - e) + e / classes. Classes is 2 for sigmoid losses."""
    return labels if smoothing == 0 else labels * (1.0 - smoothing) + smoothing / classes


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


def _losses_shape(given: Inputs, inputs: Sequence[Input], complete: Parameters) -> tuple[int, ...]:
    """Shape of the losses: the leading input's, without its class axis if there is one."""
    shape = given[inputs[0].name].shape
    if "axis" not in complete:
        return shape
    axis = int(complete["axis"]) % len(shape)
    return shape[:axis] + shape[axis + 1 :]


def _over(numerator: Array, denominator_: float) -> Array:
    return np.zeros_like(numerator) if denominator_ == 0 else numerator / denominator_


def _reduction_objection(complete: Parameters, weights: Array | None, shape: tuple[int, ...]) -> str:
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
