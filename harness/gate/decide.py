"""The decision: a pure function of a policy and of what happened."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.gate.policy import FAIL_ON, FAILURE, LEFT_OUT, Event, Policy, Rule
from harness.model.change import Change
from harness.model.decision import Decision, Ruling
from harness.model.run import LeftOut
from harness.model.verdict import Verdict
from harness.oracle.formats import FORMATS
from harness.reporting import overview
from harness.store import entries
from harness.store.changes import Diff, Difference
from harness.store.entries import Key

NUMBERS = frozenset({Change.WORSE, Change.BITS})
"""Changes of numbers within the pass: another CPU may cause them, and then they fail nothing."""


def gate(policy: Policy, verdicts: Sequence[Verdict], diff: Diff | None, left_out: LeftOut | None = None) -> Decision:
    """Whether a run passes, and which rule says so.

    Args:
        diff: from its baseline; None without one: every failure is new then.
        left_out: calls that were never made. A run that failures stopped fails, whatever else is known of it.
    """
    happened = events(verdicts, diff, left_out.outputs if left_out else ())
    stopped = left_out.why if left_out and left_out.failed else ""
    return Decision([ruling for event in happened if (ruling := _ruling(policy, event))], stopped)


def _ruling(policy: Policy, event: Event) -> Ruling | None:
    """None for what fails neither by a rule nor by `--fail-on`."""
    rule = next((rule for rule in policy.rules if rule.matches(event)), None)
    usually = _fails(policy, event)
    fails = usually if rule is None else rule.fail
    if not (fails or usually):
        return None
    said = f"--fail-on {policy.fail_on}" if rule is None else str(rule)
    change = _told(event, policy, rule)
    return Ruling(event.case, event.subject, event.output, change, event.found, said, fails)


def _fails(policy: Policy, event: Event) -> bool:
    """What the run's time left out doesn't fail of itself: whoever sets a time wants it so."""
    return LEFT_OUT not in event.classes and not FAIL_ON[policy.fail_on].isdisjoint(event.classes)


def _told(event: Event, policy: Policy, rule: Rule | None) -> str:
    """The class that decided."""
    deciding = FAIL_ON[policy.fail_on] if rule is None else rule.changes
    return next(name for name in event.classes if name in deciding)


def events(verdicts: Sequence[Verdict], diff: Diff | None, left_out: Collection[tuple[str, str]] = ()) -> list[Event]:
    """What may fail a run: differences from its baseline, the gravest first, and failures that are none.

    Args:
        diff, left_out: as for `gate`; of what was left out cases and subjects.
    """
    differences = [] if diff is None else [d for d in diff.differences if not (d.change in NUMBERS and d.elsewhere)]
    changed = {difference.key for difference in differences}
    known = {place: verdict for verdict in verdicts if changed and (place := entries.key(verdict)) in changed}
    failures = [verdict for verdict in overview.failures(verdicts) if entries.key(verdict) not in changed]
    new = (Change.NEW_FAILURE, FAILURE) if diff is None else (FAILURE,)
    return [
        *(_of_difference(difference, known.get(difference.key), left_out) for difference in differences),
        *(_of_failure(verdict, new) for verdict in failures),
    ]


def _of_difference(difference: Difference, verdict: Verdict | None, left_out: Collection[tuple[str, str]]) -> Event:
    classes: tuple[str, ...] = (difference.change,)
    if verdict is not None and verdict.verdict.failed:
        classes = (*classes, FAILURE)
    if difference.change is Change.NOT_MEASURED and difference.key[:2] in left_out:
        classes = (*classes, LEFT_OUT)
    return _event(classes, difference.key, verdict, difference.found)


def _of_failure(verdict: Verdict, classes: tuple[str, ...]) -> Event:
    found = "; ".join(filter(None, (overview.finding(verdict), verdict.reason)))
    return _event(classes, entries.key(verdict), verdict, f"{verdict.verdict}: {found}")


def _event(classes: tuple[str, ...], key: Key, verdict: Verdict | None, found: str) -> Event:
    """What no verdict tells of an output that is gone is read from its ids."""
    case, subject, output = key
    operation = (verdict.operation if verdict else None) or ""
    parts = case.partition(":")[2].split("/")[1:]
    dtype = (verdict.dtype if verdict else None) or next((part for part in parts if part in FORMATS), "")
    mode = subject.partition("@")[2].partition("@")[0]
    return Event(classes, case, subject, output, operation, dtype, mode, found)
