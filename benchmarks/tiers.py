"""A tier's run, and where its time goes: `python benchmarks/tiers.py [quick|stock]`."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from harness.model.verdict import Verdict
from harness.session import results
from harness.store.database import reading

LIMITS = {"quick": 120.0, "stock": 660.0}
"""Seconds of wall time on two cores."""
RATE = 300.0
"""Verdicts a second, start-up included; of the stock tier."""
SHOWN = 12


def run(tier: str, folder: Path) -> tuple[int, float, float]:
    """Exit code and seconds of a whole run, and processor seconds of the host and its workers."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "harness", "run", "--tier", tier, "--out", str(folder)]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode, time.perf_counter() - begun, used.ru_utime + used.ru_stime


def spent(verdicts: Iterable[Verdict], by: Callable[[Verdict], str]) -> Mapping[str, tuple[int, float]]:
    """Verdicts and seconds of calls, by a property of theirs; a call's seconds count once."""
    counts: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    told: set[tuple[str, str]] = set()
    for verdict in verdicts:
        counts[by(verdict)] += 1
        if (verdict.case, verdict.subject) not in told:
            told.add((verdict.case, verdict.subject))
            seconds[by(verdict)] += verdict.seconds or 0.0
    return {name: (counts[name], seconds[name]) for name in sorted(counts, key=lambda n: -seconds[n])}


def show(title: str, table: Mapping[str, tuple[int, float]]) -> None:
    """The largest parts of a table."""
    print(f"seconds inside calls, by {title}:")
    for name, (count, seconds) in list(table.items())[:SHOWN]:
        print(f"  {seconds:8.1f} s  {count:7,} verdicts  {name}")


def main() -> int:
    """Measure; 1 if the tier takes too long, or doesn't pass."""
    tier = sys.argv[1] if len(sys.argv) > 1 else "quick"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        code, wall, used = run(tier, folder)
        with reading(folder) as store:
            verdicts = list(results(store, folder).verdicts)
    show("framework and mode", spent(verdicts, lambda v: f"{v.framework} {v.mode or ''}"))
    show("operation", spent(verdicts, lambda v: v.operation or "documents"))
    show("file", spent(verdicts, lambda v: v.case.partition(":")[0]))
    rate, fast = len(verdicts) / wall, RATE if tier == "stock" else 0.0
    print(f"tier {tier}: {wall:.1f} s, {LIMITS[tier]:g} allowed; {used:.1f} s of processor time in all; exit {code}")
    print(f"{len(verdicts):,} verdicts: {rate:.0f} a second, {fast:g} wanted")
    return int(code != 0 or wall > LIMITS[tier] or rate < fast)


if __name__ == "__main__":
    sys.exit(main())
