"""The matrix of the HTML report: what became of each operation in each framework, subject by subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harness.model.verdict import Kind, Verdict
from harness.reporting import overview

Column = tuple[str, str]
"""Environment and framework."""


class Entry(NamedTuple):
    """A subject's verdicts on an operation; `case` is the worst of them, `anchor` where it is listed."""

    subject: str
    name: str
    kinds: Mapping[Kind, int]
    worst: Kind
    case: str
    anchor: str | None


class Cell(NamedTuple):
    """An operation's subjects in one framework, and the worst verdict among them."""

    entries: Sequence[Entry]
    worst: Kind


class Row(NamedTuple):
    """An operation and its subjects, column by column; None where there are none."""

    operation: str
    cells: Sequence[Cell | None]


class Matrix(NamedTuple):
    """Operations x subjects, the subjects standing under their environment and framework."""

    environments: Sequence[tuple[str, int]]
    columns: Sequence[overview.Tally]
    rows: Sequence[Row]


def entry(verdicts: Sequence[Verdict], anchors: Mapping[str, str]) -> Entry:
    """One subject's verdicts on one operation."""
    kinds = Counter(verdict.verdict for verdict in verdicts)
    worst = overview.worst(kinds)
    of_worst = [verdict.case for verdict in verdicts if verdict.verdict is worst]
    listed = next((case for case in of_worst if case in anchors), of_worst[0])
    first = verdicts[0]
    name = first.subject.removeprefix(f"{first.environment}:")
    ordered = {kind: kinds[kind] for kind in overview.SEVERITY if kinds[kind]}
    return Entry(first.subject, name, ordered, worst, listed, anchors.get(listed))


def cell(subjects: Mapping[str, Sequence[Verdict]], anchors: Mapping[str, str]) -> Cell | None:
    """One operation in one framework."""
    entries = [entry(own, anchors) for own in subjects.values()]
    return Cell(entries, overview.worst(found.worst for found in entries)) if entries else None


def environments(columns: Iterable[Column]) -> list[tuple[str, int]]:
    """Environments with the number of their columns, in order."""
    return list(Counter(environment for environment, _ in columns).items())


def matrix(verdicts: Sequence[Verdict], anchors: Mapping[str, str]) -> Matrix:
    """The matrix; `anchors` are those of the cases that the report lists."""
    tallies = {(t.environment, t.framework): t for t in overview.tallies(verdicts)}
    order = list(dict.fromkeys(environment for environment, _ in tallies))
    columns = sorted(tallies, key=lambda column: order.index(column[0]))
    found: dict[str, dict[Column, dict[str, list[Verdict]]]] = {}
    for verdict in verdicts:
        row = found.setdefault(verdict.operation or "", {})
        subjects = row.setdefault((verdict.environment, verdict.framework), {})
        subjects.setdefault(verdict.subject, []).append(verdict)
    rows = [
        Row(operation, [cell(cells.get(column, {}), anchors) for column in columns])
        for operation, cells in sorted(found.items(), key=lambda item: (not item[0], item[0]))
    ]
    return Matrix(environments(columns), [tallies[column] for column in columns], rows)
