"""Focal losses of many classes: alpha sum -z (1 - q)**gamma log q, q normalised and clipped as in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters
from harness.operations import probabilities, softmax
from harness.operations.base import CANCELLATION, ROUNDING, Parameter, Region, undefined
from harness.operations.focal import ALPHA, GAMMA, POWER
from harness.operations.losses import SMOOTHING, LossForm, loss, smoothed
from harness.operations.probabilities import EPSILON, PROBABILITIES
from harness.operations.real import Call, Program, Real, shared
from harness.operations.softmax import AXIS, LABELS, LOGITS, dense_region, rows

NORMALIZE = Parameter("normalize", "none", choices=("none", "before"))


class Shares(NamedTuple):
    """A row's probabilities, as the loss has them.

    Attributes:
        q: as clipped.
        rest: 1 - q, as clipped.
        log_q: its logarithm.
        labels: z, smoothed.
        nothing: where q is exactly 0.
        certain: where 1 - q is, or too small for float64.
        free: makes slopes 0 where the clip holds q.
        back: slopes by the input from q dl/dq, and from dl/dq.
    """

    q: Real
    rest: Real
    log_q: Real
    labels: Real
    nothing: Array
    certain: Array
    free: Callable[[Real], Real]
    back: Callable[[Real, Real], Real]


Source = Callable[[Call], Shares]


def _focal_logs(call: Call, of: Shares) -> Real:
    """Alpha (1 - q)**gamma log q."""
    return call.constant("alpha") * (of.rest.power(call.parameter("gamma")) * of.log_q)


def _losses(of: Source) -> Program:
    def program(call: Call) -> Real:
        found = of(call)
        return -(found.labels * _focal_logs(call, found)).sum()

    return program


def _slopes(of: Source) -> Program:
    """Through z alpha (gamma (1 - q)**(gamma - 1) log q - (1 - q)**gamma / q), and q times that."""

    def program(call: Call) -> Real:
        found, alpha, level = of(call), call.constant("alpha"), of(call).rest.power(call.parameter("gamma"))
        steep = _steep(call, found, level)
        times_q = alpha * ((found.q * steep).where(~found.nothing, 0.0) - level)
        plain = alpha * (steep - level / found.q)
        return found.back(found.free(found.labels * times_q), found.free(found.labels * plain))

    return program


def _slopes_through_log(of: Source) -> Program:
    """The same as it is written: by log q first, whose slopes may underflow, and then divided by q."""

    def program(call: Call) -> Real:
        found, gamma = of(call), call.parameter("gamma")
        level = found.rest.power(gamma)
        if gamma >= 1:
            steep = call.constant("gamma") * (found.q * found.log_q) * found.rest.power(gamma - 1.0)
        else:
            steep = found.q * _steep(call, found, level)
        steep = steep.where(~found.nothing, 0.0)
        by_log = found.free(found.labels * (call.constant("alpha") * (steep - level)))
        return found.back(by_log, by_log * (1.0 / found.q))

    return program


def _steep(call: Call, of: Shares, level: Real) -> Real:
    """Gamma (1 - q)**(gamma - 1) log q; for gamma < 1 from the power's quotient, which has a limit at q = 1."""
    gamma = call.parameter("gamma")
    if gamma >= 1:
        return call.constant("gamma") * (of.rest.power(gamma - 1.0) * of.log_q)
    return call.constant("gamma") * (level * (of.log_q / of.rest).where(~of.certain, -1.0))


def _label_slopes(of: Source) -> Program:
    return lambda call: -_focal_logs(call, of(call))


def _others(terms: Real) -> Real:
    """Of each class the sum of the others' terms."""
    return terms.sum(keepdims=True) - terms


def _certain(call: Call) -> Array:
    x = rows(call, "logits")
    with np.errstate(invalid="ignore"):
        e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return _without_others(np.where(np.isposinf(x), 1.0, e)) & (call.parameter("epsilon") == 0)


def _without_others(parts: Array) -> Array:
    """Where all others of a row are 0."""
    found: Array = (parts > 0) & (np.count_nonzero(parts, axis=-1, keepdims=True) == 1)
    return found


