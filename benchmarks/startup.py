"""How fast the command line starts, against a bare `import numpy`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 15
HARNESS = str(Path(sys.executable).parent / "harness")
NUMPY = [sys.executable, "-c", "import numpy"]
LIMITS = {
    ("--help",): 1.2,
    ("list", "cases"): 4.0,
    ("check", "cases/documents"): 4.0,
}
SURROUNDINGS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""pip leaves NumPy compiled, and ours where it installs us: a checkout must be let compile itself."""
HEAVY = {"tensorflow", "torch", "pandas", "jax", "keras"}


def seconds(command: list[str]) -> float:
    """Wall time of one process."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=SURROUNDINGS)
    return time.perf_counter() - begun


def ratio(command: list[str]) -> float:
    """The command's time over NumPy's import beside it, each the least of the rounds: others disturbed that least."""
    pairs = [(seconds(command), seconds(NUMPY)) for _ in range(ROUNDS)]
    return min(ours for ours, _ in pairs) / min(theirs for _, theirs in pairs)


def heavy_imports(arguments: tuple[str, ...]) -> set[str]:
    """Which of the heavy packages the command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "harness", *arguments], check=True, capture_output=True, text=True
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    return HEAVY & imported


def main() -> int:
    """Measure every command; 1 if one misses its limit."""
    missed = 0
    for arguments, limit in LIMITS.items():
        measured, heavy = ratio([HARNESS, *arguments]), heavy_imports(arguments)
        ok = measured <= limit and not heavy
        missed += not ok
        extra = f", imports {', '.join(sorted(heavy))}" if heavy else ""
        print(
            f"{'ok  ' if ok else 'MISS'} harness {' '.join(arguments)}: {measured:.2f} x numpy, {limit} allowed{extra}"
        )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
