"""`harness check-adapter FILE.py`: what is wrong with an adapter, said to its author."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import provision
from harness.config import Options
from harness.environments.interpreters import EnvironmentUnusableError
from harness.kit.check import Checked, check
from harness.reporting.text import one_line, plural


def checked(file: Path, options: Options) -> dict[str, Checked]:
    """What is found in each environment, by its name.

    Raises:
        EnvironmentUnusableError: there is no such file, or an environment can't be used.
    """
    if not file.is_file():
        raise EnvironmentUnusableError(f"{file}: no such adapter file")
    limits = provision.limits(options)
    found = {}
    for name, environment in provision.environments(options, ()).items():
        if environment.complaint:
            raise EnvironmentUnusableError(f"{name}: {environment.complaint}")
        with tempfile.TemporaryDirectory() as work:
            found[name] = check(file, environment, limits, Path(work))
    return found


def lines(file: Path, found: Mapping[str, Checked]) -> Iterator[str]:
    """Complaints and remarks, one line each, and a sum for each environment."""
    for name, each in found.items():
        place = f"{file}" if len(found) == 1 else f"{name}: {file}"
        yield from (one_line(f"{place}: {text}") for text in each.complaints)
        yield from (one_line(f"{place}: remark: {text}") for text in each.remarks)
        count = plural(len(each.complaints), "complaint") if each.complaints else "no complaint"
        yield f"{place}: {plural(each.implementations, 'implementation')}, {plural(each.calls, 'call')}: {count}"


def rows(found: Mapping[str, Checked]) -> list[dict[str, Any]]:
    """The same for programs: a row for each environment."""
    return [
        {
            "environment": name,
            "complaints": list(each.complaints),
            "remarks": list(each.remarks),
            "implementations": each.implementations,
            "calls": each.calls,
        }
        for name, each in found.items()
    ]
