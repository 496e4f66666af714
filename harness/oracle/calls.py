"""The truth of a call, all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from harness.model.case import Inputs, Parameters
from harness.operations.base import VALUE, Operation, Region, widened
from harness.operations.real import Call
from harness.oracle.bounds import Bounds, arithmetics, bounds, conditioning
from harness.oracle.enclosures import Enclosure, enclosure, running_call
from harness.oracle.formats import Format


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is exactly right for a case.

    Attributes:
        region: where the input lies.
        outputs: an enclosure of `value` and of each `gradient:<input>`; none where the input is
            undefined or the operation has no definition yet.
        bounds: of the same outputs.
        large: whether outputs are left out for their size: `blocks` has them part by part.
    """

    region: Region
    outputs: dict[str, Enclosure] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    large: bool = False


def made(inputs: Inputs, complete: Parameters, form: Format) -> Call:
    """A call in float64 with running error bounds: the oracle's, and those of the format."""
    return running_call(widened(inputs), complete, arithmetics(form))


def evaluated(operation: Operation, call: Call, form: Format, region: Region, wanted: Sequence[str]) -> Truth:
    """The truth of some outputs of a defined call."""
    truth = Truth(region, {}, {})
    with np.errstate(all="ignore"):
        for name in wanted:
            truth.outputs[name] = enclosure(operation, name, call, form)
            truth.bounds[name] = bounds(operation.outputs[name], call)
        if VALUE in wanted and (conditioned := conditioning(operation, call, truth.outputs)) is not None:
            truth.bounds[VALUE] = replace(truth.bounds[VALUE], attainable=form.unit_roundoff * conditioned)
    return truth
