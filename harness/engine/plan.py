"""The plan: every case with every subject that implements its operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.adapters import Implementation
from harness.engine.support import refusal
from harness.model.case import Case, Relation, Unit
from harness.model.plan import Item, Plan
from harness.model.subject import DOCUMENT, Adapter, Environment, Subject
from harness.operations import OPERATIONS
from harness.operations.base import Operation, gradient

WRITTEN_OUT = ".by_hand."
"""Part of the path of every written-out formula."""

Wants = Callable[[Unit, Subject], bool]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject that may be asked a kind of call.

    Attributes:
        wanted: outputs that it offers.
        refusal: why its API can't express the call; "" if it can.
    """

    subject: Subject
    adapter: str
    wanted: tuple[str, ...]
    refusal: str


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
    plan = Plan([], [], [], environments)
    known: dict[object, list[Candidate]] = {}
    rank = 0
    for unit in units:
        made: list[Item] = []
        for call in calls(unit):
            kind = _kind(call)
            if kind not in known:
                known[kind] = _candidates(call, adapters, environments)
            made.extend(_items(rank + 1 + len(made), unit, call, known[kind], wants))
        if made or wants(unit, DOCUMENT):
            plan.units.append(unit)
            plan.places.append(rank)
            plan.items.extend(made)
            rank += 1 + len(made)
    return plan


def calls(unit: Unit) -> Sequence[Case]:
    """The calls that a unit is made of: a claim has none."""
    if isinstance(unit, Case):
        return (unit,)
    return tuple(unit.calls.values()) if isinstance(unit, Relation) else ()


def _items(rank: int, unit: Unit, call: Case, candidates: Sequence[Candidate], wants: Wants) -> list[Item]:
    parameters = OPERATIONS[call.operation].complete(call.parameters)
    only = _only(unit, call)
    asked = [c for c in candidates if wants(unit, c.subject) and only <= set(c.wanted)]
    return [
        Item(
            rank + n,
            unit,
            call,
            c.subject,
            c.adapter,
            parameters,
            tuple(output for output in c.wanted if not only or output in only),
            c.refusal,
        )
        for n, c in enumerate(asked)
    ]


def _only(unit: Unit, call: Case) -> set[str]:
    """The outputs of a call that are looked at, where those aren't all that a subject offers; else none."""
    if isinstance(unit, Relation):
        return {"value", *(unit.views[name].output for name, own in unit.calls.items() if own is call)}
    return {"value"} if call.expect.undefined or call.misuse else set()


def _candidates(call: Case, adapters: Sequence[Adapter], environments: Mapping[str, Environment]) -> list[Candidate]:
    operation = OPERATIONS[call.operation]
    return [
        Candidate(
            Subject(environment.name, implementation.path, mode, framework=adapter.framework),
            adapter.file,
            _offered(implementation, operation, call),
            refusal(implementation.in_mode(mode), operation, call),
        )
        for environment in environments.values()
        for adapter in adapters
        if not environment.frameworks or adapter.framework in environment.frameworks
        for implementation in adapter.implementations
        if implementation.operation == call.operation
        for mode in implementation.modes
        if _asked(implementation, mode, call.implementations)
    ]


def _asked(implementation: Implementation, mode: str, asked: str) -> bool:
    """Whether a case asks it: aliases, written-out formulas and seldom modes only where the case names them."""
    glob, _, modes = asked.partition("@")
    named = "by_hand" in glob if WRITTEN_OUT in implementation.path else glob != "*" or not implementation.alias
    in_mode = fnmatchcase(mode, modes) if modes else mode not in implementation.seldom
    return named and in_mode and fnmatchcase(implementation.path, glob)


def _offered(implementation: Implementation, operation: Operation, call: Case) -> tuple[str, ...]:
    """The value, and the gradients that the implementation offers with respect to inputs of the call."""
    outputs = operation.offered(call.inputs)
    return ("value", *(name for i in implementation.gradients if (name := gradient(i)) in outputs))


def _kind(call: Case) -> object:
    """Calls of one kind differ in their numbers only: a generator's thousand are looked up once."""
    arrays = tuple((name, array.ndim, array.dtype) for name, array in call.inputs.items())
    # 1, 1.0 and True are equal, but no API need take each of them for the others.
    parameters = tuple((name, type(value), value) for name, value in call.parameters.items())
    return call.operation, call.implementations, call.dtype, call.layout, arrays, parameters
