"""Baselines: runs kept to compare with, as text that a reviewer can read in a diff.

    # harness-baseline 2
    # ENVIRONMENT <TAB> fact <TAB> value                      what may decide a result there: versions, CPU, flags
    case <TAB> subject <TAB> output <TAB> outcome <TAB> verdict <TAB> grade <TAB> max_ulp <TAB> bits

One verdict a line, sorted as text; `-` stands for what isn't known. Kept from several runs of the same environments,
max_ulp is the largest with its spread, `0.25+-0.5`, and bits that differed are `~`. A newer schema is refused, an
older one migrated: schema 1 had neither outcome nor facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.files import replacing
from harness.model.run import Run
from harness.model.verdict import Kind, Verdict
from harness.store.folder import RunFolderError

SCHEMA = 2
MAGIC = "# harness-baseline "
UNKNOWN = "-"
UNSTABLE = "~"
SPREAD = "+-"
COLUMNS = 8
KEYS = 3
"""Columns that say which output it is."""

Key = tuple[str, str, str]
Facts = Mapping[str, Mapping[str, str]]
"""What may decide a result, by environment."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a baseline keeps of a verdict.

    Attributes:
        outcome: how the call ended: `value`, `error TYPE`, `absent`, ...
        max_ulp: the worst error with its sign; None if there is none.
        bits: digest of the output; `~` if it differed between runs.
        spread: of the worst error between runs, in ulps.
    """

    outcome: str
    verdict: Kind
    grade: str
    max_ulp: float | None
    bits: str
    spread: float = 0.0

    def __str__(self) -> str:
        ulps = UNKNOWN if self.max_ulp is None else f"{self.max_ulp:.6g}"
        spread = f"{SPREAD}{self.spread:.6g}" if self.spread else ""
        return "\t".join((self.outcome, self.verdict, self.grade, ulps + spread, self.bits))


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
            case, subject, output, outcome, verdict, grade, ulps, bits = line.split("\t")
            largest, _, spread = ulps.partition(SPREAD)
            max_ulp = None if largest == UNKNOWN else float(largest)
            return (case, subject, output), Entry(outcome, Kind(verdict), grade, max_ulp, bits, float(spread or 0.0))
        except ValueError:
            known = f"{COLUMNS} columns with a known verdict are meant"
            raise RunFolderError(f"{self._place(line)}: no verdict: {known}") from None

    def _place(self, line: str) -> str:
        """Where a line stands in its file: looked for again, as that is only asked for a mistake."""
        path = Path(self.name)
        if not path.is_file():
            return self.name
        lines = path.read_text(encoding="utf-8").splitlines()
        numbers = [n for n, text in enumerate(lines, 1) if text in (line, _unmigrated(line))]
        return f"{path}:{numbers[0]}" if numbers else self.name


def key_of(line: str) -> str:
    """The part of a line that says which output it is."""
    return line[: _end_of_key(line)]


def _end_of_key(line: str) -> int:
    at = -1
    for _ in range(KEYS):
        at = line.find("\t", at + 1)
        if at < 0:
            return len(line)
    return at


def line_of(key: Key, entry: Entry) -> str:
    """A verdict as text."""
    return "\t".join((*key, str(entry)))


def entry_of(verdict: Verdict) -> Entry:
    """What is kept of a verdict."""
    grade = str(verdict.grade or UNKNOWN)
    return Entry(verdict.outcome or UNKNOWN, verdict.verdict, grade, verdict.max_ulp, verdict.bits or UNKNOWN)


def key(verdict: Verdict) -> Key:
    """Which output a verdict is about."""
    return verdict.case, verdict.subject, verdict.output


def of_run(run: Run, verdicts: Iterable[Verdict]) -> Baseline:
    """A run as a baseline."""
    lines = sorted(line_of(key(v), entry_of(v)) for v in verdicts)
    return Baseline({name: print_.facts() for name, print_ in run.environments.items()}, lines, str(run.folder))


def of_runs(runs: Sequence[Baseline]) -> Baseline:
    """Several runs of the same environments as one, with the spread between them.

    Raises:
        RunFolderError: they are not of the same environments, or not of the same cases.
    """
    first, *others = runs
    if not others:
        return first
    if any(other.facts != first.facts for other in others):
        raise RunFolderError("runs of one baseline must be of the same environments; their versions or CPUs differ")
    collected: dict[Key, list[Entry]] = {}
    for run in runs:
        for place, entry in run.entries():
            collected.setdefault(place, []).append(entry)
    for place, entries in collected.items():
        if len(entries) != len(runs):
            raise RunFolderError(f"runs of one baseline must be of the same cases; {' '.join(place)} is not in all")
        if len({(entry.outcome, entry.verdict) for entry in entries}) > 1:
            told = " and ".join(sorted({f"{entry.verdict} ({entry.outcome})" for entry in entries}))
            raise RunFolderError(f"runs of one baseline must end alike; {' '.join(place)} is {told}")
    lines = sorted(line_of(place, _spread(entries)) for place, entries in collected.items())
    return Baseline(first.facts, lines, first.name)


def _spread(entries: Sequence[Entry]) -> Entry:
    """One entry of several: the worst error, and how far the errors lie apart."""
    worst = max(entries, key=lambda entry: abs(entry.max_ulp or 0.0))
    ulps = [entry.max_ulp for entry in entries if entry.max_ulp is not None]
    bits = worst.bits if len({entry.bits for entry in entries}) == 1 else UNSTABLE
    spread = max(ulps) - min(ulps) if len(set(ulps)) > 1 else 0.0
    return Entry(worst.outcome, worst.verdict, worst.grade, worst.max_ulp, bits, spread)


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
                file.writelines(f"# {environment}\t{fact}\t{value}\n" for fact, value in sorted(facts.items()))
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
        previous = ""
        try:
            with self.path.open(encoding="utf-8") as file:
                for number, text in enumerate(file, 1):
                    line = text.rstrip("\n")
                    if not line or line[0] == "#":
                        continue
                    if line <= previous:
                        raise RunFolderError(f"{self.path}:{number}: out of order: lines must be sorted, each key once")
                    previous = line
                    yield _migrated(line) if self.schema < SCHEMA else line
        except (OSError, UnicodeDecodeError) as error:
            raise RunFolderError(f"{self.path}: can't be read: {error}") from error


def _schema(path: Path, line: str) -> int:
    if not line.startswith(MAGIC):
        raise RunFolderError(f"{path}:1: no baseline: the first line is not '{MAGIC}{SCHEMA}'")
    given = line.removeprefix(MAGIC)
    if not given.isdecimal() or not 1 <= int(given) <= SCHEMA:
        raise RunFolderError(f"{path}:1: a baseline of schema {given}; this harness reads up to {SCHEMA}")
    return int(given)


def _facts(lines: Iterable[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        if not line.startswith("#"):
            break
        environment, tab, rest = line[1:].strip().partition("\t")
        fact, _, value = rest.partition("\t")
        if tab:
            found.setdefault(environment, {})[fact] = value
    return found


def _migrated(line: str) -> str:
    """A line of schema 1 as one of today: its outcome was not kept."""
    at = _end_of_key(line)
    return f"{line[:at]}\t{UNKNOWN}{line[at:]}"


def _unmigrated(line: str) -> str:
    at = _end_of_key(line)
    return line[:at] + line[at:].removeprefix(f"\t{UNKNOWN}")
