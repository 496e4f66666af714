"""Which files are case files, and what they are called in ids and messages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.casefile.errors import CaseFileError

SUFFIXES = (".yaml", ".yml")
NOT_CASES = ("deviations.yaml",)
"""Files directly in `cases/` that hold something else: what is known of frameworks' departures."""


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
        CaseFileError: there is no such file or folder.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _below(_existing(Path(path), root), root):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _existing(path: Path, root: Path) -> Path:
    found = next((p for p in (path, root.parent / path) if p.exists()), None)
    if found is None:
        raise CaseFileError(f"{path}: no such file or folder")
    return found


def _below(path: Path, root: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    others = {(root / name).resolve() for name in NOT_CASES}
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if file.suffix in SUFFIXES and file.resolve() not in others:
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
