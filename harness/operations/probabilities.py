"""Cross-entropies from probabilities, with each API's guard against log 0 as a named semantic.

epsilon, epsilon_use   `clip`: p is clipped to [epsilon, 1 - epsilon] (Keras);
                       `add`: log(p + epsilon) (tf.losses.log_loss);
                       `clip_add`: p is clipped, and epsilon added to what the logarithms are taken of (Keras 2)
log_floor              log p and log(1 - p) are taken as at least this (torch: -100)
normalize              p is divided by its row's sum, `before` or `after` it is clipped, or `none`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters
from harness.operations.base import CANCELLATION, ROUNDING, Input, Parameter, Region, same_shape, undefined
from harness.operations.losses import SMOOTHING, LossForm, label_region, loss, smoothed
from harness.operations.real import Call, Program, Real, along, shared
from harness.operations.reductions import IGNORE_INDEX, indices
from harness.operations.softmax import AXIS, HALF, INDICES, LABELS, dense_region, rows, small_rest, sparse_region

PROBABILITIES = Input("probabilities", differentiable=True)
EPSILON = Parameter("epsilon", 0.0, low=0.0, high=0.5)
NORMALIZE = Parameter("normalize", "none", choices=("none", "before", "after"))
BINARY = (
    SMOOTHING,
    EPSILON,
    Parameter("epsilon_use", "clip", choices=("clip", "add", "clip_add")),
    Parameter("log_floor", float("-inf"), high=0.0),
)


class Logs(NamedTuple):
    """Two logarithms, guarded: log p and log(1 - p)."""

    of_p: Real
    of_rest: Real


def _epsilon(call: Call) -> float:
    return call.parameter("epsilon")


def _adds(call: Call) -> bool:
    return call.parameters.get("epsilon_use") in {"add", "clip_add"}


def _clips(call: Call) -> bool:
    return clips(call.parameters)


def clips(parameters: Parameters) -> bool:
    """Whether probabilities are clipped, so that no number is outside."""
    return float(parameters["epsilon"]) > 0 and parameters.get("epsilon_use", "clip") != "add"


def _free(call: Call, q: Real, rest: Real) -> Callable[[Real], Real]:
    """Makes slopes 0 where a clip holds q constant; rest is 1 - q. The ends are free."""
    if not _clips(call):
        return lambda slopes: slopes
    e = call.constant("epsilon")
    above, below = q - e, rest - e
    return lambda slopes: slopes.guarded(above, 0.0).guarded(below, 0.0)


@shared
def binary_logs(call: Call) -> Logs:
    """Each logarithm of the argument that is exact: 1 - p would swallow a small p."""
    x = _positive_part(call)
    if _adds(call):
        p, e = call.inputs["probabilities"], call.constant("epsilon")
        of_p = ((x - 1.0) + e).log1p().where(p > HALF, (x + e).log())
        of_rest = (e - x).log1p().where(p <= HALF, ((1.0 - x) + e).log())
        return _floored(call, *_clipped_logs(call, of_p, of_rest))
    return _floored(call, *_clipped_logs(call, x.log(), (-x).log1p()))


def _positive_part(call: Call) -> Real:
    """p, as far as it has logarithms if it is going to be clipped."""
    x = call.real("probabilities")
    return x.maximum(0.0).minimum(1.0) if _clips(call) else x


def _clipped_logs(call: Call, of_p: Real, of_rest: Real) -> tuple[Real, Real]:
    """Logarithms of p between epsilon and 1 - epsilon: those of the ends hold the others in."""
    if not _clips(call):
        return of_p, of_rest
    e = call.constant("epsilon")
    low, high = ((2.0 * e).log(), 0.0) if _adds(call) else (e.log(), (-e).log1p())
    return of_p.maximum(low).minimum(high), of_rest.maximum(low).minimum(high)


@shared
def _plain_logs(call: Call) -> Logs:
    """The arguments as they are written: log(p + epsilon), log((1 - p) + epsilon)."""
    if not _adds(call):
        return binary_logs(call)
    x, e = _positive_part(call), call.constant("epsilon")
    return _floored(call, *_clipped_logs(call, (x + e).log(), ((1.0 - x) + e).log()))


@shared
def _rounded_logs(call: Call) -> Logs:
    """log(1 - p) for log1p(-p): a small p is lost."""
    if _adds(call):
        return _plain_logs(call)
    x = _positive_part(call)
    return _floored(call, *_clipped_logs(call, x.log(), (1.0 - x).log()))


def _floored(call: Call, of_p: Real, of_rest: Real) -> Logs:
    if not _has_floor(call):
        return Logs(of_p, of_rest)
    floor = call.constant("log_floor")
    return Logs(of_p.maximum(floor), of_rest.maximum(floor))


def _has_floor(call: Call) -> bool:
    return "log_floor" in call.parameters and not np.isneginf(call.parameter("log_floor"))


@shared
def smooth_labels(call: Call) -> Real:
    """z of two classes, smoothed."""
    return smoothed(call, call.real("labels"), 2)


def binary_losses(logs: Callable[[Call], Logs]) -> Program:
    """-z log p - (1 - z) log(1 - p)."""

    def program(call: Call) -> Real:
        z, found = smooth_labels(call), logs(call)
        return -(z * found.of_p + (1.0 - z) * found.of_rest)

    return program


def binary_label_slopes(logs: Callable[[Call], Logs]) -> Program:
    """log(1 - p) - log p."""
    return lambda call: logs(call).of_rest - logs(call).of_p


def binary_slopes(call: Call) -> Real:
    """-z / p + (1 - z) / (1 - p); 0 where a guard holds the logarithm's argument constant."""
    x, z = call.real("probabilities"), smooth_labels(call)
    e = call.constant("epsilon") if _adds(call) else 0.0
    rising, falling = _reciprocal(call, (1.0 - x) + e), _reciprocal(call, x + e)
    return _free(call, x, 1.0 - x)((1.0 - z) * rising - z * falling)


