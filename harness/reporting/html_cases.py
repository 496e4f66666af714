"""What the HTML report shows of a case: inputs, values side by side, who agrees with whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.model.agreement import groups
from harness.model.case import Array
from harness.model.observation import Outcome
from harness.model.run import Record, Results
from harness.model.verdict import Kind, Tolerance, Verdict
from harness.reporting import overview, repro
from harness.reporting.text import shorten
from harness.reporting.values import FAR_ULPS, digits, hexadecimal, measure, shape_text, ulps

ELEMENTS = 24
"""Elements shown of an array."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MESSAGE = 2000
"""Characters shown of a framework's message."""


class Values(NamedTuple):
    """An input: its first elements as (digits, hexadecimal), and how many more there are."""

    name: str
    dtype: str
    shape: str
    elements: Sequence[tuple[str, str]]
    more: int


class Group(NamedTuple):
    """Subjects that gave the same bits."""

    letter: str
    subjects: Sequence[str]
    dtype: str
    shape: str
    outlier: bool


class Cell(NamedTuple):
    """One group's element: digits, exact value, signed ulps, and its mark.

    The mark is `off` outside the verdict's rtol and atol or of another class, `far` within them
    though further than `FAR_ULPS` from the truth, else "".
    """

    text: str
    exact: str
    ulps: str
    mark: str


class Element(NamedTuple):
    """One element side by side: the truth and every group's value."""

    place: str
    truth: str | None
    cells: Sequence[Cell | None]


class Judged(NamedTuple):
    """Subjects that gave the same bits and were judged alike, with the verdict of the first.

    `repro` is the command that writes a failure or deviation as a script, "" if there is none.
    """

    verdict: Verdict
    group: Group | None
    subjects: Sequence[str]
    repro: str


class Output(NamedTuple):
    """An output of a case: what everybody gave, and how it was judged."""

    name: str
    groups: Sequence[Group]
    majority: bool
    has_truth: bool
    elements: Sequence[Element]
    more: int
    judged: Sequence[Judged]
    tolerance: bool


class Silence(NamedTuple):
    """Subjects that gave no value, for one and the same reason."""

    outcome: str
    error: str
    reason: str
    subjects: Sequence[str]


class Case(NamedTuple):
    """A case with all that was observed of it."""

    anchor: str
    id: str
    operation: str
    source: str
    kinds: Mapping[Kind, int]
    worst: Kind
    parameters: Sequence[tuple[str, str]]
    inputs: Sequence[Values]
    outputs: Sequence[Output]
    silences: Sequence[Silence]


def values(name: str, array: Array) -> Values:
    """The first elements of an input."""
    first = [(digits(x), hexadecimal(x)) for x in array.flat[:ELEMENTS]]
    return Values(name, array.dtype.name, shape_text(array.shape), first, max(0, array.size - ELEMENTS))


