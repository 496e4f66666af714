"""A long row is measured by its contenders as it would be in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.comparator import contenders, tolerance
from harness.comparator.large import in_blocks
from harness.comparator.measure import Allowance, Measurement, Pair, Worst, measure
from harness.model.case import Array, Case, Expectation, Source
from harness.model.verdict import Grade
from harness.operations.base import INSIDE
from harness.oracle import blocks, truth
from harness.oracle.formats import FORMATS
from harness.oracle.rows import Rows

FLOAT32 = FORMATS["float32"]
USUAL = tolerance.usual("float32")
ROWS, CLASSES = 11, 700
FAR = 100.0
BITS = np.random.Generator(np.random.Philox(17))
NORMAL = (5 * BITS.standard_normal((ROWS, CLASSES))).astype(np.float32)
LOGITS: dict[str, Array] = {
    "normal": NORMAL,
    "confident": NORMAL * np.where(np.arange(CLASSES) == 3, 10, 1).astype(np.float32),
    "wide": 15 * NORMAL,
    "zeros": np.where(NORMAL > 1, np.float32(0), NORMAL),
    "masked": np.where(np.arange(CLASSES) % 3 == 1, np.float32(-np.inf), NORMAL),
}
LABELS = BITS.integers(0, CLASSES, ROWS)
CALLS: list[tuple[str, str, dict[str, Any], dict[str, Array]]] = [
    ("sparse_softmax_cross_entropy", "gradient:logits", {}, {"labels": LABELS}),
    (
        "sparse_softmax_cross_entropy",
        "gradient:logits",
        {},
        {"labels": LABELS, "weights": np.linspace(-1, 2, ROWS, dtype=np.float32)},
    ),
    ("sparse_softmax_cross_entropy", "gradient:logits", {"label_smoothing": 0.1}, {"labels": LABELS}),
    ("softmax_cross_entropy", "gradient:logits", {}, {"labels": np.abs(NORMAL) / 100}),
    ("softmax", "value", {}, {}),
    ("log_softmax", "value", {}, {}),
    ("logsumexp", "gradient:logits", {}, {}),
]


@pytest.fixture
def in_full(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tells the rows that were judged in full."""
    found: list[int] = []
    pieces = Rows.pieces

    def noted(self: Rows, row: int) -> Iterator[blocks.Block]:
        found.append(row)
        return pieces(self, row)

    monkeypatch.setattr(Rows, "pieces", noted)
    return found


def made(operation: str, parameters: dict[str, Any], given: dict[str, Array], logits: Array) -> Case:
    inputs = {"logits": logits.T.copy() if parameters.get("axis") == 0 else logits, **given}
    return Case("x", operation, inputs, parameters, "float32", Expectation(), Source("x", 1))


def perturbed(exact: Array, ulps: float) -> Array:
    """The truth, off by up to so many ulps, here a little more."""
    off = ulps * (2 * BITS.random(exact.shape) - 1) * FLOAT32.ulp(exact)
    return (exact + off).astype(np.float32)


OBSERVED: dict[str, Callable[[Array], Array]] = {
    "correctly rounded": lambda exact: exact.astype(np.float32),
    "3 ulp": lambda exact: perturbed(exact, 3),
    "60 ulp": lambda exact: perturbed(exact, 60),
    "a part of each": lambda exact: (exact * (1 + 3e-5)).astype(np.float32),
    "one wrong": lambda exact: np.where(np.arange(exact.size).reshape(exact.shape) == 777, 0.3, exact).astype("f4"),
    "one NaN": lambda exact: np.where(np.arange(exact.size).reshape(exact.shape) == 777, np.nan, exact).astype("f4"),
    "all 0": lambda exact: np.zeros(exact.shape, np.float32),
}


def agree(found: Measurement, whole: Measurement) -> None:
    """All figures, and where they are; among elements that are far off any may be the worst."""
    assert replace(found, worst=None) == replace(whole, worst=None)
    if found.worst and whole.worst and whole.worst.share > FAR:
        assert found.worst.share >= whole.worst.share
    else:
        assert found.worst == whole.worst


