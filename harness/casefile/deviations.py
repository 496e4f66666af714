"""`cases/deviations.yaml` -> the known deviations, or everything that is wrong with the file at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from harness.casefile import tree
from harness.casefile.errors import CaseFileErrors, unknown
from harness.casefile.files import names
from harness.casefile.load import check_id, document
from harness.casefile.messages import validated
from harness.casefile.models import ID, DtypeName, OperationName, Scalar, listed
from harness.casefile.places import Place, Report
from harness.casefile.recipes import Model
from harness.model.case import Source
from harness.model.deviation import RELATIONS, TRUTH, WORDS, Deviation, DeviationKind, Requirement
from harness.operations import OPERATIONS

FILE = "deviations.yaml"
UNREPORTED = "unreported"
DEPTH = 4
"""Levels of a file: the mapping, the list, an entry, what it lists."""

COMPARED = re.compile(rf"({'|'.join(map(re.escape, RELATIONS))})\s*(\S+)")
TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


def _specifier(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier as error:
        raise ValueError(f"{text!r} is no version specifier: write it as in >=2.0,<2.14") from error
    return text


def _link(text: str) -> str:
    if text != UNREPORTED and not text.startswith("https://"):
        raise ValueError(f"{text!r} is no link: the address of the report (https://...), or {UNREPORTED}")
    return text


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no date: write it as in 2026-11-23") from error
    return text


def _condition(text: str) -> str:
    tests(text)
    return text


Texts = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    BeforeValidator(listed),
    Field(min_length=1),
    WithJsonSchema(TEXTS),
]
Operations = Annotated[list[OperationName], BeforeValidator(listed), Field(min_length=1), WithJsonSchema(TEXTS)]
Dtypes = Annotated[list[DtypeName], BeforeValidator(listed), WithJsonSchema(TEXTS)]


class DeviationEntry(Model):
    """A known departure of subjects from the truth."""

    id: str = Field(pattern=ID)
    subjects: Texts = Field(description="Globs over subject ids.")
    versions: Annotated[str, AfterValidator(_specifier)] = Field(default="", description="Of the framework: >=2.0,<3.")
    operations: Operations
    outputs: Texts = Field(description="Globs over outputs: value, gradient:logits.")
    dtypes: Dtypes = Field(default_factory=list)
    parameters: dict[str, Scalar] = Field(default_factory=dict)
    inputs: dict[str, Annotated[str, AfterValidator(_condition)]] = Field(
        default_factory=dict,
        description="What an element's inputs must be: {logits: '< 0', labels: '== 0'}; truth: its exact value.",
    )
    kind: Literal["accuracy", "semantics", "errors", "underflow", "range"]
    reason: str = Field(min_length=1, description="Why it is so, in one sentence.")
    link: Annotated[str, AfterValidator(_link)] = Field(description="Where it is reported, or unreported.")
    date: Annotated[str, AfterValidator(_date)] = Field(description="When it was written down.")
    shown_by: Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(listed), WithJsonSchema(TEXTS)] = (
        Field(default_factory=list, description="Globs over ids of cases that show it: who passes one makes it stale.")
    )


class Deviations(Model):
    """The file."""

    deviations: list[Any] = Field(min_length=1)


def load(root: Path) -> tuple[Deviation, ...]:
    """The deviations that `deviations.yaml` in the folder `cases/` lists; none without the file.

    Raises:
        CaseFileErrors: with every problem of the file.
    """
    file = root / FILE
    return read(file, root) if file.is_file() else ()


def read(file: Path, root: Path) -> tuple[Deviation, ...]:
    """The deviations of a file.

    Raises:
        CaseFileErrors: with every problem of the file.
    """
    shown, _ = names(file, root.resolve())
    report = Report(shown)
    place = document(file, report, "deviations")
    found: list[Deviation] = []
    if place is not None:
        validated(Deviations, tree.plain(place.node, depth=2), place, report)
        at, lines = place.child("deviations"), dict[str, int]()
        for entry in at.items() if at is not None else ():
            check_id(entry, lines, report)
            deviation = _deviation(entry, report)
            found += [deviation] if deviation is not None else []
    if report.problems:
        raise CaseFileErrors(list(report.problems))
    return tuple(found)


def tests(text: str) -> tuple[Requirement, ...]:
    """A condition such as `> 0 and <= 1` or `subnormal`.

    Raises:
        ValueError: it is none.
    """
    return tuple(_test(part.strip()) for part in text.split(" and "))


def _test(text: str) -> Requirement:
    if text in WORDS:
        return Requirement(text)
    compared = COMPARED.fullmatch(text)
    try:
        return Requirement(compared[1], float(compared[2])) if compared else _no_test(text)
    except ValueError:
        return _no_test(text)


def _no_test(text: str) -> Requirement:
    raise ValueError(f"{text!r} is no condition: {', '.join(RELATIONS)} and a number, or {', '.join(WORDS)}")


def _deviation(place: Place, report: Report) -> Deviation | None:
    entry = validated(DeviationEntry, tree.plain(place.node, depth=DEPTH), place, report)
    if entry is None:
        return None
    _check_names(
        place, "parameters", entry.parameters, {p.name for o in _operations(entry) for p in o.parameters}, report
    )
    inputs = {i.name for o in _operations(entry) for i in o.inputs} | {TRUTH}
    _check_names(place, "inputs", entry.inputs, inputs, report)
    return Deviation(
        entry.id,
        tuple(entry.subjects),
        entry.versions,
        tuple(entry.operations),
        tuple(entry.outputs),
        DeviationKind(entry.kind),
        entry.reason,
        entry.link,
        entry.date,
        tuple(entry.shown_by),
        Source(report.file, place.node.line),
        tuple(entry.dtypes),
        entry.parameters,
        {name: tests(condition) for name, condition in entry.inputs.items()},
    )


def _operations(entry: DeviationEntry) -> Sequence[Any]:
    return [OPERATIONS[name] for name in entry.operations]


def _check_names(place: Place, key: str, given: Mapping[str, Any], known: set[str], report: Report) -> None:
    """Whether the operations have such parameters or inputs."""
    for name in given:
        at = place.child(key)
        if name not in known and at is not None:
            report.add(at.key(name), unknown(key[:-1], name, sorted(known)))
