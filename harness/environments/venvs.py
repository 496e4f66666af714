"""Virtual environments: made by uv, filled by their own pip.

uv and what is built on it don't read pip's configuration, and would fetch other builds than pip does on this machine
(torch with CUDA). uv gets its interpreter by its real path, and may not download one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.environments import pythons
from harness.environments.definitions import Definition

LEAKS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV")
QUIET = ("--quiet", "--no-input", "--disable-pip-version-check")
FULL = re.compile(r"No space left on device|Disk quota exceeded|os error 28", re.IGNORECASE)
REASON_LIMIT = 300
BLOCK = 512


class NotMadeError(Exception):
    """A virtual environment that could not be made; the message is one clear line."""


class Tools(NamedTuple):
    """What makes a virtual environment."""

    uv: str
    python: Path


def tools(definition: Definition) -> Tools:
    """The tools for a definition, as this machine has them.

    Raises:
        NotMadeError: one is missing.
    """
    python = pythons.find(definition.python)
    if python is None:
        raise NotMadeError(f"no Python {definition.python} here: none on the path, nor one of pyenv's")
    return Tools(_uv(), python)


def make(definition: Definition, made_by: Tools, home: Path, lock: Path | None, log: Path) -> list[str]:
    """Make and fill a virtual environment, in place since it can't be moved; what it holds, as `pip freeze` tells it.

    Args:
        home: its folder, which is not there.
        lock: pinned requirements to fill it with, in place of the definition's.
        log: file that everything that uv and pip print goes to.

    Raises:
        NotMadeError: why; `home` may be half made.
    """
    own = home / "bin" / "python"
    with log.open("w", encoding="utf-8") as kept:
        where = ["--python", str(made_by.python), "--no-python-downloads", "--no-config"]
        _run([made_by.uv, "venv", "--quiet", *where, "--prompt", definition.name, str(home)], kept.fileno())
        _run([str(own), "-m", "ensurepip"], kept.fileno())
        pinned = ["-r", str(lock)] if lock else list(definition.requirements)
        _run([str(own), "-m", "pip", "install", *QUIET, *pinned], kept.fileno())
        frozen = _run([str(own), "-m", "pip", "freeze", "--all", *QUIET[2:]], kept.fileno())
    return [line for line in frozen.splitlines() if line and not line.startswith(("pip==", "#", "-e "))]


def packages(frozen: Sequence[str]) -> dict[str, str]:
    """Names and versions of what `pip freeze` tells; an address is the version of what comes from no index."""
    pairs = (re.split(r"==| @ ", line, maxsplit=1) for line in frozen)
    return {name: rest[0] if rest else "" for name, *rest in pairs}


def megabytes(home: Path) -> int:
    """Disk that a folder takes."""
    blocks = sum((Path(folder) / file).lstat().st_blocks for folder, _, files in os.walk(home) for file in files)
    return round(blocks * BLOCK / 1e6)


def free_megabytes(folder: Path) -> int:
    """Disk that is left where a folder is."""
    return round(shutil.disk_usage(folder).free / 1e6)


def _uv() -> str:
    """The uv that was installed with the harness, or one on the path."""
    found = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    if found is None:
        raise NotMadeError("no uv here, which makes environments: pip install uv")
    return found


def _run(command: Sequence[str], log: int) -> str:
    """What a command printed; its errors go to the log too."""
    done = subprocess.run(  # noqa: S603 - uv, or an interpreter that it has just made
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=_surroundings(os.environ)
    )
    os.write(log, f"$ {' '.join(command)}\n{done.stderr}{done.stdout}\n".encode())
    if done.returncode:
        raise NotMadeError(_reason(done.stderr or done.stdout))
    return done.stdout


def _surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in LEAKS}


def _reason(printed: str) -> str:
    """The one line that tells why a command failed."""
    if FULL.search(printed):
        return "no disk: the device was full before it was made"
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    told = [re.sub(r"^(ERROR|error): ", "", line) for line in lines if re.match(r"ERROR:|error:", line)]
    useful = [line for line in told if "for help visit" not in line]
    return (useful or told or lines or ["it ended without a word"])[-1][:REASON_LIMIT]
