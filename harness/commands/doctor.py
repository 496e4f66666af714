"""`harness env doctor`: what each environment has."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import provision
from harness.config import Options
from harness.engine import doctor
from harness.environments.adapters import adapters
from harness.environments.definitions import Definition
from harness.environments.interpreters import CURRENT
from harness.model.subject import Adapter, Environment
from harness.reporting.text import one_line

TRACEBACK = re.compile(r"Traceback \(.*\n", re.DOTALL)
"""All but the last line, which says what went wrong."""


def rows(names: Sequence[str], options: Options) -> Iterator[Mapping[str, Any]]:
    """One row for each framework in each environment: the named ones; `--python`'s; else all that are there.

    Raises:
        DefinitionError: a name isn't defined.
    """
    tables = adapters(options.adapter)
    places = _places(names, options, tables)
    with tempfile.TemporaryDirectory() as logs:
        limits = provision.limits(options)
        for found in doctor.examine(places, tables, limits, Path(logs)):
            yield {
                "environment": found.environment,
                "framework": found.framework,
                "available": not found.complaint,
                "python": found.python,
                "packages": dict(found.packages),
                "complaint": found.complaint,
            }


def _places(names: Sequence[str], options: Options, tables: Sequence[Adapter]) -> Mapping[str, Environment]:
    """Environments to be examined; nothing is made for that."""
    defined = {name: provision.defined(name) for name in names if name != CURRENT} if names else provision.known()
    cache = provision.kept(options)
    there = [name for name, definition in defined.items() if cache.contents(definition)]
    asked = names or ([] if options.python else [CURRENT, *there])
    missing = {name: _missing(name, defined[name], tables) for name in asked if name not in {CURRENT, *there}}
    found = options.model_copy(update={"env": tuple(name for name in asked if name not in missing)})
    return provision.environments(found, tables) | missing if found.env or options.python else missing


def _missing(name: str, definition: Definition, tables: Sequence[Adapter]) -> Environment:
    complaint = f"it isn't made: `harness env create {shlex.quote(name)}`"
    return Environment(name, "", definition.frameworks_of(tables), complaint)


def line(row: Mapping[str, Any]) -> str:
    """A row for people."""
    name = f"{row['environment']}: {row['framework']}"
    if not row["available"]:
        return f"{name}  UNAVAILABLE: {one_line(TRACEBACK.sub('', row['complaint']))}"
    packages = ", ".join(f"{package} {version}" for package, version in row["packages"].items())
    return f"{name}  ok: python {row['python']}, {packages}"
