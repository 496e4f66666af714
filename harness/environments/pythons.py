"""Interpreters of a wanted version: this one, those on the path, and pyenv's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SECONDS = 30
PROGRAM = """import sys
print(*sys.version_info[:3], sep=".")
print(getattr(sys, "_base_executable", sys.executable))"""


def find(wanted: str) -> Path | None:
    """The real path of an interpreter.

    Args:
        wanted: "3.7", "3.7.16", or the path of an interpreter.
    """
    if "/" in wanted:
        return _genuine(Path(wanted).expanduser())
    return next((real for path in _candidates(wanted) if (real := _genuine(path, wanted))), None)


def _candidates(wanted: str) -> Iterator[Path]:
    yield Path(sys.executable)
    name = "python" + ".".join(wanted.split(".")[:2])
    yield from (Path(found) for folder in os.get_exec_path() if (found := shutil.which(name, path=folder)))
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from sorted(versions.glob(f"{wanted}*/bin/{name}"), key=_order, reverse=True)


def _order(path: Path) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", path.parent.parent.name)))


def _genuine(path: Path, wanted: str = "") -> Path | None:
    """The interpreter behind a path, which may be a link, a virtual environment's or a shim, if its version fits."""
    program = (
        "import sys; print(*sys.version_info[:3], sep='.'); print(getattr(sys, '_base_executable', sys.executable))"
    )
    try:
        done = subprocess.run(  # noqa: S603 - a Python on the user's own path
            [path, "-I", "-c", program], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode or len(lines := done.stdout.splitlines()) != 2:  # noqa: PLR2004 - the lines of the program
        return None
    version, base = lines
    return Path(base).resolve() if f"{version}.".startswith(f"{wanted}." if wanted else "") else None
