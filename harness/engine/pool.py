"""The pool: a worker for each environment and framework, restarted when it dies, never waited for in vain.

One thread reads from all workers as their answers come. Each worker has one deadline: for the
import of its framework first, then for the call that it is making. Once there are processors with
nothing to do, the worker that has most to do yet gets another to help it.
"""

from __future__ import annotations

import itertools
import math
import os
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.engine.connection import Connection, WorkerDiedError
from harness.engine.shards import Shard, batches, longest, observation, request, shards
from harness.model.observation import ABSENT, Observation, Outcome
from harness.model.plan import Item
from harness.model.subject import Environment, Fingerprint, Parameter, Signatures
from harness.worker.frames import Tensor

Observed = tuple[Item, Observation]

WORTH_HELP = 4.0
"""Imports of its framework that a worker must have left to do before another is started to help it: that one
begins with an import itself, and compiles anew what both of them call."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How calls are made.

    Attributes:
        jobs: worker processes at once; 0 for one for each environment and framework, and more for what takes longest
            once there are processors with nothing to do.
        threads: threads that a call may use.
        timeout: seconds that one call may take.
        start: seconds that a worker may take to import its framework.
        budget: seconds that all calls may take together, imports and first calls not counted.
        cache: folder in which a framework may keep what it compiles; None for nowhere.
    """

    jobs: int = 0
    threads: int = 1
    timeout: float = 60.0
    start: float = 300.0
    budget: float = math.inf
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a worker said of itself when it was ready."""

    environment: str
    framework: str
    fingerprint: Fingerprint
    signatures: Signatures


class Pool:
    """Makes the calls of a plan.

    Attributes:
        greetings: what the workers have reported of their environments so far.

    Args:
        environments: by name.
        limits: how calls are made.
        logs: folder for what workers print.
    """

    def __init__(self, environments: Mapping[str, Environment], limits: Limits, logs: Path) -> None:
        self.greetings: list[Greeting] = []
        self._environments = environments
        self._limits = limits
        self._logs = logs
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[Shard] = deque()
        self._running: list[_Shift] = []
        self._numbers = itertools.count()
        self._seconds = math.inf
        self._longest = ""

    def observe(self, items: Sequence[Item], meanwhile: Callable[[], bool] = lambda: False) -> Iterator[Observed]:
        """Yield an observation for every item, as they come, but for those that there is no time for.

        No worker outlives this generator.

        Args:
            meanwhile: does a piece of other work while no answer is there; False if there is none.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        known = {item.rank: seen for item in items if (seen := self._foregone(item)) is not None}
        self._waiting.extend(
            shards([item for item in items if item.rank not in known], self._limits.jobs, self._limits.threads)
        )
        self._numbers = itertools.count(len(self._waiting))
        self._seconds = self._share(len(self._waiting))
        self._longest = longest(self._waiting)
        try:
            self._fill()
            for item in items:  # now that workers are starting: importing a framework takes seconds
                if item.rank in known:
                    yield item, known[item.rank]
            while self._running:
                yield from self._next(meanwhile)
                self._fill()
                self._help()
        finally:
            for shift in tuple(self._running):
                self._end(shift)
            self._selector.close()

    def _foregone(self, item: Item) -> Observation | None:
        """What needs no worker: a call that an API can't express, or in an environment that can't be had."""
        if item.refusal:
            return Observation(Outcome.UNSUPPORTED, reason=item.refusal)
        complaint = self._environments[item.subject.environment].complaint
        return Observation(Outcome.UNAVAILABLE, reason=complaint) if complaint else None

    def _fill(self) -> None:
        """Have as many workers running as may be."""
        while self._waiting and not 0 < self._limits.jobs <= len(self._running):
            self._start(self._waiting.popleft(), self._seconds)

    def _help(self) -> None:
        """Give half of what the slowest worker has left to another one, where there is a processor for that."""
        processors = self._limits.jobs or os.cpu_count() or 1
        if self._waiting or not 0 < len(self._running) < processors:
            return
        slowest = max(self._running, key=_Shift.seconds_left)
        if slowest.seconds_left() > WORTH_HELP * slowest.importing:
            half = replace(slowest.shard, items=slowest.halve(), number=next(self._numbers))
            self._start(half, min(slowest.seconds, slowest.until - time.monotonic()))

    def _share(self, shards: int) -> float:
        """The part of the time budget that each shard has: all of it where all have a worker at once."""
        at_once = min(self._limits.jobs or shards, shards)
        return self._limits.budget * at_once / shards if shards else 0.0

    def _start(self, shard: Shard, seconds: float) -> None:
        threads = "" if shard.threads == self._limits.threads else f"-{shard.threads}-threads"
        log = self._logs / f"{shard.environment}-{shard.framework}-{shard.number}{threads}.txt"
        python = self._environments[shard.environment].python
        worker = Connection(python, shard.adapter, log, shard.threads, self._limits.cache)
        if shard.framework != self._longest:
            worker.give_way()
        shift = _Shift(shard, worker, self._limits, seconds, self.greetings)
        self._running.append(shift)
        self._selector.register(worker, selectors.EVENT_READ, shift)

    def _next(self, meanwhile: Callable[[], bool]) -> Iterator[Observed]:
        """Wait for whatever comes first, an answer or a deadline, and see to it."""
        earliest = min(min(shift.deadline, shift.until) for shift in self._running)
        ready = self._selector.select(0)
        while not ready and time.monotonic() < earliest and meanwhile():
            ready = self._selector.select(0)
        for key, _ in ready or self._selector.select(max(0.0, earliest - time.monotonic())):
            yield from key.data.receive()
        now = time.monotonic()
        for shift in tuple(self._running):
            if not shift.over and now > shift.deadline:
                yield from shift.expire()
            if shift.over or now > shift.until:
                self._end(shift)
                if shift.left and now < shift.until:
                    self._start(shift.shard.rest(shift.left), min(shift.seconds, shift.until - now))

    def _end(self, shift: _Shift) -> None:
        self._running.remove(shift)
        self._selector.unregister(shift.worker)
        shift.worker.close()