def _of_softmax(p_of: Program, rest_of: Program, log_of: Program) -> Source:
    """From logits: dp_i/dx_j = p_i (1 - p_j) or -p_i p_j."""

    @shared
    def shares(call: Call) -> Shares:
        p, rest, log_p = p_of(call), rest_of(call), log_of(call)
        labels = smoothed(call, call.exactly(rows(call, "labels")), p.shape[-1])

        def back(times_p: Real, _plain: Real) -> Real:
            return times_p * rest - p * _others(times_p)

        clipped = Shares(p, rest, log_p, labels, softmax.impossible(call), _certain(call), lambda slopes: slopes, back)
        return _clipped(call, clipped) if call.parameter("epsilon") else clipped

    return shares


def _clipped(call: Call, of: Shares) -> Shares:
    e = call.constant("epsilon")
    return of._replace(
        q=of.q.maximum(e).minimum(1.0 - e),
        rest=of.rest.maximum(e).minimum(1.0 - e),
        log_q=of.log_q.maximum(e.log()).minimum((-e).log1p()),
        free=lambda slopes: slopes.guarded(of.q - e, 0.0).guarded(of.rest - e, 0.0),
    )


def _of_probabilities(share_of: Callable[[Call], probabilities.Share], log_of: Program) -> Source:
    @shared
    def shares(call: Call) -> Shares:
        share = share_of(call)
        nothing = (rows(call, "probabilities") == 0) & (call.parameter("epsilon") == 0)

        def back(times_q: Real, plain: Real) -> Real:
            if call.parameters["normalize"] == "none":
                return plain
            return (plain * share.rest - _others(times_q)) / share.whole

        labels = probabilities.dense_labels(call)
        numbers = rows(call, "probabilities")
        certain = numbers == 1 if call.parameters["normalize"] == "none" else _without_others(numbers)
        certain = certain & (call.parameter("epsilon") == 0)
        return Shares(share.part, share.rest, log_of(call), labels, nothing, certain, share.free, back)

    return shares


def _log_quotient(call: Call) -> Real:
    return softmax.quotient(call).log()


def _rest_of_quotient(call: Call) -> Real:
    return 1.0 - softmax.quotient(call)


def _log_q(call: Call) -> Real:
    """log q; of small shares log p - log(sum), as q itself may underflow, and 0 times infinity isn't q log q."""
    if call.parameter("epsilon") or call.parameters["normalize"] == "none":
        return probabilities.log_q(call)
    share, numbers = probabilities.share_of_row(call), rows(call, "probabilities")
    small = call.exactly(numbers).log() - share.whole.log()
    return (-share.rest).log1p().where(probabilities.approximately(numbers) > softmax.HALF, small)


def _plain_log_q(call: Call) -> Real:
    return probabilities.plain_share_of_row(call).part.log()


def _logits_region(inputs: Inputs, parameters: Parameters) -> Region:
    return dense_region(inputs, parameters, "logits")


def _probabilities_region(inputs: Inputs, parameters: Parameters) -> Region:
    found = dense_region(inputs, parameters, "probabilities")
    outside = np.any((inputs["probabilities"] < 0) | (inputs["probabilities"] > 1))
    return (
        undefined(f"probabilities outside [0, 1]: {POWER}")
        if found.domain is not Domain.UNDEFINED and outside
        else found
    )


def _form(name: str, of: Source, leading: str, *, passes: bool = True) -> LossForm:
    return LossForm(name, _losses(of), {leading: _slopes(of), "labels": _label_slopes(of)}, passes)


def _as_written(of: Source) -> LossForm:
    return LossForm(CANCELLATION, _losses(of), {"probabilities": _slopes_through_log(of), "labels": _label_slopes(of)})


OPERATIONS = (
    loss(
        "softmax_focal_cross_entropy",
        "alpha sum -z (1 - q)**gamma log(q), q = softmax(x)",
        (LOGITS, LABELS),
        (AXIS, SMOOTHING, GAMMA, ALPHA, EPSILON),
        _logits_region,
        _form(
            ROUNDING,
            _of_softmax(softmax.probabilities, softmax.other_probabilities, softmax.log_probabilities),
            "logits",
        ),
        (_form(CANCELLATION, _of_softmax(softmax.quotient, _rest_of_quotient, _log_quotient), "logits"),),
    ),
    loss(
        "categorical_focal_cross_entropy",
        "alpha sum -z (1 - q)**gamma log(q)",
        (PROBABILITIES, LABELS),
        (AXIS, SMOOTHING, GAMMA, ALPHA, EPSILON, NORMALIZE),
        _probabilities_region,
        _form(ROUNDING, _of_probabilities(probabilities.share_of_row, _log_q), "probabilities"),
        (_as_written(_of_probabilities(probabilities.plain_share_of_row, _plain_log_q)),),
    ),
)
