"""Long rows are looked at with bounds that are none too large, and a few classes have the truth of the whole."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.model.case import Array, Case
from harness.operations import OPERATIONS
from harness.operations.base import INSIDE
from harness.operations.real import Call
from harness.oracle import blocks, calls, truth
from harness.oracle import rows as module
from harness.oracle.rows import ROWS, Rows, few_rows
from harness.oracle.units import of_call
from tests.oracle.test_blocks import CALLS, CLASSES, NUMBERS, made

FLOORED = 1e-9
"""What a floor may lie above its bound by rounding, as a share."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of these tests are long."""
    monkeypatch.setattr(blocks, "BLOCK", 5)


MASKED = np.where(np.arange(CLASSES) % 4 == 1, np.float32(-np.inf), NUMBERS)
ZEROS = np.where(NUMBERS > 2, np.float32(0), NUMBERS)
WIDE = 20 * NUMBERS
LOGITS = {"normal": NUMBERS, "masked": MASKED, "zeros": ZEROS, "wide": WIDE}


def group(case: Case, output: str) -> Rows:
    found = few_rows(case, INSIDE, output)
    assert found is not None
    (rows,) = found
    return rows


@pytest.mark.parametrize("logits", LOGITS)
@pytest.mark.parametrize(("operation", "output", "parameters", "given"), CALLS)
def test_a_look_has_the_truth_and_no_more_than_its_bounds(
    operation: str, output: str, parameters: dict[str, Any], given: dict[str, Array], logits: str
) -> None:
    call = made(operation, parameters, given, LOGITS[logits])
    whole, units = truth.evaluate(call), of_call(OPERATIONS[operation], call.inputs, {"axis": -1, **parameters})
    assert units is not None
    known, bounds = whole.outputs[output], whole.bounds[output]
    rows = group(call, output)
    seen = np.zeros((3, CLASSES))
    for look in rows.looks():
        place = (look.row, look.classes)
        seen[place] += 1
        np.testing.assert_array_equal(look.high, units.listed(known.high)[place])
        np.testing.assert_array_equal(np.broadcast_to(look.low, look.high.shape), units.listed(known.low)[place])
        for mine, others in (
            (look.passing, bounds.passing),
            (look.least, bounds.pairwise),
            (look.least, bounds.attainable),
        ):
            assert np.all(mine <= units.listed(others)[place] * (1 + FLOORED))
    assert np.all(seen == 1)


@pytest.mark.parametrize(("operation", "output", "parameters", "given"), CALLS)
def test_some_classes_have_the_truth_and_the_bounds_of_the_whole(
    operation: str, output: str, parameters: dict[str, Any], given: dict[str, Array]
) -> None:
    call = made(operation, parameters, given, NUMBERS)
    whole, units = truth.evaluate(call), of_call(OPERATIONS[operation], call.inputs, {"axis": -1, **parameters})
    assert units is not None
    rows = group(call, output)
    chosen = [np.array([0, 3, 22]), np.array([7]), np.arange(CLASSES)]
    for n, (classes, (known, bounds)) in enumerate(zip(chosen, rows.evaluated(chosen), strict=True)):
        np.testing.assert_array_equal(known.high, units.listed(whole.outputs[output].high)[n, classes])
        np.testing.assert_array_equal(known.radius, units.listed(whole.outputs[output].radius)[n, classes])
        for name in ("passing", "pairwise", "attainable"):
            expected = units.listed(getattr(whole.bounds[output], name))[n, classes]
            np.testing.assert_array_equal(getattr(bounds, name), expected)
        for cause, bound in whole.bounds[output].named.items():
            np.testing.assert_array_equal(bounds.named[cause], units.listed(bound)[n, classes])


def test_rows_come_a_few_at_a_time() -> None:
    logits = np.resize(NUMBERS, (2 * ROWS + 3, CLASSES))
    call = made("sparse_softmax_cross_entropy", {}, {"labels": np.arange(len(logits))}, logits)
    found = few_rows(call, INSIDE, "gradient:logits")
    assert found is not None
    assert [rows.chosen for rows in found] == [slice(0, ROWS), slice(ROWS, 2 * ROWS), slice(2 * ROWS, len(logits))]


def test_rows_that_are_done_need_no_garbage_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vocabulary-sized rows that wait for one take several times the input's memory."""
    logits = np.resize(NUMBERS, (3 * ROWS, CLASSES))
    call = made("sparse_softmax_cross_entropy", {}, {"labels": np.arange(len(logits)) % CLASSES}, logits)
    held: list[weakref.ref[Array]] = []

    def noted(*given: Any) -> Call:
        found = calls.made(*given)
        held.append(weakref.ref(found.inputs["logits"]))
        return found

    monkeypatch.setattr(module, "made", noted)
    groups = few_rows(call, INSIDE, "gradient:logits")
    assert groups is not None
    gc.disable()
    try:
        for rows in groups:
            assert [look.row for look in rows.looks()][-1] == ROWS - 1
        assert [array() is None for array in held] == [True, True, False]  # the last one is ours
    finally:
        gc.enable()


def test_short_rows_reduced_ones_and_float64_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {"labels": np.array([0, 22, 7])}
    plain = made("sparse_softmax_cross_entropy", {}, labels, NUMBERS)
    reduced = made("sparse_softmax_cross_entropy", {"reduction": "mean"}, labels, NUMBERS)
    assert few_rows(reduced, INSIDE, "gradient:logits") is None
    assert few_rows(plain, INSIDE, "value") is None
    assert few_rows(replace(plain, dtype="float64"), INSIDE, "gradient:logits") is None
    monkeypatch.setattr(blocks, "BLOCK", CLASSES)
    assert few_rows(plain, INSIDE, "gradient:logits") is None