def _reciprocal(call: Call, argument: Real) -> Real:
    """The slope of a logarithm; 0 below its floor."""
    found = 1.0 / argument
    return found.guarded(argument.log() - call.constant("log_floor"), 0.0) if _has_floor(call) else found


def outside(probabilities: Array, parameters: Parameters) -> Region | None:
    """Numbers that are no probabilities: undefined, unless they are clipped first."""
    if not np.any((probabilities < 0) | (probabilities > 1)):
        return None
    reason = "probabilities outside [0, 1]"
    return Region(Domain.EXTENDED, reason) if clips(parameters) else undefined(f"{reason}: log of a negative number")


def _binary_region(inputs: Inputs, parameters: Parameters) -> Region:
    objection = same_shape(inputs, "probabilities", "labels")
    if objection:
        return undefined(objection)
    return outside(inputs["probabilities"], parameters) or label_region(inputs["labels"])


class Share(NamedTuple):
    """Parts of a whole along the last axis.

    Attributes:
        part: q, what the logarithm is taken of.
        rest: 1 - q.
        divided: what normalising divides, `before` or `after` clipping.
        whole: the sum that it is divided by.
        free: makes slopes 0 where a clip holds q constant.
    """

    part: Real
    rest: Real
    divided: Real
    whole: Real
    free: Callable[[Real], Real]


Divide = Callable[[Real, Array], tuple[Real, Real, Real]]
"""p / sum, 1 - p / sum, and the sum."""


def _normalised(call: Call, divide: Divide) -> Share:
    """q: p normalised and clipped as the parameters say."""
    p = rows(call, "probabilities")
    normalize, x = call.parameters["normalize"], call.exactly(p)
    if normalize == "before":
        part, rest, whole = divide(x, p)
        return Share(*_clipped(call, part, rest), x, whole, _free(call, part, rest))
    free = _free(call, x, 1.0 - x)
    part, rest = _clipped(call, x, 1.0 - x)
    if normalize == "none":
        return Share(part, rest, x, x, free)
    divided = part
    part, rest, whole = divide(divided, p)
    return Share(part, rest, divided, whole, free)


@shared
def share_of_row(call: Call) -> Share:
    """Each row's shares, 1 - q without cancellation."""
    return _normalised(call, _parts)


@shared
def plain_share_of_row(call: Call) -> Share:
    """The same as it is written."""
    return _normalised(call, _plain_parts)


def _parts(p: Real, numbers: Array) -> tuple[Real, Real, Real]:
    """1 - q as the sum of the others / sum: without cancellation."""
    leads = np.arange(numbers.shape[-1]) == np.argmax(numbers, axis=-1)[..., np.newaxis]
    largest = along(p, np.argmax(numbers, axis=-1)).shaped(lambda a: a[..., np.newaxis])
    others = p.where(~leads, 0.0).sum(keepdims=True)
    whole = others + largest
    part = p / whole
    return part, small_rest(part, others.where(leads, largest + (others - p)) / whole), whole


def _plain_parts(p: Real, _numbers: Array) -> tuple[Real, Real, Real]:
    """A quotient by one sum of all."""
    whole = p.sum(keepdims=True)
    part = p / whole
    return part, 1.0 - part, whole


