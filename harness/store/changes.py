"""What became of each verdict from one run to another, and whether what differs around them explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from harness.model.change import Change
from harness.model.verdict import FAILED, PASSING, Grade, Kind
from harness.store.baseline import RUN, Baseline, Facts
from harness.store.entries import UNKNOWN, UNSTABLE, VALUE, Entry, Key, key_of

UNMEASURED = frozenset({Kind.UNAVAILABLE, Kind.UNSUPPORTED})
NO_LONGER = frozenset({"absent", str(Kind.UNSUPPORTED)})
"""Outcomes that say that an API is gone, or no longer takes the call; else its environment could not be had."""

ROUNDED = 1e-5
"""Errors are kept with six digits: a smaller relative change is none."""

WITHIN = (str(Grade.EXACT), str(Grade.ACCURATE), str(Grade.STABLE))
"""Grades whose errors the bounds compare: which of them it is depends on where the worst ulp is."""
RANKS = {grade: max(0, rank - len(WITHIN) + 1) for rank, grade in enumerate(map(str, Grade))}
VERSIONS = ("python", "package ")
"""Beginnings of facts that an upgrade changes; the others are the machine's."""
MACHINE = "another machine or setting"
OTHER_CASES = "other cases or inputs"
SAME = "same versions and machine: not reproducible"
"""What explains nothing."""
JUDGE = "same bits: the truth, the bounds or the list of deviations changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One output that is not as it was.

    Attributes:
        why: what differs around it that may explain it.
    """

    change: Change
    key: Key
    before: Entry | None
    after: Entry | None
    why: str = ""

    @property
    def elsewhere(self) -> bool:
        """Whether it was measured on another machine, or with other settings: other bits are no fault then."""
        return MACHINE in self.why

    @property
    def found(self) -> str:
        """What it was, what it is, and what may explain it."""
        why = f" ({self.why})" if self.why else ""
        return f"{_short(self.before, self.after)} -> {_short(self.after, self.before)}{why}"

    def __str__(self) -> str:
        return f"{self.change}: {' '.join(self.key)}: {self.found}"


@dataclass(frozen=True, slots=True)
class Diff:
    """All that differs between two runs.

    Attributes:
        moved: facts that differ, as sentences, by environment.
    """

    differences: Sequence[Difference]
    moved: Mapping[str, Sequence[str]]


def diff(before: Baseline, after: Baseline) -> Diff:
    """What is not as it was: the gravest first, then by case. Equal lines are not even taken apart.

    Raises:
        RunFolderError: a line is no verdict, or out of order.
    """
    moved = {name: _moved(before.facts[name], after.facts[name]) for name in before.facts if name in after.facts}
    reasons = {name: _why(before.facts, after.facts, name) for name in {*before.facts, *after.facts}}
    found = []
    for place, old, new in _unequal(before, after):
        if (change := classified(old, new)) is not None:
            why = reasons.get(place[1].partition(":")[0], "")
            found.append(Difference(change, place, old, new, _unexplained(old, new) if why == SAME else why))
    order = list(Change)
    found.sort(key=lambda d: (order.index(d.change), d.key))
    return Diff(found, {name: sentences for name, sentences in moved.items() if sentences})


def classified(before: Entry | None, after: Entry | None) -> Change | None:
    """The class of a difference; None if there is none that matters."""
    if _measured(after):
        return _standing(before, after) if _measured(before) else _first(after)
    if not _measured(before):
        return _never(before, after)
    return Change.REMOVED if after is not None and after.outcome in NO_LONGER else Change.NOT_MEASURED


def _never(before: Entry | None, after: Entry | None) -> Change | None:
    """Neither was measured: told where an environment can't be had, or it is gone; an API that never was is no news."""
    gone = after is None
    unavailable = after is not None and after.verdict is Kind.UNAVAILABLE and after.outcome not in NO_LONGER
    known_so = before is not None and before.verdict is Kind.UNAVAILABLE
    return Change.NOT_MEASURED if gone or (unavailable and not known_so) else None


def _first(entry: Entry) -> Change:
    return Change.NEW_FAILURE if entry.verdict in FAILED else Change.NEW


def _standing(before: Entry, after: Entry) -> Change | None:
    """Both were measured."""
    failed_before, fails = before.verdict in FAILED, after.verdict in FAILED
    if fails and not failed_before:
        return Change.NEW_FAILURE
    if _departs(before) and not _departs(after):
        return Change.FIXED
    same = _same_bits(before, after)
    if not same and _otherwise(before, after):
        return Change.SEMANTICS
    if failed_before and not fails:
        return Change.FIXED
    if same:
        return Change.JUDGED if _judged_otherwise(before, after) else None
    return distance(before, after) or _bits(before, after)


def _judged_otherwise(before: Entry, after: Entry) -> bool:
    numbers = ((before.max_ulp, after.max_ulp), (before.max_bound, after.max_bound))
    other = any(None not in pair and pair[0] != pair[1] for pair in numbers)
    return other or (before.verdict, before.grade) != (after.verdict, after.grade)


def _otherwise(before: Entry, after: Entry) -> bool:
    """Whether a call ends in another way, or an output that is wrong is of another class."""
    outcomes = before.outcome, after.outcome
    if UNKNOWN not in outcomes and before.is_value is not after.is_value:
        return True
    if UNKNOWN in outcomes or VALUE in outcomes:
        broken = str(Grade.BROKEN)
        return before.verdict != after.verdict and (before.grade == broken) != (after.grade == broken)
    return before.outcome != after.outcome and (_departs(after) or not after.is_value)


