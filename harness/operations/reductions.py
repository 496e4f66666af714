"""What is made of losses: some ignored, each times its weight, and reduced; and the gradients of that.

The names of reductions say the denominator:

    none           the weighted losses
    sum            their sum
    mean           sum / number of losses
    valid_mean     sum / number of losses that are not ignored       Keras, with its ignore_class
    weighted_mean  sum / sum of the weights                          tf.losses MEAN, torch's mean
    nonzero_mean   sum / number of losses whose weight is not 0      tf.losses SUM_BY_NONZERO_WEIGHTS
    row_mean       mean over the last axis, one value a row          Keras's binary_crossentropy
    row_mean_sum   the sum of those                                  Keras's reduction="sum"

A loss's weight is `weights`, broadcast, times the class weight of its label if that is an index, and 0
if it is ignored. Class weights are in the losses already: they multiply the labels. With `weights`,
`row_mean` multiplies them after the mean: one weight a row.

A mean whose denominator is 0 is what `empty_mean` says: undefined, NaN or 0. By it NaN stands for 0/0:
weights other than 0 that sum to 0 have no mean but 0.

Infinite weights are undefined: times a loss or a slope of 0 they have no limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from harness.model.case import Array, Inputs, Parameters
from harness.operations.base import UPSTREAM, Input, Parameter
from harness.operations.real import Call, Real, Shape, expanded, shared

VALID_MEAN, WEIGHTED_MEAN = "valid_mean", "weighted_mean"
ROW_REDUCTIONS = ("none", "sum", "mean", WEIGHTED_MEAN, "nonzero_mean")
BY_ROWS = ("row_mean", "row_mean_sum")
ELEMENT_REDUCTIONS = (*ROW_REDUCTIONS, *BY_ROWS)
MEANS = ("mean", VALID_MEAN, WEIGHTED_MEAN, "nonzero_mean")

WEIGHTS = Input("weights", optional=True, differentiable=True)
CLASS_WEIGHTS = Input("class_weights", optional=True, differentiable=True, extent="class")
NOTHING, UNDEFINED = "none", "undefined"
IGNORE_INDEX = Parameter("ignore_index", NOTHING, choices=(NOTHING,), integers=True)
EMPTY_MEAN = Parameter("empty_mean", UNDEFINED, choices=(UNDEFINED, "nan", "zero"))

Part = Callable[[Call], Real]


def choices(parameters: tuple[Parameter, ...], *, elementwise: bool) -> tuple[str, ...]:
    """The reductions of losses with these parameters."""
    if elementwise:
        return ELEMENT_REDUCTIONS
    return (*ROW_REDUCTIONS, VALID_MEAN) if IGNORE_INDEX in parameters else ROW_REDUCTIONS


# which losses count, and how much


def kept(inputs: Inputs, parameters: Parameters) -> Array | None:
    """Which losses are not ignored; None if all count."""
    ignored = parameters.get("ignore_index", NOTHING)
    return None if ignored == NOTHING else np.asarray(inputs["labels"] != ignored)


def indices(inputs: Inputs, parameters: Parameters) -> Array:
    """Index labels, the first class for those that are ignored."""
    counted = kept(inputs, parameters)
    return inputs["labels"] if counted is None else np.where(counted, inputs["labels"], 0)


def _by_label(inputs: Inputs) -> bool:
    """Whether each loss has the class weight of its label."""
    return "class_weights" in inputs and inputs["labels"].dtype.kind in "iu"


def _factors(inputs: Inputs, parameters: Parameters, shape: Shape) -> list[Array]:
    """Whose product is each loss's weight; none if all weights are 1."""
    found = [np.broadcast_to(_wide(inputs["weights"]), shape)] if "weights" in inputs else []
    if _by_label(inputs):
        found.append(_wide(inputs["class_weights"])[indices(inputs, parameters)])
    counted = kept(inputs, parameters)
    if counted is not None:
        found[:1] = [np.where(counted, found[0], 0.0) if found else counted.astype(np.float64)]
    return found


def _wide(array: Array) -> Array:
    return array.astype(np.float64, copy=False)


