"""The pool: a worker for each environment and framework, restarted when it dies, never waited for in vain."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engine.connection import Connection, WorkerDiedError
from harness.model.observation import Observation, Outcome
from harness.model.plan import Item
from harness.model.subject import Environment, Fingerprint
from harness.model.tensors import to_array, to_tensor

BATCH_CALLS = 256
BATCH_BYTES = 1 << 25

Observed = tuple[Item, Observation]


@dataclass(frozen=True, slots=True)
class Limits:
    """How calls are made.

    Attributes:
        jobs: worker processes at once; 0 for one for each environment and framework.
        threads: threads that a call may use.
        timeout: seconds that one call may take.
        start: seconds that a worker may take to import its framework.
    """

    jobs: int = 0
    threads: int = 1
    timeout: float = 60.0
    start: float = 300.0


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a worker said of itself when it was ready."""

    environment: str
    framework: str
    fingerprint: Fingerprint


class Pool:
    """Makes the calls of a plan.

    After `observe` is exhausted, `greetings` holds what the workers reported of their environments.

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
        self._stop = threading.Event()
        self._live: set[Connection] = set()
        self._done: queue.SimpleQueue[Observed | BaseException | None] = queue.SimpleQueue()

    def observe(self, items: Sequence[Item]) -> Iterator[Observed]:
        """Yield an observation for every item, as they come."""
        asked = [item for item in items if not item.refusal]
        for item in items:
            if item.refusal:
                yield item, Observation(Outcome.UNSUPPORTED, reason=item.refusal)
        shards = _shards(asked, self._limits.jobs)
        slots = threading.Semaphore(self._limits.jobs or max(len(shards), 1))
        threads = [threading.Thread(target=self._work, args=(shard, slots), daemon=True) for shard in shards]
        self._logs.mkdir(parents=True, exist_ok=True)
        for thread in threads:
            thread.start()
        try:
            yield from self._drain(len(threads))
        finally:
            self._stop.set()
            for worker in tuple(self._live):
                worker.kill()
            for thread in threads:
                thread.join()

    def _drain(self, working: int) -> Iterator[Observed]:
        while working:
            done = self._done.get()
            if done is None:
                working -= 1
            elif isinstance(done, BaseException):
                raise done
            else:
                yield done

    def _work(self, shard: _Shard, slots: threading.Semaphore) -> None:
        try:
            with slots:
                self._run(shard)
        except BaseException as error:  # noqa: BLE001 - travels to the host's thread
            self._done.put(error)
        finally:
            self._done.put(None)

    def _run(self, shard: _Shard) -> None:
        """Start workers until every item has its observation."""
        left = shard.items
        while left and not self._stop.is_set():
            log = self._logs / f"{shard.environment}-{shard.framework}-{shard.number}.txt"
            python = self._environments[shard.environment].python
            with Connection(python, shard.adapter, self._limits.threads, log) as worker:
                self._live.add(worker)
                try:
                    left = () if self._stop.is_set() else self._session(worker, shard, left)
                finally:
                    self._live.discard(worker)

    def _session(self, worker: Connection, shard: _Shard, items: Sequence[Item]) -> Sequence[Item]:
        """Have one worker answer; return the items that another one must take over."""
        try:
            ready, _ = worker.receive(self._limits.start)
        except (TimeoutError, WorkerDiedError) as failure:
            return self._give_up(items, _never_ready(failure, shard.framework, self._limits.start))
        if not ready["ready"]:
            return self._give_up(items, Observation(Outcome.UNAVAILABLE, reason=str(ready["reason"])))
        self.greetings.append(_greeting(shard, ready))
        absent = ready["absent"]
        present = [item for item in items if item.subject.implementation not in absent]
        for item in items:
            if reason := absent.get(item.subject.implementation):
                self._done.put((item, Observation(Outcome.UNAVAILABLE, reason=reason)))
        return present[self._answers(worker, present) :]

    def _answers(self, worker: Connection, items: Sequence[Item]) -> int:
        """Pass a worker's answers on until it is done or gone; the number of items decided by then."""
        decided = 0
        try:
            for batch in batches(items):
                worker.send(*request(batch))
                for item in batch:
                    if self._stop.is_set():
                        return len(items)
                    self._done.put((item, _observation(*worker.receive(self._limits.timeout))))
                    decided += 1
        except TimeoutError:
            failure = Observation(Outcome.TIMEOUT, reason=f"no answer within {self._limits.timeout:g} s")
        except WorkerDiedError as death:
            failure = Observation(Outcome.CRASH, reason=str(death))
        else:
            return decided
        self._done.put((items[decided], failure))
        return decided + 1

    def _give_up(self, items: Sequence[Item], observation: Observation) -> Sequence[Item]:
        for item in items:
            self._done.put((item, observation))
        return ()


@dataclass(frozen=True, slots=True)
class _Shard:
    """The calls that one worker after another makes in one process's stead."""

    environment: str
    framework: str
    adapter: str
    number: int
    items: Sequence[Item]


def _shards(items: Sequence[Item], jobs: int) -> list[_Shard]:
    """One shard for each environment and framework; several if there are more jobs than those."""
    groups: dict[tuple[str, str, str], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.subject.environment, item.subject.framework, item.adapter].append(item)
    each = max(1, jobs // len(groups)) if groups else 1
    return [
        _Shard(*key, number, group[number::each])
        for key, group in groups.items()
        for number in range(min(each, len(group)))
    ]


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += sum(array.nbytes for array in item.call.inputs.values())
        if len(batch) == BATCH_CALLS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def request(batch: Sequence[Item]) -> tuple[dict[str, Any], list[Any]]:
    calls = [
        {
            "implementation": item.subject.implementation,
            "operation": item.call.operation,
            "mode": item.subject.mode,
            "parameters": item.parameters,
            "wanted": item.wanted,
            "inputs": list(item.call.inputs),
        }
        for item in batch
    ]
    return {"calls": calls}, [to_tensor(array) for item in batch for array in item.call.inputs.values()]


def _observation(header: Mapping[str, Any], tensors: Sequence[Any]) -> Observation:
    outputs = dict(zip(header.get("outputs", ()), map(to_array, tensors), strict=True))
    return Observation(
        Outcome(header["outcome"]), outputs, header.get("error", ""), header.get("reason", ""), header["seconds"]
    )


def _greeting(shard: _Shard, ready: Mapping[str, Any]) -> Greeting:
    fingerprint = Fingerprint(ready["python"], ready["packages"], ready["threads"], ready["machine"])
    return Greeting(shard.environment, shard.framework, fingerprint)


def _never_ready(failure: Exception, framework: str, limit: float) -> Observation:
    """A worker that did not get as far as importing its framework.

    One that ended by itself (no NumPy, a broken wheel that exits) is unavailable; one that was
    killed by a signal crashed.
    """
    if isinstance(failure, TimeoutError):
        return Observation(Outcome.TIMEOUT, reason=f"importing {framework} took longer than {limit:g} s")
    crashed = isinstance(failure, WorkerDiedError) and failure.crashed
    outcome = Outcome.CRASH if crashed else Outcome.UNAVAILABLE
    return Observation(outcome, reason=f"while importing {framework}: {failure}")
