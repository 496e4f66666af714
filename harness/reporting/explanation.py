"""`harness explain` as lines: inputs, truth, and each subject's values down to their bits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.model.agreement import groups
from harness.model.case import Array, Domain
from harness.model.explanation import Element, Explained, Explanation, Known, Reading, Survey
from harness.model.observation import Outcome
from harness.model.verdict import Grade, Kind, Verdict
from harness.oracle.truth import FLOAT64_BITS
from harness.reporting.text import one_line, plural, shorten, visible
from harness.reporting.values import digits
from harness.reporting.where import inputs_at

SHOWN = 8
"""Elements of an output that are shown side by side; of a larger one only the one with the largest error."""
LARGE = 1024
"""Elements of an output beyond which none is shown side by side: its summary must fit on a screen."""
LISTED = 4
"""Elements of a larger output that get a line each, those with the largest errors."""
GIVEN = 8
"""Numbers of an input that are shown."""
WIDTH = 80
"""Characters of an element's inputs that are shown on a line with its error."""
REASON = 160
"""Characters of a reason that are shown."""
OBSERVED = "observed:"
"""What the ids of subjects begin with that were not measured here."""


class Group(NamedTuple):
    """Subjects that gave the same bits, with what they gave."""

    names: Sequence[str]
    array: Array

    @property
    def short(self) -> str:
        """The first of their names, and how many others there are."""
        more = f" and {len(self.names) - 1} more" if len(self.names) > 1 else ""
        return f"{self.names[0]}{more}"


def lines(explained: Explained) -> Iterator[str]:
    """Every call with all its subjects, and what was found about them together."""
    for number, explanation in enumerate(explained.calls):
        yield from [""] * bool(number)
        yield from _call(explanation)
    if explained.rows:
        yield from [""] * bool(explained.calls)
        yield from (f"{row.verdict}  {row.subject}  {visible(row.reason)}" for row in explained.rows)


def _call(explained: Explanation) -> Iterator[str]:
    """One call with all its subjects, and its truth with what decided it."""
    yield from _head(explained)
    yield from _silent(explained)
    for output in dict.fromkeys([*explained.surveys, *(row.output for row in explained.rows)]):
        rows = {row.subject: row for row in explained.rows if row.output == output and row.subject != "document"}
        yield from _output(explained, output, rows)
    yield from _documents(explained.rows)
    if explained.commands:
        yield ""
        yield "Next:"
        yield from (f"  {command}" for command in explained.commands)


def _head(explained: Explanation) -> Iterator[str]:
    call = explained.call
    parameters = ", ".join(f"{name}={value}" for name, value in call.parameters.items())
    yield explained.title
    yield f"{call.operation}({', '.join(call.inputs)}{'; ' + parameters if parameters else ''})  {call.dtype}"
    yield f"truth: {explained.method}"
    if explained.domain is not Domain.INSIDE:
        yield f"{explained.domain} input: {explained.why}"
    for name, array in call.inputs.items():
        shown = ", ".join(digits(x) for x in array.reshape(-1)[:GIVEN])
        more = f", ... {array.size - GIVEN:,} more" if array.size > GIVEN else ""
        yield f"  {name} {list(array.shape)}: {shown}{more}"
    yield from (f"  note: {note}" for note in explained.notes)


def _output(explained: Explanation, output: str, rows: Mapping[str, Verdict]) -> Iterator[str]:
    found = sorted(_groups(explained.arrays(output)), key=lambda group: _farness(rows.get(group.names[0])))
    without = {name: row for name, row in rows.items() if _gave_nothing(explained, row)}
    survey = explained.surveys.get(output, Survey(()))
    if not found and not without and not survey.elements:
        return
    size, count = math.prod(survey.shape), sum(len(group.names) for group in found)
    many = f", in {len(found)} bitwise groups, the nearest to the truth first" if len(found) > 1 else ""
    yield ""
    yield f"{output} {list(survey.shape)}: {plural(count, 'subject')}{many}"
    yield from _summary(found, rows, survey if size > SHOWN else Survey(()))
    yield from (f"  {row.verdict:<9} {name}: {_cut(row.reason)}" for name, row in without.items())
    beside = size if size <= SHOWN else int(size <= LARGE)
    for element in survey.elements[:beside]:
        yield from _side_by_side(explained, element, found)
    others = [e for e in survey.elements[beside : beside + LISTED] if size > SHOWN and _is_off(e)]
    if others:
        yield "  next largest errors:" if beside else "  largest errors:"
        yield from (f"    {_listed(explained, element, found)}" for element in others)


