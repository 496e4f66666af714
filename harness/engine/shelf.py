"""Calls written down in earlier runs, kept as text: to write them down anew, every framework has to start again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import adapters
from harness.engine.pool import Limits
from harness.engine.spellings import Asked, spell
from harness.files import replacing
from harness.model.subject import Environment

ISLAND = Path(adapters.__file__).parent


def texts(
    asked: Sequence[Asked], environment: Environment, packages: Mapping[str, str], limits: Limits, work: Path
) -> list[tuple[Asked, str]]:
    """Calls that can be written down, as they are typed: from the cache's folder, or made once more.

    That a call can't be written down is kept too ("" for its text), unless it is for what may pass, as a crash.

    Args:
        packages: versions of the environment's, which a text depends on as on adapters and call.
        limits: with the folder; without one nothing is kept.
        work: a folder for what is needed on the way.
    """
    file = limits.cache / "spelled" / f"{_circumstances(asked, environment, packages)}.json" if limits.cache else None
    known = _read(file) if file else {}
    names = [(each, _name(each)) for each in asked]
    if left := [each for each, name in names if name not in known]:
        found = {id(each): spelled.text if spelled else "" for each, spelled in spell(left, environment, limits, work)}
        known |= {name: found[id(each)] for each, name in names if id(each) in found}
        if file:
            _write(file, known)
    return [(each, known[name]) for each, name in names if known.get(name)]


def _circumstances(asked: Sequence[Asked], environment: Environment, packages: Mapping[str, str]) -> str:
    files = sorted({*ISLAND.glob("*.py"), *(Path(each.adapter.file) for each in asked)})
    code = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return _digest([environment.python, sorted(packages.items()), code])


def _name(asked: Asked) -> str:
    case, row = asked.case, asked.row
    inputs = {
        name: [array.dtype.name, array.shape, hashlib.sha256(array.tobytes()).hexdigest()]
        for name, array in case.inputs.items()
    }
    return _digest([asked.adapter.file, row.path, case.operation, asked.mode, dict(case.parameters), inputs])


def _digest(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _read(file: Path) -> dict[str, str]:
    """What an earlier run has kept; nothing if it can't be read, as it can be made again."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and all(isinstance(text, str) for text in found.values()) else {}


def _write(file: Path, known: Mapping[str, str]) -> None:
    try:
        with replacing(file) as part:
            part.write_text(json.dumps(known, indent=0, sort_keys=True), encoding="utf-8")
    except OSError:
        pass  # a full disk: the next run makes them again
