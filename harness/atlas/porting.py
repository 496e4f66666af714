"""The porting table: from a call of one framework to a call of another that computes the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.atlas.differences import differences, outcomes
from harness.atlas.evidence import Evidence, Gathered, Settings, key
from harness.atlas.functions import Function
from harness.engine.support import refusal
from harness.kit.calls import plain
from harness.model.case import Case, Scalar
from harness.model.verdict import Kind
from harness.operations.base import VALUE
from harness.oracle.truth import evaluate

RANK = 2
"""Of the inputs that calls are compared on: rows and classes."""
UNKNOWN = "its call isn't known to the atlas"
"""Where a run has asked a function, but no single call could be written down."""


@dataclass(frozen=True, slots=True)
class Port:
    """From one function to another.

    Attributes:
        parameters: the operation's, as they are where the first is given inputs only.
        text: the call of the other that computes the same; "" if there is none.
        refusal: why there is none.
        mind: what differs.
        cases: those that both passed with these parameters, the first ones.
        count: how many there are.
    """

    source: Function
    target: Function
    parameters: Mapping[str, Scalar]
    text: str
    refusal: str
    mind: Sequence[str]
    cases: Sequence[str]
    count: int

    @property
    def excuse(self) -> str:
        """Why there is no call, as a clause."""
        return self.refusal if self.refusal == UNKNOWN else f"it can't: {self.refusal}"


@dataclass(frozen=True, slots=True)
class Same:
    """Functions that have passed cases with the same parameters.

    Attributes:
        counts: how many cases, by the function.
    """

    parameters: Mapping[str, Scalar]
    counts: Mapping[str, int]


def pairs(functions: Sequence[Function]) -> Iterator[tuple[Function, Function]]:
    """From a function to those of other frameworks, and from one that is gone to those of its own."""
    for one in functions:
        for other in functions:
            gone = bool(one.row.until) and not other.row.until
            if one.row.operation == other.row.operation and (one.framework != other.framework or gone):
                yield one, other


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """The call of one function that is to do what another does where only inputs are given.

    Attributes:
        refusal: why its API can't express it; "" if it can.
        remark: what was passed instead of what isn't offered, if that computes the same.
    """

    source: Function
    target: Function
    case: Case
    refusal: str
    remark: str = ""


def wanted(one: Function, other: Function, dtype: str) -> Wanted:
    """The other's call with what holds by default for the one, or with another reduction that comes to the same."""
    parameters = one.defaults()
    case = plain(other.row, dtype, parameters)
    refused = refusal(other.row, other.operation, case)
    if refused and "reduction" in parameters:
        for reduction in other.row.parameters.get("reduction", ()):
            instead = plain(other.row, dtype, {**parameters, "reduction": reduction})
            if not refusal(other.row, other.operation, instead) and _agree(case, instead):
                remark = f"without weights, reduction={parameters['reduction']} is reduction={reduction}"
                return Wanted(one, other, instead, "", remark)
    return Wanted(one, other, case, refused)


def _agree(one: Case, other: Case) -> bool:
    """Whether two calls have the same exact value."""
    a, b = (evaluate(each).outputs[VALUE].high for each in (one, other))
    return a.shape == b.shape and bool(np.all(a == b))


def port(asked: Wanted, text: str, evidence: Gathered) -> Port:
    """A row of the table.

    Args:
        text: the call as it was made; "" if it wasn't.
    """
    one, other = asked.source, asked.target
    mine, its = (evidence.get((f.path, f.row.operation), Evidence()) for f in (one, other))
    settings = key(asked.case.parameters, RANK)
    both = [case for case in mine.passed.get(settings, ()) if case in its.passed.get(settings, ())]
    remark = [asked.remark] if asked.remark else []
    mind = [*remark, *differences(one, other), *outcomes(mine, its), *_known(its)]
    refused = asked.refusal or ("" if text else uncalled(its))
    return Port(one, other, asked.case.parameters, text, refused, mind, both[:3], len(both))


def uncalled(evidence: Evidence) -> str:
    """Why no call of a function was made and written down."""
    return UNKNOWN if set(evidence.counts) - {Kind.UNAVAILABLE} else "no environment of the run has it"


def _known(evidence: Evidence) -> Iterator[str]:
    """The deviations that the run has seen of it."""
    if evidence.deviations:
        names = ", ".join(sorted(evidence.deviations))
        yield f"it departs from the truth in {evidence.counts[Kind.DEVIATION]} of the verdicts: {names}"


def same(functions: Sequence[Function], evidence: Gathered) -> Iterator[Same]:
    """The settings of an operation's parameters that two or more functions have passed cases with."""
    found: dict[Settings, dict[str, int]] = {}
    for function in functions:
        for settings, cases in evidence.get((function.path, function.row.operation), Evidence()).passed.items():
            found.setdefault(settings, {})[function.path] = len(cases)
    for settings, counts in found.items():
        if len(counts) > 1:
            yield Same(dict(settings), counts)
