"""`--report FORMAT[:PATH]` of commands whose reports are not a run's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.config import ConfigError
from harness.files import replacing

DEFAULTS = ("json", "html")

Writers = Mapping[str, tuple[str, Callable[..., None]]]
"""Formats: the file that each goes to unless a path is given, and what writes it."""


def wanted(given: Sequence[str], writers: Writers) -> list[tuple[str, str]]:
    """Formats and paths that are asked for; an empty path stands for the command's own folder.

    Raises:
        ConfigError: there is no such format.
    """
    found = [(name, path) for name, _, path in (report.partition(":") for report in given or DEFAULTS)]
    for name, _ in found:
        if name not in writers:
            raise ConfigError(f"--report {name}: no such format here; there are {', '.join(writers)}")
    return found


def write(content: object, reports: Sequence[tuple[str, str]], writers: Writers, folder: Path) -> None:
    """Write reports and say where they are.

    Raises:
        ConfigError: some can't be written; all others are.
    """
    wrong = []
    for name, given in reports:
        filename, writer = writers[name]
        path = Path(given) if given else folder / filename
        try:
            with replacing(path) as part:
                writer(content, part)
        except OSError as error:
            wrong.append(f"--report {name}: {path} can't be written: {error.strerror}")
            continue
        print(f"Report ({name}): {path}")  # noqa: T201 - what follows on the screen is the result
    if wrong:
        raise ConfigError("\n".join(wrong))
