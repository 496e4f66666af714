"""TensorFlow's own sampler in its sampled losses: the shipped cases of it are settled by their seed, and can fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness import casefile
from harness.adapters import Tensor, UnsupportedError
from harness.adapters import tensorflow as adapter
from harness.adapters.tensorflow_sampler import SAMPLER, refuse
from harness.comparator.judge import Answer, Judge
from harness.model.case import Case
from harness.model.observation import Observation, Outcome
from harness.model.subject import Subject
from harness.model.verdict import Kind
from harness.operations import OPERATIONS
from harness.oracle.truth import evaluate

ROOT = casefile.cases_folder()
ENTRIES = casefile.load([ROOT / "modes" / "sampler.yaml"], ROOT)
CASES = [case for entry in ENTRIES for case in casefile.expand(entry, 0) if isinstance(case, Case)]
ROWS = {row.operation: row for row in adapter.IMPLEMENTATIONS if SAMPLER in row.modes}


def judged(case: Case, observed: Any) -> Kind:
    row = ROWS[case.operation]
    subject = Subject("current", row.path, SAMPLER, framework="tensorflow")
    seen = Observation(Outcome.VALUE, {"value": observed})
    ((verdict,),) = Judge(None, None, {}, []).verdicts([Answer(case, subject, ("value",), seen, evaluate(case))])
    return verdict.verdict


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_sampler_that_draws_all_classes_as_often_fails(case: Case, tensorflow_worker: Any, call: Any) -> None:
    row = ROWS[case.operation]
    complete = OPERATIONS[case.operation].complete(case.parameters)
    inputs = {name: Tensor.of(array) for name, array in case.inputs.items()}
    asked = [call(row, inputs, complete, ["value"], SAMPLER)] * 2
    one, other = (answer.outputs["value"].data for answer in tensorflow_worker.send(asked))
    assert one.tobytes() == other.tobytes()
    assert judged(case, one) is Kind.PASS
    share = case.inputs["sampled_expected"]
    assert judged(case, (one * np.float32(1 / len(case.inputs["kernel"])) / share).astype(np.float32)) is Kind.FAIL


def test_a_sampler_of_other_shares_than_documented_fails(tensorflow_worker: Any, call: Any) -> None:
    case = CASES[0]
    inputs = {**case.inputs, "sampled_expected": np.array([0.2], np.float32)}
    uniform = replace(case, inputs=inputs | {"true_expected": np.full((2, 1), 0.2, np.float32)})
    tensors = {name: Tensor.of(array) for name, array in uniform.inputs.items()}
    complete = OPERATIONS[case.operation].complete(case.parameters)
    (answer,) = tensorflow_worker.send([call(ROWS[case.operation], tensors, complete, ["value"], SAMPLER)])
    assert judged(uniform, answer.outputs["value"].data) is Kind.FAIL


@pytest.mark.parametrize(("samples", "removed"), [([0, 2], False), ([3], False), ([0], True)])
def test_what_cannot_be_told_by_its_slope_is_unsupported(samples: list[int], *, removed: bool) -> None:
    inputs = {"samples": Tensor.of(np.array(samples)), "labels": Tensor.of(np.array([[1], [3]]))}
    with pytest.raises(UnsupportedError, match="one class"):
        refuse("2.21.0", inputs, {"remove_accidental_hits": removed})


def test_tensorflow_1_has_no_loop_of_draws() -> None:
    with pytest.raises(UnsupportedError, match="TensorFlow 1"):
        refuse("1.15.5", {}, {})
