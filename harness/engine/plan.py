"""The plan: every case with every subject that implements its operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import count

from harness.adapters import Implementation
from harness.engine.support import refusal
from harness.model.case import Case, Domain, Relation, Unit
from harness.model.plan import Item, Plan
from harness.model.subject import Adapter, Environment, Subject
from harness.operations import OPERATIONS
from harness.operations.base import Operation

WRITTEN_OUT = ".by_hand."
"""Part of the path of every written-out formula."""

Wants = Callable[[Unit, Subject], bool]


def make(
    units: Sequence[Unit],
    adapters: Sequence[Adapter],
    environments: Mapping[str, Environment],
    wants: Wants,
) -> Plan:
    """Decide every call of a run.

    Args:
        units: cases, relations and claims, expanded.
        wants: the selection: whether a unit is to be run with a subject.
    """
    ranks = count()
    places: list[int] = []
    items: list[Item] = []
    for unit in units:
        places.append(next(ranks))
        for call in calls(unit):
            for environment in environments.values():
                for adapter in adapters:
                    items.extend(_items(ranks, unit, call, environment, adapter, wants))
    return Plan(units, places, items, environments)


def calls(unit: Unit) -> Sequence[Case]:
    """The calls that a unit is made of: a claim has none."""
    if isinstance(unit, Case):
        return (unit,)
    return tuple(unit.calls.values()) if isinstance(unit, Relation) else ()


def _items(
    ranks: Iterator[int], unit: Unit, call: Case, environment: Environment, adapter: Adapter, wants: Wants
) -> Iterator[Item]:
    operation = OPERATIONS[call.operation]
    undefined = operation.locate(call.inputs, call.parameters).domain is Domain.UNDEFINED
    parameters = operation.complete(call.parameters)
    for implementation in adapter.implementations:
        if implementation.operation != call.operation:
            continue
        if not _asked(implementation.path, call.implementations):
            continue
        reason = refusal(implementation, operation, call)
        wanted = ("value",) if undefined or isinstance(unit, Relation) else _wanted(implementation, operation)
        for mode in implementation.modes:
            subject = Subject(environment.name, implementation.path, mode, framework=adapter.framework)
            if wants(unit, subject):
                yield Item(next(ranks), unit, call, subject, adapter.file, parameters, wanted, reason)


def _asked(path: str, glob: str) -> bool:
    """Whether a case asks an implementation: written-out formulas only where it names them."""
    return fnmatchcase(path, glob) and (WRITTEN_OUT not in path or "by_hand" in glob)


def _wanted(implementation: Implementation, operation: Operation) -> tuple[str, ...]:
    if operation.gradient is None or operation.leading not in implementation.gradients:
        return ("value",)
    return ("value", f"gradient:{operation.leading}")
