"""What became of each output, and of each API: the same plan in two environments, verdict by verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.model.change import Change
from harness.model.verdict import Kind, Verdict
from harness.reporting.stability import BY_HAND
from harness.store import changes
from harness.store.changes import UNMEASURED
from harness.store.entries import Entry, Key, entry_of


class Effect(StrEnum):
    """What an upgrade does to an API, the gravest first."""

    BROKEN = "newly broken"
    SEMANTICS = "semantics"
    WORSE = "worse"
    NOT_MEASURED = "not measured"
    REMOVED = "removed"
    BETTER = "better"
    NEW = "new"
    BITS = "bits"


EFFECTS = {
    Change.NEW_FAILURE: Effect.BROKEN,
    Change.SEMANTICS: Effect.SEMANTICS,
    Change.WORSE: Effect.WORSE,
    Change.NOT_MEASURED: Effect.NOT_MEASURED,
    Change.REMOVED: Effect.REMOVED,
    Change.FIXED: Effect.BETTER,
    Change.BETTER: Effect.BETTER,
    Change.NEW: Effect.NEW,
    Change.JUDGED: Effect.BITS,
    Change.BITS: Effect.BITS,
}
QUIET = frozenset({Effect.BITS})
"""Effects that are no change of an API: its answers are as good as before."""

Size = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Changed:
    """One output that is not as it was.

    Attributes:
        change: its class, as in the diff of two baselines.
        before: its verdict on the one side; None if there is none.
        after: on the other.
    """

    change: Change
    before: Verdict | None
    after: Verdict | None

    @property
    def effect(self) -> Effect:
        """What that is to its API."""
        return EFFECTS[self.change]

    @property
    def either(self) -> Verdict:
        """A verdict, for what both have in common."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - a change has a side
        return found


@dataclass(frozen=True, slots=True)
class Api:
    """What an upgrade does to one implementation.

    Attributes:
        effect: the gravest.
        changes: of its outputs, the gravest first.
        compared: outputs that both sides have.
        nearer: of those, how many are nearer to the truth, beyond the ratchet.
        farther: how many are farther from it.
        example: the change of the gravest effect in the smallest case.
    """

    implementation: str
    effect: Effect
    changes: Sequence[Changed]
    compared: int
    nearer: int
    farther: int
    example: Changed

    @property
    def by_hand(self) -> bool:
        """Whether it is a written-out formula, and no API that users call."""
        return BY_HAND in self.implementation

    def having(self, effect: Effect) -> list[Changed]:
        """Its changes of one effect."""
        return [change for change in self.changes if change.effect is effect]


def apis(before: Sequence[Verdict], after: Sequence[Verdict], size: Size) -> list[Api]:
    """The implementations that are not as they were, the gravest first.

    Args:
        before: the verdicts of one environment.
        after: of the other, on the same plan.
        size: elements of a case, by its id.
    """
    sides = [{_key(v): v for v in verdicts} for verdicts in (before, after)]
    compared = Counter(verdict.implementation for key, verdict in sides[0].items() if key in sides[1])
    changed: dict[str, list[Changed]] = defaultdict(list)
    for change in _changes(*sides):
        changed[change.either.implementation].append(change)
    found = [_api(name, sorted(own, key=_gravity), compared[name], size) for name, own in changed.items()]
    return sorted(found, key=lambda api: (list(Effect).index(api.effect), api.implementation))


def _api(name: str, own: Sequence[Changed], compared: int, size: Size) -> Api:
    gravest = own[0].effect
    example = min((c for c in own if c.effect is gravest), key=lambda c: (size(c.either.case), c.either.case))
    moved = Counter(filter(None, map(_distance, own)))
    return Api(name, gravest, own, compared, moved[Change.BETTER], moved[Change.WORSE], example)


def _changes(before: Mapping[Key, Verdict], after: Mapping[Key, Verdict]) -> Iterator[Changed]:
    for place in dict.fromkeys([*before, *after]):
        one, other = before.get(place), after.get(place)
        change = changes.classified(*_entries(one, other))
        if change is not None:
            yield Changed(change, one, other)


def _key(verdict: Verdict) -> Key:
    """A verdict's place, whatever its environment is called."""
    return verdict.case, verdict.subject.removeprefix(f"{verdict.environment}:"), verdict.output


def _entries(before: Verdict | None, after: Verdict | None) -> tuple[Entry | None, Entry | None]:
    """What is compared: of what both sides have measured the numbers alone.

    That a failure is known is no news about an upgrade, but one of an API that is new breaks nothing.
    """
    both = all(verdict is not None and verdict.verdict not in UNMEASURED for verdict in (before, after))
    one, other = (None if v is None else entry_of(bare(v) if both else _fresh(v)) for v in (before, after))
    return one, other


def bare(verdict: Verdict) -> Verdict:
    """A verdict as the numbers alone have it, whatever is known of them."""
    return replace(verdict, verdict=Kind.FAIL) if verdict.verdict is Kind.DEVIATION else _fresh(verdict)


def _fresh(verdict: Verdict) -> Verdict:
    """What no longer departs from the truth as the list of deviations has it is right."""
    return replace(verdict, verdict=Kind.PASS) if verdict.verdict is Kind.STALE else verdict


def _distance(change: Changed) -> Change | None:
    """Whether an output is nearer to the truth or farther from it; None if that isn't known of both sides."""
    one, other = change.before, change.after
    if one is None or other is None or one.grade is None or other.grade is None:
        return None
    return changes.distance(entry_of(one), entry_of(other))


def _gravity(change: Changed) -> int:
    return list(Effect).index(change.effect)
