from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.operations import OPERATIONS
from harness.operations.base import Parameter, widened

NAN = float("nan")


@pytest.mark.parametrize(
    ("parameter", "value", "objection"),
    [
        (Parameter("e", 0.0, low=0.0, high=1.0), 0.0, ""),
        (Parameter("e", 0.0, low=0.0, high=1.0), 1, ""),
        (Parameter("e", 0.0, low=0.0, high=1.0), -0.125, "e is -0.125, outside [0, 1]"),
        (Parameter("e", 0.0, low=0.0, high=1.0), NAN, "e is nan, outside [0, 1]"),
        (Parameter("e", 0.0, low=0.0, high=1.0), True, "e is True, not a number of its kind"),
        (Parameter("axis", -1), 3, ""),
        (Parameter("axis", -1), 1.0, "axis is 1.0, not a number of its kind"),
        (Parameter("axis", -1), "1", "axis is '1', not a number of its kind"),
        (Parameter("r", "none", choices=("none", "sum")), "sum", ""),
        (Parameter("r", "none", choices=("none", "sum")), "Sum", "r is 'Sum', not one of none, sum"),
        (Parameter("r", "none", choices=("none", "sum")), 0, "r is 0, not one of none, sum"),
    ],
)
def test_objection(parameter: Parameter, value: Any, objection: str) -> None:
    assert parameter.objection(value) == objection


def test_defaults_complete_what_a_case_names() -> None:
    operation = OPERATIONS["weighted_sigmoid_cross_entropy"]
    assert operation.complete({"pos_weight": 3.0}) == {
        "label_smoothing": 0.0,
        "pos_weight": 3.0,
        "empty_mean": "undefined",
        "reduction": "none",
    }


def test_parameters_are_located_before_inputs() -> None:
    inputs = {"logits": np.zeros(2), "labels": np.zeros(3)}
    region = OPERATIONS["sigmoid_cross_entropy"].locate(inputs, {"reduction": "avg", "label_smoothing": 2.0})
    assert (region.domain, region.reason) == (Domain.UNDEFINED, "label_smoothing is 2.0, outside [0, 1]")
    assert OPERATIONS["sigmoid_cross_entropy"].locate(inputs, {}).reason.startswith("labels have shape [3]")


def test_widening_is_exact_and_leaves_indices_alone() -> None:
    wide = widened({"x": np.array([0.1], np.float16), "k": np.array([3], np.uint8)})
    assert wide["x"].dtype == np.float64
    assert wide["x"][0] == float(np.float16(0.1))
    assert wide["k"].dtype == np.uint8


def test_operations_are_known_by_their_own_names() -> None:
    assert {name: operation.name for name, operation in OPERATIONS.items()} == {name: name for name in OPERATIONS}
    leading = {operation.leading for operation in OPERATIONS.values()}
    assert leading == {"logits", "probabilities", "log_probabilities", "hidden"}
