"""Whether each framework can be had in each environment: start its worker and ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.engine.connection import Connection, WorkerDiedError
from harness.engine.pool import Limits
from harness.model.subject import Adapter, Environment


@dataclass(frozen=True, slots=True)
class Checkup:
    """One framework in one environment.

    Attributes:
        packages: versions of its packages; empty if it is unavailable.
        complaint: why it is unavailable, "" if it isn't.
    """

    environment: str
    framework: str
    python: str
    packages: Mapping[str, str]
    complaint: str


def examine(
    environments: Mapping[str, Environment], adapters: Sequence[Adapter], limits: Limits, logs: Path
) -> Iterator[Checkup]:
    """Start one worker after another and report what it says."""
    for environment in environments.values():
        for adapter in adapters:
            if not environment.frameworks or adapter.framework in environment.frameworks:
                yield _examine(environment, adapter, limits, logs / f"{environment.name}-{adapter.framework}.txt")


def _examine(environment: Environment, adapter: Adapter, limits: Limits, log: Path) -> Checkup:
    if environment.complaint:
        return Checkup(environment.name, adapter.framework, "", {}, environment.complaint)
    with Connection(environment.python, adapter.file, log, limits.threads) as worker:
        try:
            ready, _ = worker.answer(limits.start)
        except TimeoutError:
            ready = {"ready": False, "reason": f"its import took longer than {limits.start:g} s"}
        except WorkerDiedError as death:
            ready = {"ready": False, "reason": str(death)}
    if ready["ready"]:
        return Checkup(environment.name, adapter.framework, ready["python"], ready["packages"], "")
    return Checkup(environment.name, adapter.framework, "", {}, str(ready["reason"]))
