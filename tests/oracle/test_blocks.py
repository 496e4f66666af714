"""Parts of long rows have the truth of the whole row."""

from typing import Any

import numpy as np
import pytest

from harness.model.case import Array, Case, Expectation, Source
from harness.operations import OPERATIONS
from harness.operations.base import INSIDE
from harness.oracle import blocks, truth
from harness.oracle.units import of_call

CLASSES = 23
NUMBERS = np.random.Generator(np.random.Philox(11)).normal(0, 8, (3, CLASSES)).astype(np.float32)
UPSTREAM = np.linspace(-1, 2, 3 * CLASSES, dtype=np.float32).reshape(3, CLASSES)
SOFT = np.abs(UPSTREAM)
CALLS: list[tuple[str, str, dict[str, Any], dict[str, Array]]] = [
    ("softmax", "value", {}, {}),
    ("softmax", "gradient:logits", {}, {"upstream": UPSTREAM}),
    ("log_softmax", "value", {"axis": 0}, {}),
    ("log_softmax", "gradient:logits", {}, {"upstream": UPSTREAM}),
    ("logsumexp", "gradient:logits", {}, {"upstream": np.array([1, 0, -2], np.float32)}),
    ("softmax_cross_entropy", "gradient:logits", {"label_smoothing": 0.1}, {"labels": SOFT}),
    ("softmax_cross_entropy", "gradient:labels", {}, {"labels": SOFT, "weights": np.array([1, 0, -2], np.float32)}),
    ("sparse_softmax_cross_entropy", "gradient:logits", {}, {"labels": np.array([0, 22, 7])}),
    ("sparse_softmax_cross_entropy", "gradient:logits", {"label_smoothing": 0.1}, {"labels": np.array([0, 22, 7])}),
]


def made(operation: str, parameters: dict[str, Any], given: dict[str, Array], logits: Array) -> Case:
    if parameters.get("axis") == 0:
        logits = np.ascontiguousarray(logits.T)
    inputs = {"logits": logits, **given}
    return Case("x", operation, inputs, parameters, "float32", Expectation(), Source("x", 1))


def gathered(call: Case, output: str, size: int) -> dict[str, Array]:
    """Pieces of an output put together again."""
    found: dict[str, Array] = {}
    count = 0
    for block in blocks.pieces(call, INSIDE, output):
        enclosure, bounds = block.truth.outputs[output], block.truth.bounds[output]
        parts = {"high": enclosure.high, "low": enclosure.low, "passing": bounds.passing, "pairwise": bounds.pairwise}
        for name, array in parts.items():
            found.setdefault(name, np.full((3, CLASSES), np.nan))[block.chosen, block.classes] = array
        assert bounds.terms == CLASSES
        count += 1
    assert count == 3 * -(-CLASSES // size)
    return found


@pytest.mark.parametrize(("operation", "output", "parameters", "given"), CALLS)
@pytest.mark.parametrize("masked", [False, True])
def test_pieces_are_the_row(
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    output: str,
    parameters: dict[str, Any],
    given: dict[str, Array],
    masked: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    logits = NUMBERS.copy()
    if masked:
        logits[0, :5], logits[1, 3] = -np.inf, np.inf
    call = made(operation, parameters, given, logits)
    whole = truth.evaluate(call)
    units = of_call(OPERATIONS[operation], call.inputs, OPERATIONS[operation].complete(parameters))
    assert units is not None
    monkeypatch.setattr(blocks, "BLOCK", 5)
    found = gathered(call, output, 5)
    np.testing.assert_array_equal(found["high"], units.listed(whole.outputs[output].high))
    np.testing.assert_array_equal(found["low"], units.listed(whole.outputs[output].low))
    np.testing.assert_array_equal(found["passing"], units.listed(whole.bounds[output].passing))
    np.testing.assert_array_equal(found["pairwise"], units.listed(whole.bounds[output].pairwise))


def test_a_reduced_call_and_a_value_by_rows_have_no_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 5)
    labels = {"labels": np.array([0, 22, 7])}
    for output, parameters in (("value", {}), ("gradient:logits", {"reduction": "mean"})):
        call = made("sparse_softmax_cross_entropy", parameters, labels, NUMBERS)
        assert all(block.classes == slice(None) for block in blocks.pieces(call, INSIDE, output))
