from __future__ import annotations

import numpy as np
import pytest

from harness.model.case import Case, Domain, Expectation, Source
from harness.operations import OPERATIONS
from harness.oracle import truth


@pytest.mark.parametrize("name", ["sampled_softmax_cross_entropy", "noise_contrastive_estimation"])
def test_a_signature_without_a_definition_has_no_truth(name: str) -> None:
    inputs = {
        "hidden": np.zeros((1, 2), np.float32),
        "kernel": np.zeros((3, 2), np.float32),
        "biases": np.zeros(3, np.float32),
        "labels": np.array([[0]]),
    }
    case = Case("tests:x", name, inputs, {"num_sampled": 2}, "float32", Expectation(), Source("tests.yaml", 1))
    assert truth.evaluate(case).region.domain is Domain.INSIDE
    assert not truth.evaluate(case).outputs
    region = OPERATIONS[name].locate(inputs, {"num_sampled": 0})
    assert (region.domain, region.reason) == (Domain.UNDEFINED, "num_sampled is 0, outside [1, inf]")
