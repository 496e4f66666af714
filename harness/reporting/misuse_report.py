"""What becomes of misuse: which implementation raises what, or silently gives a number, by kind and mode."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from harness.model.case import Domain
from harness.model.verdict import Kind, Verdict
from harness.operations import OPERATIONS
from harness.operations.misuse import KINDS
from harness.reporting.markdown_report import code, prose, table

INTRODUCTION = (
    "Written by `harness misuse`. A right call of each operation is spoilt in one thing at a time",
    "(`cases/errors/misuse.yaml`): a kind of misuse is named for the input or parameter that is spoilt, and how. The",
    "domain table ([limits.md](limits.md)) says what is right: an error, where the operation has no value; where it",
    "still has one, as for NaN, that value or an error. So a cell is the error that is raised, `value` where the",
    "operation's own value is given, or in bold what is silently given instead; why, where that is known,",
    "`cases/deviations.yaml` says. A dash: the API doesn't offer what would be spoilt.",
)
ERROR = "error "
NOT_ASKED = frozenset({Kind.UNSUPPORTED, Kind.UNAVAILABLE})


class Answer(StrEnum):
    """What becomes of a call."""

    REFUSED = "refused"
    VALUE = "value"
    NAN = "NaN"
    NUMBER = "a number"
    ENDED = "ended"


class Tried(NamedTuple):
    """One spoilt call.

    Attributes:
        text: the error's type, or what was given.
    """

    verdict: Verdict
    kind: str
    answer: Answer
    text: str


def tried(verdicts: Sequence[Verdict]) -> list[Tried]:
    """The spoilt calls of a run that an implementation was asked."""
    found = ((v, v.case.rpartition("/")[2]) for v in verdicts if v.verdict not in NOT_ASKED)
    return [_tried(verdict, kind) for verdict, kind in found if kind in KINDS]


def _tried(verdict: Verdict, kind: str) -> Tried:
    outcome = verdict.outcome or ""
    if outcome.startswith(ERROR):
        return Tried(verdict, kind, Answer.REFUSED, outcome.removeprefix(ERROR))
    if outcome != "value":
        return Tried(verdict, kind, Answer.ENDED, outcome)
    answer, text = _given(verdict, verdict.content or "")
    return Tried(verdict, kind, answer, text)


def _given(verdict: Verdict, content: str) -> tuple[Answer, str]:
    """What a call gave that raised nothing."""
    if verdict.domain == Domain.UNDEFINED:
        answer = Answer.NAN if content.endswith(" nan") else Answer.NUMBER
        return answer, answer
    if verdict.verdict is Kind.PASS:
        return Answer.VALUE, Answer.VALUE
    return Answer.NUMBER, "another value" if content.startswith(f"{verdict.dtype}[") else "another dtype"


def markdown(calls: Sequence[Tried]) -> Iterator[str]:
    """`docs/misuse.md`, line by line."""
    yield from ("# Bad input", "", *INTRODUCTION, "")
    yield from table(("framework", *(answer for answer in Answer if answer is not Answer.ENDED)), list(_counts(calls)))
    yield from ("", "## Where modes differ", "")
    yield "One mode refuses what another takes, or they give other things:"
    yield ""
    yield from table(("operation", "misuse", "implementation", "modes"), list(_differing(calls)))
    by_operation: dict[str, list[Tried]] = defaultdict(list)
    for call in calls:
        by_operation[call.verdict.operation or ""].append(call)
    for operation in OPERATIONS:
        if own := by_operation.get(operation):
            yield from ("", f"## {code(operation)}", "")
            yield from _matrix(own)


def _counts(calls: Sequence[Tried]) -> Iterator[list[str]]:
    counts = Counter((call.verdict.framework, call.answer) for call in calls)
    for framework in dict.fromkeys(call.verdict.framework for call in calls):
        yield [prose(framework), *(f"{counts[framework, a]:,}" for a in Answer if a is not Answer.ENDED)]


def _differing(calls: Sequence[Tried]) -> Iterator[list[str]]:
    for (operation, kind, implementation), own in _grouped(calls).items():
        if len({call.answer for call in own}) > 1 and len({call.verdict.mode for call in own}) > 1:
            yield [code(operation), code(kind), code(implementation), _cell(own)]


def _grouped(calls: Sequence[Tried]) -> Mapping[tuple[str, str, str], list[Tried]]:
    found: dict[tuple[str, str, str], list[Tried]] = defaultdict(list)
    for call in calls:
        found[call.verdict.operation or "", call.kind, call.verdict.implementation].append(call)
    return found


def _matrix(calls: Sequence[Tried]) -> Iterator[str]:
    kinds = [kind for kind in KINDS if any(call.kind == kind for call in calls)]
    cells = {(kind, name): _cell(own) for (_, kind, name), own in _grouped(calls).items()}
    names = dict.fromkeys(call.verdict.implementation for call in calls)
    lines = [[code(name), *(cells.get((kind, name), "-") for kind in kinds)] for name in names]
    yield from table(("implementation", *map(code, kinds)), lines)


def _cell(own: Sequence[Tried]) -> str:
    """What all modes do, or each of those that differ in more than the error's type."""
    if len({call.answer for call in own}) == 1:
        return " or ".join(dict.fromkeys(_text(call) for call in own))
    modes: dict[str, list[str]] = defaultdict(list)
    for call in own:
        modes[_text(call)].append(call.verdict.mode or "")
    return "; ".join(f"{', '.join(dict.fromkeys(names))}: {text}" for text, names in modes.items())


def _text(call: Tried) -> str:
    return f"**{call.text}**" if call.answer in (Answer.NAN, Answer.NUMBER) else code(call.text)


def content(calls: Sequence[Tried]) -> dict[str, Any]:
    """The same as plain data."""
    return {"calls": [_row(call) for call in calls]}


def _row(call: Tried) -> dict[str, Any]:
    verdict = call.verdict
    return {
        "case": verdict.case,
        "operation": verdict.operation,
        "misuse": call.kind,
        "implementation": verdict.implementation,
        "framework": verdict.framework,
        "mode": verdict.mode,
        "domain": verdict.domain,
        "answer": str(call.answer),
        "error": call.text if call.answer is Answer.REFUSED else None,
        "verdict": str(verdict.verdict),
        "deviation": verdict.deviation,
        "reason": verdict.reason,
    }


WRITERS: Mapping[str, Callable[[Sequence[Tried]], str]] = {
    "markdown": lambda calls: "\n".join(markdown(calls)) + "\n",
    "json": lambda calls: json.dumps(content(calls), indent=1) + "\n",
}
"""By format: the text."""