class _Shift:
    """One worker's time with a shard: until all is answered, or it dies or is given up.

    Attributes:
        left: items that another worker must take over, once it is over.
        deadline: when its import, or the call that it is making, has taken too long.
        seconds: its time for calls, which begins with the first answer.
        until: when that is over; what has no answer then never gets one.
        importing: seconds until it was ready.
    """

    def __init__(
        self, shard: Shard, worker: Connection, limits: Limits, seconds: float, greetings: list[Greeting]
    ) -> None:
        self.shard = shard
        self.worker = worker
        self.over = False
        self.left: Sequence[Item] = ()
        self.deadline = time.monotonic() + limits.start
        self.until = math.inf
        self.seconds = seconds
        self.importing = math.inf
        self._limits = limits
        self._greetings = greetings
        self._started = time.monotonic()
        self._ready = False
        self._asked: deque[Item] = deque(shard.items)
        self._batches: deque[Sequence[Item]] = deque()
        self._unanswered = 0
        self._answers = 0

    def seconds_left(self) -> float:
        """What the calls that it wasn't sent yet will take, if they take as long as those before; 0 if unknown."""
        unsent = len(self._asked) - self._unanswered
        spent = time.monotonic() - self._started - self.importing
        return unsent * spent / self._answers if self._answers and len(self._batches) > 1 else 0.0

    def halve(self) -> Sequence[Item]:
        """Take the latter half of the batches that it wasn't sent yet: their items are no longer its own."""
        given = [self._batches.pop() for _ in range(len(self._batches) // 2)]
        items = [item for batch in reversed(given) for item in batch]
        for _ in items:
            self._asked.pop()
        return items

    def receive(self) -> Iterator[Observed]:
        """See to what the worker has sent."""
        try:
            for answer in self.worker.receive():
                yield from self._answered(*answer) if self._ready else self._greeted(answer[0])
        except WorkerDiedError as death:
            yield from self._lost(death)

    def expire(self) -> Iterator[Observed]:
        """The deadline has passed: give up the call, or the whole framework if it isn't even imported."""
        if self._ready:
            yield from self._drop(Observation(Outcome.TIMEOUT, reason=f"no answer within {self._limits.timeout:g} s"))
        else:
            reason = f"importing {self.shard.framework} took longer than {self._limits.start:g} s"
            yield from self._give_up(Observation(Outcome.TIMEOUT, reason=reason))

    def _greeted(self, ready: Mapping[str, Any]) -> Iterator[Observed]:
        if not ready["ready"]:
            yield from self._give_up(Observation(Outcome.UNAVAILABLE, reason=str(ready["reason"])))
            return
        self._ready = True
        self.importing = time.monotonic() - self._started
        self._greetings.append(_greeting(self.shard, {**ready, "threads": self._limits.threads}))
        asked, self._asked = self._asked, deque()
        for item in asked:
            reason = ready["absent"].get(item.subject.implementation, {}).get(item.call.operation)
            if reason:
                yield item, Observation(Outcome.UNAVAILABLE, error=ABSENT, reason=reason)
            else:
                self._asked.append(item)
        self._batches.extend(batches(tuple(self._asked)))
        self._send()

    def _answered(self, header: Mapping[str, Any], tensors: Sequence[Tensor]) -> Iterator[Observed]:
        seen = self._asked.popleft(), observation(header, tensors)
        now = time.monotonic()
        self.deadline = now + self._limits.timeout
        self.until = min(self.until, now + self.seconds)  # no worker is without an answer
        self._unanswered -= 1
        self._answers += 1
        try:
            if not self._unanswered:  # before the answer is judged: the worker must not wait for that
                self._send()
        finally:
            yield seen

    def _send(self) -> None:
        if not self._batches:
            self.over = True
            return
        batch = self._batches.popleft()
        self.worker.send(*request(batch))
        self._unanswered = len(batch)
        self.deadline = time.monotonic() + self._limits.timeout

    def _lost(self, death: WorkerDiedError) -> Iterator[Observed]:
        """The worker died: while importing, all of its calls are lost; later, the one it was making."""
        if self._ready:
            yield from self._drop(Observation(Outcome.CRASH, reason=str(death)))
        else:
            # One that ends by itself (no NumPy, a broken wheel) is unavailable; a signal is a crash.
            outcome = Outcome.CRASH if death.crashed else Outcome.UNAVAILABLE
            yield from self._give_up(Observation(outcome, reason=f"while importing {self.shard.framework}: {death}"))

    def _drop(self, seen: Observation) -> Iterator[Observed]:
        """The call under way is the culprit; the rest is left for another worker."""
        self.over = True
        culprit = self._asked.popleft()
        self.left = tuple(self._asked)
        yield culprit, seen

    def _give_up(self, seen: Observation) -> Iterator[Observed]:
        self.over = True
        for item in self._asked:
            yield item, seen


def _greeting(shard: Shard, ready: Mapping[str, Any]) -> Greeting:
    fingerprint = Fingerprint(
        ready["python"],
        ready["packages"],
        ready["threads"],
        ready["machine"],
        tuple(ready["features"]),
        ready["libc"],
        ready["flags"],
    )
    known = {path: tuple(Parameter(*each) for each in found) for path, found in ready["signatures"].items()}
    return Greeting(shard.environment, shard.framework, fingerprint, known)
