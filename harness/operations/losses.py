"""What all losses share: label smoothing, and how an operation is made of losses.

A loss is computed in five steps: smooth the labels and multiply them by class weights, one loss for
each element (or row), leave out what is ignored, multiply by `weights`, reduce: `reductions` has the last three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from harness.model.case import Array, Domain, Inputs, Parameters
from harness.operations import reductions
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
from harness.operations.real import Call, Real, Shape, expanded
from harness.operations.reductions import CLASS_WEIGHTS, EMPTY_MEAN, WEIGHTS

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
            with respect to labels: the smoothed labels; to class weights: of a row, one for each class.
        passes: whether the pass line allows what it loses.
        gradients: of the reduced losses, with respect to inputs that no single loss has for itself.
    """

    name: str
    losses: Part | None = None
    slopes: Mapping[str, Part] = field(default_factory=dict)
    passes: bool = True
    gradients: Mapping[str, Part] = field(default_factory=dict)


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
    leading = inputs[0].name
    choices = reductions.choices(tuple(parameters), elementwise=elementwise)

    def located(given: Inputs, complete: Parameters) -> Region:
        found = region(given, complete)
        if found.domain is Domain.UNDEFINED:
            return found
        objection = reductions.objection(given, complete, losses_shape(given[leading], complete))
        return undefined(objection) if objection else found

    def shape(given: Inputs, complete: Parameters) -> Shape:
        return reductions.reduced_shape(losses_shape(given[leading], complete), str(complete["reduction"]))

    forms = (exact, *others)
    with_respect_to = [i.name for i in inputs if i.differentiable]
    outputs = {
        VALUE: _output([(form, form.losses and partial(reductions.value, form.losses)) for form in forms]),
        **{gradient(n): _output([(form, _gradient(form, n, leading)) for form in forms]) for n in with_respect_to},
        gradient("weights"): _output([(f, f.losses and partial(reductions.weights_slope, f.losses)) for f in forms]),
    }
    return Operation(
        name,
        formula,
        (*inputs, WEIGHTS, UPSTREAM_INPUT),
        (*parameters, EMPTY_MEAN, Parameter("reduction", "none", choices=choices)),
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
    if call.parameters.get("label_smoothing", 0.0) == 0:
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


def _gradient(form: LossForm, name: str, leading: str) -> Part | None:
    """The gradient with respect to an input, if the form is about it."""
    if name in form.gradients:
        return form.gradients[name]
    if (slopes := form.slopes.get(name)) is None:
        return None
    if name == CLASS_WEIGHTS.name:
        return form.losses and partial(reductions.class_weights_slope, slopes, form.losses)
    return partial(_slope, slopes, name, leading)


def _slope(slopes: Part, name: str, leading: str, call: Call) -> Real:
    """The gradient of the reduced losses with respect to an input, times upstream."""
    found = slopes(call)
    if name == "labels" and call.parameters.get("label_smoothing", 0.0) != 0:
        found = (1.0 - call.constant("label_smoothing")) * found
    found = scaled(call, found, leading)
    axis = int(call.parameters.get("axis", -1))
    return found if axis == -1 else found.shaped(lambda a: np.moveaxis(a, -1, axis))


def scaled(call: Call, slopes: Real, leading: str) -> Real:
    """Slopes of losses times those of what is made of them; 0 of an ignored loss. The class axis is last."""
    if not reductions.is_plain(call):
        ahead = reductions.spread(call, losses_shape(call.inputs[leading], call.parameters))
        slopes = (expanded(ahead) if "axis" in call.parameters else ahead) * slopes
    return reductions.counted_only(call, slopes, by_class=True) if "axis" in call.parameters else slopes
