"""What the gate says on the terminal, and on the page of a workflow's run.

Reasons of rules and of failures are the project's and the frameworks' words, which may hold anything: a line that began
with `::error::` would be a command to a workflow.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.model.decision import Decision
from harness.model.run import LeftOut
from harness.reporting.text import one_line
from harness.store import changes
from harness.store.changes import Diff

MOST = 20
"""Lines about single outputs."""


def lines(decision: Decision, diff: Diff | None, left_out: LeftOut | None = None) -> list[str]:
    """What differs, what decided, and single outputs, those that fail first; nothing where all is as usual.

    What was left out is only counted, as it is told elsewhere.
    """
    if diff is None:
        return list(grounds(decision))
    head = changes.summary(diff, most=0)
    around = map(one_line, head[:-1] if diff.differences else head)
    return [*around, *grounds(decision), *outputs(decision, diff, left_out)]


def grounds(decision: Decision) -> Iterator[str]:
    """A line for each rule that decided something."""
    if decision.stopped:
        yield f"gate: failed, as the run was stopped by {decision.stopped}"
    for ground in decision.grounds():
        yield one_line(f"gate: {ground}")


def outputs(decision: Decision, diff: Diff, left_out: LeftOut | None = None) -> Iterator[str]:
    """Single outputs: what fails the gate, then what else is not as it was."""
    failing = decision.failing
    told = {(ruling.case, ruling.subject, ruling.output) for ruling in failing}
    never = left_out.outputs if left_out else frozenset()
    others = [d for d in diff.differences if d.key not in told and (d.key[:2] not in never or d.after)]
    texts = [*map(str, failing), *map(str, others)]
    yield from map(one_line, texts[:MOST])
    if len(texts) > MOST:
        yield f"and {len(texts) - MOST:,} more"
