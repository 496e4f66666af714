"""Deliberate bugs are noticed, and correct implementations are not accused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.model.run import Results
from harness.model.verdict import Kind

Run = Callable[..., Results]


@pytest.fixture
def failures(run: Run, here: Path) -> dict[str, set[str]]:
    """For each implementation of wrong.py the cases it fails."""
    found = run(paths=[here / "telling.yaml"], adapter=[str(here / "wrong.py")], subject=["*:wrong.*"])
    failed: dict[str, set[str]] = {v.implementation.partition(".")[2]: set() for v in found.verdicts}
    for verdict in found.verdicts:
        if verdict.verdict is Kind.FAIL:
            failed[verdict.implementation.partition(".")[2]].add(verdict.case.split(":")[1].split("/")[0])
    return failed


def test_each_bug_fails_the_cases_that_show_it(failures: dict[str, set[str]]) -> None:
    every_label = {"ordinary", "sum", "smoothing", "nan"}
    assert failures == {
        "right_sigmoid": set(),
        "missing_term": every_label,
        "swallowed_nan": {"smoothing", "nan"},
        "mean_instead_of_sum": {"sum", "smoothing"},
        "wrong_sign": every_label,
        "forgets_smoothing": {"smoothing"},
        "right_softmax": set(),
        "wrong_axis": {"rows", "large"},
        "off_by_one": {"rows", "large", "no-class"},
        "unshifted": {"large"},
        "accepts_anything": {"no-class"},
    }
