"""How long an upgrade takes, against the longer of the two single runs; environments are made before, if need be."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIDES = ("tensorflow-cpu==2.20.0", "tensorflow-cpu==2.21.0")
TIMES = 1.5
SETTINGS = ("--tier", "quick", "-n", "1", "--threads", "1")


def seconds(arguments: list[str]) -> float:
    """Wall time of one command of the harness; what it says goes to the terminal if it can't be run."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "harness", *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return time.perf_counter() - begun


def main() -> int:
    """Measure; 1 if the limit is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, side in enumerate(SIDES):  # makes the environments, and has their files read once
            seconds(["run", "--env", side, "-k", "003-a", "--out", str(folder / f"first{number}")])
        alone = [
            seconds(["run", "--env", side, *SETTINGS, "--out", str(folder / f"alone{number}")])
            for number, side in enumerate(SIDES)
        ]
        together = seconds(["upgrade", *SIDES, *SETTINGS, "--out", str(folder / "together")])
    ratio = together / max(alone)
    print(f"alone {alone[0]:.1f} s and {alone[1]:.1f} s, together {together:.1f} s")
    print(f"{'ok  ' if ratio <= TIMES else 'MISS'} upgrade: {ratio:.2f} times the longer run, {TIMES:g} allowed")
    return int(ratio > TIMES)


if __name__ == "__main__":
    sys.exit(main())
