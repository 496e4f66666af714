"""Losses estimated from a sample of the classes: their signatures.

Their exact value with given samples comes with the catalogue; until then they have no definition
here, and every implementation of them is reported as unavailable.
"""

from __future__ import annotations

from harness.model.case import Inputs, Parameters
from harness.operations.base import INSIDE, Input, Operation, Parameter, Region
from harness.operations.losses import UPSTREAM_INPUT

_INPUTS = (
    Input("hidden", differentiable=True),
    Input("kernel"),
    Input("biases"),
    Input("labels", kind="index"),
    UPSTREAM_INPUT,
)
_PARAMETERS = (Parameter("num_sampled", 1, low=1),)


def _anywhere(_inputs: Inputs, _parameters: Parameters) -> Region:
    return INSIDE


OPERATIONS = (
    Operation(
        "sampled_softmax_cross_entropy",
        "softmax cross-entropy over the label and a sample of the classes",
        _INPUTS,
        _PARAMETERS,
        _anywhere,
    ),
    Operation(
        "noise_contrastive_estimation",
        "sigmoid cross-entropy that tells the label from a sample of the classes",
        _INPUTS,
        _PARAMETERS,
        _anywhere,
    ),
)
