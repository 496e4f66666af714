"""Grades and causes with the real truth: what a user is told of a subject's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.comparator.judge import Answer, Judge
from harness.model.case import Case, Expectation, Source, StatedTolerance
from harness.model.observation import Observation, Outcome
from harness.model.subject import Subject
from harness.model.verdict import Cause, Grade, Kind, Verdict
from harness.oracle.formats import FORMATS
from harness.oracle.truth import evaluate

SUBJECT = Subject("current", "torch.loss", "eager", framework="torch")
INF = float("inf")


def judged(operation: str, inputs: dict[str, Any], observed: Any, output: str = "value", **more: Any) -> Verdict:
    """An output of a float32 call with these inputs, or of another dtype; whole numbers are labels."""
    usual: dict[str, Any] = {"parameters": {}, "dtype": "float32", "expect": Expectation(), **more}
    form = FORMATS[usual["dtype"]].dtype
    arrays = {name: np.asarray(values) for name, values in inputs.items()}
    rounded = {name: array if array.dtype.kind == "i" else array.astype(form) for name, array in arrays.items()}
    case = Case(id="x", operation=operation, inputs=rounded, source=Source("x.yaml", 1), **usual)
    seen = Observation(Outcome.VALUE, {output: np.asarray(observed).astype(form)})
    ((found,),) = Judge(None, None, {}).verdicts([Answer(case, SUBJECT, (output,), seen, evaluate(case))])
    return found


def told(found: Verdict) -> tuple[Kind, Grade | None, Cause | None]:
    return found.verdict, found.grade, found.cause


def test_torchs_lost_tail_is_inaccurate_by_a_form_that_is_not_allowed() -> None:
    found = judged("sigmoid_cross_entropy", {"logits": [-22.18], "labels": [0.0]}, [0.0])
    assert told(found) == (Kind.FAIL, Grade.INACCURATE, Cause.SHIFT)
    assert found.reason.endswith("as by shift")
    assert found.max_bound is not None
    assert found.max_bound > 1e5


def test_the_tail_of_softmax_is_lost_by_policy_but_avoidably() -> None:
    found = judged("softmax_cross_entropy", {"logits": [[10.0, -10.0]], "labels": [[1.0, 0.0]]}, [0.0])
    assert told(found) == (Kind.PASS, Grade.STABLE, Cause.SHIFT)
    assert found.max_relative == 1.0
    # 24 bits are lost; the input itself, logits that are 20 apart, costs log2(21) of them.
    assert found.avoidable_bits == pytest.approx(24 - np.log2(21), abs=0.1)


def test_what_is_right_loses_nothing() -> None:
    found = judged("softmax_cross_entropy", {"logits": [[10.0, -10.0]], "labels": [[1.0, 0.0]]}, [2.0611537e-9])
    assert told(found) == (Kind.PASS, Grade.EXACT, Cause.ROUNDING)
    assert (found.avoidable_bits, found.summation_length) == (0.0, 0)


def test_subtracting_log_sum_exp_is_seen() -> None:
    logits = np.array([[1000.0, 999.0]], np.float32)
    found = judged("log_softmax", {"logits": logits}, logits - np.float32(1000.3132617))
    assert told(found) == (Kind.FAIL, Grade.INACCURATE, Cause.LSE)


def test_a_difference_near_its_limit_is_cancellation() -> None:
    found = judged("sigmoid_cross_entropy", {"logits": [20.0], "labels": [1.0]}, [0.0], "gradient:logits")
    assert told(found) == (Kind.FAIL, Grade.INACCURATE, Cause.CANCELLATION)


def test_nonsense_has_no_cause() -> None:
    found = judged("sigmoid_cross_entropy", {"logits": [1.0], "labels": [0.0]}, [2.0])
    assert told(found) == (Kind.FAIL, Grade.INACCURATE, Cause.NONE)
    assert "; as by" not in found.reason


@pytest.mark.parametrize("logit", [-87.0, -88.0, -98.0])
def test_flush_to_zero_is_called_so(logit: float) -> None:
    found = judged("sigmoid", {"logits": [logit]}, [0.0])
    assert told(found) == (Kind.FAIL, Grade.UNDERFLOW, Cause.UNDERFLOW)
    assert found.reason.startswith("flushed to zero: off by")


def test_zero_far_from_the_subnormal_range_is_no_underflow() -> None:
    assert told(judged("sigmoid", {"logits": [-80.0]}, [0.0])) == (Kind.FAIL, Grade.INACCURATE, Cause.NONE)


def test_less_than_half_a_subnormal_number_is_rightly_zero() -> None:
    assert told(judged("sigmoid", {"logits": [-104.0]}, [0.0])) == (Kind.PASS, Grade.EXACT, Cause.ROUNDING)


def test_an_overflow_on_the_way_passes_and_is_told() -> None:
    inputs = {"logits": [6e4] * 4, "labels": [0.0] * 4}
    found = judged("sigmoid_cross_entropy", inputs, INF, parameters={"reduction": "mean"}, dtype="float16")
    assert told(found) == (Kind.PASS, Grade.RANGE, Cause.RANGE)
    assert found.reason == "an intermediate of the reference algorithm leaves the range of float16"


def test_a_sum_one_after_another_has_its_length() -> None:
    logits = np.random.Generator(np.random.Philox(5)).standard_normal(1 << 16).astype(np.float32)
    inputs = {"logits": logits, "labels": np.zeros_like(logits)}
    losses = np.logaddexp(0, logits.astype(np.float64)).astype(np.float32)
    recursive, pairwise = np.cumsum(losses, dtype=np.float32)[-1], losses.sum(dtype=np.float64)
    slow = judged("sigmoid_cross_entropy", inputs, recursive, parameters={"reduction": "sum"})
    fast = judged("sigmoid_cross_entropy", inputs, pairwise, parameters={"reduction": "sum"})
    assert (slow.verdict, fast.verdict, fast.summation_length) == (Kind.PASS, Kind.PASS, 0)
    assert slow.cause is Cause.SUM
    assert slow.summation_length is not None
    assert 16 < slow.summation_length < 1 << 16


def stating(rtol: float, atol: float) -> Expectation:
    return Expectation(tolerance=StatedTolerance(rtol, atol, "a reason"))


@pytest.mark.parametrize(
    ("expect", "kind"),
    [(Expectation(), Kind.FAIL), (stating(0.0, 1e-9), Kind.PASS), (stating(0.9, 0.0), Kind.FAIL)],
)
def test_a_case_may_allow_more(expect: Expectation, kind: Kind) -> None:
    found = judged("sigmoid_cross_entropy", {"logits": [-22.18], "labels": [0.0]}, [0.0], expect=expect)
    assert (found.verdict, found.grade) == (kind, Grade.INACCURATE)
    assert ("as the case states" in found.reason) == (expect.tolerance is not None and kind is Kind.FAIL)


def test_a_case_may_allow_less_and_every_element_counts() -> None:
    # The first is the worse by its grade, the second by what the case allows.
    inputs = {"logits": [[10.0, -10.0], [10000.0, 0.0]], "labels": [[1.0, 0.0], [0.0, 1.0]]}
    observed = [0.0, np.nextafter(np.float32(10000.0), np.float32(0))]
    assert judged("softmax_cross_entropy", inputs, observed).grade is Grade.STABLE
    found = judged("softmax_cross_entropy", inputs, observed, expect=stating(0.0, 1e-8))
    assert (found.verdict, found.grade, found.index) == (Kind.FAIL, Grade.STABLE, (1,))
    assert found.reason.startswith("off by 0.000977")
    assert judged("softmax_cross_entropy", inputs, observed, expect=stating(0.0, 1e-3)).verdict is Kind.PASS


def test_an_element_of_the_wrong_class_is_within_no_tolerance() -> None:
    found = judged("sigmoid_cross_entropy", {"logits": [1.0], "labels": [0.0]}, [np.nan], expect=stating(0.0, 1e9))
    assert told(found)[:2] == (Kind.FAIL, Grade.BROKEN)
