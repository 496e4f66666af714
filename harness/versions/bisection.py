"""The release in which a verdict changed, found with as few installs as possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Probe = Callable[[str], str | None]
"""What a version does, in words that are equal if it is the same; None if it can't be had."""


@dataclass(frozen=True, slots=True)
class Bisection:
    """What was found.

    Attributes:
        last: the last version that does as the first one.
        first: the first version that does otherwise; "" if the last one still does as the first.
        seen: what each version that was probed does, in the order of the versions; None for unavailable.
        between: versions between `last` and `first` that can't be had: the change may be in one of them.
    """

    last: str
    first: str
    seen: dict[str, str | None] = field(default_factory=dict)
    between: tuple[str, ...] = ()


Ready = Callable[[str], bool]
"""Whether a version can be probed without an installation."""


class UndecidedError(Exception):
    """An end of the range can't be had; the message says which."""


def bisect(versions: Sequence[str], probe: Probe, ready: Ready = lambda _version: False) -> Bisection:
    """Find where a change is, by halves. With several changes in the range, it is one of them.

    Args:
        versions: the range in order, both ends included.
        probe: asks a version what it does.
        ready: versions for which it is are asked before others, as they cost no installation.

    Raises:
        UndecidedError: an end of the range can't be had.
    """
    seen: dict[str, str | None] = {}

    def does(at: int) -> str | None:
        if versions[at] not in seen:
            seen[versions[at]] = probe(versions[at])
        return seen[versions[at]]

    low, high = 0, len(versions) - 1
    for end in (low, high):
        if does(end) is None:
            raise UndecidedError(f"{versions[end]} can't be had, and is an end of the range")
    if does(low) == does(high):
        return Bisection(versions[high], "", _ordered(versions, seen))
    while (middle := _between(low, high, does, lambda at: ready(versions[at]))) is not None:
        if does(middle) == does(low):
            low = middle
        else:
            high = middle
    return Bisection(versions[low], versions[high], _ordered(versions, seen), tuple(versions[low + 1 : high]))


def _between(low: int, high: int, does: Callable[[int], str | None], ready: Callable[[int], bool]) -> int | None:
    """The version nearest to the middle that can be had, of those that are ready if some are; None if there is none."""
    middle = (low + high) / 2
    for at in sorted(range(low + 1, high), key=lambda at: (not ready(at), abs(at - middle))):
        if does(at) is not None:
            return at
    return None


def _ordered(versions: Sequence[str], seen: dict[str, str | None]) -> dict[str, str | None]:
    return {version: seen[version] for version in versions if version in seen}
