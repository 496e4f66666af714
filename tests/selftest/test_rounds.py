"""The selftest on a small suite of the tests' own, and what ships of mutants and variants."""

from collections import defaultdict
from pathlib import Path

import pytest

from harness.config import Options
from harness.environments.adapters import adapters
from harness.selftest import rounds
from harness.selftest.rounds import Row

PIPELINE = Path(__file__).parent.parent / "pipeline"
SIGMOID, SPARSE = "sigmoid_cross_entropy", "sparse_softmax_cross_entropy"


@pytest.mark.parametrize("until_failed", [True, False])
def test_faulty_rows_fail_and_right_ones_pass(*, until_failed: bool) -> None:
    suite = Options(paths=(PIPELINE / "telling.yaml",))
    found = rounds.failures([str(PIPELINE / "wrong.py")], suite, until_failed=until_failed)
    assert {row for row, failure in found.items() if failure is None} == {
        Row("wrong.right_sigmoid", SIGMOID),
        Row("wrong.right_softmax", SPARSE),
    }


def test_the_failure_that_is_told_is_of_the_row() -> None:
    suite = Options(paths=(PIPELINE / "telling.yaml",))
    found = rounds.failures([str(PIPELINE / "wrong.py")], suite, until_failed=True)
    smoothing = found[Row("wrong.forgets_smoothing", SIGMOID)]
    assert smoothing is not None
    assert (smoothing.implementation, smoothing.case) == ("wrong.forgets_smoothing", "telling:smoothing/float32")


def test_a_row_that_no_case_asks_is_not_noticed() -> None:
    suite = Options(paths=(PIPELINE / "telling.yaml",), keyword="large")
    found = rounds.failures([str(PIPELINE / "wrong.py")], suite, until_failed=True)
    assert {row.path for row, failure in found.items() if failure} == {
        "wrong.wrong_axis",
        "wrong.off_by_one",
        "wrong.unshifted",
    }


@pytest.mark.parametrize(("kind", "least"), [("mutants", 60), ("variants", 15)])
def test_what_ships_is_planted_in_several_operations(kind: str, least: int) -> None:
    files = rounds.files(kind)
    planted: dict[str, list[str]] = defaultdict(list)
    for adapter in adapters(files)[-len(files) :]:
        for row in adapter.implementations:
            planted[row.path].append(row.operation)
    assert len(planted) >= least
    assert [path for path, operations in planted.items() if len(set(operations)) < 2] == []
    assert [path for path, operations in planted.items() if len(set(operations)) < len(operations)] == []
