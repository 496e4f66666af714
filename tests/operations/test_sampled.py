from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

Exact = Callable[..., Truth]
SOFTMAX, CONTRAST = "sampled_softmax_cross_entropy", "noise_contrastive_estimation"
GIVEN: dict[str, Any] = {
    "hidden": [[0.5, -1.0], [2.0, 0.25]],
    "kernel": [[1.0, 0.5], [-2.0, 1.5], [0.25, 0.75], [0.0, 1.0]],
    "biases": [0.5, -1.0, 0.0, 0.25],
    "labels": [[0], [2]],
    "samples": [1, 2],
    "true_expected": [[0.5], [0.25]],
    "sampled_expected": [0.75, 0.125],
}


@pytest.mark.parametrize("name", [SOFTMAX, CONTRAST])
@pytest.mark.parametrize("removed", [False, True])
def test_loss(assert_exact: Exact, name: str, removed: bool) -> None:  # noqa: FBT001 - a parameter of the operation
    assert_exact(name, **GIVEN, remove_accidental_hits=removed)
    assert_exact(name, "float64", **GIVEN, remove_accidental_hits=removed, upstream=[2.0, -1.0])


def test_all_classes_as_the_sample_give_the_whole_softmax(evaluate: Exact) -> None:
    """Without hits, and expected once each, nothing is an estimate."""
    every = {**GIVEN, "samples": [0, 1, 2, 3], "true_expected": [[1.0], [1.0]], "sampled_expected": [1.0] * 4}
    found = evaluate(SOFTMAX, "float64", **every, remove_accidental_hits=True).outputs
    layer = {name: GIVEN[name] for name in ("hidden", "kernel", "biases")}
    whole = evaluate("linear_cross_entropy", "float64", **layer, labels=[0, 2]).outputs
    for name in ("value", "gradient:hidden", "gradient:kernel", "gradient:biases"):
        assert found[name].high == pytest.approx(whole[name].high, rel=1e-14, abs=1e-15)


def test_a_hit_that_is_removed_is_as_if_it_were_no_sample(evaluate: Exact) -> None:
    one_row = {**GIVEN, "hidden": [[2.0, 0.25]], "labels": [[2]], "true_expected": [[0.25]]}
    without = {**one_row, "samples": [1], "sampled_expected": [0.75]}
    for name in (SOFTMAX, CONTRAST):
        found = evaluate(name, **one_row, remove_accidental_hits=True).outputs
        wanted = evaluate(name, **without, remove_accidental_hits=True).outputs
        assert found["value"].high.tolist() == wanted["value"].high.tolist()


def test_noise_contrastive_estimation_is_a_sum_of_sigmoid_cross_entropies(evaluate: Exact) -> None:
    hidden, kernel, biases = (np.array(GIVEN[name]) for name in ("hidden", "kernel", "biases"))
    logits = hidden[0] @ kernel[[0, 1, 2]].T + biases[[0, 1, 2]] - np.log([0.5, 0.75, 0.125])
    wanted = evaluate("sigmoid_cross_entropy", "float64", logits=logits, labels=[1.0, 0.0, 0.0], reduction="sum")
    found = evaluate(CONTRAST, "float64", **GIVEN).outputs["value"].high[0]
    assert found == pytest.approx(float(wanted.outputs["value"].high), rel=1e-14)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"labels": [[0], [4]]}, "4 of the labels is no class of 0..3"),
        ({"samples": [1, -1]}, "-1 of the samples is no class of 0..3"),
        ({"labels": [0, 2]}, "labels have shape [2], hidden [2, 2]: some labels for each row"),
        ({"sampled_expected": [0.5]}, "sampled_expected has shape [1]: one for each of [2]"),
        ({"true_expected": [[0.5], [0.0]]}, "true_expected isn't above 0: its logarithm is subtracted"),
        ({"kernel": [[1.0]]}, "hidden have 2 features, kernel 1"),
    ],
)
def test_domain(evaluate: Exact, given: dict[str, Any], reason: str) -> None:
    for name in (SOFTMAX, CONTRAST):
        region = evaluate(name, **{**GIVEN, **given}).region
        assert (region.domain, region.reason) == (Domain.UNDEFINED, reason)
