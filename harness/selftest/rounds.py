"""Adapters asked the stock suite: right ones everything, faulty ones until they fail.

A row is a path of an adapter in one operation. Calls are made in rounds, each twice as long as the one before and the
most telling cases first; who has failed is asked no more, so that a thousand faulty rows cost no more than a few right
ones.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness import pipeline
from harness.config import Options
from harness.engine import order
from harness.engine.plan import calls
from harness.environments.adapters import adapters
from harness.model.case import Unit
from harness.model.plan import Item, Plan
from harness.model.verdict import FAILED, Kind, Verdict

FIRST = 32
"""Units of the first round."""
ACCUSED = FAILED - {Kind.ERROR}
"""Verdicts that say something of a row."""


class Row(NamedTuple):
    """An implementation: what is planted, and where."""

    path: str
    operation: str


class HarnessError(Exception):
    """The harness could not judge an answer: nothing is known of the suite."""


def files(kind: str) -> list[str]:
    """The shipped adapters of a kind, `mutants` or `variants`."""
    return [str(path) for path in sorted((Path(__file__).parent / kind).glob("*.py"))]


def failures(adapter_files: Sequence[str], options: Options, *, until_failed: bool) -> dict[Row, Verdict | None]:
    """The first failure of each row of some adapters in the stock suite; None for a row that passes.

    Args:
        adapter_files: adapters of frameworks that no built-in one has.
        options: threads, time limit and seed.
        until_failed: whether a row that has failed is asked no more.

    Raises:
        HarnessError: a call could not be judged.
    """
    frameworks = {adapter.framework: adapter for adapter in adapters(adapter_files)[-len(adapter_files) :]}
    found: dict[Row, Verdict | None] = {
        Row(row.path, row.operation): None for each in frameworks.values() for row in each.implementations
    }
    settings = {"adapter": tuple(adapter_files), "subject": tuple(f"*:{name}.*" for name in frameworks)}
    options = options.model_copy(update=settings)
    plan = pipeline.planned(options)
    for units in _rounds(plan) if until_failed else [[unit.id for unit in plan.units]]:
        living = {row for row, failure in found.items() if failure is None}
        for row, failure in _failed(_part(plan, units, living), options):
            found[row] = found[row] or failure
    return found


def _rounds(plan: Plan) -> Iterator[list[str]]:
    """Ids of units, the most telling first, in rounds that double."""
    units = list(dict.fromkeys(item.unit.id for item in order.telling(plan.items)))
    size = FIRST
    while units:
        yield units[:size]
        units, size = units[size:], 2 * size


def _part(plan: Plan, wanted: Collection[str], living: Collection[Row]) -> Plan:
    """The part of a plan that asks living rows wanted units; of relations those within one operation."""
    names = set(wanted)
    items = [
        item
        for item in plan.items
        if item.unit.id in names and _operation(item.unit) and not item.refusal and _row(item) in living
    ]
    asked = {item.unit.id for item in items}
    kept = [(unit, place) for unit, place in zip(plan.units, plan.places, strict=True) if unit.id in asked]
    return Plan([unit for unit, _ in kept], [place for _, place in kept], items, plan.environments)


def _operation(unit: Unit) -> str:
    """The operation of all calls of a unit, "" if there are several."""
    operations = {call.operation for call in calls(unit)}
    return operations.pop() if len(operations) == 1 else ""


def _row(item: Item) -> Row:
    return Row(item.subject.implementation, item.call.operation)


def _failed(plan: Plan, options: Options) -> Iterator[tuple[Row, Verdict]]:
    if not plan.items:
        return
    operations = {unit.id: _operation(unit) for unit in plan.units}
    subjects = {item.subject.id for item in plan.items}
    with tempfile.TemporaryDirectory() as folder:
        for verdict in pipeline.verdicts(plan, options.model_copy(update={"out": Path(folder)})):
            if verdict.verdict is Kind.ERROR:
                raise HarnessError(f"{verdict.case} {verdict.subject}: {verdict.reason}")
            if verdict.subject in subjects and verdict.verdict in ACCUSED:
                yield Row(verdict.implementation, operations[verdict.case]), verdict
