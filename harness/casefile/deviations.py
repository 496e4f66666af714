"""`cases/deviations.yaml` -> the known deviations, or everything that is wrong with the file at once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue

from harness.casefile import tree
from harness.casefile.errors import CaseFileErrors, unknown
from harness.casefile.files import DEVIATIONS, names
from harness.casefile.load import check_id, document
from harness.casefile.messages import validated
from harness.casefile.models import (
    CASE_ID,
    ID,
    OUTPUT,
    SUBJECT_ID,
    DtypeName,
    OneOf,
    OperationName,
    Scalar,
    Versions,
    listed,
)
from harness.casefile.places import Place, Report
from harness.casefile.recipes import Model
from harness.model.case import Source
from harness.model.deviation import RELATIONS, TRUTH, WORDS, Deviation, DeviationKind, Finding, Requirement
from harness.operations import OPERATIONS
from harness.operations.base import VALUE, Operation
from harness.operations.misuse import KINDS
from harness.oracle.formats import FORMATS

T = TypeVar("T")
UNREPORTED = "unreported"
DEPTH = 4
"""Levels of a file: the mapping, the list, an entry, what it lists."""

COMPARED = re.compile(rf"({'|'.join(map(re.escape, RELATIONS))})\s*(\S+)")
LINK = re.compile(r"https://[^\s/]+/\S+")
CASE_GLOB = re.compile(r"[\w./*?\[\]!-]+:[\w./*?\[\]!-]+", re.ASCII)


def _one_or_more(item: JsonSchemaValue) -> JsonSchemaValue:
    """The schema of one such thing, or a list of them."""
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _link(text: str) -> str:
    if text != UNREPORTED and not LINK.fullmatch(text):
        raise ValueError(f"{text!r} is no link: the address of the report (https://...), or {UNREPORTED}")
    return text


def _date(text: str) -> str:
    try:
        canonical = date.fromisoformat(text).isoformat() == text
    except ValueError:
        canonical = False
    if not canonical:
        raise ValueError(f"{text!r} is no date: write it as in 2026-11-23")
    return text


def _case_glob(text: str) -> str:
    if not CASE_GLOB.fullmatch(text):
        raise ValueError(f"{text!r} is no glob over case ids: write it as in operations/sigmoid:boundaries/float32")
    return text


def _condition(text: str) -> str:
    tests(text)
    return text


Texts = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    BeforeValidator(listed),
    Field(min_length=1),
    WithJsonSchema(_one_or_more({"type": "string"})),
]
Operations = Annotated[
    list[OperationName],
    BeforeValidator(listed),
    Field(min_length=1),
    WithJsonSchema(_one_or_more({"enum": list(OPERATIONS)})),
]
Dtypes = Annotated[
    list[DtypeName],
    BeforeValidator(listed),
    Field(min_length=1),
    WithJsonSchema(_one_or_more({"enum": list(FORMATS)})),
]
CaseGlobs = Annotated[
    list[Annotated[str, AfterValidator(_case_glob)]],
    BeforeValidator(listed),
    Field(min_length=1),
    WithJsonSchema(_one_or_more({"type": "string", "pattern": f"^{CASE_GLOB.pattern}$"})),
]
Link = Annotated[
    str, AfterValidator(_link), WithJsonSchema({"type": "string", "pattern": f"^({UNREPORTED}|{LINK.pattern})$"})
]
Date = Annotated[str, AfterValidator(_date), WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"})]


class DeviationEntry(Model):
    """A known departure of subjects from the truth."""

    id: str = Field(pattern=ID)
    subjects: Texts = Field(description="Globs over subject ids.")
    versions: Versions = ""
    operations: Operations
    outputs: Texts = Field(description="Globs over outputs: value, gradient:logits.")
    dtypes: Dtypes = Field(default_factory=list)
    parameters: dict[str, Scalar] = Field(default_factory=dict)
    inputs: dict[str, Annotated[str, AfterValidator(_condition)]] = Field(
        default_factory=dict,
        description="What an element's inputs must be: {logits: '< 0', labels: '== 0'}; truth: its exact value.",
    )
    misuse: list[Annotated[str, OneOf("misuse", KINDS)]] = Field(
        default_factory=list, description="What must be spoilt in the call, if it is about misuse."
    )
    kind: Literal["accuracy", "semantics", "errors", "underflow", "range"]
    reason: str = Field(min_length=1, description="Why it is so, in one sentence.")
    link: Link = Field(description="Where it is reported, or unreported.")
    date: Date = Field(description="When it was written down.")
    shown_by: CaseGlobs = Field(
        default_factory=list, description="Globs over ids of cases that show it: who passes one makes it stale."
    )
    finding: str = Field(default="", description="The id of the finding, one root cause, that it is part of.")


class FindingEntry(Model):
    """One root cause of departures."""

    id: str = Field(pattern=ID)
    title: str = Field(min_length=1, description="What goes wrong, where.")
    framework: str = Field(min_length=1, description="Whose code it is.")
    why: str = Field(min_length=1, description="Which step of that code cancels, overflows or clips.")
    link: Link = Field(description="Where it is reported, or unreported.")
    case: str = Field(pattern=CASE_ID, description="The smallest case that shows it.")
    subject: str = Field(pattern=SUBJECT_ID, description="Who shows it there: current:torch.sigmoid@eager.")
    output: str = Field(default=VALUE, pattern=OUTPUT, description="Which output does: value, gradient:logits.")


class Deviations(Model):
    """The file."""

    deviations: list[Any] = Field(min_length=1)
    findings: list[Any] = Field(default_factory=list)


class Known(NamedTuple):
    """What a file lists."""

    deviations: tuple[Deviation, ...] = ()
    findings: tuple[Finding, ...] = ()


def load(root: Path) -> tuple[Deviation, ...]:
    """The deviations that `deviations.yaml` in the folder `cases/` lists; none without the file.

    Raises:
        CaseFileErrors: with every problem of the file.
    """
    return load_known(root).deviations


def load_known(root: Path) -> Known:
    """The same with the findings that they are part of.

    Raises:
        CaseFileErrors: with every problem of the file.
    """
    file = root / DEVIATIONS
    return read_known(file, root) if file.is_file() else Known()


def read(file: Path, root: Path) -> tuple[Deviation, ...]:
    """The deviations of a file.

    Raises:
        CaseFileErrors: with every problem of the file.
    """
    return read_known(file, root).deviations


def read_known(file: Path, root: Path) -> Known:
    """The deviations and findings of a file.

    Raises:
        CaseFileErrors: with every problem of the file.
    """
    shown, _ = names(file, root.resolve())
    report = Report(shown)
    place = document(file, report, "deviations")
    known = Known()
    if place is not None:
        validated(Deviations, tree.plain(place.node, depth=2), place, report)
        deviations = _entries(place, "deviations", _deviation, report)
        findings = _entries(place, "findings", _finding, report)
        _check_findings(place, findings, {each.finding for each in deviations}, report)
        known = Known(tuple(deviations), tuple(findings))
    if report.problems:
        raise CaseFileErrors(list(report.problems))
    return known


def _entries(place: Place, key: str, made: Callable[[Place, Report], T | None], report: Report) -> list[T]:
    at, lines, found = place.child(key), dict[str, int](), list[T]()
    for entry in at.items() if at is not None else ():
        check_id(entry, lines, report)
        each = made(entry, report)
        found += [each] if each is not None else []
    return found


def _check_findings(place: Place, findings: Sequence[Finding], named: set[str], report: Report) -> None:
    """Whether deviations name findings that there are, and each finding is named."""
    known = {finding.id for finding in findings}
    for entry in place.nearest("deviations").items():
        at = entry.child("finding")
        if at is not None and at.text() not in known:
            report.add(at, unknown("finding", at.text() or "", sorted(known)))
    at = place.child("findings")
    for entry in at.items() if at is not None else ():
        own = entry.child("id")
        if own is not None and own.text() in known - named:
            report.add(own, f"no deviation is part of finding {own.text()!r}")


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
        number = float(compared[2]) if compared else math.nan
    except ValueError:
        number = math.nan
    return _no_test(text) if compared is None or math.isnan(number) else Requirement(compared[1], number)


def _no_test(text: str) -> Requirement:
    raise ValueError(f"{text!r} is no condition: {', '.join(RELATIONS)} and a number, or {', '.join(WORDS)}")


def _deviation(place: Place, report: Report) -> Deviation | None:
    entry = validated(DeviationEntry, tree.plain(place.node, depth=DEPTH), place, report)
    _check_operations(place, report)
    if entry is None:
        return None
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
        entry.finding,
        tuple(entry.misuse),
    )


def _finding(place: Place, report: Report) -> Finding | None:
    entry = validated(FindingEntry, tree.plain(place.node, depth=DEPTH), place, report)
    if entry is None:
        return None
    return Finding(**entry.model_dump(), source=Source(report.file, place.node.line))


def _check_operations(place: Place, report: Report) -> None:
    """Whether some of the operations have such outputs, parameters and inputs; unknown ones say nothing."""
    operations = _operations(place)
    if not operations:
        return
    _check_outputs(place, {VALUE} | {name for o in operations for name in o.outputs}, report)
    _check_names(place, "inputs", {i.name for o in operations for i in o.inputs} | {TRUTH}, report)
    _check_names(place, "parameters", {p.name for o in operations for p in o.parameters}, report)
    if place.nearest("kind").text() != DeviationKind.ERRORS:
        _check_parameters(place, operations, report)


def _operations(place: Place) -> Sequence[Operation]:
    known = [OPERATIONS.get(at.text() or "") for at in _one_or_all(place, "operations")]
    return [operation for operation in known if operation is not None]


def _one_or_all(place: Place, key: str) -> Iterable[Place]:
    """What is listed under a key, or the one thing that stands there."""
    at = place.child(key)
    if at is None:
        return ()
    return at.items() if isinstance(at.node, tree.Sequence) else (at,)


def _check_outputs(place: Place, known: set[str], report: Report) -> None:
    for at in _one_or_all(place, "outputs"):
        glob = at.text()
        if glob and not any(fnmatchcase(name, glob) for name in known):
            report.add(at, unknown("output", glob, sorted(known, reverse=True)))


def _check_names(place: Place, key: str, known: set[str], report: Report) -> None:
    at = place.child(key)
    for name, _ in at.table() if at is not None else ():
        if at is not None and name not in known:
            report.add(at.key(name), unknown(key[:-1], name, sorted(known)))


def _check_parameters(place: Place, operations: Sequence[Operation], report: Report) -> None:
    """Whether the operations are defined for the parameters' values: only errors can be about what isn't."""
    at = place.child("parameters")
    for name, given in at.table() if at is not None else ():
        if not isinstance(given.node, tree.Scalar) or given.node.value is None:
            continue
        value = given.node.value
        objections = [p.objection(value) for o in operations for p in o.parameters if p.name == name]
        if objections and all(objections):
            report.add(given, f"{objections[0]}: only a deviation of kind errors can be about that")
