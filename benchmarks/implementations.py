"""How many implementations a run has seen whole: `python benchmarks/implementations.py [REPORT.json]...`.

An implementation is a public callable of a framework; written-out formulas and the NumPy reference are none. It counts
if a value, a gradient, an edge and an undefined input of it ran. Without a report, the stock tier runs first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness import casefile
from harness.model.case import Case, Domain
from harness.operations import OPERATIONS

WANTED, FRAMEWORKS = 90, 7
ASPECTS = ("value", "gradient", "edge", "undefined")
FAR = 80.0
"""Logits and logarithms this far from 0 have an exponential that float32 rounds to nothing, or nearly overflows."""
NOT_RUN = ("unsupported", "unavailable")


def cases() -> Mapping[str, Case]:
    """The shipped calls, by id."""
    root = casefile.cases_folder()
    entries = casefile.load(casefile.find([root], root), root)
    return {unit.id: unit for entry in entries for unit in casefile.expand(entry, 0) if isinstance(unit, Case)}


def at_edge(case: Case) -> bool:
    """Whether a call is where textbook forms break: no numbers, infinite or far ones, certainty; or is extended."""
    if OPERATIONS[case.operation].locate(case.inputs, case.parameters).domain is Domain.EXTENDED:
        return True
    real = {name: array.astype(np.float64) for name, array in case.inputs.items() if array.dtype.kind not in "iub"}
    far = any(array.size == 0 or not np.all(np.abs(array) < FAR) for array in real.values())
    return far or bool(np.isin(real.get("probabilities", np.array([0.5])), (0, 1)).any())


def aspects(row: Mapping[str, Any], edges: Mapping[str, bool]) -> Iterator[str]:
    """What a verdict is evidence of."""
    if row["outcome"] is None or row["verdict"] in NOT_RUN:
        return
    if row["domain"] == Domain.UNDEFINED.value:
        yield "undefined"
    elif row["outcome"] == "value":
        yield "gradient" if row["output"].startswith("gradient:") else "value"
        if edges.get(row["case"]):
            yield "edge"


def seen(rows: Sequence[Mapping[str, Any]]) -> Mapping[tuple[str, str], set[str]]:
    """Aspects of each implementation, by framework and name."""
    edges = {name: at_edge(case) for name, case in cases().items()}
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if ".by_hand." not in row["implementation"] and row["framework"] not in ("numpy", "document"):
            found[row["framework"], row["implementation"]].update(aspects(row, edges))
    return found


def read(paths: Sequence[str]) -> list[Mapping[str, Any]]:
    """The verdicts of reports; of a run of the stock tier if there are none."""
    if paths:
        return [row for path in paths for row in json.loads(Path(path).read_text(encoding="utf-8"))["verdicts"]]
    with tempfile.TemporaryDirectory() as name:
        command = [
            sys.executable,
            "-m",
            "harness",
            "run",
            "--out",
            f"{name}/run",
            "--report",
            f"json:{name}/report.json",
        ]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        return read([f"{name}/report.json"])


def main() -> int:
    """Count; 1 if there are too few."""
    found = seen(read(sys.argv[1:]))
    whole = Counter(framework for (framework, _), has in found.items() if has.issuperset(ASPECTS))
    for (framework, name), has in sorted(found.items()):
        if lacking := [aspect for aspect in ASPECTS if aspect not in has]:
            print(f"{framework}: {name} has no {', no '.join(lacking)}")
    for framework, count in sorted(whole.items()):
        print(f"{framework}: {count}")
    print(f"{whole.total()} implementations (at least {WANTED}) in {len(whole)} frameworks (at least {FRAMEWORKS})")
    return int(whole.total() < WANTED or len(whole) < FRAMEWORKS)


if __name__ == "__main__":
    sys.exit(main())
