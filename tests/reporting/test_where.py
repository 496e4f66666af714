from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.model.observation import Observation, Outcome
from harness.model.run import Record, Results
from harness.reporting.where import farthest, inputs_at, named

ROWS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def softmax(**more: Any) -> Record:
    usual: dict[str, Any] = {
        "case": "x:y",
        "operation": "softmax_cross_entropy",
        "dtype": "float32",
        "parameters": {"axis": 1},
        "source": "x.yaml:1",
        "inputs": {"logits": ROWS, "labels": ROWS, "weights": np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32)},
        "truth": {},
        "observations": {},
    }
    return Record(**(usual | more))


@pytest.mark.parametrize("index", [(1, 2), (1, 0, 2)])
def test_a_row_is_told_whole(index: tuple[int, ...]) -> None:
    assert dict(inputs_at(softmax(), index)) == {"logits": "[14, 18, 22]", "labels": "[14, 18, 22]", "weights": "7"}


def test_long_rows_are_cut() -> None:
    wide = {"logits": np.zeros((2, 50), np.float32)}
    (given,) = inputs_at(softmax(operation="softmax", parameters={}, inputs=wide), (1, 7))
    assert given == ("logits", "[0, 0, 0, 0, 0, 0, ... 44 more]")


@pytest.mark.parametrize("index", [None, ()])
def test_a_reduced_call_comes_from_all_of_its_inputs(index: tuple[int, ...] | None) -> None:
    found = inputs_at(softmax(parameters={"axis": 1, "reduction": "mean"}), index)
    assert found[0] == ("logits", "of shape [2, 3, 4]")


def test_so_does_one_with_an_input_that_is_broadcast() -> None:
    found = dict(
        inputs_at(softmax(inputs={"logits": ROWS, "labels": ROWS, "weights": np.array(1, np.float32)}), (1, 2))
    )
    assert found["weights"] == "of shape scalar"


def test_operations_of_other_people_have_shapes() -> None:
    assert inputs_at(softmax(operation="<b>"), (0, 0))[0] == ("logits", "of shape [2, 3, 4]")


def test_the_largest_error_is_found_in_the_record(results: Results) -> None:
    verdict = results.verdicts[1]
    record = results.record(verdict.case)
    assert record is not None
    record = replace(record, inputs={name: record.inputs[name] for name in ("logits", "labels")})
    found = farthest(replace(verdict, index=(1,)), record)
    assert (found.place, found.given) == ("[0]", "logits -22.18, labels 0")
    assert named(replace(verdict, index=(1,)), record).place == "[1]"


def test_else_it_is_the_one_that_the_verdict_names(results: Results) -> None:
    verdict = replace(results.verdicts[1], index=(2, 1))
    assert farthest(verdict, None).place == "[2, 1]"
    assert farthest(verdict, softmax()).place == "[2, 1]"
    nan = {verdict.subject: Observation(Outcome.VALUE, {"value": np.array([np.nan], np.float32)})}
    broken = softmax(truth={"value": np.array([1.0])}, observations=nan)
    assert farthest(verdict, broken).place == "[2, 1]"
    assert named(replace(verdict, index=None), None).place == ""
