"""What the host adds to each verdict, beyond truth, over a plain loop of the same calls."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from harness import pipeline
from harness.adapters import numpy as adapter
from harness.config import Options
from harness.model.plan import Plan
from harness.model.tensors import to_tensor
from harness.oracle import truth as oracle
from harness.session import STACK
from harness.store.database import reading

LIMIT = 150e-6
COUNT = 5000
ROUNDS = 5
SUITE = f"""
cases:
- id: small
  operation: sigmoid_cross_entropy
  count: {COUNT}
  inputs:
    logits: {{generate: random_bits, shape: [4], seed: 1, high: 100.0}}
    labels: {{generate: hard, seed: 2}}
"""


def plain_loop(plan: Plan) -> float:
    """Seconds of the calls alone, one after another, in this process."""
    table = {(i.path, i.operation): i for i in adapter.IMPLEMENTATIONS}
    calls = [
        (
            table[item.subject.implementation, item.call.operation],
            item.subject.mode,
            {name: to_tensor(array) for name, array in item.call.inputs.items()},
            item.parameters,
            item.wanted,
        )
        for item in plan.items
    ]
    begun = time.perf_counter()
    for call in calls:
        adapter.call(*call)
    return time.perf_counter() - begun


def truths(plan: Plan) -> float:
    """Seconds that truth takes, as a run has it evaluated."""
    calls = [item.call for item in plan.items]
    begun = time.perf_counter()
    for start in range(0, len(calls), STACK):
        oracle.evaluate_all(calls[start : start + STACK])
    return time.perf_counter() - begun


def rounds(folder: Path, suite: Path) -> Iterator[tuple[float, float, float]]:
    """Seconds of a whole run, of the calls alone and of truth, again and again."""
    for number in range(ROUNDS):
        out = folder / f"run{number}"
        options = Options(paths=(suite,), subject=("*:numpy.*",), report=("json",), out=out)
        plan = pipeline.make_plan(pipeline.expand_units(pipeline.find_entries(None, options), options), options)
        alone, truth = plain_loop(plan), truths(plan)
        begun = time.perf_counter()
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            pipeline.run(options)
        yield time.perf_counter() - begun, alone, truth


def main() -> int:
    """Measure; 1 if the limit is missed. The least of the rounds is what others disturbed least."""
    with tempfile.TemporaryDirectory() as name:
        suite = Path(name) / "small.yaml"
        suite.write_text(SUITE)
        whole, alone, truth = map(min, zip(*rounds(Path(name), suite), strict=True))
        with reading(Path(name) / "run0") as store:
            count = len(store.verdicts())
    added = (whole - alone - truth) / count
    print(f"{count} verdicts: run {whole:.2f} s, calls alone {alone:.2f} s, truth {truth:.2f} s")
    print(f"the host adds {added * 1e6:.0f} microseconds a verdict, {LIMIT * 1e6:.0f} allowed")
    return int(added > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
