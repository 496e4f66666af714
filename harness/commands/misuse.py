"""`harness misuse`: which implementation raises what for bad input, or silently gives a number."""

from __future__ import annotations

from pathlib import Path

from harness.config import ConfigError
from harness.reporting.misuse_report import WRITERS, tried
from harness.session import results
from harness.store import folder
from harness.store.database import reading


def text(run: Path | None, form: str) -> str:
    """The document.

    Args:
        run: a run's folder; the latest if None.
        form: one of `WRITERS`.

    Raises:
        ConfigError: there is no such format, or nothing was misused in the run.
        RunFolderError: there is no such run.
    """
    if form not in WRITERS:
        raise ConfigError(f"--format {form}: no such format here; there are {', '.join(WRITERS)}")
    place = folder.find(run)
    with reading(place) as store:
        calls = tried(results(store, place).verdicts)
    if not calls:
        raise ConfigError(f"{place}: a run without the cases of errors/misuse.yaml")
    return WRITERS[form](calls)
