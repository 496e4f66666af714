"""What is expected, as it is written: printed digits, and what is stated of single subjects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.casefile import models
from harness.casefile.entries import StatementText
from harness.casefile.literals import Nested, interval, nested, real
from harness.casefile.places import Place, Report
from harness.casefile.tree import Sequence
from harness.model.case import Departure, Printed, Source, StatedTolerance

Gives = Mapping[tuple[str, int], Nested[float] | None]


def printed(place: Place, report: Report) -> Printed | None:
    """The numbers under `printed`, digit for digit; None if there are none or they are wrong."""
    at = place.child("printed")
    numbers = nested(at, interval, report) if at is not None else None
    return Printed(numbers.shape, numbers.leaves) if numbers is not None else None


def tolerance(model: models.StatedTolerance | None) -> StatedTolerance | None:
    """The pass line that a case states instead of the bounds, if it does."""
    return StatedTolerance(model.rtol, model.atol, model.reason) if model else None


def gives(place: Place, report: Report) -> Gives:
    """The numbers under each `gives` of a `per`, by glob and place in its list."""
    found = {}
    for glob, number, _, at in each(place):
        given = at.child("gives")
        found[glob, number] = nested(given, real, report) if given is not None else None
    return found


def each(place: Place) -> Iterator[tuple[str, int, int, Place]]:
    """The statements of a `per`: glob, number in its list, line, and place."""
    per = place.child("per")
    if per is None:
        return
    for glob, at in per.table():
        if isinstance(at.node, Sequence):
            for number, item in enumerate(at.items()):
                yield glob, number, item.node.line, item
        else:
            yield glob, 0, per.key(glob).node.line, at


def stated(
    place: Place, per: Mapping[str, list[models.Statement]], given: Gives, source: Source
) -> tuple[StatementText, ...]:
    """The statements of a `per` that pydantic has checked."""
    return tuple(
        _statement(
            glob, per[glob][number], given[glob, number], Source(source.file, line, source.document, source.place)
        )
        for glob, number, line, _ in each(place)
    )


def _statement(glob: str, model: models.Statement, given: Nested[float] | None, source: Source) -> StatementText:
    departs = Departure(model.fails) if model.fails else None
    return StatementText(
        glob,
        model.output,
        frozenset(model.undefined or ()),
        Departure.VALUE if given is not None else departs,
        given,
        model.reason,
        source,
        model.versions,
    )