@pytest.mark.parametrize("observed", OBSERVED)
@pytest.mark.parametrize("logits", LOGITS)
@pytest.mark.parametrize(("operation", "output", "parameters", "given"), CALLS)
def test_contenders_make_the_whole_measurement(
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    output: str,
    parameters: dict[str, Any],
    given: dict[str, Array],
    logits: str,
    observed: str,
) -> None:
    case = made(operation, parameters, given, LOGITS[logits])
    known = truth.evaluate(case)
    array = OBSERVED[observed](known.outputs[output].high)
    (whole,) = measure([Pair(array, known.outputs[output], known.bounds[output])], FLOAT32, USUAL, [None])
    monkeypatch.setattr(blocks, "BLOCK", 256)
    (found,) = in_blocks(case, INSIDE, output, [array], FLOAT32, USUAL, None)
    agree(found, whole)


LONG = (5 * BITS.standard_normal((2, blocks.BLOCK + 999))).astype(np.float32)


def long(axis: int) -> tuple[Case, Pair]:
    """A call with long rows, of which one class is confident, and its gradient by the textbook in float32."""
    logits = LONG.copy()
    logits[1, 5] = 40
    slopes = np.exp(logits - logits.max(axis=1, keepdims=True))
    slopes /= slopes.sum(axis=1, keepdims=True)
    slopes[[0, 1], [7, 5]] -= 1
    if axis == 0:
        logits, slopes = logits.T.copy(), slopes.T.copy()
    case = made("sparse_softmax_cross_entropy", {}, {"labels": np.array([7, 5])}, logits)
    case = replace(case, parameters={"axis": axis})
    known = truth.evaluate(case)
    return case, Pair(slopes, known.outputs["gradient:logits"], known.bounds["gradient:logits"])


@pytest.mark.parametrize("axis", [0, 1])
def test_long_rows_need_no_more_than_their_contenders(in_full: list[int], axis: int) -> None:
    case, pair = long(axis)
    (whole,) = measure([pair], FLOAT32, USUAL, [None])
    (found,) = in_blocks(case, INSIDE, "gradient:logits", [pair.observed], FLOAT32, USUAL, None)
    agree(found, whole)
    assert found.grade is Grade.STABLE
    assert not in_full


def test_subjects_have_contenders_of_their_own(in_full: list[int]) -> None:
    case, pair = long(1)
    wrong = pair.observed.copy()
    wrong[1, 333] = np.inf
    arrays = [pair.observed, wrong, pair.observed[:1], pair.truth.high.astype(np.float32)]
    first, second, third, fourth = in_blocks(case, INSIDE, "gradient:logits", arrays, FLOAT32, USUAL, None)
    assert (first.defect, first.grade) == ("", Grade.STABLE)
    assert (second.defect, second.index) == ("infinity", (1, 333))
    assert third.defect.startswith("shape")
    assert (fourth.defect, fourth.grade) == ("", Grade.EXACT)
    assert in_full == [1]


def test_a_stated_tolerance_is_held_against_every_element(in_full: list[int]) -> None:
    case, pair = long(1)
    line = Allowance(0.0, 1e-7)
    (whole,) = measure([pair], FLOAT32, USUAL, [line])
    (found,) = in_blocks(case, INSIDE, "gradient:logits", [pair.observed], FLOAT32, USUAL, line)
    agree(found, whole)
    assert not in_full


def measured(grade: Grade, *, max_ulp: float = 9.0, max_bound: float = 0.5, share: float = 0.25) -> Measurement:
    return Measurement("", (1,), grade, max_ulp, max_bound=max_bound, worst=Worst((1,), share, 1.0, 9.0, "1", "1"))


@pytest.mark.parametrize(
    ("found", "left"),
    [
        (Measurement("NaN", (1,)), 0.1),
        (measured(Grade.STABLE), np.inf),
        (measured(Grade.STABLE), 0.6),  # others may be nearer to their bounds
        (measured(Grade.STABLE, share=0.1), 0.4),  # and to the line
        (measured(Grade.ACCURATE, max_ulp=4.01), 0.1),  # and not accurate
        (measured(Grade.EXACT, max_ulp=0.51), 0.1),
    ],
)
def test_contenders_are_not_enough_where_others_may_be_worse(found: Measurement, left: float) -> None:
    assert not contenders.are_enough(found, left)


def test_contenders_are_enough_where_nobody_is_worse() -> None:
    assert contenders.are_enough(measured(Grade.STABLE), 0.5)
    assert contenders.are_enough(measured(Grade.INACCURATE, share=0.1), 0.5)
    assert contenders.are_enough(measured(Grade.ACCURATE, max_ulp=4.0), 0.5)
