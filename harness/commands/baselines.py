"""`harness baseline`: runs and baseline files, whichever is given."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.session import results
from harness.store import baseline, folder
from harness.store.baseline import Difference, summary
from harness.store.database import reading

__all__ = ["diff", "row", "save", "summary"]


def save(run: Path, to: Path) -> int:
    """Write a run's baseline; the number of verdicts in it."""
    found = folder.find(run)
    with reading(found) as store:
        kept = results(store, found)
        return baseline.save(kept.run, kept.verdicts, to)


def diff(before: Path, after: Path) -> list[Difference]:
    """What is not as it was, failures first."""
    return baseline.diff(baseline.read(before), baseline.read(after))


def row(difference: Difference) -> dict[str, Any]:
    """A difference for JSON."""
    case, subject, output = difference.key
    before, after = (None if entry is None else asdict(entry) for entry in (difference.before, difference.after))
    place = {"case": case, "subject": subject, "output": output}
    return {"change": difference.change, **place, "before": before, "after": after}
