"""A case as the text of a case file: its numbers exact, and written as a person would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
import yamlcore

from harness.casefile.errors import ArrayFileError
from harness.casefile.files import SUFFIXES, lists_deviations
from harness.model.case import Array, Case

LIMIT = 10_000
"""Numbers that a file may have: beyond, nobody reads it, and every run would."""
WIDTH = 110
DIGITS = 17
"""Significant decimal digits that tell any float64 from its neighbours."""


def check(path: Path, case: Case, root: Path) -> None:
    """See that a case can be saved, before anything is run for it.

    Args:
        root: the folder `cases/`.

    Raises:
        ArrayFileError: it is too large, nested lists can't say its shapes, or the file can't be made.
    """
    if size(case) > LIMIT:
        raise ArrayFileError(
            f"--save {path}: {size(case):,} numbers, and a case file may have {LIMIT:,}: "
            "--at INDEX takes one element or row"
        )
    for name, array in case.inputs.items():
        if 0 in array.shape[:-1]:
            raise ArrayFileError(f"--save {path}: nested lists can't say shape {list(array.shape)} of {name}")
    if path.suffix not in SUFFIXES:
        raise ArrayFileError(f"--save {path}: a case file's name ends in {' or '.join(SUFFIXES)}")
    if lists_deviations(path, root):
        raise ArrayFileError(f"--save {path}: a file of this name lists deviations")
    if path.exists():
        raise ArrayFileError(f"--save {path}: there is such a file, and none is overwritten")
    if not path.parent.is_dir():
        raise ArrayFileError(f"--save {path}: there is no folder {path.parent}")


def size(case: Case) -> int:
    """How many numbers a case's inputs have."""
    return sum(array.size for array in case.inputs.values())


def save(path: Path, case: Case, note: str) -> None:
    """Write a case to a file of its own.

    Args:
        note: where it comes from.

    Raises:
        ArrayFileError: the file is there already, or can't be made.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text(case, note, identifier(path)))
    except OSError as error:
        raise ArrayFileError(f"--save {path}: {error.strerror}") from error


def identifier(path: Path) -> str:
    """The id of the only case of a file: the file's name, without what ids can't have."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem).lstrip("_.-") or "case"


def text(case: Case, note: str, name: str) -> str:
    """A case file with one case, of this id."""
    indices = {array.dtype.name for array in case.inputs.values() if array.dtype.kind in "iu"}
    entry: dict[str, Any] = {
        "id": name,
        "operation": case.operation,
        "inputs": {key: _nested(array) for key, array in case.inputs.items()},
        **({"index_dtype": min(indices)} if indices else {}),
        **({"parameters": dict(case.parameters)} if case.parameters else {}),
        "dtypes": [case.dtype],
        **({"expect": {"undefined": sorted(case.expect.undefined)}} if case.expect.undefined else {}),
        **({"note": note} if note else {}),
    }
    return str(
        yaml.dump(
            {"cases": [entry]},
            Dumper=yamlcore.CCoreDumper,
            default_flow_style=None,
            sort_keys=False,
            width=WIDTH,
            allow_unicode=True,
        )
    )


def _nested(array: Array) -> Any:
    """Nested lists of an array's numbers."""
    if array.dtype.kind in "iu":
        return array.tolist()
    return _shaped(_decimals(array), array.shape)


def _decimals(array: Array) -> Iterator[float]:
    """For each number the float64 with the fewest digits that rounds to it in its dtype."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        wide = array.astype(np.float64).reshape(-1)
    found = np.copy(wide)
    open_ = np.isfinite(wide)
    for count in range(1, DIGITS + 1):
        shorter = np.array([float(f"{number:.{count}g}") for number in wide[open_].tolist()])
        with np.errstate(over="ignore", under="ignore"):
            same = shorter.astype(array.dtype).astype(np.float64) == wide[open_]
        at = np.flatnonzero(open_)[same]
        found[at], open_[at] = shorter[same], False
    yield from found.tolist()


def _shaped(numbers: Iterator[float], shape: tuple[int, ...]) -> Any:
    if not shape:
        return next(numbers)
    return [_shaped(numbers, shape[1:]) for _ in range(shape[0])]
