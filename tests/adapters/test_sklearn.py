from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from harness.adapters import Implementation
from harness.adapters import sklearn as adapter
from harness.adapters.numpy import IMPLEMENTATIONS as REFERENCES
from harness.adapters.numpy import call as refer

ROWS = {row.operation: row for row in adapter.IMPLEMENTATIONS}
LABELS = {
    "binary_cross_entropy": [1.0, 0.0, 1.0],
    "categorical_cross_entropy": [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]],
    "sparse_categorical_cross_entropy": [1, 0, 1],
}
DTYPES = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-15}


def inputs(operation: str, dtype: str, tensor: Any) -> dict[str, Any]:
    p = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    labels = LABELS[operation]
    sparse = operation.startswith("sparse")
    return {
        "probabilities": tensor(p[:, 1] if operation.startswith("binary") else p, dtype),
        "labels": tensor(labels, "int64" if sparse else dtype),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("reduction", "weighted"), [("sum", "weights"), ("sum", ""), ("mean", ""), ("weighted_mean", "weights")]
)
@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.operation)
def test_agrees_with_the_reference(
    row: Implementation, reduction: str, weighted: str, dtype: str, started: Any, call: Any, tensor: Any, defaults: Any
) -> None:
    given = inputs(row.operation, dtype, tensor)
    if weighted:
        given["weights"] = tensor([0.5, 2.0, 1.0], dtype)
    parameters = defaults(row.operation, reduction=reduction, epsilon=float(np.finfo(dtype).eps))
    (answer,) = started("sklearn").send([call(row, given, parameters)])
    reference = next(r for r in REFERENCES if r.operation == row.operation)
    expected = refer(reference, "eager", given, parameters, ["value"])["value"]
    assert answer.outputs["value"].dtype == dtype
    np.testing.assert_allclose(answer.outputs["value"].data, expected.data, rtol=DTYPES[dtype])


@pytest.mark.parametrize(
    ("changes", "given", "reason"),
    [
        ({"epsilon": 1e-7}, {}, r"it clips float32 by .*1\.19"),
        ({"reduction": "mean"}, {"weights": [1.0, 1.0, 2.0]}, "its mean divides by their sum"),
        ({"reduction": "sum"}, {"weights": [[1.0, 1.0, 2.0]]}, "one a row"),
        ({"reduction": "sum"}, {"labels": [0.5, 0.0, 1.0]}, "its labels are classes"),
        ({"reduction": "sum"}, {"probabilities": [[0.5, 0.25, 0.75]]}, "the axes of its probabilities are examples"),
    ],
)
def test_what_it_cant_be_told_is_unsupported(
    changes: Any, given: Any, reason: str, started: Any, call: Any, tensor: Any, defaults: Any
) -> None:
    row = ROWS["binary_cross_entropy"]
    complete = {**inputs(row.operation, "float32", tensor), **{n: tensor(v, "float32") for n, v in given.items()}}
    parameters = defaults(row.operation, **{"epsilon": 2.0**-23, "reduction": "mean", **changes})
    (answer,) = started("sklearn").send([call(row, complete, parameters)])
    assert answer.outcome == "unsupported"
    assert re.search(reason, answer.header["reason"])


def test_one_class_and_labels_that_are_none_raise(started: Any, call: Any, tensor: Any, defaults: Any) -> None:
    row = ROWS["sparse_categorical_cross_entropy"]
    parameters = defaults(row.operation, reduction="mean", epsilon=2.0**-23)
    one = {"probabilities": tensor([[1.0]], "float32"), "labels": tensor([0], "int64")}
    outside = {"probabilities": tensor([[0.5, 0.5]], "float32"), "labels": tensor([2], "int64")}
    answers = started("sklearn").send([call(row, one, parameters), call(row, outside, parameters)])
    assert [answer.header["error"] for answer in answers] == ["ValueError", "ValueError"]
    assert "at least two labels" in answers[0].header["reason"]
    assert "not belonging to the passed labels" in answers[1].header["reason"]


def test_says_its_version_by_the_name_of_its_distribution(started: Any) -> None:
    assert started("sklearn").hello["packages"]["scikit-learn"]
