"""The gate on an upgrade: what changed, as differences from a baseline that the earlier side is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.gate.decide import gate
from harness.gate.policy import Policy
from harness.model.change import Change
from harness.model.decision import Decision
from harness.model.verdict import Kind, Verdict
from harness.store import entries
from harness.store.changes import Diff, Difference
from harness.versions.changes import Changed, bare
from harness.versions.upgrade import Upgrade


def decided(upgrade: Upgrade, policy: Policy) -> Decision:
    """Whether an upgrade passes, and which rule says so: `any` fails for whatever fails on the later side."""
    changes = [change for api in upgrade.apis for change in api.changes]
    return gate(policy, list(_verdicts(upgrade, changes)), Diff([_difference(change) for change in changes], {}))


def _difference(change: Changed) -> Difference:
    one, other = (None if verdict is None else entries.entry_of(verdict) for verdict in (change.before, change.after))
    return Difference(change.change, entries.key(change.either), one, other)


def _verdicts(upgrade: Upgrade, changes: list[Changed]) -> Iterator[Verdict]:
    """Those of the later side: what is newly broken fails, known or not, and what is gone is known by what it was."""
    broken = {entries.key(change.either) for change in changes if change.change is Change.NEW_FAILURE}
    for verdict in upgrade.verdicts[1]:
        yield bare(verdict) if entries.key(verdict) in broken else verdict
    for change in changes:
        if change.after is None:
            yield replace(change.either, verdict=Kind.UNAVAILABLE)
