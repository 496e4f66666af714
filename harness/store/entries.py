"""Lines of a baseline: what is kept of one verdict, as text.

    case <TAB> subject <TAB> output <TAB> outcome <TAB> verdict <TAB> grade <TAB> max_ulp <TAB> max_bound <TAB> bits

`-` stands for what isn't known. Kept from several runs, an error is the largest with its spread, `0.25+-0.5`, and bits
that differed are `~`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.verdict import Kind, Verdict

UNKNOWN = "-"
UNSTABLE = "~"
SPREAD = "+-"
VALUE = "value"
"""The outcome of an array of which no more is known, as schema 2 had it."""
KEYS = 3
"""Columns that say which output it is."""
COLUMNS: Mapping[int, int] = {1: 7, 2: 8, 3: 9}
"""How many columns a line of each schema has."""

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a baseline keeps of a verdict.

    Attributes:
        outcome: what came of the call: `float32[3]` for an array, with ` nan` or ` inf` after it where an element is
            one; `error TYPE`, `absent`, ...
        max_ulp: the worst error with its sign, in ulps; None if there is none.
        max_bound: the worst error in units of the bound; None if there is none, or if it isn't known.
        bits: digest of the output; `~` if it differed between runs.
        ulp_spread: of max_ulp between runs.
        bound_spread: of max_bound.
    """

    outcome: str
    verdict: Kind
    grade: str
    max_ulp: float | None
    max_bound: float | None
    bits: str
    ulp_spread: float = 0.0
    bound_spread: float = 0.0

    def __str__(self) -> str:
        errors = _error(self.max_ulp, self.ulp_spread), _error(self.max_bound, self.bound_spread)
        return "\t".join((self.outcome, self.verdict, self.grade, *errors, self.bits))

    @property
    def is_value(self) -> bool:
        """Whether the call gave an array."""
        return self.outcome == VALUE or "[" in self.outcome


def key(verdict: Verdict) -> Key:
    """Which output a verdict is about."""
    return verdict.case, verdict.subject, verdict.output


def entry_of(verdict: Verdict) -> Entry:
    """What is kept of a verdict."""
    outcome = verdict.content or verdict.outcome or UNKNOWN
    grade = str(verdict.grade or UNKNOWN)
    return Entry(outcome, verdict.verdict, grade, verdict.max_ulp, verdict.max_bound, verdict.bits or UNKNOWN)


def line_of(place: Key, entry: Entry) -> str:
    """A verdict as text."""
    return "\t".join((*place, str(entry)))


def parsed(line: str) -> tuple[Key, Entry]:
    """A line's key and entry.

    Raises:
        ValueError: it is no verdict.
    """
    case, subject, output, outcome, verdict, grade, ulps, bounds, bits = line.split("\t")
    max_ulp, ulp_spread = _read(ulps)
    max_bound, bound_spread = _read(bounds)
    entry = Entry(outcome, Kind(verdict), grade, max_ulp, max_bound, bits, ulp_spread, bound_spread)
    return (case, subject, output), entry


def key_of(line: str) -> str:
    """The part of a line that says which output it is."""
    return line[: _end_of_key(line)]


def migrated(line: str, schema: int) -> str:
    """A line of an older schema as one of today; 1 had no outcomes, and 2 no errors in units of the bound.

    A line that isn't of its schema stays as it is: it is refused when it is taken apart.
    """
    if line.count("\t") + 1 != COLUMNS[schema]:
        return line
    if schema == 1:
        at = _end_of_key(line)
        line = f"{line[:at]}\t{UNKNOWN}{line[at:]}"
    head, _, bits = line.rpartition("\t")
    return f"{head}\t{UNKNOWN}\t{bits}"


def _end_of_key(line: str) -> int:
    at = -1
    for _ in range(KEYS):
        at = line.find("\t", at + 1)
        if at < 0:
            return len(line)
    return at


def _error(error: float | None, spread: float) -> str:
    if error is None:
        return UNKNOWN
    return f"{error:.6g}{SPREAD}{spread:.6g}" if spread else f"{error:.6g}"


def _read(text: str) -> tuple[float | None, float]:
    error, _, spread = text.partition(SPREAD)
    return None if error == UNKNOWN else float(error), float(spread or 0.0)
