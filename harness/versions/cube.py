"""The cube case x implementation x version: how each implementation stands in each version, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from harness.comparator.deviations import COVERED
from harness.model.deviation import Deviation, DeviationKind, Finding
from harness.model.verdict import FAILED, Grade, Kind
from harness.store.entries import Entry, Key

Versions = Mapping[str, Mapping[Key, Entry]]
"""Baselines by the name of their environment, in the order in which they are shown."""


class Place(NamedTuple):
    """An output in any version.

    Attributes:
        subject: without its environment.
    """

    subject: str
    case: str
    output: str


GRADES = [str(grade) for grade in Grade]
UNMEASURED = frozenset({Kind.UNAVAILABLE, Kind.UNSUPPORTED})


class Presence(StrEnum):
    """Whether a deviation is there in a version."""

    THERE = "there"
    NOT_THERE = "not there"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Cell:
    """An implementation in a version.

    Attributes:
        measured: its outputs.
        departing: those whose grade does not pass, known or not.
        worst: the worst grade, "" if none has one.
    """

    measured: int
    departing: int
    worst: str


@dataclass(frozen=True, slots=True)
class Since:
    """A deviation through the versions.

    Attributes:
        deviation: its id.
        presence: by version.
    """

    deviation: str
    presence: Mapping[str, Presence]

    def __str__(self) -> str:
        """`since tf2.12, not in tf1.15`, `until tf2.15, not in tf2.18`, or where it is if that is no one stretch."""
        known = [(name, p) for name, p in self.presence.items() if p is not Presence.NOT_MEASURED]
        there = [name for name, p in known if p is Presence.THERE]
        if not there:
            return "in none that was measured" if known else "not measured"
        if len(there) == len(known):
            return "in all that were measured" if len(known) > 1 else f"in {there[0]}, the only one that was measured"
        names = [name for name, _ in known]
        if names[-len(there) :] == there:
            return f"since {there[0]}, not in {names[-len(there) - 1]}"
        if names[: len(there)] == there:
            return f"until {there[-1]}, not in {names[len(there)]}"
        return f"in {', '.join(there)}"


def table(versions: Versions) -> dict[str, dict[str, Cell]]:
    """Each implementation, with its mode, in each version that has measured it."""
    found: dict[str, dict[str, Cell]] = {}
    for version, entries in versions.items():
        rows: dict[str, list[Entry]] = {}
        for (_, subject, _), entry in entries.items():
            if entry.verdict not in UNMEASURED and ":" in subject:
                rows.setdefault(bare(subject), []).append(entry)
        for subject, own in rows.items():
            found.setdefault(subject, {})[version] = _cell(own)
    return dict(sorted(found.items()))


def outputs(versions: Versions) -> dict[Place, dict[str, Entry]]:
    """The cube itself: each output of each case and implementation in each version that has measured it."""
    found: dict[Place, dict[str, Entry]] = {}
    for version, entries in versions.items():
        for (case, subject, output), entry in entries.items():
            if entry.verdict not in UNMEASURED and ":" in subject:
                found.setdefault(Place(bare(subject), case, output), {})[version] = entry
    return dict(sorted(found.items()))


def moved(found: Mapping[Place, Mapping[str, Entry]]) -> dict[Place, Mapping[str, Entry]]:
    """The outputs that depart from the truth in one version and not in another."""
    return {place: entries for place, entries in found.items() if len(set(map(departs, entries.values()))) > 1}


def since(versions: Versions, deviations: Iterable[Deviation]) -> list[Since]:
    """In which versions each deviation is there: where a subject that it covers does not pass a case that shows it."""
    return [
        Since(deviation.id, {version: _presence(entries, deviation) for version, entries in versions.items()})
        for deviation in deviations
    ]


def own_case(versions: Versions, finding: Finding, kinds: Iterable[DeviationKind]) -> dict[str, Presence]:
    """In which versions a finding's own case shows it.

    Args:
        kinds: of its deviations.
    """
    place, covered = (finding.case, bare(finding.subject), finding.output), set(kinds)
    found = {}
    for version, entries in versions.items():
        entry = entries.get((place[0], f"{version}:{place[1]}", place[2]))
        there = entry is not None and any(_shows(entry, kind) for kind in covered)
        measured = entry is not None and entry.verdict not in UNMEASURED
        found[version] = (Presence.THERE if there else Presence.NOT_THERE) if measured else Presence.NOT_MEASURED
    return found


def bare(subject: str) -> str:
    """A subject without its environment."""
    return subject.partition(":")[2]


def departs(entry: Entry) -> bool:
    """Whether an output is not right, known or not."""
    return entry.verdict in FAILED - {Kind.STALE} or entry.verdict is Kind.DEVIATION


def _cell(own: Sequence[Entry]) -> Cell:
    grades = [entry.grade for entry in own if entry.grade in GRADES]
    return Cell(len(own), sum(map(departs, own)), max(grades, key=GRADES.index, default=""))


def _presence(entries: Mapping[Key, Entry], deviation: Deviation) -> Presence:
    shown = [
        entry
        for (case, subject, output), entry in entries.items()
        if entry.verdict not in UNMEASURED
        and _any(deviation.shown_by, case)
        and _any(deviation.subjects, subject)
        and _any(deviation.outputs, output)
    ]
    if not shown:
        return Presence.NOT_MEASURED
    return Presence.THERE if any(_shows(entry, deviation.kind) for entry in shown) else Presence.NOT_THERE


def _shows(entry: Entry, kind: DeviationKind) -> bool:
    """Whether an output departs in the way that a deviation of that kind covers, or in a graver one, which hides it."""
    least = min(GRADES.index(str(grade)) for grade in COVERED[kind] or {Grade.BROKEN})
    return departs(entry) and entry.grade in GRADES[least:]


def _any(globs: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
