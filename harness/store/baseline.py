"""Baselines: a run kept to compare with, as text that a reviewer can read in a diff.

    # harness-baseline 1
    # current: python 3.11.7, numpy 2.4.6, torch 2.13.0, ...
    case <TAB> subject <TAB> output <TAB> verdict <TAB> grade <TAB> max_ulp <TAB> bits

One verdict a line, sorted; `-` stands for what isn't known. A newer schema is refused.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeGuard

from harness.model.run import Run
from harness.model.verdict import FAILED, Kind, Verdict
from harness.store.database import reading
from harness.store.folder import RunFolderError, find

SCHEMA = 1
MAGIC = "# harness-baseline "
UNKNOWN = "-"
COLUMNS = 7
UNMEASURED = frozenset({Kind.UNAVAILABLE, Kind.UNSUPPORTED})

Key = tuple[str, str, str]


class Change(StrEnum):
    """Classes of differences between two runs."""

    NEW_FAILURE = "new failure"
    FIXED = "fixed"
    BITS = "bits changed"
    VERDICT = "verdict changed"
    NEW = "newly measured"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a baseline keeps of a verdict."""

    verdict: Kind
    grade: str
    max_ulp: str
    bits: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One output that is not as it was."""

    change: Change
    key: Key
    before: Entry | None
    after: Entry | None

    def __str__(self) -> str:
        case, subject, output = self.key
        return f"{self.change}: {case} {subject} {output}: {_short(self.before)} -> {_short(self.after)}"


def entries(verdicts: Iterable[Verdict]) -> dict[Key, Entry]:
    """The entries of a run."""
    return {(v.case, v.subject, v.output): _entry(v) for v in verdicts}


def save(run: Run, verdicts: Iterable[Verdict], path: Path) -> int:
    """Write a baseline; the number of verdicts in it.

    Raises:
        RunFolderError: it can't be written there.
    """
    kept = sorted(entries(verdicts).items())
    lines = [f"{MAGIC}{SCHEMA}", *_environments(run)]
    lines.extend("\t".join((*key, e.verdict, e.grade, e.max_ulp, e.bits)) for key, e in kept)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        if partial.is_file():
            partial.unlink()
        raise RunFolderError(f"{path}: can't be written: {error.strerror}") from error
    return len(kept)


def load(path: Path) -> dict[Key, Entry]:
    """Read a baseline file.

    Raises:
        RunFolderError: it is none, or of a newer schema; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{path}: can't be read: {error}") from error
    if not lines or not lines[0].startswith(MAGIC):
        raise RunFolderError(f"{path}:1: no baseline: the first line is not '{MAGIC}{SCHEMA}'")
    schema = lines[0].removeprefix(MAGIC)
    if schema != str(SCHEMA):
        raise RunFolderError(f"{path}:1: a baseline of schema {schema}; this harness reads {SCHEMA}")
    numbered = ((n, line) for n, line in enumerate(lines, 1) if line and not line.startswith("#"))
    return dict(_parsed(path, number, line) for number, line in numbered)


def read(path: Path) -> dict[Key, Entry]:
    """The entries of a run folder or of a baseline file."""
    if not path.is_dir():
        return load(path)
    with reading(find(path)) as store:
        return entries(store.verdicts())


def diff(before: Mapping[Key, Entry], after: Mapping[Key, Entry]) -> list[Difference]:
    """What is not as it was: failures first, then by case."""
    found = [
        Difference(change, key, before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if (change := _change(before.get(key), after.get(key))) is not None
    ]
    order = list(Change)
    return sorted(found, key=lambda d: (order.index(d.change), d.key))


def summary(differences: Iterable[Difference], most: int = 20) -> list[str]:
    """Counts of each class, then the differences, failures first, at most so many."""
    listed = list(differences)
    if not listed:
        return ["baseline: nothing differs"]
    counts = Counter(d.change for d in listed)
    head = "baseline: " + ", ".join(f"{counts[change]} {change}" for change in Change if counts[change])
    more = [f"and {len(listed) - most} more"] if len(listed) > most else []
    return [head, *(str(d) for d in listed[:most]), *more]


def _change(before: Entry | None, after: Entry | None) -> Change | None:
    if not _measured(after):
        if _measured(before) or before is None or after is None:
            return Change.NOT_MEASURED
        return Change.VERDICT if before.verdict != after.verdict else None
    if after.verdict in FAILED and (before is None or before.verdict not in FAILED):
        return Change.NEW_FAILURE
    if not _measured(before):
        return Change.NEW
    if before.verdict != after.verdict:
        return Change.FIXED if before.verdict in FAILED and after.verdict not in FAILED else Change.VERDICT
    return Change.BITS if before != after else None


def _measured(entry: Entry | None) -> TypeGuard[Entry]:
    return entry is not None and entry.verdict not in UNMEASURED


def _entry(verdict: Verdict) -> Entry:
    ulps = UNKNOWN if verdict.max_ulp is None else f"{verdict.max_ulp:.6g}"
    return Entry(verdict.verdict, str(verdict.grade or UNKNOWN), ulps, verdict.bits or UNKNOWN)


def _short(entry: Entry | None) -> str:
    if entry is None:
        return "nothing"
    ulps = "" if entry.max_ulp == UNKNOWN else f" ({entry.max_ulp} ulp)"
    return f"{entry.verdict}{ulps}"


def _environments(run: Run) -> list[str]:
    return [
        f"# {name}: python {f.python}, " + ", ".join(f"{p} {v}" for p, v in sorted(f.packages.items()))
        for name, f in sorted(run.environments.items())
    ]


def _parsed(path: Path, number: int, line: str) -> tuple[Key, Entry]:
    parts = line.split("\t")
    try:
        case, subject, output, verdict, grade, ulps, bits = parts
        return (case, subject, output), Entry(Kind(verdict), grade, ulps, bits)
    except ValueError:
        raise RunFolderError(f"{path}:{number}: no verdict: {COLUMNS} columns with a known verdict are meant") from None
