"""What is wrong with an adapter's answers to telling calls."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.adapters.watching import CHANGED
from harness.comparator.findings import at, digest
from harness.comparator.judge import Answer, Judge
from harness.kit.calls import Telling
from harness.kit.guesses import NEAR, guess
from harness.model.observation import Observation, Outcome
from harness.model.plan import Item
from harness.model.verdict import Grade, Kind, Verdict
from harness.operations import OPERATIONS
from harness.oracle.truth import evaluate

CALL = "call"
HINTS = {
    "dtype ": "results have the dtype of the logits or probabilities",
    "raised FrameError": "call returns NumPy arrays, or Tensors",
    "gave no ": "its table says that it is offered: call returns it under this name when it is wanted",
}
"""What was meant, by the beginning of what was found."""


WRONG_NUMBER = (Grade.INACCURATE, Grade.UNDERFLOW, Grade.STABLE, Grade.RANGE)


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A telling call with what a subject did with it.

    Attributes:
        watched: with inputs that it may write to, and that were watched.
        again: of a plain call, three times with inputs as in every run: in order, in order again, and backwards.
    """

    telling: Telling
    item: Item
    watched: Observation
    again: Sequence[Observation] = ()


class Complaint(NamedTuple):
    """One thing that is wrong with one call.

    Attributes:
        what: an output, an input, or the call as a whole.
        tries: what is not as in the plain call.
    """

    implementation: str
    operation: str
    mode: str
    dtype: str
    what: str
    tries: tuple[str, ...]
    text: str

    def follows_from(self, other: Complaint) -> bool:
        """Whether a call that tries less has the same thing wrong with it."""
        return other.what in (self.what, CALL) and set(other.tries) < set(self.tries)


def complaints(answered: Sequence[Answered], judge: Judge) -> list[str]:
    """Everything that is wrong with the answers, one line for what is one mistake."""
    answers = _answers(answered)
    found: dict[object, list[Complaint]] = defaultdict(list)
    for each in answered:
        found[_place(each)] += _of(each, answers[_place(each)], judge)
    told: dict[object, list[Complaint]] = {}
    for company in found.values():
        for complaint in company:
            if not any(complaint.follows_from(other) for other in company):
                key = (complaint.implementation, complaint.operation, complaint.what, complaint.tries)
                told.setdefault(key, []).append(complaint)
    return [_line(alike) for alike in told.values()]


def _place(answered: Answered) -> object:
    """The row, mode and dtype."""
    return answered.item.subject, answered.item.call.operation, answered.item.call.dtype


def _answers(answered: Iterable[Answered]) -> Mapping[object, set[str]]:
    """What has been tried of each row, mode and dtype, and was not refused."""
    found: dict[object, set[str]] = defaultdict(set)
    for each in answered:
        found[_place(each)] |= set() if each.watched.outcome is Outcome.UNSUPPORTED else {"", *each.telling.tries}
    return found


def _line(alike: Sequence[Complaint]) -> str:
    """The first of some complaints that differ in dtype and mode only, and those."""
    first = min(alike, key=lambda complaint: complaint.dtype not in NEAR)  # where a guess was possible
    trying = f" with {', '.join(first.tries)}" if first.tries else ""
    places = f"{', '.join(dict.fromkeys(c.dtype for c in alike))}; {', '.join(dict.fromkeys(c.mode for c in alike))}"
    return f"{first.implementation} ({first.operation}; {places}): {first.what}{trying}: {first.text}"


def _of(answered: Answered, answers: set[str], judge: Judge) -> Iterator[Complaint]:
    """What is wrong with one call.

    Args:
        answers: what was tried in calls that were not refused.
    """
    item, seen = answered.item, answered.watched

    def complaint(what: str, text: str) -> Complaint:
        subject, call = item.subject, item.call
        return Complaint(
            subject.implementation, call.operation, subject.mode, call.dtype, what, answered.telling.tries, text
        )

    if seen.outcome is Outcome.UNSUPPORTED:
        if not answers >= {"", *answered.telling.tries}:
            yield complaint(CALL, f"its table offers this, but call says that it is unsupported: {seen.reason}")
        return
    wrong = [row for row in _verdicts(item, seen, judge) if row.verdict.failed]
    for row in wrong if seen.outcome is Outcome.VALUE else wrong[:1]:
        yield complaint(row.output if seen.outcome is Outcome.VALUE else CALL, _told(row, item, seen))
    changed = [name.removeprefix(CHANGED) for name in seen.outputs if name.startswith(CHANGED)]
    for name in changed:
        yield complaint(f"input {name}", "call writes to it: make a copy first, np.array(tensor.data)")
    for name in seen.outputs.keys() - OPERATIONS[item.call.operation].outputs.keys() - {CHANGED + n for n in changed}:
        near = difflib.get_close_matches(name, item.wanted, 1)
        meant = f", did you mean {near[0]!r}?" if near else f"; wanted are {', '.join(item.wanted)}"
        yield complaint(f"output {name!r}", f"there is none of this name{meant}")
    if answered.again and not wrong and not changed:
        yield from (complaint(CALL, text) for text in _unsteady(answered))


def _verdicts(item: Item, seen: Observation, judge: Judge) -> list[Verdict]:
    (rows,) = judge.verdicts([Answer(item.call, item.subject, item.wanted, seen, evaluate(item.call))])
    return rows


def _told(row: Verdict, item: Item, seen: Observation) -> str:
    """What is wrong with an output, and what was meant."""
    if row.verdict is not Kind.FAIL:
        return f"{row.verdict}: {row.reason}"
    if row.grade in WRONG_NUMBER:
        parts = [f"gave {row.observed}{at(row.index)}, the truth is {row.truth}"]
    else:
        parts = [row.reason, *(hint for beginning, hint in HINTS.items() if row.reason.startswith(beginning))]
    if row.output in seen.outputs and not item.call.expect.undefined:
        parts.append(guess(item.call, row.output, seen.outputs[row.output]))
    return "; ".join(filter(None, parts))


def _unsteady(answered: Answered) -> Iterator[str]:
    """Whether inputs that can't be written to, a repetition or the order of calls change a right answer."""
    first, second, backwards = answered.again
    if (first.outcome, first.error) != (answered.watched.outcome, answered.watched.error):
        yield f"raised {first.error}: {first.reason}; it doesn't with inputs that may be written to: make copies first"
    elif not _same(first, second):
        yield "the same call gave other bits the second time: it depends on chance, or on the calls before it"
    elif not _same(first, backwards):
        yield "the same call gave other bits after other calls: it depends on the calls before it"


def _same(one: Observation, other: Observation) -> bool:
    if one.outcome is not Outcome.VALUE or other.outcome is not Outcome.VALUE:
        return one.outcome is other.outcome
    return {n: digest(a) for n, a in one.outputs.items()} == {n: digest(a) for n, a in other.outputs.items()}
