"""What the committed baselines differ in: `python benchmarks/releases.py [BEFORE AFTER]`, names of two of them.

Without names, each framework's releases in turn. Outputs that a side has not measured are counted apart: its API is not
there or does not take the call. Fails if a baseline is over 2 MB, or all are over 30 MB.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from harness.model.change import Change
from harness.model.verdict import Kind
from harness.store import baseline
from harness.store.changes import classified
from harness.store.entries import Entry, Key

BASELINES = Path(__file__).parents[1] / "reports" / "baselines"
FOLDER = BASELINES / "quick"
EACH, TOGETHER = 2e6, 30e6
RELEASES = (
    ("tf1.15", "tf2.12", "tf2.15", "tf2.18", "tf2.21"),
    ("keras3.5", "keras3.9", "tf2.18"),
    ("keras3.5-jax-torch", "keras3.9-jax-torch", "keras3.15-jax-torch"),
    ("torch1.4", "torch1.10", "torch2.13", "torch2.14"),
    ("jax0.4.26", "jax0.4.38", "jax0.7", "jax0.10"),
    ("onnxruntime1.17", "onnxruntime1.22", "onnxruntime1.32"),
    ("sklearn1.5", "sklearn1.7", "sklearn1.9"),
)


@cache
def entries(name: str) -> Mapping[Key, Entry]:
    """A baseline's verdicts; the keys don't name its environment."""
    kept = dict(baseline.load(FOLDER / f"{name}.txt").entries())
    return {
        (case, subject.partition(":")[2] or subject, output): entry for (case, subject, output), entry in kept.items()
    }


def told(before: str, after: str) -> Iterator[str]:
    """What one release does otherwise than another: in all, and by API."""
    one, other = entries(before), entries(after)
    shared = one.keys() & other.keys()
    absent = (Kind.UNSUPPORTED, Kind.UNAVAILABLE)
    both = sum(one[key].verdict not in absent and other[key].verdict not in absent for key in shared)
    by_api: dict[str, Counter[Change]] = defaultdict(Counter)
    for key in sorted(shared):
        change = classified(one[key], other[key])
        if change is not None:
            by_api[key[1].partition("@")[0]][change] += 1
    total = sum(by_api.values(), Counter[Change]())
    yield f"{before} -> {after}: {both:,} outputs on both sides, {listed(total)}"
    if unshared := len(one.keys() ^ other.keys()):
        yield f"  {unshared:,} outputs of cases that one of the baselines has not"
    order = list(Change)
    for api, changes in sorted(by_api.items(), key=lambda item: (min(map(order.index, item[1])), item[0])):
        yield f"  {api}: {listed(changes)}"


def listed(changes: Counter[Change]) -> str:
    """Counts, the gravest first."""
    return ", ".join(f"{changes[change]:,} {change}" for change in Change if changes[change]) or "nothing differs"


def missed() -> Iterator[str]:
    """Limits that the baselines are beyond."""
    files = sorted(BASELINES.rglob("*.txt"))
    sizes = {str(file.relative_to(BASELINES)): file.stat().st_size for file in files}
    yield from (f"{name}: {size / 1e6:.1f} MB" for name, size in sizes.items() if size > EACH)
    if sum(sizes.values()) > TOGETHER:
        yield f"all: {sum(sizes.values()) / 1e6:.1f} MB"


def main(names: Sequence[str]) -> int:
    """Tell; 1 if a limit is missed."""
    chosen = [tuple(names)] if names else RELEASES
    for pair in (pair for releases in chosen for pair in pairwise(releases)):
        print(*told(*pair), sep="\n")
    beyond = list(missed())
    print(*(f"MISS {line}" for line in beyond) if beyond else ["ok   sizes"], sep="\n")
    return int(bool(beyond))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
