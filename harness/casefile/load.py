"""Case files -> checked entries, or everything that is wrong with all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.casefile import calls, checks, generators, models, statements, tree
from harness.casefile.entries import CallText, CaseText, ClaimText, Entry, RelationText
from harness.casefile.errors import CaseFileErrors, Problem
from harness.casefile.files import label, prefix
from harness.casefile.messages import validated
from harness.casefile.places import Place, Report
from harness.casefile.recipes import Generator
from harness.casefile.tree import Table
from harness.model.case import Source


def load(files: Iterable[Path], root: Path) -> list[Entry]:
    """Read and check case files.

    Args:
        root: the folder `cases/`: ids are relative to it.

    Raises:
        CaseFileErrors: with every problem of every file.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    for file in files:
        report = Report(label(file, root))
        entries += _entries(file, root, report)
        problems += report.problems
    problems += _repeated(entries)
    if problems:
        raise CaseFileErrors(problems)
    return entries


def _repeated(entries: Sequence[Entry]) -> Iterator[Problem]:
    """Ids that entries of two files share. One file's own are reported where it is read."""
    first: dict[str, Source] = {}
    for entry in entries:
        source = first.setdefault(entry.id, entry.source)
        if source.file != entry.source.file:
            message = f"id {entry.id!r} again; it is at {source} already"
            yield Problem(entry.source.file, entry.source.line, 1, "$", message)


def _entries(file: Path, root: Path, report: Report) -> list[Entry]:
    """The entries of a file, without those that something is wrong with."""
    place = _document(file, report)
    if place is None:
        return []
    document = validated(models.Document, tree.plain(place.node, depth=2), place, report)
    name = document.document if document else ""
    lines: dict[str, int] = {}
    file_id, found = prefix(file, root), []
    for at in place.nearest("cases").items() if isinstance(place.node, Table) else ():
        _check_id(at, lines, report)
        entry = _entry(at, file_id, name, report)
        found += [entry] if entry is not None else []
    return found


def _document(file: Path, report: Report) -> Place | None:
    """The root of a file; None if it can't be read."""
    try:
        data = file.read_bytes()
    except OSError as error:
        report.fault(tree.Fault(1, 1, f"can't be read: {error.strerror}"))
        return None
    parsed = tree.parse(data)
    for fault in parsed.faults:
        report.fault(fault)
    if parsed.root is None and not parsed.faults:
        report.fault(tree.Fault(1, 1, "an empty file: a case file has a list under 'cases'"))
    return None if parsed.root is None else Place(parsed.root)


def _check_id(place: Place, lines: dict[str, int], report: Report) -> None:
    at = place.child("id")
    name = at.text() if at else None
    if at is None or name is None:
        return
    if name in lines:
        report.add(at, f"id {name!r} again; it is on line {lines[name]} already")
    lines.setdefault(name, at.node.line)


def _entry(place: Place, file_id: str, document: str, report: Report) -> Entry | None:
    before = len(report)
    values = tree.plain(place.node)
    shape = models.entry_model(values)
    model = validated(shape, values, place, report)
    source = Source(report.file, place.node.line, document, model.source.place if model and model.source else "")
    readers: dict[type, Any] = {models.CaseEntry: _case, models.RelationEntry: _relation, models.ClaimEntry: _claim}
    content = readers[shape](place, model, source, report)
    if model is None or content is None or len(report) > before:
        return None
    called = _calls(content)
    return Entry(
        f"{file_id}:{model.id}",
        {CaseText: "case", RelationText: "relation", ClaimText: "claim"}[type(content)],
        tuple(dict.fromkeys(call.operation.name for call in called)),
        tuple(model.dtypes) if isinstance(model, models.Expanded) else (),
        model.count if isinstance(model, models.Expanded) else 1,
        bool(_recipes(called)),
        source,
        content,
    )


def _calls(content: CaseText | RelationText | ClaimText) -> list[CallText]:
    if isinstance(content, CaseText):
        return [content.call]
    return list(content.calls.values()) if isinstance(content, RelationText) else []


def _recipes(called: Sequence[CallText]) -> list[Generator]:
    return [recipe for call in called for recipe in call.inputs.values() if isinstance(recipe, Generator)]


def _case(place: Place, model: models.CaseEntry | None, source: Source, report: Report) -> CaseText | None:
    before = len(report)
    call = calls.read(place, model, report)
    expect = place.child("expect")
    printed = statements.printed(expect, report) if expect else None
    gives = statements.gives(expect, report) if expect else {}
    if model is None or call is None or len(report) > before:
        return None
    per = statements.stated(expect, model.expect.per, gives, source) if expect else ()
    outcomes = frozenset(model.expect.undefined or ())
    case = CaseText(call, outcomes, bool(model.expect.agree), printed, model.expect.claimed or "", per)
    _check_count(place, model, [call], report)
    checks.check_case(place, case, model.dtypes, report)
    return case


def _relation(place: Place, model: models.RelationEntry | None, source: Source, report: Report) -> RelationText | None:
    before = len(report)
    related = calls.related(place, model, report)
    gives = statements.gives(place, report)
    if model is None or related is None or len(report) > before:
        return None
    relation = RelationText(model.relation, related, statements.stated(place, model.per, gives, source))
    _check_count(place, model, list(related.values()), report)
    checks.check_relation(place, relation, model.dtypes, report)
    return relation


def _claim(_place: Place, model: models.ClaimEntry | None, _source: Source, _report: Report) -> ClaimText | None:
    if model is None:
        return None
    return ClaimText(model.claim.parses, tuple(model.claim.defines or ()), tuple(model.claim.uses or ()))


def _check_count(place: Place, model: models.Expanded, called: Sequence[CallText], report: Report) -> None:
    if model.count > 1 and not any(generators.is_random(recipe) for recipe in _recipes(called)):
        report.add(place.nearest("count"), f"count {model.count}, but nothing is drawn: all would be the same case")
