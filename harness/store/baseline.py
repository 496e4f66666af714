"""Baselines: runs kept to compare with, as text that a reviewer can read in a diff.

    # harness-baseline 3
    # FACT <TAB> VALUE                        what decides which calls are made: seed, tier, a digest of the cases
    # ENVIRONMENT <TAB> FACT <TAB> VALUE      what may decide a result there: versions, CPU, flags

and one verdict a line, sorted as text (see `harness.store.entries`). A newer schema is refused, an older one migrated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.files import replacing
from harness.model.run import Run
from harness.model.verdict import Verdict
from harness.store import entries
from harness.store.entries import COLUMNS, Entry, Key, entry_of, key, key_of, line_of
from harness.store.folder import RunFolderError

SCHEMA = 3
MAGIC = "# harness-baseline "
SHOWN = 20
"""Characters of a schema that is none."""
RUN = ""
"""Stands for the run among the environments whose facts are known."""

Facts = Mapping[str, Mapping[str, str]]
"""What may decide a result, by environment, and of the run as a whole."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Facts and lines.

    Attributes:
        lines: one verdict each, sorted; read while they are asked for.
        name: of the file or folder that it comes from.
    """

    facts: Facts
    lines: Iterable[str]
    name: str = ""

    def entries(self) -> Iterator[tuple[Key, Entry]]:
        """Keys and entries, in order.

        Raises:
            RunFolderError: a line is no verdict.
        """
        return (self.parsed(line) for line in self.lines)

    def parsed(self, line: str) -> tuple[Key, Entry]:
        """A line's key and entry.

        Raises:
            RunFolderError: it is no verdict.
        """
        try:
            return entries.parsed(line)
        except ValueError:
            schema = self.lines.schema if isinstance(self.lines, _Lines) else SCHEMA
            known = f"{COLUMNS[schema]} columns with a known verdict are meant"
            raise RunFolderError(f"{self._place(line)}: no verdict: {known}") from None

    def _place(self, line: str) -> str:
        """Where a line stands in its file: looked for again, as that is only asked for a mistake."""
        if not isinstance(self.lines, _Lines):
            return self.name
        return next(f"{self.name}:{number}" for number, text in self.lines.numbered() if text == line)


def of_run(run: Run, verdicts: Iterable[Verdict]) -> Baseline:
    """A run as a baseline."""
    lines = sorted(line_of(key(v), entry_of(v)) for v in verdicts)
    return Baseline(_facts_of(run), lines, str(run.folder))


def _facts_of(run: Run) -> Facts:
    around = {"seed": str(run.seed), "tier": run.tier, "cases": run.cases}
    known = {fact: value for fact, value in around.items() if value}
    return {RUN: known, **{name: print_.facts() for name, print_ in run.environments.items()}}


def save(kept: Baseline, path: Path) -> int:
    """Write a baseline; the number of verdicts in it.

    Raises:
        RunFolderError: it can't be written there.
    """
    count = 0
    try:
        with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(f"{MAGIC}{SCHEMA}\n")
            for environment, facts in sorted(kept.facts.items()):
                place = "# " if environment == RUN else f"# {environment}\t"
                file.writelines(f"{place}{fact}\t{value}\n" for fact, value in sorted(facts.items()))
            for count, line in enumerate(kept.lines, 1):  # noqa: B007 - counted while it is written
                file.write(f"{line}\n")
    except OSError as error:
        raise RunFolderError(f"{path}: can't be written: {error.strerror}") from error
    return count


def load(path: Path) -> Baseline:
    """Read a baseline file: its head now, its lines when they are asked for.

    Raises:
        RunFolderError: it is none, or of a newer schema; names the line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            schema = _schema(path, file.readline().rstrip("\n"))
            facts = _facts(file)
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{path}: can't be read: {error}") from error
    return Baseline(facts, _Lines(path, schema), str(path))


@dataclass(frozen=True, slots=True)
class _Lines:
    """The verdicts of a file, which can be gone through more than once."""

    path: Path
    schema: int

    def __iter__(self) -> Iterator[str]:
        return (line for _, line in self.numbered())

    def numbered(self) -> Iterator[tuple[int, str]]:
        """The lines as they are today, with their numbers in the file."""
        previous, column = "", 0
        try:
            with self.path.open(encoding="utf-8") as file:
                for number, text in enumerate(file, 1):
                    line = text.rstrip("\n")
                    if not line or line[0] == "#":
                        continue
                    # whole keys are compared only within a case: that takes half as long as reading a line
                    twice = line[:column] == previous[:column] and key_of(line) == key_of(previous)
                    if line <= previous or twice:
                        raise RunFolderError(f"{self.path}:{number}: out of order: lines must be sorted, each key once")
                    previous, column = line, line.find("\t")
                    yield number, entries.migrated(line, self.schema) if self.schema < SCHEMA else line
        except (OSError, UnicodeDecodeError) as error:
            raise RunFolderError(f"{self.path}: can't be read: {error}") from error


def _schema(path: Path, line: str) -> int:
    if not line.startswith(MAGIC):
        raise RunFolderError(f"{path}:1: no baseline: the first line is not '{MAGIC}{SCHEMA}'")
    given = line.removeprefix(MAGIC)
    if given not in map(str, COLUMNS):  # not taken for a number before: Python refuses those of too many digits
        raise RunFolderError(f"{path}:1: a baseline of schema {given[:SHOWN]}; this harness reads up to {SCHEMA}")
    return int(given)


def _facts(lines: Iterable[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        if not line.startswith("#"):
            break
        match line[1:].strip().split("\t"):
            case [fact, value]:
                found.setdefault(RUN, {})[fact] = value
            case [environment, fact, value]:
                found.setdefault(environment, {})[fact] = value
    return found