def _gave_nothing(explained: Explanation, row: Verdict) -> bool:
    """Whether a call ended well, but without the output that a verdict is about."""
    seen = explained.observations.get(row.subject)
    return seen is not None and seen.outcome is Outcome.VALUE and row.output not in seen.outputs


def _cut(text: str) -> str:
    return shorten(one_line(text), REASON)


def _groups(arrays: Mapping[str, Array]) -> list[Group]:
    """Subjects by their bits; what was observed elsewhere comes first in its group."""
    found = [sorted(names, key=lambda name: (not name.startswith(OBSERVED), name)) for names in groups(arrays)]
    return [Group(names, arrays[names[0]]) for names in found]


def _joined(names: Sequence[str]) -> list[str]:
    """Names with the modes of one implementation together: `current:tf.nn.softmax@eager,graph`."""
    found: dict[str, list[str]] = {}
    for name in names:
        path, at, mode = name.partition("@")
        found.setdefault(path, []).extend([mode] if at else [])
    return [f"{path}@{','.join(modes)}" if modes else path for path, modes in found.items()]


def _summary(found: Sequence[Group], rows: Mapping[str, Verdict], survey: Survey) -> Iterator[str]:
    """A line for each group, and for each verdict in it; why one doesn't pass."""
    for group in found:
        for names in _judged_alike(group, rows):
            row = rows.get(names[0])
            counts = survey.counts.get(names[0], {})
            graded = ", ".join(f"{count:,} {grade}" for grade, count in counts.items())
            yield f"  {_judged(row) if rows else ''}{', '.join(_joined(names))}{': ' + graded if graded else ''}"
            if row is not None and row.reason and row.verdict is not Kind.PASS:
                yield f"      {_cut(f'{row.deviation}: {row.reason}' if row.deviation else row.reason)}"


def _judged_alike(group: Group, rows: Mapping[str, Verdict]) -> Iterable[Sequence[str]]:
    """The subjects of a group by their verdicts: a known departure of one is a failure of another."""
    found: dict[object, list[str]] = {}
    for name in group.names:
        row = rows.get(name)
        found.setdefault(row and (row.verdict, row.deviation), []).append(name)
    return found.values()


def _farness(row: Verdict | None) -> tuple[int, float]:
    """Where a group stands: by its worst grade, then by its worst error."""
    grades = list(Grade)
    worst = len(grades) if row is None or row.grade is None else grades.index(row.grade)
    return worst, 0.0 if row is None or row.max_ulp is None else abs(row.max_ulp)


def _judged(row: Verdict | None) -> str:
    """A verdict with its grade and largest errors, in columns."""
    if row is None:
        return " " * 65
    ulps = "" if row.max_ulp is None else f"{row.max_ulp:+.3g} ulp"
    bounds = "" if row.max_bound is None else f"{row.max_bound:.2g} B"
    cause = "" if row.cause is None or row.max_ulp is None else f"by {row.cause}"
    return f"{row.verdict:<9} {row.grade or '':<10} {ulps:<14} {bounds:<10} {cause:<17} "


