"""`harness baseline`: runs and baseline files, whichever is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness import pipeline
from harness.session import as_baseline
from harness.store import baseline, changes, spread
from harness.store.baseline import Baseline
from harness.store.changes import Diff, Difference


def save(runs: Sequence[Path], to: Path) -> int:
    """Write the baseline of a run, or of several runs of the same environments; the number of verdicts in it."""
    return baseline.save(_together(runs), to)


def diff(before: Path, after: Path) -> Diff:
    """What is not as it was, the gravest first."""
    return changes.diff(_read(before), _read(after))


def proposed(file: Path, runs: Sequence[Path]) -> tuple[Diff, Baseline]:
    """What runs would change in a baseline, and what would take its place: the new errors with the known spread."""
    kept, new = baseline.load(file), _together(runs)
    return changes.diff(kept, new), spread.updated(kept, new)


def _together(runs: Sequence[Path]) -> Baseline:
    return spread.of_runs([_read(run) for run in runs])


def _read(path: Path) -> Baseline:
    """A run or a file; what a run lacks is said and not refused, as whoever sets a time budget wants it so."""
    pipeline.warn_of_unfinished(path)
    return as_baseline(path)


def row(difference: Difference) -> dict[str, Any]:
    """A difference for JSON."""
    case, subject, output = difference.key
    before, after = (None if entry is None else asdict(entry) for entry in (difference.before, difference.after))
    place = {"case": case, "subject": subject, "output": output}
    return {"change": difference.change, **place, "before": before, "after": after, "why": difference.why}
