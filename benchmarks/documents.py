"""The documents' run against the slowest framework alone: its bare import plus the bare calls of the same cases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from harness import pipeline
from harness.config import Options
from harness.engine.connection import surroundings
from harness.engine.shards import batches, request
from harness.model.plan import Item
from harness.worker import frames

RATIO_LIMIT = 1.3
MEMORY_LIMIT = 250e6
ROUNDS = 3
DOCUMENTS = Path("cases/documents")
HOST = """
import json, resource, sys, time
from harness import pipeline
from harness.config import Options
from pathlib import Path
code = pipeline.run(Options(paths=(Path(sys.argv[1]),), out=Path(sys.argv[2])))
print(json.dumps({"code": int(code), "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


def dump(folder: Path) -> dict[str, tuple[str, Path]]:
    """Write each framework's calls as frames: framework to adapter file and frames file."""
    options = Options(paths=(DOCUMENTS,))
    plan = pipeline.make_plan(pipeline.expand_units(pipeline.find_entries(None, options), options), options)
    items: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in plan.items:
        if not item.refusal and not item.subject.implementation.startswith("tf.contrib"):
            items[item.subject.framework, item.adapter].append(item)
    written = {}
    for (framework, adapter), calls in items.items():
        path = folder / f"{framework}.frames"
        with path.open("wb") as stream:
            for batch in batches(calls):
                frames.write(stream, *request(batch))
        written[framework] = (adapter, path)
    return written


def bare(adapter: str, path: Path, *, check: bool = True) -> tuple[float, int]:
    """Seconds and exit code of a process that imports the framework and makes the calls."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "benchmarks/bare.py", adapter, str(path)],
        check=check, env=surroundings(os.environ, 1), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - begun, done.returncode


def starts(adapter: str) -> bool:
    """Whether the framework is here: without calls it is only imported."""
    return bare(adapter, Path(os.devnull), check=False)[1] == 0


def host(folder: Path) -> tuple[float, float]:
    """Seconds and the host's peak memory in bytes of a whole run."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", HOST, str(DOCUMENTS), str(folder)], check=True, capture_output=True, text=True
    )
    elapsed = time.perf_counter() - begun
    return elapsed, json.loads(done.stdout.splitlines()[-1])["peak"]


def main() -> int:
    """Measure; 1 if a limit is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = dump(folder)
        calls = {framework: where for framework, where in written.items() if starts(where[0])}
        print(f"left out, as they can't be imported: {', '.join(sorted(written.keys() - calls.keys())) or 'none'}")
        ratios, peaks = [], []
        for number in range(ROUNDS):
            alone = {framework: bare(*where)[0] for framework, where in calls.items()}
            whole, peak = host(folder / f"run{number}")
            slowest = max(alone, key=alone.__getitem__)
            ratios.append(whole / alone[slowest])
            peaks.append(peak)
            shown = ", ".join(f"{framework} {seconds:.1f} s" for framework, seconds in alone.items())
            print(f"round {number + 1}: run {whole:.1f} s; alone: {shown}")
    ratio, peak = sorted(ratios)[ROUNDS // 2], max(peaks)
    print(f"median ratio to the slowest alone {ratio:.2f}, {RATIO_LIMIT} allowed")
    print(f"host peak {peak / 1e6:.0f} MB, {MEMORY_LIMIT / 1e6:.0f} allowed")
    return int(ratio > RATIO_LIMIT or peak > MEMORY_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
