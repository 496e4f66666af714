"""What the HTML report shows of a case: inputs, values side by side, who agrees with whom."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from harness.model.agreement import groups
from harness.model.case import Array, Expectation, Source
from harness.model.case import Case as Call
from harness.model.observation import Outcome
from harness.model.run import Record, Results
from harness.model.verdict import Kind, Verdict
from harness.operations import OPERATIONS
from harness.oracle.formats import FORMATS
from harness.oracle.truth import evaluate
from harness.reporting import overview, repro
from harness.reporting.curves import pass_line
from harness.reporting.text import shorten
from harness.reporting.values import FAR_ULPS, digits, hexadecimal, measure, shape_text, ulps
from harness.reporting.where import inputs_at

ELEMENTS = 24
"""Elements shown of an array, from its first on."""
NAMED = 8
"""Elements shown beyond those, because verdicts name them: of what doesn't pass first."""

LARGE = 1 << 16
"""Elements of an input beyond which the pass line isn't computed once more: whatever is far is marked there."""

Told = Callable[[tuple[int, ...]], str]
"""What the inputs hold at an element."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MESSAGE = 2000
"""Characters shown of a framework's message."""


class Values(NamedTuple):
    """An input: its first elements as (digits, hexadecimal), how many make a row, and how many more there are."""

    name: str
    dtype: str
    shape: str
    elements: Sequence[tuple[str, str]]
    row: int
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

    The mark is `off` outside the pass line or of another class, `far` inside though further than
    `FAR_ULPS` from the truth, else "".
    """

    text: str
    exact: str
    ulps: str
    mark: str


class Element(NamedTuple):
    """One element side by side: the truth and every group's value; of one that verdicts name, the inputs there."""

    place: str
    given: str
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
    row = array.shape[-1] if array.ndim > 1 else 0
    return Values(name, array.dtype.name, shape_text(array.shape), first, row, max(0, array.size - ELEMENTS))


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


def limits(verdicts: Sequence[Verdict], record: Record | None) -> dict[str, Array]:
    """What each element may be off, in ulps, of the outputs that somebody has wrong; none of large calls."""
    wrong = {v.output for v in verdicts if v.verdict is not Kind.PASS and v.grade is not None and not v.grade.passes}
    if record is None or not wrong & record.truth.keys() or record.operation not in OPERATIONS:
        return {}
    operation = OPERATIONS[record.operation]
    inputs = {i.name: record.inputs[i.name] for i in operation.inputs if i.name in record.inputs}
    if max(array.size for array in inputs.values()) > LARGE:
        return {}
    case = Call(record.case, operation.name, inputs, record.parameters, record.dtype, Expectation(), Source("", 0))
    truth, form = evaluate(case), FORMATS[record.dtype]
    return {name: pass_line(truth.outputs[name], truth.bounds[name], form) for name in wrong & truth.outputs.keys()}


def mark(error: float, limit: float) -> str:
    """The mark of an element that is `error` ulps off and may be off by `limit`; `Cell` has the meaning."""
    if abs(error) <= FAR_ULPS:
        return ""
    return "far" if limit == math.inf or abs(error) <= limit else "off"


def chosen(shape: tuple[int, ...], verdicts: Sequence[Verdict]) -> list[int]:
    """The elements of an output that are shown: the first ones, and others that verdicts name."""
    size = math.prod(shape)
    first = range(min(size, ELEMENTS))
    wrong_first = sorted(verdicts, key=lambda v: v.grade is None or v.grade.passes)
    named = [v.index for v in wrong_first if v.index and len(v.index) == len(shape)]
    inside = [index for index in named if all(0 <= i < n for i, n in zip(index, shape, strict=True))]
    beyond = dict.fromkeys(int(np.ravel_multi_index(index, shape)) for index in inside)
    return [*first, *sorted([at for at in beyond if at >= ELEMENTS][:NAMED])]


def column(array: Array, truth: Array | None, at: Sequence[int], limit: Array | float) -> list[Cell | None]:
    """A group's elements, with their errors where there is a truth of the same shape."""
    flat = array.reshape(-1)
    inside = [i for i in at if i < flat.size]
    cells = [Cell(digits(x), hexadecimal(x), "", "") for x in flat[inside]]
    if truth is not None and array.shape == truth.shape:
        errors = ulps(flat[inside], truth.reshape(-1)[inside])
        lines = np.broadcast_to(limit, array.shape).reshape(-1)[inside].tolist()
        if errors is not None:
            measured = zip(cells, errors.tolist(), lines, strict=True)
            cells = [cell._replace(ulps=measure(e, "+"), mark=mark(e, line)) for cell, e, line in measured]
    return [*cells, *[None] * (len(at) - len(inside))]


def elements(
    shape: tuple[int, ...], truth: Array | None, at: Sequence[int], columns: Sequence[Sequence[Cell | None]], told: Told
) -> Iterator[Element]:
    """The rows of the table of values."""
    for row, i in enumerate(at):
        index = tuple(int(k) for k in np.unravel_index(i, shape)) if shape else ()
        exact = None if truth is None or i >= truth.size else digits(truth.reshape(-1)[i])
        given = told(index) if i >= ELEMENTS else ""
        yield Element(", ".join(map(str, index)) or str(i), given, exact, [cells[row] for cells in columns])


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


def output(name: str, verdicts: Sequence[Verdict], record: Record | None, limit: Array | None) -> Output:
    """One output of a case.

    Args:
        limit: what each element may be off, in ulps; None if that isn't known.
    """
    found = observed(name, record)
    truth = record.truth.get(name) if record else None
    agreed = agreement(found)
    arrays = [*([] if truth is None else [truth]), *(found[group.subjects[0]] for group in agreed)]
    largest = max(arrays, key=lambda array: array.size, default=None)
    at = [] if largest is None else chosen(largest.shape, verdicts)
    passing = {v.subject for v in verdicts if v.verdict is Kind.PASS}  # a tolerance that the case states may say so
    known = 0.0 if limit is None else limit
    columns = [
        column(found[names[0]], truth, at, math.inf if names[0] in passing else known) for _, names, *_ in agreed
    ]
    return Output(
        name=name,
        groups=agreed,
        majority=len(agreed) == 1 or any(group.outlier for group in agreed),
        has_truth=truth is not None,
        elements=[] if largest is None else list(elements(largest.shape, truth, at, columns, partial(_given, record))),
        more=0 if largest is None else largest.size - len(at),
        judged=judged(verdicts, agreed),
        tolerance=any(verdict.tolerance for verdict in verdicts),
    )


def _given(record: Record | None, index: tuple[int, ...]) -> str:
    """What the inputs hold where an element comes from; "" where that is all of them."""
    held = inputs_at(record, index) if record is not None else []
    return ", ".join(f"{name} {text}" for name, text in held if not text.startswith("of shape"))


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
    lines = limits(verdicts, record)
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
        outputs=[output(name, [v for v in verdicts if v.output == name], record, lines.get(name)) for name in names],
        silences=silences(record),
    )
