"""Two runs of the same environment are the same to the bit, whatever the number of worker processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import pipeline
from harness.casefile import cases_folder
from harness.config import Options
from harness.store import baseline, changes

FILES = tuple(cases_folder() / "operations" / f"{name}.yaml" for name in ("softmax", "sigmoid_cross_entropy"))


def measured(out: Path, jobs: int, framework: str) -> baseline.Baseline:
    """A run as a baseline; each worker leaves a file."""
    options = Options(paths=FILES, subject=(f"*:{framework}.*",), tier="quick", jobs=jobs, out=out)
    results = pipeline.measured(options)
    assert len(list((out / "workers").iterdir())) == jobs
    kept = baseline.of_run(results.run, results.verdicts)
    baseline.save(kept, out / "baseline.txt")
    return kept


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_one_worker_and_two_give_the_same_bits(tmp_path: Path, framework: str) -> None:
    one, again, two = (measured(tmp_path / name, jobs, framework) for name, jobs in (("a", 1), ("b", 1), ("c", 2)))
    for other in (again, two):
        found = changes.diff(one, other)
        assert (list(found.differences), dict(found.moved)) == ([], {})
    texts = [(tmp_path / name / "baseline.txt").read_bytes() for name in "abc"]
    assert texts[0] == texts[1] == texts[2]
    assert texts[0].count(b"\n") > 100
    assert {entry.bits for _, entry in one.entries()} - {"-", "~"}