def approximately(p: Array) -> Array:
    """Shares of a row in float64, to tell large ones from small ones."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return p / np.sum(p, axis=-1, keepdims=True)


def _clipped(call: Call, part: Real, rest: Real) -> tuple[Real, Real]:
    """q between epsilon and 1 - epsilon, and 1 - q."""
    if not _epsilon(call):
        return part, rest
    e = call.constant("epsilon")
    return part.maximum(e).minimum(1.0 - e), rest.maximum(e).minimum(1.0 - e)


def log_q(call: Call) -> Real:
    """log q, by 1 - q where q is the larger part."""
    share = share_of_row(call)
    numbers = rows(call, "probabilities")
    if call.parameters["normalize"] != "none":
        numbers = approximately(numbers)
    return (-share.rest).log1p().where(numbers > HALF, share.part.log())


def _plain_log_q(call: Call) -> Real:
    """log q as written: what normalising and clipping round near 1 is lost."""
    return plain_share_of_row(call).part.log()


@shared
def dense_labels(call: Call) -> Real:
    """z of each class, smoothed; of an index label 1 at its class."""
    p = rows(call, "probabilities")
    if call.inputs["labels"].dtype.kind in "iu":
        unit = indices(call.inputs, call.parameters)[..., np.newaxis] == np.arange(p.shape[-1])
        return call.exactly(unit.astype(np.float64))
    return smoothed(call, call.exactly(rows(call, "labels")), p.shape[-1])


def _categorical_losses(log_q: Program) -> Program:
    """-sum z log q."""
    return lambda call: -(dense_labels(call) * log_q(call)).sum()


def _categorical_label_slopes(log_q: Program) -> Program:
    return lambda call: -log_q(call)


def _categorical_slopes(call: Call) -> Real:
    """The chain rule through normalize, clip and log; 0 where a clip holds its probability constant.

    With q = c / sum(c) it is (sum_{j != i} z_j - z_i (1 - q_i) / q_i) / sum(c).
    """
    share, z = share_of_row(call), dense_labels(call)
    if call.parameters["normalize"] == "none":
        return share.free(-(z * (1.0 / share.part)))
    before = call.parameters["normalize"] == "before"
    mine = share.free(z) if before else z
    slopes = ((mine.sum(keepdims=True) - mine) - mine * (share.rest / share.part)) / share.whole
    return slopes if before else share.free(slopes)


def _plain_categorical_slopes(call: Call) -> Real:
    """The chain rule step by step, from the last to the first, as automatic differentiation has it.

    -z / q, with q = c / s, is multiplied by 1 / s, and by c / s / s for the sum over classes. One computed s is
    in all of these, so that what it has lost cancels but for S_z / s: that is counted once, at the end.
    """
    share, z = plain_share_of_row(call), dense_labels(call)
    normalize = call.parameters["normalize"]
    if normalize == "none":
        return _categorical_slopes(call)
    mine, whole = share.free(z) if normalize == "before" else z, share.whole.settled()
    q = share.divided / whole
    slopes = -(mine * (1.0 / q))
    through_whole = slopes * (q / whole)
    if not _epsilon(call):  # q (z / q) is z where q is 0, by limit
        through_whole = through_whole.where(rows(call, "probabilities") != 0, -mine / whole)
    of_sum = mine.sum(keepdims=True) * (1.0 / share.whole - 1.0 / whole)
    slopes = (slopes / whole - through_whole.sum(keepdims=True)) + of_sum
    return slopes if normalize == "before" else share.free(slopes)


def _dense_region(inputs: Inputs, parameters: Parameters) -> Region:
    found = dense_region(inputs, parameters, "probabilities")
    if found.domain is Domain.UNDEFINED:
        return found
    return outside(inputs["probabilities"], parameters) or found


def _sparse_region(inputs: Inputs, parameters: Parameters) -> Region:
    found = sparse_region(inputs, parameters, "probabilities")
    if found.domain is Domain.UNDEFINED:
        return found
    return outside(inputs["probabilities"], parameters) or found


def _categorical_forms(*, labels: bool) -> tuple[LossForm, tuple[LossForm, ...]]:
    """By the exact logarithm, and as written; nobody computes the exact slopes, which allow nothing."""

    def losing(name: str, log_q: Program, slopes: Mapping[str, Program]) -> LossForm:
        by_label = {"labels": _categorical_label_slopes(log_q)} if labels else {}
        return LossForm(name, _categorical_losses(log_q), {**slopes, **by_label})

    return (
        losing(ROUNDING, log_q, {}),
        (
            LossForm(ROUNDING, slopes={"probabilities": _categorical_slopes}, passes=False),
            losing(CANCELLATION, _plain_log_q, {"probabilities": _plain_categorical_slopes}),
        ),
    )


def _binary_form(name: str, logs: Callable[[Call], Logs], *, passes: bool = True) -> LossForm:
    return LossForm(name, binary_losses(logs), {"labels": binary_label_slopes(logs)}, passes)


OPERATIONS = (
    loss(
        "binary_cross_entropy",
        "-z log(p) - (1 - z) log(1 - p)",
        (PROBABILITIES, LABELS),
        BINARY,
        _binary_region,
        LossForm(
            ROUNDING,
            binary_losses(binary_logs),
            {"probabilities": binary_slopes, "labels": binary_label_slopes(binary_logs)},
        ),
        (_binary_form(CANCELLATION, _plain_logs), _binary_form(CANCELLATION, _rounded_logs, passes=False)),
        elementwise=True,
    ),
    loss(
        "categorical_cross_entropy",
        "-sum z log(p)",
        (PROBABILITIES, LABELS),
        (AXIS, SMOOTHING, EPSILON, NORMALIZE),
        _dense_region,
        *_categorical_forms(labels=True),
    ),
    loss(
        "sparse_categorical_cross_entropy",
        "-log(p_k), k = label",
        (PROBABILITIES, INDICES),
        (AXIS, EPSILON, NORMALIZE, IGNORE_INDEX),
        _sparse_region,
        *_categorical_forms(labels=False),
    ),
)
