"""An entry as it is written -> an entry, checked; its parts are read even where pydantic objects to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from harness.casefile import calls, checks, generators, models, statements, tree
from harness.casefile.entries import CallText, CaseText, ClaimText, Content, Entry, Heading, MisuseText, RelationText
from harness.casefile.messages import validated
from harness.casefile.places import Place, Report
from harness.casefile.recipes import Generator
from harness.model.case import Against, Source, Within
from harness.operations import OPERATIONS, misuse
from harness.operations.misuse import ALL

KINDS = {
    models.CaseEntry: "case",
    models.MisuseEntry: "misuse",
    models.RelationEntry: "relation",
    models.ClaimEntry: "claim",
}


class Context(NamedTuple):
    """What the entries of a file have in common.

    Attributes:
        ids: what their ids begin with.
        document: the document that they are taken from.
        report: where problems go.
    """

    ids: str
    document: str
    report: Report


def entry(place: Place, context: Context) -> Entry | None:
    """Read an entry; None if anything in it is wrong."""
    report = context.report
    before = len(report)
    values = tree.plain(place.node)
    shape = models.entry_model(values)
    model = validated(shape, values, place, report)
    source = _source(place, model, context)
    content = _READERS[shape](place, model, source, report)
    if model is None or content is None:
        checks.check_numbers(place, report)
        return None
    called = _calls(content)
    if isinstance(model, models.Expanded):
        _check_count(place, model, called, report)
        checks.check(place, content, model.dtypes, report)
    if len(report) > before:
        return None
    operations = tuple(dict.fromkeys(call.operation.name for call in called))
    return Entry(*_heading(context, shape, model, source), operations, bool(_recipes(called)), content)


def heading(place: Place, context: Context) -> Heading | None:
    """Read what an entry is called and expands to; its content is not looked into."""
    values = tree.plain(place.node, depth=2)
    shape = models.entry_model(values)
    model = validated(models.HEADINGS[shape], values, place, context.report)
    return None if model is None else Heading(*_heading(context, shape, model, _source(place, model, context)))


def _source(place: Place, model: models.Identified | None, context: Context) -> Source:
    stands = model.source.place if model is not None and model.source is not None else ""
    return Source(context.report.file, place.node.line, context.document, stands)


def _heading(
    context: Context, shape: type[models.AnyEntry], model: models.Identified, source: Source
) -> tuple[str, str, tuple[str, ...], tuple[str, ...], int, Source]:
    dtypes, count = (tuple(model.dtypes), model.count) if isinstance(model, models.Expanded) else ((), 1)
    misuses = _misuses(model) if isinstance(model, models.MisuseEntry | models.MisuseHeading) else ()
    return f"{context.ids}:{model.id}", KINDS[shape], dtypes, misuses, count, source


def _calls(content: Content) -> list[CallText]:
    if isinstance(content, CaseText | MisuseText):
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
    line = statements.tolerance(model.expect.tolerance)
    return CaseText(call, outcomes, bool(model.expect.agree), printed, model.expect.claimed or "", per, line)


def _misuse(place: Place, model: models.MisuseEntry | None, _source: Source, report: Report) -> MisuseText | None:
    call = calls.read(place, model, report)
    return None if model is None or call is None else MisuseText(call, _misuses(model))


def _misuses(model: models.MisuseEntry | models.MisuseHeading) -> tuple[str, ...]:
    return misuse.kinds(OPERATIONS[model.operation]) if ALL in model.misuse else tuple(model.misuse)


def _relation(place: Place, model: models.RelationEntry | None, source: Source, report: Report) -> RelationText | None:
    before = len(report)
    related = calls.related(place, model, report)
    gives = statements.gives(place, report)
    if model is None or related is None or len(report) > before:
        return None
    per = statements.stated(place, model.per, gives, source)
    return RelationText(model.relation, related, per, Within(model.within), Against(model.against))


def _claim(_place: Place, model: models.ClaimEntry | None, _source: Source, _report: Report) -> ClaimText | None:
    if model is None:
        return None
    return ClaimText(model.claim.parses, tuple(model.claim.defines or ()), tuple(model.claim.uses or ()))


_READERS: dict[type, Any] = {
    models.CaseEntry: _case,
    models.MisuseEntry: _misuse,
    models.RelationEntry: _relation,
    models.ClaimEntry: _claim,
}


def _check_count(place: Place, model: models.Expanded, called: Sequence[CallText], report: Report) -> None:
    if model.count > 1 and not any(generators.is_random(recipe) for recipe in _recipes(called)):
        report.add(place.nearest("count"), f"count {model.count}, but nothing is drawn: all would be the same case")
