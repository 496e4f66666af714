"""Doctored arrays against real truths: how many elements have each grade, and where the errors are largest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.comparator.survey import survey, unjudged
from harness.model.case import Array, Case, Expectation, Source, StatedTolerance
from harness.model.verdict import Grade
from harness.oracle import blocks, truth
from harness.oracle.formats import FORMATS

LOGITS = np.linspace(-9, 9, 60, dtype=np.float32).reshape(4, 5, 3)


@pytest.fixture
def case() -> Case:
    inputs: dict[str, Array] = {"logits": LOGITS, "labels": np.arange(12).reshape(4, 3) % 5}
    return Case("x", "sparse_softmax_cross_entropy", inputs, {"axis": 1}, "float32", Expectation(), Source("x", 1))


@pytest.fixture
def doctored(case: Case) -> dict[str, Array]:
    right = truth.evaluate(case).outputs["gradient:logits"].high.astype(np.float32)
    far, broken = np.copy(right), np.copy(right)
    far[1, 2, 0] *= np.float32(1.01)
    far[3, 4, 2] *= np.float32(1.5)
    broken[0, 1, 2] = np.nan
    return {"right": right, "far": far, "broken": broken, "short": right[:1], "wide": right.astype(np.float64)}


def test_grades_are_counted_and_the_largest_errors_come_first(case: Case, doctored: dict[str, Array]) -> None:
    found = survey(case, truth.evaluate(case), "gradient:logits", doctored, 3)
    assert found.shape == (4, 5, 3)
    assert found.counts == {
        "right": {Grade.EXACT: 60},
        "far": {Grade.INACCURATE: 2, Grade.EXACT: 58},
        "broken": {Grade.BROKEN: 1, Grade.EXACT: 59},
    }
    assert [element.index for element in found.elements] == [(0, 1, 2), (3, 4, 2), (1, 2, 0)]
    worst, second, _ = found.elements
    assert list(worst.readings) == ["right", "far", "broken"]
    assert worst.readings["broken"].grade is Grade.BROKEN
    assert np.isnan(worst.readings["broken"].ulps)
    assert second.readings["far"].value == doctored["far"][3, 4, 2]
    assert second.readings["right"].grade is Grade.EXACT


def test_an_element_says_what_is_true_and_what_may_be_lost(case: Case, doctored: dict[str, Array]) -> None:
    known = truth.evaluate(case)
    (element,) = survey(case, known, "gradient:logits", {"far": doctored["far"]}, 1).elements
    enclosed, lost, at = known.outputs["gradient:logits"], known.bounds["gradient:logits"], element.index
    assert element.truth is not None
    assert (element.truth.high, element.truth.radius) == (enclosed.high[at], enclosed.radius[at])
    assert element.truth.bound == lost.passing[at]
    assert element.truth.allowed >= 2 * element.truth.bound
    reading = element.readings["far"]
    error = float(doctored["far"][at]) - enclosed.high[at]
    assert reading.ulps == pytest.approx(error / element.truth.ulp)
    assert reading.in_bounds == pytest.approx(abs(error) / element.truth.bound)


@pytest.mark.parametrize("output", ["value", "gradient:logits"])
def test_a_large_call_is_surveyed_as_a_small_one(
    case: Case, doctored: dict[str, Array], output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = truth.evaluate(case).outputs["value"].high.astype(np.float32) + np.float32(1e-6)
    given = doctored if output != "value" else {"off": value, "short": value[0]}
    at_once = survey(case, truth.evaluate(case), output, given, 5)
    monkeypatch.setattr(truth, "LARGE", 10)
    monkeypatch.setattr(blocks, "BLOCK", 8)
    monkeypatch.setattr(blocks, "VALUE_ROWS", 1)
    known = truth.evaluate(case)
    assert known.large
    found = survey(case, known, output, given, 5)
    assert (found.shape, found.counts) == (at_once.shape, at_once.counts)
    assert [e.index for e in found.elements] == [e.index for e in at_once.elements]
    assert [e.truth and e.truth.high for e in found.elements] == [e.truth and e.truth.high for e in at_once.elements]


def test_without_a_subject_the_truth_is_still_told(case: Case) -> None:
    found = survey(case, truth.evaluate(case), "value", {}, 2)
    assert not found.counts
    assert [element.index for element in found.elements] == [(0, 0), (0, 1)]
    assert all(element.truth and not element.readings for element in found.elements)


def test_a_tolerance_of_the_case_is_what_an_element_is_allowed(case: Case) -> None:
    stated = replace(case, expect=Expectation(tolerance=StatedTolerance(0.0, 0.25, "coarse")))
    (element,) = survey(stated, truth.evaluate(stated), "value", {}, 1).elements
    assert element.truth is not None
    assert element.truth.allowed == 0.25


def test_an_infinity_that_is_right_is_no_error() -> None:
    labels = np.array([1.0, 1.0], np.float32)
    inputs = {"probabilities": np.array([0.0, 0.5], np.float32), "labels": labels}
    case = Case("x", "binary_cross_entropy", inputs, {}, "float32", Expectation(), Source("x", 1))
    found = survey(case, truth.evaluate(case), "value", {"a": np.array([np.inf, np.inf], np.float32)}, 2)
    assert found.counts["a"] == {Grade.BROKEN: 1, Grade.EXACT: 1}
    assert {element.index: element.readings["a"].ulps for element in found.elements}[0,] == 0


def test_without_a_truth_the_first_numbers_are_told() -> None:
    half = FORMATS["bfloat16"].dtype
    given = {"a": np.arange(6).reshape(2, 3).astype(half), "b": np.zeros((2, 3), np.float32), "c": np.zeros(2)}
    found = unjudged(given, 4)
    assert [element.index for element in found.elements] == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert [float(element.readings["a"].value) for element in found.elements] == [0, 1, 2, 3]
    assert list(found.elements[0].readings) == ["a", "b"]
    assert unjudged({}, 4).elements == []
