"""Every mistake of case files and lists of deviations at once; nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from harness.casefile.deviations import read
from harness.casefile.errors import CaseFileErrors, Problem
from harness.casefile.files import existing, find, find_deviations
from harness.casefile.load import load


class Checked(NamedTuple):
    """What was read, all of it right: how many files, entries in them, and deviations."""

    files: int
    entries: int
    deviations: int


def check(paths: Iterable[str | Path], root: Path) -> Checked:
    """Read case files, and the lists of deviations among what paths name.

    Args:
        paths: as a user types them.
        root: the folder `cases/`.

    Raises:
        CaseFileErrors: with every problem of every file.
        CaseFileError: there is no such file or folder.
    """
    given = [existing(Path(path), root) for path in paths]
    lists = find_deviations(given, root)
    cases = find([path for path in given if path.is_dir() or not find_deviations([path], root)], root)
    problems: list[Problem] = []
    entries = _read(partial(load, cases, root), problems)
    known = [deviation for file in lists for deviation in _read(partial(read, file, root), problems)]
    if problems:
        raise CaseFileErrors(problems)
    return Checked(len(cases) + len(lists), len(entries), len(known))


def _read(reader: Callable[[], Sequence[Any]], problems: list[Problem]) -> Sequence[Any]:
    """What a reader reads; nothing, and its problems kept, if it can't."""
    try:
        return reader()
    except CaseFileErrors as errors:
        problems += errors.problems
        return ()
