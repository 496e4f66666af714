"""What became of each output, and of each API: the same plan in two environments, verdict by verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.model.verdict import Kind, Verdict
from harness.store.baseline import Key, entry_of
from harness.store.changes import Change, classified


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
        before: its verdict on the one side; None if there is none.
        after: on the other.
    """

    effect: Effect
    before: Verdict | None
    after: Verdict | None

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
        nearer: of those, how many are nearer to the truth.
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
    changes = list(_changes(*sides))
    pairs = [(sides[0][key], sides[1][key]) for key in sides[0].keys() & sides[1].keys()]
    nearer, farther, compared = _distances(pairs)
    found = []
    for name in sorted({change.either.implementation for change in changes}):
        own = sorted((c for c in changes if c.either.implementation == name), key=_gravity)
        example = min((c for c in own if c.effect is own[0].effect), key=lambda c: (size(c.either.case), c.either.case))
        found.append(Api(name, own[0].effect, own, compared[name], nearer[name], farther[name], example))
    return sorted(found, key=lambda api: (list(Effect).index(api.effect), api.implementation))


def _changes(before: Mapping[Key, Verdict], after: Mapping[Key, Verdict]) -> Iterator[Changed]:
    for place in dict.fromkeys([*before, *after]):
        one, other = before.get(place), after.get(place)
        change = classified(*(entry_of(_bare(v)) if v else None for v in (one, other)))
        if change is not None:
            yield Changed(EFFECTS[change], one, other)


def _key(verdict: Verdict) -> Key:
    """A verdict's place, whatever its environment is called."""
    return verdict.case, verdict.subject.removeprefix(f"{verdict.environment}:"), verdict.output


def _bare(verdict: Verdict) -> Verdict:
    """A verdict as the numbers alone have it: that a failure is known is no news about an upgrade."""
    if verdict.verdict is Kind.STALE:
        return replace(verdict, verdict=Kind.PASS)
    if verdict.verdict is Kind.DEVIATION:
        return replace(verdict, verdict=Kind.FAIL)
    return verdict


def _distances(pairs: Iterable[tuple[Verdict, Verdict]]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Outputs by implementation: nearer to the truth, farther from it, and all that were compared."""
    nearer: Counter[str] = Counter()
    farther: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    for before, after in pairs:
        compared[after.implementation] += 1
        if before.max_ulp is not None and after.max_ulp is not None:
            nearer[after.implementation] += abs(after.max_ulp) < abs(before.max_ulp)
            farther[after.implementation] += abs(after.max_ulp) > abs(before.max_ulp)
    return nearer, farther, compared


def _gravity(change: Changed) -> int:
    return list(Effect).index(change.effect)
