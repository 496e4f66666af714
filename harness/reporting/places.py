"""Where cases stand, as services see it: relative to the repository, or to the installed package."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import harness
from harness.reporting.text import visible

PACKAGE = Path(harness.__file__).parent
"""An installed wheel has `cases/` inside, a checkout beside it."""


class Base(StrEnum):
    """What a place's address is relative to."""

    REPOSITORY = "repository"
    PACKAGE = "package"
    NOTHING = "nothing"


class Place(NamedTuple):
    """The line of a case file.

    Attributes:
        path: the file, with forward slashes; absolute where `base` is nothing.
        line: counted from 1.
        columns: number of characters of the line; None if the file can't be read.
    """

    path: str
    base: Base
    line: int
    columns: int | None = None

    @property
    def uri(self) -> str:
        """The path percent-encoded; a `file:` address if it is absolute."""
        return ("file://" if self.base is Base.NOTHING else "") + quote(self.path)


class Places:
    """Finds the lines that verdicts name (`file:line`); reads each file once.

    Args:
        here: the folder that relative paths are seen from; the repository is the nearest one above
            that holds `.git`, or this folder.
    """

    def __init__(self, here: Path | None = None) -> None:
        self._here = (here or Path.cwd()).resolve()
        folders = (self._here, *self._here.parents)
        self._repository = next((folder for folder in folders if (folder / ".git").exists()), self._here)
        self._files: dict[str, tuple[str, Base, list[str]]] = {}

    def __getitem__(self, source: str) -> Place:
        """The place of a case by the `source` of its verdicts."""
        name, _, number = source.rpartition(":")
        if name not in self._files:
            self._files[name] = self._read(name)
        path, base, lines = self._files[name]
        line = max(1, int(number)) if number.isdecimal() else 1
        return Place(path, base, line, len(lines[line - 1]) if line <= len(lines) else None)

    def _read(self, name: str) -> tuple[str, Base, list[str]]:
        """A file's path, what that is relative to, and its lines; none where it isn't found or is no text."""
        found = next((f for f in (self._here / name, PACKAGE / name, PACKAGE.parent / name) if f.is_file()), None)
        if found is None:
            return visible(name).lstrip("/"), Base.REPOSITORY, []
        file = found.resolve()
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        return *self._address(file), lines

    def _address(self, file: Path) -> tuple[str, Base]:
        if file.is_relative_to(PACKAGE):  # before the repository: a virtual environment may lie in it, unknown to git
            return file.relative_to(PACKAGE.parent).as_posix(), Base.PACKAGE
        if file.is_relative_to(self._repository):
            return file.relative_to(self._repository).as_posix(), Base.REPOSITORY
        return file.as_posix(), Base.NOTHING
