"""Where points are tried: the implementation is asked, the truth is known, and each point has its badness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from harness.adapters import Implementation
from harness.comparator.deviations import Asked, Known
from harness.comparator.measure import GRADES, Pair, errors
from harness.engine.connection import Connection, WorkerDiedError
from harness.engine.pool import Limits
from harness.engine.shards import observation, request
from harness.environments.interpreters import EnvironmentUnusableError
from harness.hunt.space import Points, places
from harness.model.case import Array, Case, Expectation, Parameters, Source
from harness.model.observation import Observation, Outcome
from harness.model.plan import Item
from harness.model.subject import Adapter, Environment, Subject
from harness.model.verdict import Grade
from harness.model.versions import Packages
from harness.operations import OPERATIONS
from harness.oracle.formats import FORMATS
from harness.oracle.truth import evaluate

SOURCE = Source("audit", 0)
CRASH = np.inf
FAILING = float(GRADES.index(Grade.UNDERFLOW))
"""Badness of the first grade that fails."""


@dataclass(frozen=True, slots=True)
class Quarry:
    """Who is hunted.

    Attributes:
        output: `value` or `gradient:NAME`.
        parameters: of the operation, complete.
    """

    adapter: Adapter
    row: Implementation
    environment: Environment
    mode: str
    dtype: str
    output: str
    parameters: Parameters

    @property
    def subject(self) -> Subject:
        """As in reports."""
        return Subject(self.environment.name, self.row.path, self.mode, framework=self.adapter.framework)

    def case(self, points: Points, name: str = "audit") -> Case:
        """Points as one call; parameters that are the operation's defaults are left out."""
        usual = OPERATIONS[self.row.operation].complete({})
        told = {key: value for key, value in self.parameters.items() if value != usual[key]}
        return Case(name, self.row.operation, points, told, self.dtype, Expectation(), SOURCE)


class Worker:
    """A process that answers call after call; another takes over when it dies."""

    def __init__(self, quarry: Quarry, limits: Limits, log: Path) -> None:
        self._quarry, self._limits, self._log = quarry, limits, log
        self.packages: Packages = {}
        self._connection = self._started()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def ask(self, case: Case) -> Observation:
        """Make a call; a crash or a call that takes too long is an outcome."""
        quarry = self._quarry
        item = Item(0, case, case, quarry.subject, quarry.adapter.file, quarry.parameters, (quarry.output,))
        try:
            self._connection.send(*request([item]))
            return observation(*self._connection.answer(self._limits.timeout))
        except WorkerDiedError as death:
            found = Observation(Outcome.CRASH, reason=str(death))
        except TimeoutError:
            found = Observation(Outcome.TIMEOUT, reason=f"no answer within {self._limits.timeout:g} s")
        self._connection.close()
        self._connection = self._started()
        return found

    def _started(self) -> Connection:
        quarry = self._quarry
        limits = self._limits
        made = Connection(quarry.environment.python, quarry.adapter.file, self._log, limits.threads, limits.cache)
        ready, _ = made.answer(limits.start)
        reason = ready.get("reason", "") or ready.get("absent", {}).get(quarry.row.path, {}).get(quarry.row.operation)
        if reason:
            made.close()
            raise EnvironmentUnusableError(f"{quarry.subject.id}: {reason}")
        self.packages = ready["packages"]
        return made


SHARE = 0.25
"""Of a disagreement, what is about as large."""


class Badness(Protocol):
    """How bad each point is: the worse, the higher; infinite for the wrong class."""

    def __call__(self, points: Points) -> Array:
        """Of each point."""

    def enough(self, badness: float) -> float:
        """How bad a smaller point must be to be the same find."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Badness against the truth: by grade, then by the share of what may be lost.

    Attributes:
        known: deviations that are no prey; None if they are.
    """

    quarry: Quarry
    worker: Worker
    known: Known | None

    def enough(self, badness: float) -> float:
        """How bad a smaller point must be to be the same find: of the same grade."""
        return badness if np.isinf(badness) else float(np.floor(badness))

    def __call__(self, points: Points) -> Array:
        """Of each point, its worst element."""
        case, count = self.quarry.case(points), _count(points)
        seen = self.worker.ask(case)
        truth = evaluate(case)
        form = FORMATS[self.quarry.dtype]
        observed = seen.outputs.get(self.quarry.output)
        if observed is None or observed.shape != truth.outputs[self.quarry.output].high.shape:
            return _halved(self, points, count)
        pair = Pair(observed, truth.outputs[self.quarry.output], truth.bounds[self.quarry.output])
        found = np.where(np.isnan(found := errors(pair, form, None).order), 0.0, found)
        if self.known is not None:
            asked = Asked(case, self.quarry.subject, self.worker.packages, self.quarry.output, seen, truth)
            found = np.where((found >= FAILING) & ~self.known.left_over(asked), 0.0, found)
        return _worst(found, count)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Badness as the distance of two answers, in numbers of the dtype that lie between them."""

    one: Quarry
    workers: Sequence[Worker]

    def enough(self, badness: float) -> float:
        """How bad a smaller point must be to be the same find."""
        return badness if np.isinf(badness) else max(1.0, SHARE * badness)

    def __call__(self, points: Points) -> Array:
        """Of each point, its worst element."""
        case, count = self.one.case(points), _count(points)
        form = FORMATS[self.one.dtype]
        a, b = (worker.ask(case).outputs.get(self.one.output) for worker in self.workers)
        if a is None or b is None or a.shape != b.shape:
            return _halved(self, points, count) if (a is None) != (b is None) else np.zeros(count)
        apart = np.abs(places(a, form).astype(np.float64) - places(b, form).astype(np.float64))
        one_nan, both_nan = np.isnan(a) != np.isnan(b), np.isnan(a) & np.isnan(b)
        return _worst(np.where(one_nan, CRASH, np.where(both_nan, 0.0, apart)), count)


def _halved(badness: Badness, points: Points, count: int) -> Array:
    """A call without an answer to each point: a point that is to blame, found by halves.

    One is enough, as nothing is worse: what comes after it isn't asked, and counts as not bad.
    """
    if count == 1:
        return np.array([CRASH])
    half = count // 2
    first = badness(_taken(points, slice(None, half)))
    if np.isinf(first).any():
        return np.concatenate([first, np.zeros(count - half)])
    return np.concatenate([first, badness(_taken(points, slice(half, None)))])


def _taken(points: Points, chosen: slice) -> Points:
    return {name: array[chosen] for name, array in points.items()}


def _count(points: Mapping[str, Array]) -> int:
    return len(next(iter(points.values())))


def _worst(found: Array, count: int) -> Array:
    return np.asarray(np.max(found.reshape(count, -1), axis=1))
