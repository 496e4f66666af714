"""A large call is judged block by block as it would be at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.comparator import large, tolerance
from harness.comparator.large import in_blocks
from harness.comparator.measure import Allowance, Measurement, Pair, measure
from harness.model.case import Array, Case, Expectation, Source
from harness.model.verdict import Grade
from harness.operations.base import INSIDE
from harness.oracle import blocks, truth
from harness.oracle.blocks import pieces
from harness.oracle.formats import FORMATS

FLOAT32 = FORMATS["float32"]
USUAL = tolerance.usual("float32")


@pytest.fixture
def case() -> Case:
    bits = np.random.Generator(np.random.Philox(3))
    logits = (5 * bits.standard_normal((7, 4, 5))).astype(np.float32)
    inputs: dict[str, Array] = {"logits": logits, "labels": bits.integers(0, 4, (7, 5))}
    return Case("x", "sparse_softmax_cross_entropy", inputs, {"axis": 1}, "float32", Expectation(), Source("x", 1))


def whole(case: Case, output: str, observed: Array) -> Measurement:
    known = truth.evaluate(case)
    (found,) = measure([Pair(observed, known.outputs[output], known.bounds[output])], FLOAT32, USUAL, [None])
    return found


@pytest.mark.parametrize("output", ["value", "gradient:logits"])
@pytest.mark.parametrize("wrong", [None, 0.0, np.nan])
def test_blocks_are_measured_as_the_whole(
    case: Case, monkeypatch: pytest.MonkeyPatch, output: str, wrong: float | None
) -> None:
    observed = truth.evaluate(case).outputs[output].high.astype(np.float32)
    if wrong is not None:
        observed.reshape(-1)[17] = wrong
    at_once = whole(case, output, observed)
    monkeypatch.setattr(blocks, "BLOCK", 8)
    monkeypatch.setattr(blocks, "VALUE_ROWS", 1)
    (found,) = in_blocks(case, INSIDE, output, [observed], FLOAT32, USUAL, None)
    assert (found.defect, found.index, found.grade) == (at_once.defect, at_once.index, at_once.grade)
    assert (found.max_ulp, found.max_bound) == (at_once.max_ulp, at_once.max_bound)
    assert (found.worst is None) == (at_once.worst is None)
    if found.worst and at_once.worst:
        assert found.worst.index == at_once.worst.index


@pytest.mark.parametrize("line", [None, Allowance(0.0, 1e-6)])
def test_causes_and_shares_are_those_of_the_whole(
    case: Case, monkeypatch: pytest.MonkeyPatch, line: Allowance | None
) -> None:
    known = truth.evaluate(case)
    observed = known.outputs["value"].high.astype(np.float32)
    observed[2, 1] *= np.float32(1.0 + 1e-6)
    observed[6, 4] += np.float32(0.5)
    pair = Pair(observed, known.outputs["value"], known.bounds["value"])
    (at_once,) = measure([pair], FLOAT32, USUAL, [line])
    monkeypatch.setattr(blocks, "BLOCK", 8)
    monkeypatch.setattr(blocks, "VALUE_ROWS", 1)
    (found,) = in_blocks(case, INSIDE, "value", [observed], FLOAT32, USUAL, line)
    assert found.worst == at_once.worst
    assert (found.grade, found.cause, found.index) == (at_once.grade, at_once.cause, at_once.index)
    assert (found.observed, found.truth) == (at_once.observed, at_once.truth)
    assert (found.named_share, found.alone_ulps) == (at_once.named_share, at_once.alone_ulps)
    assert found.summation_length == at_once.summation_length


def test_the_diagnosis_is_that_of_the_whole_not_of_the_first_block(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    observed = np.zeros((7, 5), np.float32)
    observed[0, 0], observed[6, 4] = np.inf, np.nan
    monkeypatch.setattr(blocks, "BLOCK", 8)
    monkeypatch.setattr(blocks, "VALUE_ROWS", 1)
    (found,) = in_blocks(case, INSIDE, "value", [observed], FLOAT32, USUAL, None)
    assert (found.defect, found.index) == ("NaN", (6, 4))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_large_call_that_is_reduced_is_one_block(case: Case, monkeypatch: pytest.MonkeyPatch, reduction: str) -> None:
    reduced = replace(case, parameters={"axis": 1, "reduction": reduction})
    known = truth.evaluate(reduced)
    monkeypatch.setattr(truth, "LARGE", 100)
    monkeypatch.setattr(blocks, "BLOCK", 8)
    for output, enclosure in known.outputs.items():
        observed = enclosure.high.astype(np.float32)
        (found,) = in_blocks(reduced, INSIDE, output, [observed], FLOAT32, USUAL, None)
        assert (found.defect, found.grade) == ("", Grade.EXACT)


def test_blocks_joined_are_the_whole_truth(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = truth.evaluate(case)
    monkeypatch.setattr(blocks, "BLOCK", 8)
    joined = truth.evaluate(case)
    for name, enclosure in at_once.outputs.items():
        np.testing.assert_array_equal(joined.outputs[name].high, enclosure.high)
        np.testing.assert_allclose(joined.bounds[name].passing, at_once.bounds[name].passing, rtol=1e-12)


def test_a_call_beyond_the_limit_is_left_to_blocks(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "LARGE", 100)
    found = truth.evaluate(case)
    assert found.large
    assert not found.outputs


def test_shape_and_dtype_are_looked_at_first(case: Case) -> None:
    (short,) = in_blocks(case, INSIDE, "value", [np.zeros(3, np.float32)], FLOAT32, USUAL, None)
    assert short.defect == "shape [3] instead of [7, 5]"
    (wide,) = in_blocks(case, INSIDE, "gradient:logits", [np.zeros((7, 4, 5))], FLOAT32, USUAL, None)
    assert wide.defect == "dtype float64 instead of float32"


def test_one_truth_serves_all_subjects_of_a_large_call(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    right = truth.evaluate(case).outputs["gradient:logits"].high.astype(np.float32)
    wrong = np.copy(right)
    wrong[3, 1, 2] = 7.0
    monkeypatch.setattr(blocks, "BLOCK", 8)
    made = pieces(case, INSIDE, "gradient:logits")
    monkeypatch.setattr(large, "pieces", lambda *_: made)  # which can be gone through only once
    observed = [right, np.zeros(2, np.float32), wrong]
    first, short, last = in_blocks(case, INSIDE, "gradient:logits", observed, FLOAT32, USUAL, None)
    assert first.grade is Grade.EXACT
    assert short.defect == "shape [2] instead of [7, 4, 5]"
    assert (last.grade, last.index) == (Grade.INACCURATE, (3, 1, 2))
