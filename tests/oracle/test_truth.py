from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.model.case import Case, Domain, Expectation, Source
from harness.oracle import truth

INF = float("inf")


def case(operation: str, parameters: dict[str, Any], **inputs: Any) -> Case:
    arrays = {n: np.asarray(v) if isinstance(v, np.ndarray) else np.asarray(v, np.float32) for n, v in inputs.items()}
    return Case("tests:case", operation, arrays, parameters, "float32", Expectation(), Source("tests.yaml", 1))


def test_truth_is_float64_and_for_the_inputs_as_rounded() -> None:
    found = truth.evaluate(case("sigmoid_cross_entropy", {}, logits=[0.1], labels=[1.0]))
    assert found.region.domain is Domain.INSIDE
    assert set(found.outputs) == {"value", "gradient:logits"}
    assert found.outputs["value"].dtype == np.float64
    assert found.outputs["value"][0] == pytest.approx(np.log1p(np.exp(-float(np.float32(0.1)))), rel=1e-15)
    assert found.outputs["value"][0] != pytest.approx(np.log1p(np.exp(-0.1)), rel=1e-10)


def test_the_gradient_is_with_respect_to_the_leading_input() -> None:
    found = truth.evaluate(case("binary_cross_entropy", {}, probabilities=[0.5], labels=[1.0]))
    np.testing.assert_array_equal(found.outputs["gradient:probabilities"], [-2.0])


def test_upstream_defaults_to_ones_of_the_values_shape() -> None:
    given = {"logits": [[1.0, 2.0]], "labels": [[0.5, 0.0]]}
    ones = truth.evaluate(case("softmax_cross_entropy", {}, **given)).outputs["gradient:logits"]
    said = truth.evaluate(case("softmax_cross_entropy", {}, **given, upstream=[1.0])).outputs["gradient:logits"]
    np.testing.assert_array_equal(ones, said)


@pytest.mark.parametrize(
    ("parameters", "labels", "reason"),
    [
        ({}, np.array([0, 5]), "label 5 is no class of 0..1"),
        ({"reduction": "avg"}, np.array([0, 1]), "reduction is 'avg', not one of"),
        ({"axis": 3}, np.array([0, 1]), "no axis 3"),
    ],
)
def test_there_is_no_truth_for_undefined_input(parameters: dict[str, Any], labels: Any, reason: str) -> None:
    found = truth.evaluate(case("sparse_softmax_cross_entropy", parameters, logits=np.eye(2), labels=labels))
    assert found.region.domain is Domain.UNDEFINED
    assert reason in found.region.reason
    assert dict(found.outputs) == {}


def test_extended_input_has_a_truth() -> None:
    found = truth.evaluate(case("sigmoid_cross_entropy", {}, logits=[0.0], labels=[2.0]))
    assert found.region.domain is Domain.EXTENDED
    assert found.outputs["value"][0] == pytest.approx(np.log(2), rel=1e-15)


@pytest.mark.parametrize("normalize", ["none", "before"])
def test_infinities_and_nan_warn_nobody(normalize: str) -> None:
    found = truth.evaluate(case("softmax_cross_entropy", {}, logits=[[INF, INF], [-INF, 0.0]], labels=np.eye(2)))
    assert np.isnan(found.outputs["value"][0])
    assert found.outputs["value"][1] == 0.0
    given = {"probabilities": [[0.0, 0.0]], "labels": [[1.0, 0.0]]}
    found = truth.evaluate(case("categorical_cross_entropy", {"normalize": normalize}, **given))
    assert not np.isfinite(found.outputs["value"]).any()


def test_reports_can_say_what_truth_was() -> None:
    assert "not certified" in truth.METHOD
