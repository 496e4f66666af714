"""The atlas put together: functions, what they share, how to port, and how to choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.adapters import Implementation
from harness.atlas.choosing import Answer, Shown, answers
from harness.atlas.evidence import Gathered
from harness.atlas.functions import Function, learn
from harness.atlas.porting import Port, Same, Wanted, pairs, port, same, wanted
from harness.engine.plan import WRITTEN_OUT
from harness.engine.pool import Limits
from harness.engine.spellings import Asked, Spelling, spell
from harness.kit.calls import telling
from harness.model.case import Case
from harness.model.subject import Adapter, Environment

DTYPE = "float32"
REFERENCE = "numpy"
"""The reference's functions are the harness's own: nobody ports to them."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """An operation: its functions, and which of them have passed cases with the same parameters."""

    operation: str
    functions: Sequence[Function]
    same: Sequence[Same]


@dataclass(frozen=True, slots=True)
class Atlas:
    """Everything that the reports show.

    Attributes:
        run: what the evidence was taken from: its command.
        versions: packages of each environment.
        evidence: of each function.
    """

    run: str
    versions: Mapping[str, Mapping[str, str]]
    chapters: Sequence[Chapter]
    ports: Sequence[Port]
    answers: Sequence[Answer]
    evidence: Gathered

    @property
    def functions(self) -> list[Function]:
        """Of all chapters."""
        return [function for chapter in self.chapters for function in chapter.functions]


@dataclass(frozen=True, slots=True, eq=False)
class Surveyor:
    """Makes the calls that the atlas needs, in the environments in their order: the first that has a function says it.

    Attributes:
        work: a folder for what is needed on the way.
    """

    adapters: Sequence[Adapter]
    environments: Sequence[Environment]
    limits: Limits
    work: Path

    def functions(self, evidence: Gathered) -> list[Function]:
        """What the public functions that a run has asked take, and compute where nothing is said."""
        asked = ((a, row) for a in self.adapters for row in a.implementations if (row.path, row.operation) in evidence)
        rows = [(a, row) for a, row in asked if is_public(a, row)]
        made: dict[int, list[Spelling]] = {}
        for each, spelling in self._spelled([Asked(a, row, case) for a, row in rows for case in cases(row)]):
            made.setdefault(id(each.row), []).append(spelling)
        return [learn(row, adapter.framework, made.get(id(row), ())) for adapter, row in rows]

    def ports(self, found: Sequence[Function], evidence: Gathered) -> list[Port]:
        """The porting table: each call with what holds by default for another, made and written down."""
        owners = {id(row): adapter for adapter in self.adapters for row in adapter.implementations}
        asked = [wanted(one, other, DTYPE) for one, other in pairs(found) if DTYPE in other.row.dtypes]
        calls = {
            _call(each): Asked(owners[id(each.target.row)], each.target.row, each.case)
            for each in asked
            if not each.refusal
        }
        texts = {
            (id(call.row), str(call.case.parameters)): made.text for call, made in self._spelled(list(calls.values()))
        }
        return [port(each, texts.get(_call(each), ""), evidence) for each in asked]

    def _spelled(self, asked: Sequence[Asked]) -> Iterator[tuple[Asked, Spelling]]:
        """Calls that could be made and written down, each in the first environment that has its function."""
        left = list(asked)
        for environment in self.environments:
            found = spell(left, environment, self.limits, self.work / environment.name) if left else []
            yield from ((each, spelling) for each, spelling in found if spelling is not None)
            known = {id(each.row) for each, spelling in found if spelling is not None}
            left = [each for each in left if id(each.row) not in known]


def make(
    surveyor: Surveyor, evidence: Gathered, shown: Shown, run: str, versions: Mapping[str, Mapping[str, str]]
) -> Atlas:
    """The atlas.

    Args:
        evidence: of a run.
        shown: what the run showed of relations.
    """
    found = surveyor.functions(evidence)
    return Atlas(
        run, versions, chapters(found, evidence), surveyor.ports(found, evidence), list(answers(found, shown)), evidence
    )


def _call(asked: Wanted) -> tuple[int, str]:
    """What tells calls of functions apart: many are wanted of one function with the same parameters."""
    return id(asked.target.row), str(asked.case.parameters)


def is_public(adapter: Adapter, row: Implementation) -> bool:
    """Whether a row is a function that people call: no formula, no other name of one, none that can't be run yet."""
    return not (row.absent or row.alias or WRITTEN_OUT in row.path or adapter.framework == REFERENCE)


def cases(row: Implementation) -> Iterator[Case]:
    """The plain call, and those that differ from it in one parameter or in weights."""
    for told in telling(row, DTYPE if DTYPE in row.dtypes else row.dtypes[0]):
        names = {tried.partition("=")[0] for tried in told.tries}
        if len(told.tries) <= 1 and names <= {*row.parameters, *row.inputs} and not told.case.expect.undefined:
            yield told.case


def chapters(found: Sequence[Function], evidence: Gathered) -> list[Chapter]:
    """Functions by their operations."""
    names = dict.fromkeys(function.row.operation for function in found)
    groups = {name: [function for function in found if function.row.operation == name] for name in names}
    return [Chapter(name, group, list(same(group, evidence))) for name, group in groups.items()]
