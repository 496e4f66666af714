"""Environments from interpreters that exist: nothing is installed into them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from harness.model.subject import Environment

CURRENT = "current"
ANONYMOUS = {".venv", "venv", "env", ".env"}
ASK = "import sys; print('Python %d.%d' % sys.version_info[:2])"
VERSION = re.compile(r"Python (\d+)\.(\d+)")
OLDEST = (3, 7)
PATIENCE = 60.0
"""Seconds in which an interpreter must have started."""


class EnvironmentUnusableError(Exception):
    """An interpreter that can't be used; the message is for the user."""


def environments(pythons: Sequence[str]) -> dict[str, Environment]:
    """The environments of a run: the given interpreters, or the current one if none is given.

    Args:
        pythons: paths of interpreters, or of the folders of virtual environments.

    Raises:
        EnvironmentUnusableError: a path is no interpreter.
    """
    if not pythons:
        return {CURRENT: Environment(CURRENT, sys.executable)}
    found: dict[str, Environment] = {}
    for given in pythons:
        python = _interpreter(Path(given))
        name = unused(_name(python), found)
        found[name] = Environment(name, str(python))
    return found


def see(environments: Iterable[Environment]) -> None:
    """See that what is to be an interpreter is one that workers run on: otherwise all would be unavailable, and pass.

    Raises:
        EnvironmentUnusableError: it isn't.
    """
    import subprocess  # noqa: PLC0415 - `harness list cases` starts nothing

    for python in (environment.python for environment in environments):
        try:
            command = [python, "-c", ASK]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 - the user's own
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EnvironmentUnusableError(f"{python} is no Python interpreter: {error}") from error
        version = VERSION.search(done.stdout)
        if version is None:
            said = (done.stderr.strip() or "it doesn't tell its version").splitlines()[-1]
            raise EnvironmentUnusableError(f"{python} is no Python interpreter: {said}")
        if (int(version[1]), int(version[2])) < OLDEST:
            raise EnvironmentUnusableError(f"{python} is Python {version[1]}.{version[2]}: 3.7 or newer is needed")


def _interpreter(path: Path) -> Path:
    candidate = path / "bin" / "python" if path.is_dir() else path
    if not candidate.is_file() or not os.access(candidate, os.X_OK):
        raise EnvironmentUnusableError(f"{path} is no Python interpreter, nor a virtual environment with bin/python")
    # The link is kept: a virtual environment is found by the path its interpreter is started with.
    return candidate.absolute()


def _name(python: Path) -> str:
    """Name of the virtual environment's folder, or of the interpreter outside one."""
    home = python.parent.parent
    if not (home / "pyvenv.cfg").is_file():
        return clean(python.name)
    home = Path(os.path.normpath(home))  # "../.venv" is named like the folder that it means
    return clean(home.parent.name if home.name in ANONYMOUS else home.name)


def clean(name: str) -> str:
    """A name for an environment, without what subject ids can't hold."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-") or "python"


def numbered(names: Iterable[str]) -> list[str]:
    """Names of environments, told apart where they are the same: the same requirements on another Python."""
    found: list[str] = []
    for name in names:
        found.append(unused(name, found))
    return found


def unused(name: str, taken: Container[str]) -> str:
    """A name that isn't taken: with a number behind it, if need be."""
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
