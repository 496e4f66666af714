"""What of the suite's combinations is asked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness import config
from harness.commands import coverage
from harness.commands.coverage import Cell
from harness.model.case import Domain

CASES = """
cases:
- id: both
  operation: sigmoid_cross_entropy
  inputs: {logits: [1, -1], labels: [0, 1], weights: [1, 2]}
  parameters: {reduction: mean}
  dtypes: [float16, float32]
- id: at-its-default
  operation: sigmoid_cross_entropy
  inputs: {logits: [1, -1], labels: [0, 1], weights: [1, 2]}
  parameters: {reduction: none}
- id: undefined
  operation: sigmoid_cross_entropy
  inputs: {logits: [1, -1], labels: [0, 1], weights: [1, 2]}
  parameters: {reduction: average}
  expect: {undefined: error}
"""
PAIR = ("reduction", "weights")


@pytest.fixture
def counted(tmp_path: Path) -> dict[Cell, int]:
    file = tmp_path / "c.yaml"
    file.write_text(CASES)
    return coverage.table(config.resolve({"paths": [file], "operation": ["sigmoid_cross_entropy"]}))


def test_a_cell_counts_calls_that_set_both(counted: dict[Cell, int]) -> None:
    def calls(dtype: str, output: str = "value", domain: Domain = Domain.INSIDE) -> int:
        return counted[Cell("sigmoid_cross_entropy", PAIR, dtype, output, domain)]

    assert [calls(dtype) for dtype in ("float16", "bfloat16", "float32")] == [1, 0, 1]
    assert calls("float32", "gradient:logits") == 1
    assert calls("float32", domain=Domain.UNDEFINED) == 1
    assert {cell.operation for cell in counted} == {"sigmoid_cross_entropy"}


def test_the_table_says_what_is_empty(counted: dict[Cell, int]) -> None:
    *told, last = coverage.lines(Counter(counted))
    assert (
        "sigmoid_cross_entropy  reduction x weights  value  inside  float16 1  bfloat16 0  float32 1  float64 0" in told
    )
    empty = sum(not count for count in counted.values())
    assert last == f"{empty:,} of {len(counted):,} cells are empty"
    assert sum(row["calls"] == 0 for row in coverage.rows(Counter(counted))) == empty


def test_no_cell_of_the_stock_suite_is_empty() -> None:
    found = coverage.table(config.resolve({}))
    assert [cell for cell, count in found.items() if not count] == []
    assert len(found) > 13_000