def letter(position: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    return LETTERS[position % len(LETTERS)] + str(position // len(LETTERS) or "")


def agreement(outputs: Mapping[str, Array]) -> list[Group]:
    """Groups of identical bits; outliers are all but the largest, if one is the largest."""
    found = groups(outputs)
    majority = len(found) == 1 or (len(found) > 1 and len(found[0]) > len(found[1]))
    return [
        Group(letter(i), names, outputs[names[0]].dtype.name, shape_text(outputs[names[0]].shape), majority and i > 0)
        for i, names in enumerate(found)
    ]


def mark(error: float, value: float, truth: float, tolerance: Tolerance | None) -> str:
    """The mark of an element that is `error` ulps off; `Cell` has the meaning."""
    if abs(error) <= FAR_ULPS:
        return ""
    within = tolerance is not None and abs(value - truth) <= tolerance.atol + tolerance.rtol * abs(truth)
    return "far" if within else "off"


def column(array: Array, truth: Array | None, tolerance: Tolerance | None) -> list[Cell]:
    """A group's first elements, with their errors where there is a truth of the same shape."""
    flat = array.flat[:ELEMENTS]
    same_shape = truth is not None and array.shape == truth.shape
    exact = truth.flat[:ELEMENTS] if truth is not None and same_shape else None
    errors = None if exact is None else ulps(flat, exact)
    if exact is None or errors is None:
        return [Cell(digits(x), hexadecimal(x), "", "") for x in flat]
    return [
        Cell(digits(x), hexadecimal(x), measure(e, "+"), mark(e, float(x), t, tolerance))
        for x, e, t in zip(flat, errors.tolist(), exact.tolist(), strict=True)
    ]


def elements(shape: tuple[int, ...], truth: Array | None, columns: Sequence[Sequence[Cell]]) -> Iterator[Element]:
    """The rows of the table of values."""
    count = max((len(cells) for cells in columns), default=0)
    exact = [] if truth is None else [digits(x) for x in truth.flat[:ELEMENTS]]
    for i in range(max(count, len(exact))):
        inside = i < int(np.prod(shape))
        place = ", ".join(str(int(k)) for k in np.unravel_index(i, shape)) if inside and shape else str(i)
        cells = [cells[i] if i < len(cells) else None for cells in columns]
        yield Element(place, exact[i] if i < len(exact) else None, cells)


def alike(verdict: Verdict) -> tuple[object, ...]:
    """What a row of verdicts says, apart from the subject; as text, since NaN differs from itself."""
    errors = (measure(verdict.max_ulp), measure(verdict.max_relative), measure(verdict.max_absolute))
    words = (verdict.reason, verdict.deviation, verdict.domain, overview.finding(verdict))
    return verdict.verdict, verdict.grade, errors, words, str(verdict.tolerance)


def judged(verdicts: Sequence[Verdict], agreed: Sequence[Group]) -> list[Judged]:
    """Verdicts in the order of the groups, one row for those that say the same."""
    member = {subject: group for group in agreed for subject in group.subjects}
    found: dict[tuple[object, ...], list[Verdict]] = {}
    for group in (*agreed, None):
        for verdict in verdicts:
            if member.get(verdict.subject) is group:
                found.setdefault((group and group.letter, *alike(verdict)), []).append(verdict)
    return [
        Judged(own[0], member.get(own[0].subject), [v.subject for v in own], repro.command(own[0]))
        for own in found.values()
    ]


def output(name: str, verdicts: Sequence[Verdict], record: Record | None) -> Output:
    """One output of a case."""
    found = observed(name, record)
    truth = record.truth.get(name) if record else None
    agreed = agreement(found)
    firsts = [found[group.subjects[0]] for group in agreed]
    arrays = [*([] if truth is None else [truth]), *firsts]
    tolerances = {verdict.subject: verdict.tolerance for verdict in verdicts}
    columns = [column(found[names[0]], truth, tolerances.get(names[0])) for _, names, *_ in agreed]
    return Output(
        name=name,
        groups=agreed,
        majority=len(agreed) == 1 or any(group.outlier for group in agreed),
        has_truth=truth is not None,
        elements=list(elements(arrays[0].shape, truth, columns)) if arrays else [],
        more=max((array.size - ELEMENTS for array in arrays), default=0),
        judged=judged(verdicts, agreed),
        tolerance=any(verdict.tolerance for verdict in verdicts),
    )


def observed(name: str, record: Record | None) -> dict[str, Array]:
    """What each subject gave for an output."""
    if record is None:
        return {}
    return {subject: seen.outputs[name] for subject, seen in record.observations.items() if name in seen.outputs}


def silences(record: Record | None) -> list[Silence]:
    """Subjects that failed to give a value, gathered by what they said; verdicts tell of those not asked."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for subject, seen in record.observations.items() if record else ():
        if seen.outcome not in {Outcome.VALUE, Outcome.UNSUPPORTED, Outcome.UNAVAILABLE}:
            found.setdefault((seen.outcome, seen.error, shorten(seen.reason, MESSAGE)), []).append(subject)
    return [Silence(*key, subjects) for key, subjects in found.items()]


def case(anchor: str, verdicts: Sequence[Verdict], results: Results) -> Case:
    """All that is known of one case; `verdicts` are its own, at least one."""
    first, record = verdicts[0], results.record(verdicts[0].case)
    names = dict.fromkeys(verdict.output for verdict in verdicts)
    kinds = overview.counts(verdicts)
    return Case(
        anchor=anchor,
        id=first.case,
        operation=first.operation or "",
        source=first.source,
        kinds={kind: kinds[kind] for kind in overview.SEVERITY if kinds[kind]},
        worst=overview.worst(verdict.verdict for verdict in verdicts),
        parameters=[(name, str(value)) for name, value in record.parameters.items()] if record else [],
        inputs=[values(name, array) for name, array in record.inputs.items()] if record else [],
        outputs=[output(name, [v for v in verdicts if v.output == name], record) for name in names],
        silences=silences(record),
    )
