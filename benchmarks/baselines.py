"""How fast two runs of a million verdicts each are compared, against reading both with pandas."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from harness.store.baseline import load
from harness.store.changes import diff

COUNT = 1_000_000
CHANGED = 10
"""Every so manieth verdict of the second run is not as it was."""
TIMES = 3.0
GIGABYTES = 1.0
SUBJECT = "current:torch.nn.functional.binary_cross_entropy_with_logits@eager"


def write(path: Path, *, changed: bool) -> None:
    """A baseline of a million verdicts."""
    with path.open("w", encoding="utf-8") as file:
        file.write("# harness-baseline 3\n# seed\t0\n# current\tpackage torch\t2.13.0\n# current\tpython\t3.11.7\n")
        for number in range(COUNT):
            other = changed and number % CHANGED == 0
            place = f"operations/sigmoid_cross_entropy:many/float32/{number:07d}\t{SUBJECT}\tvalue"
            errors = "1.5\t0.4" if other else "0.75\t0.2"
            file.write(f"{place}\tfloat32[3]\tpass\taccurate\t{errors}\t{number + other:016x}\n")


def reading(files: list[Path]) -> float:
    """Seconds that pandas takes to read both."""
    begun = time.perf_counter()
    for file in files:
        pd.read_csv(file, sep="\t", comment="#", header=None)
    return time.perf_counter() - begun


def comparing(files: list[Path]) -> None:
    """Compare them in this process, and print seconds, peak megabytes and how many differ."""
    begun = time.perf_counter()
    found = diff(load(files[0]), load(files[1]))
    seconds = time.perf_counter() - begun
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, len(found.differences))


def main() -> int:
    """Measure; 1 if a limit is missed. The comparison has a process of its own, for its peak memory."""
    if len(sys.argv) > 1:
        comparing([Path(name) for name in sys.argv[1:]])
        return 0
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("before.txt", "after.txt")]
        for file in files:
            write(file, changed=file is files[1])
        pandas = reading(files)
        command = [sys.executable, __file__, *map(str, files)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    seconds, gigabytes, differing = map(float, printed)
    kept = seconds <= TIMES * pandas and gigabytes <= GIGABYTES and differing == COUNT // CHANGED
    print(f"{'ok  ' if kept else 'MISS'} diff of two runs of {COUNT:,} verdicts, {differing:,.0f} of them changed:")
    print(f"     {seconds / pandas:.2f} times reading both with pandas, {TIMES:g} allowed")
    print(f"     {gigabytes:.2f} GB at most, {GIGABYTES:g} allowed")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
