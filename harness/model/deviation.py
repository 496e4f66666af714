"""Deviations: known, cited departures of subjects from the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.case import Scalar, Source


class DeviationKind(StrEnum):
    """What kind of failure a deviation covers; no other.

    ACCURACY: finite values outside the pass line. SEMANTICS: values of another definition, of the
    wrong class included. ERRORS: an error for defined input, or a number for undefined. UNDERFLOW:
    results lost near the subnormal range. RANGE: an overflow that another subject avoids.
    """

    ACCURACY = "accuracy"
    SEMANTICS = "semantics"
    ERRORS = "errors"
    UNDERFLOW = "underflow"
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What an element must be: a relation to a number, or one of `WORDS`."""

    relation: str
    number: float | None = None

    def __str__(self) -> str:
        return self.relation if self.number is None else f"{self.relation} {self.number}"


RELATIONS = ("<=", ">=", "==", "!=", "<", ">")
WORDS = ("finite", "infinite", "nan", "subnormal", "unnormalised")
"""`unnormalised`: in a row that does not sum to exactly 1."""

TRUTH = "truth"
"""Name under which conditions speak of the exact output."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A known departure, with what it covers.

    Attributes:
        id: its name in reports.
        subjects: globs over subject ids.
        versions: what versions the subjects have, as `model.versions` reads it; "" for all.
        operations: names of operations.
        outputs: globs over outputs.
        dtypes: dtypes; empty for all.
        parameters: values that the call's parameters must have.
        inputs: what an element's inputs must be, by name; `truth` for the exact output. An element of a
            row or of a reduction needs one such input among those that it is made of.
        kind: the kind of failure.
        reason: one sentence.
        link: the upstream report, or `unreported`.
        date: when it was written down.
        shown_by: globs over case ids: where a subject that it covers passes one of these, it is stale.
        finding: the id of the finding that it is part of, "" for none.
        misuse: kinds of misuse, one of which must be tried in the call; empty for calls of any kind.
    """

    id: str
    subjects: tuple[str, ...]
    versions: str
    operations: tuple[str, ...]
    outputs: tuple[str, ...]
    kind: DeviationKind
    reason: str
    link: str
    date: str
    shown_by: tuple[str, ...]
    source: Source
    dtypes: tuple[str, ...] = ()
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    inputs: Mapping[str, tuple[Requirement, ...]] = field(default_factory=dict)
    finding: str = ""
    misuse: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One root cause of departures, whatever the dtypes, modes and wrappers that show it.

    Attributes:
        id: what its deviations name it by.
        title: what goes wrong, where.
        framework: whose code it is.
        why: which step of that code cancels, overflows or clips.
        link: the upstream report, or `unreported`.
        case, subject, output: the smallest case of the suite that shows it, and whose output of it does.
    """

    id: str
    title: str
    framework: str
    why: str
    link: str
    case: str
    subject: str
    output: str
    source: Source
