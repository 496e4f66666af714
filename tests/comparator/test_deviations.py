"""Known deviations are strict: a kind, versions and inputs, and nothing else beside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.comparator.judge import Answer, Judge
from harness.model.case import Case, Departure, Domain, Expectation, Override, Source, StatedTolerance
from harness.model.deviation import Deviation, DeviationKind, Requirement
from harness.model.observation import Observation, Outcome
from harness.model.subject import Subject
from harness.model.verdict import Kind, Verdict
from harness.operations.base import Region
from harness.oracle import blocks, truth
from harness.oracle.truth import Truth, evaluate

SUBJECT = Subject("current", "torch.nn.functional.bce", "eager", framework="torch")
TAIL = Deviation(
    id="tail",
    subjects=("*:torch.*@eager",),
    versions=">=2.0,<3",
    operations=("sigmoid_cross_entropy",),
    outputs=("value",),
    kind=DeviationKind.ACCURACY,
    reason="the tail is lost",
    link="unreported",
    date="2026-11-23",
    shown_by=("found/x:tail/*",),
    source=Source("cases/deviations.yaml", 3),
    inputs={"logits": (Requirement("<", 0.0),), "labels": (Requirement("==", 0.0),)},
)


def judged(observed: Any, *deviations: Deviation, version: str = "2.13.0", **more: Any) -> Verdict:
    """A value at logits -22.18 and 3, or others, with labels 0, judged with these deviations known."""
    logits = np.array(more.pop("logits", [-22.18, 3.0]), np.float32)
    usual: dict[str, Any] = {"id": "found/x:other/float32", "parameters": {}, "expect": Expectation()}
    case = Case(
        operation="sigmoid_cross_entropy",
        inputs={"logits": logits, "labels": np.zeros_like(logits)},
        dtype="float32",
        source=Source("cases/found/x.yaml", 1),
        **(usual | more),
    )
    seen = observed
    if not isinstance(observed, Observation):
        seen = Observation(Outcome.VALUE, {"value": np.array(observed, np.float32)})
    judge = Judge(None, None, {("current", "torch"): {"torch": version}}, deviations)
    ((verdict,),) = judge.verdicts([Answer(case, SUBJECT, ("value",), seen, evaluate(case))])
    return verdict


TRUE = [2.32995889e-10, 3.04858735]
LOST = [0.0, TRUE[1]]


def test_torchs_tail_is_inaccurate_and_the_list_says_why() -> None:
    assert judged(LOST).verdict is Kind.FAIL
    found = judged(LOST, TAIL)
    assert (found.verdict, found.deviation, found.reason) == (Kind.DEVIATION, "tail", "the tail is lost")
    assert found.grade == "inaccurate"


@pytest.mark.parametrize(
    "changed",
    [
        {"subjects": ("*:tf.*",)},
        {"operations": ("softmax",)},
        {"outputs": ("gradient:*",)},
        {"dtypes": ("float64",)},
        {"parameters": {"reduction": "mean"}},
        {"misuse": ("labels-large",)},
        {"versions": ">=3"},
        {"kind": DeviationKind.SEMANTICS, "inputs": {"logits": (Requirement(">", 0.0),)}},
        {"kind": DeviationKind.UNDERFLOW},
        {"kind": DeviationKind.ERRORS},
        {"inputs": {"logits": (Requirement(">", 0.0),)}},
        {"inputs": {"labels": (Requirement("!=", 0.0),)}},
        {"inputs": {"weights": (Requirement(">", 0.0),)}},
        {"inputs": {"truth": (Requirement("subnormal"),)}},
    ],
)
def test_what_it_does_not_speak_of_it_does_not_cover(changed: dict[str, Any]) -> None:
    assert judged(LOST, replace(TAIL, **changed)).verdict is Kind.FAIL


@pytest.mark.parametrize("version", ["2.0.0", "2.13.0+cpu", "2.14.0.dev1", "unreadable"])
def test_versions_are_a_range(version: str) -> None:
    assert judged(LOST, TAIL, version=version).verdict is Kind.DEVIATION


@pytest.mark.parametrize("version", ["1.13.1", "3.0.0", "3.1"])
def test_other_versions_are_not_meant(version: str) -> None:
    assert judged(LOST, TAIL, version=version).verdict is Kind.FAIL
    assert judged(TRUE, TAIL, version=version, id="found/x:tail/float32").verdict is Kind.PASS


def test_parameters_count_with_their_defaults() -> None:
    unreduced = replace(TAIL, parameters={"reduction": "none"})
    assert judged(LOST, unreduced).verdict is Kind.DEVIATION
    mean: dict[str, Any] = {"parameters": {"reduction": "mean"}, "logits": [-22.18]}
    assert judged(0.0, unreduced, **mean).verdict is Kind.FAIL
    assert judged(0.0, TAIL, **mean).verdict is Kind.DEVIATION


def test_the_gradient_and_the_value_are_covered_apart() -> None:
    assert judged(LOST, replace(TAIL, outputs=("gradient:*",))).verdict is Kind.FAIL
    assert judged(LOST, replace(TAIL, outputs=("val*",))).verdict is Kind.DEVIATION


def test_what_exceeds_a_cases_own_tolerance_must_be_covered_too() -> None:
    expect = Expectation(tolerance=StatedTolerance(0.0, 1e-12, "a reason"))
    near = [0.0, np.nextafter(np.float32(TRUE[1]), np.float32(4))]
    assert judged(near, TAIL).verdict is Kind.DEVIATION
    assert judged(near, TAIL, expect=expect).verdict is Kind.FAIL
    assert judged(near[:1], TAIL, expect=expect, logits=[-22.18]).verdict is Kind.DEVIATION


@pytest.mark.parametrize("block", [1, 2, 1 << 15])
@pytest.mark.parametrize(
    ("observed", "kind"),
    [
        ([0.0, TRUE[1], TRUE[0]], Kind.DEVIATION),
        ([0.0, TRUE[1], 0.0], Kind.DEVIATION),
        ([0.0, 3.5, TRUE[0]], Kind.FAIL),
        ([TRUE[0], TRUE[1], np.nan], Kind.FAIL),
        ([TRUE[0], TRUE[1], TRUE[0]], Kind.PASS),
        ([0.0], Kind.FAIL),
    ],
)
def test_large_calls_are_covered_block_by_block(
    monkeypatch: pytest.MonkeyPatch, observed: list[float], kind: Kind, block: int
) -> None:
    monkeypatch.setattr(truth, "LARGE", 2)
    monkeypatch.setattr(blocks, "BLOCK", block)
    assert judged(observed, TAIL, logits=[-22.18, 3.0, -22.18]).verdict is kind


def test_one_element_outside_keeps_the_failure() -> None:
    assert judged([0.0, 3.5], TAIL).verdict is Kind.FAIL


def test_another_kind_of_failure_beside_is_not_hidden() -> None:
    assert judged([0.0, np.nan], TAIL).verdict is Kind.FAIL
    assert judged([0.0], TAIL).verdict is Kind.FAIL
    assert judged(Observation(Outcome.ERROR, error="E", reason="no"), TAIL).verdict is Kind.FAIL
    assert judged(Observation(Outcome.CRASH, reason="gone"), TAIL).verdict is Kind.CRASH


def test_several_cover_what_none_covers_alone() -> None:
    nan = replace(TAIL, id="nan", kind=DeviationKind.SEMANTICS, inputs={"logits": (Requirement(">", 0.0),)})
    assert judged([0.0, np.nan], nan).verdict is Kind.FAIL
    found = judged([0.0, np.nan], TAIL, nan)
    assert (found.verdict, found.deviation) == (Kind.DEVIATION, "tail, nan")


def test_who_passes_what_shows_it_makes_it_stale() -> None:
    assert judged(TRUE, TAIL).verdict is Kind.PASS
    found = judged(TRUE, TAIL, id="found/x:tail/float32")
    assert (found.verdict, found.deviation) == (Kind.STALE, "tail")
    assert "the tail is lost" in found.reason


def test_an_error_for_defined_input_is_covered_by_errors_only() -> None:
    raised = Observation(Outcome.ERROR, error="E", reason="no")
    assert judged(raised, replace(TAIL, kind=DeviationKind.ERRORS)).verdict is Kind.DEVIATION


def test_flush_to_zero_is_a_kind_of_its_own() -> None:
    flushed = replace(TAIL, kind=DeviationKind.UNDERFLOW, inputs={"truth": (Requirement("subnormal"),)})
    assert judged([0.0], logits=[-88.0]).reason.startswith("flushed to zero")
    assert judged([0.0], TAIL, logits=[-88.0]).verdict is Kind.FAIL
    assert judged([0.0], flushed, logits=[-88.0]).verdict is Kind.DEVIATION


def test_an_overflow_that_another_subject_avoids_fails_unless_it_is_known() -> None:
    case = Case(
        "found/x:mean/float16",
        "sigmoid_cross_entropy",
        {"logits": np.full(4, 6e4, np.float16), "labels": np.zeros(4, np.float16)},
        {"reduction": "mean"},
        "float16",
        Expectation(),
        Source("cases/found/x.yaml", 1),
    )
    seen = Observation(Outcome.VALUE, {"value": np.array(np.inf, np.float16)})
    answer = Answer(case, SUBJECT, ("value",), seen, evaluate(case))
    known = replace(TAIL, kind=DeviationKind.RANGE, inputs={})
    for deviations, kind in (((), Kind.FAIL), ((known,), Kind.DEVIATION)):
        judge = Judge(None, None, {}, deviations)
        ((verdict,),) = judge.verdicts([answer])
        assert (verdict.verdict, verdict.grade) == (Kind.PASS, "range")
        assert judge.avoidable_overflow(verdict, answer, "another").verdict is kind


def test_undefined_input_has_no_elements_to_cover() -> None:
    undefined = Truth(Region(Domain.UNDEFINED, "no class"))
    case = Case("x", "sigmoid_cross_entropy", {}, {}, "float32", Expectation(), Source("x", 1))
    answer = Answer(
        case, SUBJECT, ("value",), Observation(Outcome.VALUE, {"value": np.zeros(1, np.float32)}), undefined
    )
    for kind, verdict in ((DeviationKind.ACCURACY, Kind.FAIL), (DeviationKind.ERRORS, Kind.DEVIATION)):
        ((found,),) = Judge(None, None, {}, [replace(TAIL, kind=kind, inputs={})]).verdicts([answer])
        assert found.verdict is verdict


@pytest.mark.parametrize("parameters", [{"reduction": "mean"}, {"reduction": "mean", "label_smoothing": 0.0}])
def test_parameters_are_held_against_the_calls_with_their_defaults(parameters: dict[str, Any]) -> None:
    lost = 0.0
    known = replace(TAIL, parameters=parameters)
    found = judged(lost, known, logits=[-22.18, -22.18], parameters={"reduction": "mean"})
    assert found.verdict is Kind.DEVIATION
    assert judged([lost, lost], known, logits=[-22.18, -22.18]).verdict is Kind.FAIL


def test_a_reduction_is_covered_if_one_of_its_inputs_is_as_said() -> None:
    other = replace(TAIL, inputs={"logits": (Requirement("<", -1000.0),)})
    for known, kind in ((TAIL, Kind.DEVIATION), (other, Kind.FAIL)):
        assert judged(3.0, known, parameters={"reduction": "mean"}).verdict is kind


@pytest.mark.parametrize(
    ("requirement", "covered"),
    [
        (Requirement("finite"), True),
        (Requirement("infinite"), False),
        (Requirement("nan"), False),
        (Requirement("subnormal"), False),
        (Requirement("<=", float(np.float32(-22.18))), True),
        (Requirement(">=", -22.0), False),
        (Requirement("!=", 0.0), True),
    ],
)
def test_conditions(requirement: Requirement, *, covered: bool) -> None:
    known = replace(TAIL, inputs={"logits": (requirement,)})
    assert judged([0.0], known, logits=[-22.18]).verdict is (Kind.DEVIATION if covered else Kind.FAIL)


def test_rows_that_are_not_normalised() -> None:
    known = replace(
        TAIL, operations=("softmax_cross_entropy",), outputs=("*",), inputs={"labels": (Requirement("unnormalised"),)}
    )
    for labels, kind in (([0.5, 0.4], Kind.DEVIATION), ([0.5, 0.5], Kind.FAIL)):
        inputs = {"logits": np.array([[1.0, 2.0]], np.float32), "labels": np.array([labels], np.float32)}
        case = Case("x", "softmax_cross_entropy", inputs, {}, "float32", Expectation(), Source("x", 1))
        seen = Observation(Outcome.VALUE, {"value": np.array([9.0], np.float32)})
        ((found,),) = Judge(None, None, {}, [known]).verdicts([Answer(case, SUBJECT, ("value",), seen, evaluate(case))])
        assert found.verdict is kind


@pytest.mark.parametrize(("infinite", "kind"), [(1, Kind.DEVIATION), (0, Kind.FAIL)])
def test_slopes_by_a_weight_of_a_row_are_covered_by_its_elements(infinite: int, kind: Kind) -> None:
    requirements = {"logits": (Requirement("infinite"),)}
    known = replace(TAIL, outputs=("gradient:weights",), kind=DeviationKind.SEMANTICS, inputs=requirements)
    logits, labels = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), np.ones((2, 2), np.float32)
    logits[infinite, 0] = -np.inf
    inputs = {"logits": logits, "labels": labels, "weights": np.ones((2, 1), np.float32)}
    case = Case("x", "sigmoid_cross_entropy", inputs, {}, "float32", Expectation(), Source("x", 1))
    true = evaluate(case)
    slopes = true.outputs["gradient:weights"].high.astype(np.float32)
    slopes[1] = np.nan
    seen = Observation(Outcome.VALUE, {"gradient:weights": slopes})
    ((found,),) = Judge(None, None, {}, [known]).verdicts([Answer(case, SUBJECT, ("gradient:weights",), seen, true)])
    assert found.verdict is kind


def test_another_shape_or_dtype_is_semantics() -> None:
    known = replace(TAIL, kind=DeviationKind.SEMANTICS)
    for seen in (np.zeros((2, 1), np.float32), np.array(TRUE)):
        given = Observation(Outcome.VALUE, {"value": seen})
        assert judged(given, TAIL).verdict is Kind.FAIL
        assert judged(given, known).verdict is Kind.DEVIATION


def test_what_its_case_states_of_the_subject_comes_first() -> None:
    stated = Override("*", departs=Departure.INACCURATE, reason="stated", source=Source("cases/found/x.yaml", 9))
    found = judged(LOST, TAIL, expect=Expectation(per=(stated,)))
    assert (found.verdict, found.deviation, found.reason) == (Kind.DEVIATION, "cases/found/x.yaml:9", "stated")


def test_what_is_spoilt_may_be_refused_or_has_its_value() -> None:
    refused = Observation(Outcome.ERROR, error="TypeError", reason="labels are int64")
    assert judged(refused).verdict is Kind.FAIL
    found = judged(refused, misuse="labels-integer")
    assert (found.verdict, found.grade, found.reason) == (Kind.PASS, None, "raised TypeError: labels are int64")
    assert judged(LOST, misuse="labels-integer").verdict is Kind.FAIL
    assert judged(LOST, replace(TAIL, misuse=("labels-integer",)), misuse="labels-integer").verdict is Kind.DEVIATION


def test_labels_of_another_dtype_have_the_truth_of_their_numbers() -> None:
    logits = np.array([-22.18, 3.0], np.float32)
    case = Case(
        id="x",
        operation="sigmoid_cross_entropy",
        inputs={"logits": logits, "labels": np.array([0, 1])},
        parameters={},
        dtype="float32",
        expect=Expectation(),
        source=Source("x", 1),
        misuse="labels-integer",
    )
    found = evaluate(case)
    assert (found.region.domain, found.region.reason) == (Domain.EXTENDED, "labels are int64, logits float32")
    assert found.outputs["value"].high == pytest.approx([2.32995889e-10, 0.04858735])
