"""The calls of a plan, divided among workers and put into frames."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.model.observation import Observation, Outcome
from harness.model.plan import Item
from harness.model.tensors import to_array, to_tensor
from harness.worker.frames import Tensor

BATCH_CALLS = 256
BATCH_BYTES = 1 << 25


@dataclass(frozen=True, slots=True)
class Shard:
    """Calls of one environment and framework, made by one worker process at a time.

    Attributes:
        threads: that its calls may use.
    """

    environment: str
    framework: str
    adapter: str
    threads: int
    number: int
    items: Sequence[Item]

    def rest(self, items: Sequence[Item]) -> Shard:
        """The same with other items."""
        return replace(self, items=items)


def shards(items: Sequence[Item], jobs: int, threads: int) -> list[Shard]:
    """One shard for each environment, framework and number of threads; several if there are more jobs than those.

    Args:
        threads: of a call that doesn't say how many.
    """
    groups: dict[tuple[str, str, str, int], list[Item]] = defaultdict(list)
    for item in items:
        own = item.call.threads or threads
        groups[item.subject.environment, item.subject.framework, item.adapter, own].append(item)
    each = max(1, jobs // len(groups)) if groups else 1
    return [
        Shard(*key, number, group[number::each])
        for key, group in groups.items()
        for number in range(min(each, len(group)))
    ]


def longest(waiting: Iterable[Shard]) -> str:
    """The framework with the most calls, "" if there is none: a run can't end before that has.

    In several environments it is the same one, so that the seconds of its calls can be compared.
    """
    calls: Counter[str] = Counter()
    for shard in waiting:
        calls[shard.framework] += len(shard.items)
    return max(calls, key=calls.__getitem__, default="")


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Calls in parts that are sent in one frame each."""
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


def request(batch: Sequence[Item]) -> tuple[dict[str, Any], list[Tensor]]:
    """The frame that asks a batch."""
    calls = [
        {
            "implementation": item.subject.implementation,
            "operation": item.call.operation,
            "mode": item.subject.mode,
            "parameters": item.parameters,
            "wanted": item.wanted,
            "inputs": list(item.call.inputs),
            "layout": item.call.layout,
        }
        for item in batch
    ]
    return {"calls": calls}, [to_tensor(array) for item in batch for array in item.call.inputs.values()]


def observation(header: Mapping[str, Any], tensors: Sequence[Tensor]) -> Observation:
    """What a worker's answer says."""
    outputs = dict(zip(header.get("outputs", ()), map(to_array, tensors), strict=True))
    return Observation(
        Outcome(header["outcome"]),
        outputs,
        header.get("error", ""),
        header.get("reason", ""),
        header["seconds"],
        tuple(header.get("warnings", ())),
        header.get("unsupported", {}),
    )
