from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.model.case import Array
from harness.model.observation import Observation, Outcome
from harness.model.run import Record, Results
from harness.model.verdict import Grade, Kind, Verdict
from harness.reporting import curves
from harness.reporting.curves import Panel, sampled

LOGITS = np.array([[-22.18, 3.0], [0.0, np.inf]], np.float32)
HALVES = np.full((2, 2), 0.5, np.float32)


def call(**more: Any) -> Record:
    usual: dict[str, Any] = {
        "case": "documents/003:a/float32",
        "operation": "sigmoid",
        "dtype": "float32",
        "parameters": {},
        "source": "x.yaml:1",
        "inputs": {"logits": LOGITS},
        "truth": {},
        "observations": {},
    }
    return Record(**(usual | more))


def run(results: Results, values: Array, **more: Any) -> Results:
    """A run of one subject that gave these values."""
    first: Verdict = replace(results.verdicts[0], **({"operation": "sigmoid"} | more))
    seen = {first.subject: Observation(Outcome.VALUE, {"value": values})}
    return Results(results.run, [first], lambda _: call(observations=seen))


def test_errors_lines_and_logits_of_a_call(results: Results) -> None:
    exact = (1 / (1 + np.exp(-LOGITS.astype(np.float64)))).astype(np.float32)
    exact[0, 0] = 0.0
    ((panel, names),) = curves.curves(run(results, exact)).items()
    assert panel == Panel("sigmoid", "float32", "value")
    ((name, (part,)),) = names.items()
    assert name == "tf.nn.sigmoid_cross_entropy_with_logits"
    assert part.call.logits.tolist() == LOGITS.astype(np.float64).reshape(-1).tolist()
    assert part.errors[0] < -1e6
    assert (np.abs(part.errors[1:]) <= 0.5).all()
    assert (part.line >= 4.0).all()


def test_values_of_the_wrong_class_are_not_finite(results: Results) -> None:
    values = np.array([[np.nan, np.inf], [0.5, 1.0]], np.float32)
    ((names,),) = (tuple(curves.curves(run(results, values)).values()),)
    ((part,),) = names.values()
    assert np.isfinite(part.errors).tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("values", "more"),
    [
        (HALVES[0], {}),
        (HALVES.astype(np.float64), {}),
        (HALVES, {"domain": "undefined"}),
        (HALVES, {"operation": "softmax"}),
        (HALVES, {"operation": "<b>"}),
        (HALVES, {"grade": None}),
        (HALVES, {"output": "gradient:logits"}),
    ],
)
def test_what_cannot_be_drawn_is_left_out(results: Results, values: Array, more: dict[str, Any]) -> None:
    assert curves.curves(run(results, values, **more)) == {}


def test_reduced_calls_are_left_out() -> None:
    inputs = {"logits": LOGITS, "labels": HALVES}
    assert sampled(call(operation="sigmoid_cross_entropy", inputs=inputs, parameters={"reduction": "sum"}), []) is None


def test_large_calls_are_sampled_with_what_verdicts_name() -> None:
    found = sampled(call(inputs={"logits": np.zeros((100, 100), np.float32)}), [(3, 17), (99,)])
    assert found is not None
    assert 317 in found.chosen
    assert curves.ELEMENTS <= found.chosen.size <= curves.ELEMENTS + 1
    assert found.truth.outputs["value"].high.shape == found.chosen.shape


def test_of_many_calls_those_with_failures_are_looked_at(results: Results) -> None:
    one = run(results, HALVES, grade=Grade.EXACT)
    passing = [replace(one.verdicts[0], case=f"case {i}") for i in range(curves.CALLS)]
    failing = replace(one.verdicts[0], case="last", grade=Grade.INACCURATE)
    asked: list[str] = []

    def record(case: str) -> Record | None:
        asked.append(case)
        return None

    curves.curves(Results(one.run, [*passing, failing], record))
    assert len(asked) == curves.CALLS
    assert asked[0] == "last"


def test_probabilities_have_logits_too() -> None:
    p = np.array([0.5, 0.25, 0.0, 1.0], np.float32)
    found = sampled(call(operation="binary_cross_entropy", inputs={"probabilities": p, "labels": np.zeros_like(p)}), [])
    assert found is not None
    np.testing.assert_allclose(found.logits, [0.0, -np.log(3.0), -np.inf, np.inf])


def test_environments_are_told_apart_where_there_are_several(results: Results) -> None:
    one = run(results, HALVES)
    both = [one.verdicts[0], replace(one.verdicts[0], environment="old")]
    (names,) = curves.curves(replace(one, verdicts=both)).values()
    assert sorted(name.partition(":")[0] for name in names) == ["here", "old"]


def test_an_empty_run_has_no_curves(many: Callable[..., Results]) -> None:
    assert curves.curves(many(0, Kind.PASS)) == {}