def distance(before: Entry, after: Entry) -> Change | None:
    """Whether the error grew or shrank by more than repeated runs differ; correctly rounded is as good as it gets.

    Errors are compared in units of the bound: of several elements the worst in ulps may be one whose input allows it.
    """
    if _rank(after) != _rank(before):
        return Change.WORSE if _rank(after) > _rank(before) else Change.BETTER
    old, new, spread = _errors(before, after)
    if old == new or abs(new - old) <= spread + ROUNDED * min(old, new):
        return None
    change, best = (Change.WORSE, after) if new > old else (Change.BETTER, before)
    return None if best.grade == Grade.EXACT else change


def _errors(before: Entry, after: Entry) -> tuple[float, float, float]:
    """Both errors and what they may differ by: in units of the bound, or in ulps where those aren't known."""
    if before.max_bound is not None and after.max_bound is not None:
        return before.max_bound, after.max_bound, max(before.bound_spread, after.bound_spread)
    if before.max_ulp is not None and after.max_ulp is not None:
        return abs(before.max_ulp), abs(after.max_ulp), max(before.ulp_spread, after.ulp_spread)
    return 0.0, 0.0, 0.0


def _bits(before: Entry, after: Entry) -> Change | None:
    if UNSTABLE in (before.bits, after.bits):
        return None
    return Change.BITS if before.bits != after.bits or before.max_ulp != after.max_ulp else None


def _rank(entry: Entry) -> int:
    return RANKS.get(entry.grade, -1)


def _departs(entry: Entry) -> bool:
    """Whether an output is not right, known or not."""
    passing = {str(grade) for grade in PASSING}
    return (entry.verdict in FAILED or entry.verdict is Kind.DEVIATION) and entry.grade not in passing


def _measured(entry: Entry | None) -> TypeGuard[Entry]:
    return entry is not None and entry.verdict not in UNMEASURED


def _unequal(before: Baseline, after: Baseline) -> Iterator[tuple[Key, Entry | None, Entry | None]]:
    """Entries that are not the same text on both sides: two sorted lists merged."""
    ones, others = iter(before.lines), iter(after.lines)
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        if one == other:
            one, other = next(ones, None), next(others, None)
            continue
        place = min(key_of(line) for line in (one, other) if line is not None)
        old = new = None
        if one is not None and key_of(one) == place:
            known, old = before.parsed(one)
            one = next(ones, None)
        if other is not None and key_of(other) == place:
            known, new = after.parsed(other)
            other = next(others, None)
        yield known, old, new


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    names = sorted(before.keys() | after.keys())
    return [
        f"{name.removeprefix('package ')} {before.get(name, 'none')} -> {after.get(name, 'none')}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def _why(before: Facts, after: Facts, name: str) -> str:
    """What may explain differences in an environment."""
    if name not in before or name not in after:
        return ""
    old, new = before[name], after[name]
    names = [fact for fact in old.keys() | new.keys() if old.get(fact) != new.get(fact)]
    around = before.get(RUN, {}), after.get(RUN, {})
    others = all(around) and around[0] != around[1]
    version = any(fact.startswith(VERSIONS) for fact in names)
    machine = any(not fact.startswith(VERSIONS) for fact in names)
    told = [text for text, there in (("another version", version), (MACHINE, machine), (OTHER_CASES, others)) if there]
    return " and ".join(told) or SAME


def _unexplained(before: Entry | None, after: Entry | None) -> str:
    """Of what is on one side only, no fact that is the same on both says anything."""
    if before is None or after is None:
        return ""
    return JUDGE if _same_bits(before, after) else SAME


def _same_bits(before: Entry, after: Entry) -> bool:
    return before.bits == after.bits not in (UNKNOWN, UNSTABLE)


def summary(found: Diff, most: int = 20) -> list[str]:
    """Counts of each class, what differs around them, then the differences, the gravest first, at most so many."""
    around = [f"{name or 'run'}: {', '.join(sentences)}" for name, sentences in sorted(found.moved.items())]
    if any(sentence.startswith("seed ") for sentence in found.moved.get(RUN, ())):
        around.insert(0, "the seeds differ: generated inputs are others, and their results can't be compared")
    if not found.differences:
        return ["baseline: nothing differs", *around]
    counts = Counter(d.change for d in found.differences)
    head = "baseline: " + ", ".join(f"{counts[change]:,} {change}" for change in Change if counts[change])
    left = len(found.differences) - most
    more = [f"and {left:,} more"] if left > 0 else []
    return [head, *around, *(str(d) for d in found.differences[:most]), *more]


def _short(entry: Entry | None, other: Entry | None) -> str:
    """A side of a difference; what came of the call is said where it is no array, or one of another class."""
    if entry is None:
        return "nothing"
    usual = (UNKNOWN, VALUE, str(entry.verdict))
    alike = entry.is_value and (other is None or not other.is_value or other.outcome in (VALUE, entry.outcome))
    outcome = "" if alike or entry.outcome in usual else f" [{entry.outcome}]"
    bound = "" if entry.max_bound is None else f", {entry.max_bound:.3g} B"
    ulps = "" if entry.max_ulp is None else f" ({entry.max_ulp:+.3g} ulp{bound})"
    return f"{entry.verdict}{outcome}{ulps}"
