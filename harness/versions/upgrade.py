"""An upgrade as its reports see it, made from the run of both sides."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.model.decision import Decision
from harness.model.observation import Observation, Outcome
from harness.model.run import Results
from harness.model.subject import Fingerprint, Signatures
from harness.model.verdict import Verdict
from harness.versions import parameters, speed
from harness.versions.changes import QUIET, Api, Effect, apis
from harness.versions.speed import Ratio

PLACE = re.compile(r"\S*/site-packages/(\S+\.py):\d+")
"""Where a warning was given, which is another folder on each side, and often another line."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the environments.

    Attributes:
        name: the environment's.
        fingerprint: what its workers said of it.
    """

    name: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What changes from one environment to another.

    Attributes:
        title: both sides with the version that differs: `tensorflow 2.20.0 -> 2.21.0`.
        apis: implementations that are not as they were, those with other bits only among them.
        parameters: what changed in signatures, by path.
        errors: calls that raise another exception, as sentences by implementation.
        deprecations: what only the later side warns of, by implementation.
        times: run times beyond noise, by subject without its environment.
        compared: outputs that both sides have.
        verdicts: those of each side.
        decision: the gate's; None where none was asked.
    """

    title: str
    before: Side
    after: Side
    apis: Sequence[Api]
    parameters: Mapping[str, Sequence[str]]
    errors: Mapping[str, Sequence[str]]
    deprecations: Mapping[str, Sequence[str]]
    times: Mapping[str, Ratio]
    compared: int
    verdicts: tuple[Sequence[Verdict], Sequence[Verdict]]
    decision: Decision | None = None

    @property
    def changed(self) -> list[Api]:
        """The APIs whose answers are not as good, as bad, or as many as before."""
        return [api for api in self.apis if api.effect not in QUIET and not api.by_hand]

    @property
    def formulas(self) -> list[Api]:
        """The written-out formulas of which that is so."""
        return [api for api in self.apis if api.effect not in QUIET and api.by_hand]

    def count(self, effect: Effect) -> int:
        """APIs of which an effect is the gravest."""
        return sum(api.effect == effect for api in self.apis if not api.by_hand)


def view(results: Results, before: str, after: str) -> Upgrade:
    """What changes between two environments of a run.

    Args:
        before: name of the one environment.
        after: name of the other.
    """
    one, other = (_of(results, name) for name in (before, after))
    known = results.run.environments
    earlier, later = (Side(name, known.get(name, Fingerprint())) for name in (before, after))
    sizes: dict[str, int] = {}

    def size(case: str) -> int:
        if case not in sizes:
            record = results.record(case)
            sizes[case] = sum(array.size for array in record.inputs.values()) if record else 0
        return sizes[case]

    seen = _Seen(results, before, after)
    found = apis(one, other, size)
    return Upgrade(
        title(earlier, later),
        earlier,
        later,
        found,
        parameters.changes(_signatures(results, before), _signatures(results, after)),
        seen.errors(),
        seen.deprecations(),
        seen.times(),
        len(_names(one) & _names(other)),
        (one, other),
    )


def title(before: Side, after: Side) -> str:
    """Both sides with their versions: of the packages that differ, or of all if none does."""
    old, new = before.fingerprint.packages, after.fingerprint.packages
    shared = [package for package in old if package in new]
    moved = [p for p in shared if old[p] != new[p]]
    if not shared:
        return f"{before.name} -> {after.name}"
    told = [f"{p} {old[p]} -> {new[p]}" for p in moved] or [f"{p} {old[p]} on both sides" for p in shared]
    return ", ".join(told)


class _Seen:
    """What was observed of the same calls on both sides."""

    def __init__(self, results: Results, before: str, after: str) -> None:
        self._errors: dict[str, set[str]] = defaultdict(set)
        self._known: set[str] = set()
        self._warned: dict[str, set[str]] = defaultdict(set)
        self._seconds: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
        for case in dict.fromkeys(v.case for v in results.verdicts if v.environment in (before, after)):
            if record := results.record(case):
                self._add(record.observations, f"{before}:", f"{after}:")

    def errors(self) -> dict[str, list[str]]:
        """Calls that raise on both sides, but another type of exception."""
        return {name: sorted(found) for name, found in sorted(self._errors.items())}

    def deprecations(self) -> dict[str, list[str]]:
        """What only the later side warns of: of whichever API, since each place warns once."""
        new = {name: sorted(found - self._known) for name, found in sorted(self._warned.items())}
        return {name: found for name, found in new.items() if found}

    def times(self) -> dict[str, Ratio]:
        """Run times that differ beyond noise."""
        ratios = {name: speed.ratio(*seconds) for name, seconds in sorted(self._seconds.items())}
        return {name: ratio for name, ratio in ratios.items() if ratio and ratio.notable}

    def _add(self, observations: Mapping[str, Observation], before: str, after: str) -> None:
        for subject, observation in observations.items():
            if subject.startswith(before):
                self._known.update(_warnings(observation.warnings))
            elif subject.startswith(after):
                name = subject.removeprefix(after)
                self._warned[name.partition("@")[0]].update(_warnings(observation.warnings))
                if (earlier := observations.get(before + name)) is not None:
                    self._compare(name, earlier, observation)

    def _compare(self, name: str, earlier: Observation, later: Observation) -> None:
        if earlier.outcome is later.outcome is Outcome.VALUE:
            for seconds, observation in zip(self._seconds[name], (earlier, later), strict=True):
                seconds.append(observation.seconds)
        if earlier.outcome is later.outcome is Outcome.ERROR and earlier.error != later.error:
            self._errors[name.partition("@")[0]].add(f"raises {later.error}, was {earlier.error}")


def _warnings(given: Iterable[str]) -> set[str]:
    """Warnings that are the same wherever a package lies; of what gave them, its file in the package."""
    return {PLACE.sub(r"\1", warning) for warning in given}


def _of(results: Results, environment: str) -> list[Verdict]:
    return [verdict for verdict in results.verdicts if verdict.environment == environment]


def _names(verdicts: Sequence[Verdict]) -> set[tuple[str, str, str]]:
    return {(v.case, v.subject.partition(":")[2], v.output) for v in verdicts}


def _signatures(results: Results, environment: str) -> Signatures:
    return results.run.signatures.get(environment, {})