def is_empty(inputs: Inputs, parameters: Parameters, shape: Shape) -> bool:
    """Whether a mean of losses of this shape divides by 0."""
    reduction = parameters["reduction"]
    if reduction not in MEANS:
        return False
    factors = _factors(inputs, parameters, shape)
    counted = kept(inputs, parameters)
    if reduction == "mean" or not factors:
        return 0 in shape
    if reduction == VALID_MEAN:
        return not np.any(True if counted is None else counted) or 0 in shape
    weighted = np.logical_and.reduce([factor != 0 for factor in factors])
    return not weighted.any() or (reduction == WEIGHTED_MEAN and _cancel([f[weighted] for f in factors]))


def _cancel(factors: list[Array]) -> bool:
    """Whether products of numbers other than 0 sum to 0 exactly."""
    signs = np.prod([np.sign(factor) for factor in factors], axis=0)
    if any(np.isnan(factor).any() for factor in factors) or abs(np.sum(signs)) == signs.size:
        return False
    if len(factors) == 1:
        return math.fsum(factors[0].tolist()) == 0  # rounds the exact sum, once
    products = zip(*(map(Fraction, factor.tolist()) for factor in factors), strict=True)
    return sum(map(math.prod, products)) == 0


def objection(inputs: Inputs, complete: Parameters, shape: Shape) -> str:
    """Why losses of this shape can't be weighted and reduced so; "" if they can."""
    reduction = complete["reduction"]
    if reduction in BY_ROWS:
        if not shape or shape[-1] == 0:
            return f"{reduction} has no last axis to average over"
        shape = shape[:-1]
    for factor in (WEIGHTS.name, CLASS_WEIGHTS.name):
        if np.any(np.isinf(inputs.get(factor, 0.0))):
            return f"{factor} are infinite: times a loss or a slope of 0 they have no limit"
    weights = inputs.get("weights")
    if weights is not None and not _broadcasts(weights.shape, shape):
        return f"weights have shape {list(weights.shape)}, which does not broadcast to the losses' {list(shape)}"
    if complete["empty_mean"] == "zero" or not is_empty(inputs, complete, shape):
        return ""
    if complete["empty_mean"] == "nan":
        numbers = _factors(inputs, complete, shape)
        some = bool(numbers) and np.logical_and.reduce([n != 0 for n in numbers]).any()
        return "weights that sum to 0 divide by 0" if some and reduction == WEIGHTED_MEAN else ""
    return "the mean of no losses"


def _broadcasts(shape: Shape, wanted: Shape) -> bool:
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False


def reduced_shape(losses: Shape, reduction: str) -> Shape:
    """Shape of reduced losses."""
    if reduction == "none":
        return losses
    return losses[:-1] if reduction == "row_mean" else ()


# value and gradients


def value(losses: Part, call: Call) -> Real:
    """Losses without those that are ignored, weighted and reduced."""
    found, reduction = counted_only(call, losses(call)), call.parameters["reduction"]
    if reduction in BY_ROWS:
        weighted = _weighted(call, found.sum() / call.once_rounded(float(found.shape[-1])))
        return weighted if reduction == "row_mean" else weighted.sum(None)
    weighted = _weighted(call, found)
    if reduction == "none":
        return weighted
    total = weighted.sum(None)
    return total if reduction == "sum" else _over(call, total, found.shape)


def counted_only(call: Call, real: Real, *, by_class: bool = False) -> Real:
    """0 where a loss is ignored, whatever it is; `by_class`: of numbers for each class, on the last axis."""
    counted = kept(call.inputs, call.parameters)
    if counted is None:
        return real
    return real.where(counted[..., np.newaxis] if by_class else counted, 0.0)


def _weighted(call: Call, losses: Real) -> Real:
    """Losses times their weights, which broadcast to them."""
    return call.real("weights") * losses if "weights" in call.inputs else losses


def is_plain(call: Call) -> bool:
    """Whether nothing multiplies the slopes."""
    return not {"weights", UPSTREAM} & call.inputs.keys() and call.parameters["reduction"] in ("none", "sum")


