"""Entries: what a case file says, checked, before it is expanded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from harness.casefile.literals import Numbers
from harness.casefile.recipes import Generator
from harness.model.case import Against, Departure, Parameters, Printed, Source, StatedTolerance, View, Within
from harness.operations.base import Operation

Recipe = Numbers | Generator


class CallText(NamedTuple):
    """One call: recipes of its inputs in the operation's order, its leading input first."""

    operation: Operation
    inputs: Mapping[str, Recipe]
    parameters: Parameters
    index_dtype: str
    implementations: str
    layout: str
    threads: int
    view: View


class StatementText(NamedTuple):
    """What is stated of the subjects that a glob names."""

    subjects: str
    output: str
    undefined: frozenset[str]
    departs: Departure | None
    gives: Numbers | None
    reason: str
    source: Source
    versions: str


class CaseText(NamedTuple):
    """A case: its call, and what it expects."""

    call: CallText
    undefined: frozenset[str]
    agree: bool
    printed: Printed | None
    claimed: str
    per: tuple[StatementText, ...]
    tolerance: StatedTolerance | None


class MisuseText(NamedTuple):
    """A right call, and the kinds of misuse that are tried on it."""

    call: CallText
    kinds: tuple[str, ...]


class RelationText(NamedTuple):
    """A relation between calls."""

    kind: str
    calls: Mapping[str, CallText]
    per: tuple[StatementText, ...]
    within: Within
    against: Against


class ClaimText(NamedTuple):
    """A claim about a document's own text."""

    parses: str | None
    defines: tuple[str, ...]
    uses: tuple[str, ...]


Content = CaseText | MisuseText | RelationText | ClaimText


@dataclass(frozen=True, slots=True, eq=False)
class Heading:
    """What an entry is called, and what it expands to.

    Attributes:
        id: path below `cases/` without suffix (the file's stem elsewhere), `:`, the id in the file.
        kind: `case`, `misuse`, `relation` or `claim`.
        dtypes: the dtypes that it is expanded for; none for a claim.
        misuses: the kinds of misuse that each dtype has; none but for a misused call.
        count: how many expansions each of those has.
        source: where it stands.
    """

    id: str
    kind: str
    dtypes: tuple[str, ...]
    misuses: tuple[str, ...]
    count: int
    source: Source


@dataclass(frozen=True, slots=True, eq=False)
class Entry(Heading):
    """One entry of a case file, checked.

    Attributes:
        operations: names of the operations that it calls, each once; none for a claim.
        generated: whether any of its inputs is generated.
        content: what it says.
    """

    operations: tuple[str, ...]
    generated: bool
    content: Content


def case_ids(entry: Heading) -> list[str]:
    """The ids that an entry expands to; nothing is generated for them."""
    if not entry.dtypes:
        return [entry.id]
    return [
        expansion_id(entry, dtype, index, misuse)
        for dtype in entry.dtypes
        for misuse in entry.misuses or ("",)
        for index in range(entry.count)
    ]


def expansion_id(entry: Heading, dtype: str, index: int, misuse: str = "") -> str:
    """`ENTRY/DTYPE`, `/MISUSE` where something is spoilt, and `/INDEX` from 0 where there are several."""
    parts = [entry.id, dtype, *([misuse] if misuse else []), *([str(index)] if entry.count > 1 else [])]
    return "/".join(parts)