def _silent(explained: Explanation) -> Iterator[str]:
    """Subjects that gave nothing, those that ended alike on one line."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, seen in explained.observations.items():
        if seen.outcome is not Outcome.VALUE:
            verdict = next((str(row.verdict) for row in explained.rows if row.subject == name), "")
            ended = str(seen.outcome) if verdict in ("", seen.outcome) else f"{verdict}, {seen.outcome}"
            reason = f"{seen.error}: {seen.reason}" if seen.error else seen.reason
            found.setdefault((ended, one_line(reason)), []).append(name)
    for (ended, reason), names in found.items():
        yield f"  {ended}: {', '.join(_joined(names))}: {_cut(reason)}"


def _side_by_side(explained: Explanation, element: Element, found: Sequence[Group]) -> Iterator[str]:
    """An element with the truth, and every group's value down to its bits."""
    inputs = _inputs(explained, element)
    yield f"  {list(element.index) if element.index else 'value'}{'  ' + inputs if inputs else ''}"
    if element.truth is not None:
        yield f"    {_enclosed(element.truth)}"
    sizes = [abs(reading.ulps) for reading in element.readings.values() if not math.isnan(reading.ulps)]
    for group in found:
        reading = element.readings.get(group.names[0])
        if reading is not None:
            nearest = bool(sizes) and abs(reading.ulps) == min(sizes) < max(sizes)
            yield f"    {_read(reading)}{'nearest' if nearest else '':<8} {group.short}"


def _inputs(explained: Explanation, element: Element) -> str:
    """What the inputs hold where an element comes from; "" where that is all of them."""
    if element.truth is None or not element.index:
        return ""
    held = inputs_at(explained.call, element.index)
    return ", ".join(f"{name} {text}" for name, text in held if not text.startswith("of shape"))


def _enclosed(truth: Known) -> str:
    """The exact number, the tier that decided it, its enclosure, and what may be lost there."""
    tier = "float64" if truth.bits == FLOAT64_BITS else f"Arb, {truth.bits} bits"
    low = f" {truth.low:+.3g}" if truth.low else ""
    return (
        f"truth {truth.high!r}{low} +- {truth.radius:.2g}  {truth.high.hex()}  by {tier}; "
        f"B {truth.bound:.3g} ({truth.bound / truth.ulp:.3g} ulp), passes to {truth.allowed:.3g}"
    )


def _read(reading: Reading) -> str:
    """A value with its bits and its error, in columns."""
    value = f"{digits(reading.value):<14} {float(reading.value).hex():<22} 0x{_bits(reading):<16}"
    return f"{value} {_error(reading):<26} {reading.grade or '':<10} "


def _error(reading: Reading) -> str:
    return "" if math.isnan(reading.ulps) else f"{reading.ulps:+.4g} ulp, {reading.in_bounds:.2g} B"


def _bits(reading: Reading) -> str:
    return str(reading.value.tobytes()[::-1].hex())


def _listed(explained: Explanation, element: Element, found: Sequence[Group]) -> str:
    """An element on one line, with the group that is farthest from the truth there."""
    group = max(found, key=lambda group: _badness(element.readings.get(group.names[0])))
    reading = element.readings.get(group.names[0])
    given = shorten(_inputs(explained, element), WIDTH)
    place = f"{list(element.index)}  {given}" if given else str(list(element.index))
    if reading is None:
        return place
    truth = "" if element.truth is None else f"truth {element.truth.high:.9g}  "
    return f"{place}  {truth}{digits(reading.value)}  {_error(reading)}  {reading.grade or ''}  {group.short}"


def _is_off(element: Element) -> bool:
    """Whether anybody has an error there; also where there is no truth to say so."""
    return element.truth is None or any(reading.ulps != 0 for reading in element.readings.values())


def _badness(reading: Reading | None) -> float:
    if reading is None:
        return -1.0
    return math.inf if math.isnan(reading.ulps) else abs(reading.ulps)


def _documents(rows: Sequence[Verdict]) -> Iterator[str]:
    for row in rows:
        if row.subject == "document":
            yield ""
            yield f"document: {row.verdict}  prints {row.observed}, truth {row.truth}  {visible(row.reason)}"