def spread(call: Call, shape: Shape) -> Real:
    """The gradient of reduced losses with respect to each loss, times upstream: shape of the losses."""

    def made() -> Real:
        reduction = str(call.parameters["reduction"])
        ahead = _weighted(call, _upstream(call))
        if reduction in BY_ROWS:
            rows = ahead / call.once_rounded(float(shape[-1]))
            ahead = expanded(rows.shaped(lambda a: np.broadcast_to(a, shape[:-1])))
        elif reduction in MEANS:
            ahead = _over(call, ahead, shape)
        return ahead.shaped(lambda a: np.broadcast_to(a, shape))

    found: Real = call.once("spread", made)
    return found


def weights_slope(losses: Part, call: Call) -> Real:
    """The gradient with respect to weights, in their shape: summed where they were broadcast."""
    found, weights = losses(call), call.inputs["weights"]
    reduction, ahead = call.parameters["reduction"], _upstream(call)
    if reduction in BY_ROWS:
        found = found.sum() / call.once_rounded(float(found.shape[-1]))
    if reduction == WEIGHTED_MEAN:
        found = found - _weight_of_label(call, value(losses, call))
    slopes = ahead * found
    if reduction in MEANS:
        slopes = _over(call, slopes, found.shape)
    slopes = counted_only(call, slopes)
    return _collected(slopes.shaped(lambda a: np.broadcast_to(a, found.shape)), weights.shape)


def _weight_of_label(call: Call, real: Real) -> Real:
    """Times what weights are multiplied with in the denominator."""
    if not _by_label(call.inputs):
        return real
    return call.exactly(call.inputs["class_weights"][indices(call.inputs, call.parameters)]) * real


def class_weights_slope(terms: Part, losses: Part, call: Call) -> Real:
    """The gradient with respect to class weights.

    Args:
        terms: of each loss what each class weight multiplies, classes on the last axis.
    """
    found = terms(call)
    shape, classes = found.shape[:-1], found.shape[-1]
    if call.parameters["reduction"] == WEIGHTED_MEAN and _by_label(call.inputs):
        unit = indices(call.inputs, call.parameters)[..., np.newaxis] == np.arange(classes)
        found = found - value(losses, call) * call.exactly(unit.astype(np.float64))
    if not is_plain(call):
        found = expanded(spread(call, shape)) * found
    return _collected(counted_only(call, found, by_class=True), (classes,))


def _collected(slopes: Real, shape: Shape) -> Real:
    """Slopes summed, in one sum, over the axes along which an input of this shape was broadcast."""
    before = len(slopes.shape) - len(shape)
    kept_axes = [before + axis for axis, length in enumerate(shape) if length == slopes.shape[before + axis]]
    if len(kept_axes) == len(slopes.shape):
        return slopes
    lengths, rest = [slopes.shape[axis] for axis in kept_axes], math.prod(np.delete(slopes.shape, kept_axes).tolist())
    flat = slopes.shaped(lambda a: np.moveaxis(a, kept_axes, range(len(kept_axes))).reshape(*lengths, rest))
    return flat.sum().shaped(lambda a: a.reshape(shape))


@shared
def _upstream(call: Call) -> Real:
    return call.real(UPSTREAM) if UPSTREAM in call.inputs else call.exactly(1.0)


def _over(call: Call, numerator: Real, shape: Shape) -> Real:
    """Divided by what a mean of losses of this shape divides by; where that is 0, NaN or 0."""
    if is_empty(call.inputs, call.parameters, shape):
        answer = np.nan if call.parameters["empty_mean"] == "nan" else 0.0
        return call.exactly(np.full(numerator.shape, answer))
    return numerator / _denominator(call, shape)


def _denominator(call: Call, shape: Shape) -> Real:
    factors = _factors(call.inputs, call.parameters, shape)
    if call.parameters["reduction"] == WEIGHTED_MEAN and factors:
        first, *others = map(call.exactly, factors)
        return math.prod(others, start=first).sum(None)
    return call.once_rounded(float(_count(call, factors, math.prod(shape))))


def _count(call: Call, factors: list[Array], losses: int) -> int:
    """How many losses a mean divides by."""
    reduction, counted = call.parameters["reduction"], kept(call.inputs, call.parameters)
    if reduction == VALID_MEAN and counted is not None:
        return int(np.count_nonzero(counted))
    if reduction == "nonzero_mean" and factors:
        return int(np.count_nonzero(np.logical_and.reduce([factor != 0 for factor in factors])))
    return losses
