"""Which files are case files, and what they are called in ids and messages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.casefile.errors import CaseFileError

SUFFIXES = (".yaml", ".yml")
DEVIATIONS = "deviations.yaml"
"""The file directly in `cases/` that lists the known deviations and no cases."""


def cases_folder() -> Path:
    """The folder `cases/`: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).parent.parent
    inside = package / "cases"
    return inside if inside.is_dir() else package.parent / "cases"


def find(paths: Iterable[str | Path], root: Path) -> list[Path]:
    """The case files that paths name: YAML files below folders, sorted, and files as given.

    Args:
        paths: as a user types them; what isn't found from here is looked for beside `cases/`.
        root: the folder `cases/`.

    Raises:
        CaseFileError: there is no such file or folder, or a file that is named lists deviations.
    """
    given = [existing(Path(path), root) for path in paths]
    for path in given:
        if path.is_file() and lists_deviations(path, root):
            raise CaseFileError(f"{path}: it lists deviations and has no cases: `harness check` reads it")
    return [file for file in _each(given) if not lists_deviations(file, root)]


def find_deviations(paths: Iterable[str | Path], root: Path) -> list[Path]:
    """The lists of deviations that paths name.

    Args:
        paths, root: as for `find`.

    Raises:
        CaseFileError: there is no such file or folder.
    """
    return [file for file in _each(existing(Path(path), root) for path in paths) if lists_deviations(file, root)]


def lists_deviations(file: Path, root: Path) -> bool:
    """Whether a file lists deviations: by its name, unless it lies in a folder of `cases/`."""
    place, cases = file.resolve(), root.resolve()
    return place.name == DEVIATIONS and (place.parent == cases or not place.is_relative_to(cases))


def _each(paths: Iterable[Path]) -> list[Path]:
    """The YAML files that paths name, each once."""
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _below(path):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def existing(path: Path, root: Path) -> Path:
    """What a path names, seen from here or from beside `cases/`.

    Raises:
        CaseFileError: there is no such file or folder.
    """
    found = next((p for p in (path, root.parent / path) if p.exists()), None)
    if found is None:
        raise CaseFileError(f"{path}: no such file or folder")
    return found


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if file.suffix in SUFFIXES:
                yield file


def names(file: Path, cases: Path) -> tuple[str, str]:
    """What a file is called in messages and sources, and what its ids begin with.

    Args:
        cases: the folder `cases/`, resolved.
    """
    resolved = file.resolve()
    shown = resolved.relative_to(cases.parent).as_posix() if resolved.is_relative_to(cases.parent) else str(file)
    below = resolved.relative_to(cases).with_suffix("").as_posix() if resolved.is_relative_to(cases) else file.stem
    return shown, re.sub(r"[^A-Za-z0-9_./-]", "_", below)
