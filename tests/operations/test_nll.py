from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.model.case import Domain
from harness.oracle.truth import Truth

Exact = Callable[..., Truth]
LOGS = [[-0.5, -1.0, -3.0], [-2.0, -0.25, -4.0], [-1.0, -1.5, -2.5]]


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "valid_mean", "weighted_mean", "nonzero_mean"])
@pytest.mark.parametrize("given", [{}, {"class_weights": [0.5, 2.0, 0.0]}, {"weights": [2.0, 0.0, 1.5]}], ids=str)
def test_loss(assert_exact: Exact, reduction: str, given: dict[str, Any]) -> None:
    for ignored in ("none", 2):
        more = {**given, "reduction": reduction, "ignore_index": ignored}
        assert_exact("nll_loss", log_probabilities=LOGS, labels=[0, 2, 1], **more)


def test_the_weighted_mean_is_by_the_weights_of_the_labels(assert_exact: Exact) -> None:
    given = {"class_weights": [1.0, 3.0, 5.0], "ignore_index": -100, "reduction": "weighted_mean"}
    found = assert_exact("nll_loss", log_probabilities=LOGS, labels=[0, 1, -100], **given)
    assert found.outputs["value"].high == (0.5 + 3 * 0.25) / (1 + 3)


def test_what_is_no_label_is_not_looked_at(assert_exact: Exact) -> None:
    given = {"log_probabilities": [[np.nan, -1.0, -np.inf]], "labels": [1], "class_weights": [1.0, 2.0, 3.0]}
    found = assert_exact("nll_loss", **given)
    assert found.outputs["value"].high.tolist() == [2.0]
    assert found.outputs["gradient:log_probabilities"].high.tolist() == [[0.0, -2.0, 0.0]]
    assert found.outputs["gradient:class_weights"].high.tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("given", "domain", "reason"),
    [
        ({"labels": [0, 1, 3]}, Domain.UNDEFINED, "label 3 is no class of 0..2"),
        ({"labels": [0, -1, 1], "ignore_index": -100}, Domain.UNDEFINED, "label -1 is no class of 0..2"),
        (
            {"labels": [0, 1, 2], "class_weights": [1.0]},
            Domain.UNDEFINED,
            "class_weights have shape [1]: one for each class is [3]",
        ),
        (
            {"labels": [0, 1, 2], "ignore_index": 1.5},
            Domain.UNDEFINED,
            "ignore_index is 1.5, no integer and not none",
        ),
        ({"labels": [0, 1, 2], "log_probabilities": [[1.0] * 3] * 3}, Domain.EXTENDED, "log-probabilities above 0"),
    ],
)
def test_domain(evaluate: Exact, given: dict[str, Any], domain: Domain, reason: str) -> None:
    region = evaluate("nll_loss", **{"log_probabilities": LOGS, **given}).region
    assert (region.domain, region.reason) == (domain, reason)
