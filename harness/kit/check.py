"""An adapter's file from its loading to its last call."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import casefile
from harness.adapters import Implementation
from harness.comparator.judge import Judge
from harness.engine.connection import surroundings
from harness.engine.plan import WRITTEN_OUT
from harness.engine.pool import Limits
from harness.environments import table
from harness.kit import answers
from harness.kit.answers import Answered
from harness.kit.asking import Asker
from harness.model.observation import Outcome
from harness.model.subject import Adapter, Environment
from harness.reporting.text import plural
from harness.worker import process


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    Attributes:
        complaints: what is wrong, one line each.
        remarks: what could not be checked.
        implementations: how many there are.
        calls: how many telling calls were made.
    """

    complaints: Sequence[str]
    remarks: Sequence[str] = ()
    implementations: int = 0
    calls: int = 0


def check(file: Path, environment: Environment, limits: Limits, work: Path) -> Checked:
    """Load an adapter in a process of an environment, read its table, and make its calls.

    Args:
        work: a folder for what is needed on the way.
    """
    described = _described(file, environment, limits, work)
    if found := table.complaints(described):
        return Checked(found)
    rows, values = table.implementations(described), described["values"]
    adapter = Adapter(values["FRAMEWORK"], str(file), tuple(values["PACKAGES"]), rows)
    answered, greetings = Asker(adapter, environment, limits, work).ask()
    if answered and not greetings:
        return Checked([f"start() fails: {answered[0].watched.reason}"], implementations=len(rows))
    there = [each for each in answered if each.watched.outcome is not Outcome.UNAVAILABLE]
    versions = dict(greetings[0].fingerprint.packages) if greetings else {}
    judge = _judge(environment, adapter, versions)
    found = [*_unversioned(versions), *answers.complaints(there, judge)]
    return Checked(found, list(_left_out(rows, answered)), len(rows), len(there))


def _judge(environment: Environment, adapter: Adapter, versions: Mapping[str, str]) -> Judge:
    """A judge that knows what frameworks are known for."""
    known = {(environment.name, adapter.framework): versions}
    return Judge(None, None, known, casefile.load_deviations(casefile.cases_folder()))


def _described(file: Path, environment: Environment, limits: Limits, work: Path) -> Mapping[str, Any]:
    """What a process of its own says of the file."""
    to = work / "table.json"
    command = [environment.python, str(process.__file__), "--adapter", str(file), "--table", str(to)]
    variables = surroundings(os.environ, limits.threads, limits.cache)
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=limits.start, env=variables)  # noqa: S603 - the user's interpreter and file
    except subprocess.TimeoutExpired:
        return {"error": f"it takes longer than {limits.start:g} s"}
    if not to.is_file():
        tail = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return {"error": f"its process ended with exit code {done.returncode}" + (f": {tail}" if tail else "")}
    found: Mapping[str, Any] = json.loads(to.read_text(encoding="utf-8"))
    return found


def _left_out(rows: Sequence[Implementation], answered: Sequence[Answered]) -> Iterator[str]:
    """What is not checked, and why."""
    if written := [row for row in rows if WRITTEN_OUT in row.path]:
        yield f"{plural(len(written), 'written-out formula')} not checked: they are what documents make of them"
    asked = {(each.item.subject.implementation, each.item.call.operation) for each in answered}
    for row in rows:
        if WRITTEN_OUT not in row.path and (row.path, row.operation) not in asked:
            yield f"{row.path} is not checked: no telling call of {row.operation} is known"
    absent = [each for each in answered if each.watched.outcome is Outcome.UNAVAILABLE]
    yield from dict.fromkeys(f"{a.item.subject.implementation} is not checked: {a.watched.reason}" for a in absent)


def _unversioned(versions: Mapping[str, str]) -> list[str]:
    """Packages whose version nobody can tell."""
    return [
        f"PACKAGES names {name!r}, but start() imports no module of that name that has a __version__"
        for name, version in versions.items()
        if not version
    ]
