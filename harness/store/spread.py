"""What repeated runs of the same environments differ by: the allowance of the ratchet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.store.baseline import Baseline
from harness.store.entries import UNSTABLE, Entry, Key, line_of
from harness.store.folder import RunFolderError


def of_runs(runs: Sequence[Baseline]) -> Baseline:
    """Several runs of the same environments as one, with the spread between them.

    Raises:
        RunFolderError: they are not of the same environments, or not of the same cases.
    """
    first, *others = runs
    if not others:
        return first
    if any(other.facts != first.facts for other in others):
        raise RunFolderError(
            "runs of one baseline must be of the same environments and cases; their versions, CPUs or seeds differ"
        )
    collected: dict[Key, list[Entry]] = {}
    for run in runs:
        for place, entry in run.entries():
            collected.setdefault(place, []).append(entry)
    for place, entries in collected.items():
        if len(entries) != len(runs):
            raise RunFolderError(f"runs of one baseline must be of the same cases; {' '.join(place)} is not in all")
        if len({(entry.outcome, entry.verdict) for entry in entries}) > 1:
            told = " and ".join(sorted({f"{entry.verdict} ({entry.outcome})" for entry in entries}))
            raise RunFolderError(f"runs of one baseline must end alike; {' '.join(place)} is {told}")
    lines = sorted(line_of(place, _together(entries)) for place, entries in collected.items())
    return Baseline(first.facts, lines, first.name)


def updated(kept: Baseline, new: Baseline) -> Baseline:
    """What takes the place of a baseline: the new errors, with the spread that was known of the old ones."""
    known = dict(kept.entries())
    lines = (line_of(place, _informed(known.get(place), entry)) for place, entry in new.entries())
    return Baseline(new.facts, list(lines), new.name)


def _informed(old: Entry | None, new: Entry) -> Entry:
    """An entry with an older one's spread, if that ended alike."""
    if old is None or not (old.is_value and new.is_value):
        return new
    spreads = {name: max(getattr(old, name), getattr(new, name)) for name in ("ulp_spread", "bound_spread")}
    return replace(new, bits=UNSTABLE if old.bits == UNSTABLE else new.bits, **spreads)


def _together(entries: Sequence[Entry]) -> Entry:
    """One entry of several: the worst errors, and how far they lie apart."""
    worst = max(entries, key=lambda entry: abs(entry.max_ulp or 0.0))
    bounds = [entry.max_bound for entry in entries if entry.max_bound is not None]
    return replace(
        worst,
        max_bound=max(bounds, default=None),
        bits=worst.bits if len({entry.bits for entry in entries}) == 1 else UNSTABLE,
        ulp_spread=_apart(entry.max_ulp for entry in entries),
        bound_spread=_apart(bounds),
    )


def _apart(errors: Iterable[float | None]) -> float:
    known = {error for error in errors if error is not None}
    return max(known) - min(known) if len(known) > 1 else 0.0
