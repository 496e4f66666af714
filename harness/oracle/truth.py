"""Truth of a case: for now a float64 evaluation of the operation's definition.

The definitions have no cancellation, so for narrower dtypes they are far below the subject's ulp;
for float64 subjects they are no more exact than the subject. Every report says so. A certified
enclosure takes this module's place without another one changing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from harness.model.case import Array, Case, Domain
from harness.operations import OPERATIONS
from harness.operations.base import UPSTREAM, Region

METHOD = "a float64 evaluation of the definition, not certified"


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is exactly right for a case.

    Attributes:
        region: where the input lies.
        outputs: `value` and `gradient:<leading input>` as float64; empty where the input is
            undefined or the operation has no definition yet.
    """

    region: Region
    outputs: Mapping[str, Array] = field(default_factory=dict)


def evaluate(case: Case) -> Truth:
    """The truth for a case's inputs as rounded to its dtype."""
    operation = OPERATIONS[case.operation]
    complete = operation.complete(case.parameters)
    region = operation.locate(case.inputs, complete)
    if region.domain is Domain.UNDEFINED or operation.value is None:
        return Truth(region)
    with np.errstate(all="ignore"):
        value = np.asarray(operation.value(case.inputs, complete))
        outputs = {"value": value}
        if operation.gradient is not None:
            given = case.inputs.get(UPSTREAM)
            upstream = np.ones(value.shape) if given is None else given.astype(np.float64)
            slopes = np.asarray(operation.gradient(case.inputs, complete, upstream))
            outputs[f"gradient:{operation.leading}"] = slopes
    return Truth(region, outputs)
