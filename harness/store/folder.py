"""Where a run writes: `reports/<UTC time>-<6 hex>/`, or the folder that `--out` names."""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

REPORTS = Path("reports")
LATEST = "latest"
DATABASE = "run.sqlite"
WORKERS = "workers"
OWN = frozenset({WORKERS, DATABASE, *(f"{DATABASE}-{part}" for part in ("wal", "shm", "journal"))})
"""What a run puts in its folder before it has reports."""


class RunFolderError(Exception):
    """A run folder that can't be made or found; the message is for the user."""


def create(out: Path | None, now: datetime) -> Path:
    """Make the folder of a new run; without `out` below reports/, and named by reports/latest."""
    folder = out if out is not None else REPORTS / f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    if (folder / DATABASE).exists():
        raise RunFolderError(f"{folder} already holds a run: choose another --out, or --resume it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"{folder}: {error.strerror}") from error
    if out is None:
        _name_latest(folder)
    return folder


def find(named: Path | None) -> Path:
    """The folder of a run that exists: the given one, or the latest."""
    folder = named if named is not None else REPORTS / LATEST
    if not (folder / DATABASE).is_file():
        raise RunFolderError(f"{folder} holds no run")
    return folder.resolve() if named is None else folder


def discard(folder: Path) -> None:
    """Remove what a run has left that was stopped before it had begun; a folder that is not there is no mistake.

    Raises:
        RunFolderError: it holds something else, which is not ours to remove.
    """
    if not folder.is_dir():
        return
    if others := sorted({path.name for path in folder.iterdir()} - OWN):
        raise RunFolderError(f"{folder} is wanted for a run, and holds {others[0]}: choose another --out, or move it")
    shutil.rmtree(folder, ignore_errors=True)


def _name_latest(folder: Path) -> None:
    link = folder.parent / LATEST
    fresh = folder.parent / f".{folder.name}"
    fresh.symlink_to(folder.name)
    try:
        fresh.replace(link)
    except OSError as error:
        fresh.unlink()
        raise RunFolderError(f"{link}: {error.strerror}, not a link to the last run") from error
