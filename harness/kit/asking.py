"""Telling calls made: first one of each row and mode, then the rest of those that survive it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from harness.adapters import Implementation
from harness.engine import plan as planning
from harness.engine.plan import WRITTEN_OUT
from harness.engine.pool import Greeting, Limits, Pool
from harness.kit.answers import Answered
from harness.kit.calls import Telling, telling
from harness.model.observation import Observation, Outcome
from harness.model.plan import Item
from harness.model.subject import Adapter, Environment
from harness.operations import OPERATIONS

WATCHER = """from harness.adapters.watching import watched
from harness.worker.process import load_adapter

adapter = load_adapter({file!r})
FRAMEWORK, PACKAGES, IMPLEMENTATIONS = adapter.FRAMEWORK, adapter.PACKAGES, adapter.IMPLEMENTATIONS
start, call = adapter.start, watched(adapter.call)
"""
FATAL = (Outcome.CRASH, Outcome.TIMEOUT, Outcome.OUT_OF_MEMORY, Outcome.UNAVAILABLE)
"""After these a row is asked no more."""


class Planned(NamedTuple):
    """A telling call of a row, in a mode."""

    row: Implementation
    telling: Telling
    item: Item

    @property
    def subject(self) -> object:
        """Who makes it: the row in the mode."""
        return self.item.subject, self.row.operation


@dataclass(frozen=True, slots=True, eq=False)
class Asker:
    """Asks an adapter in an environment, in one process at a time.

    Attributes:
        work: a folder for what is needed on the way.
    """

    adapter: Adapter
    environment: Environment
    limits: Limits
    work: Path

    def ask(self) -> tuple[list[Answered], list[Greeting]]:
        """Make all calls; with what the workers have said of themselves, nothing if none could start."""
        planned = self._planned()
        first = list({each.subject: each for each in reversed(planned)}.values())[::-1]
        seen, greetings = self._observed(first, ())
        lost = {each.subject for each, watched in zip(first, seen, strict=True) if watched.outcome in FATAL}
        answered = [
            Answered(each.telling, each.item, watched)
            for each, watched in zip(first, seen, strict=True)
            if each.subject in lost
        ]
        living = [each for each in planned if each.subject not in lost]
        return answered + (self._rest(living) if living and greetings else []), greetings

    def _rest(self, living: Sequence[Planned]) -> list[Answered]:
        """Make all calls watched; then the plain ones in order, in order again, and backwards."""
        plain = [each for each in living if each.telling.is_plain]
        seen, _ = self._observed(living, [*plain, *plain, *reversed(plain)])
        watched, again, count = seen[: len(living)], iter(seen[len(living) :]), len(plain)
        first, second, backwards = [list(islice(again, count)) for _ in range(3)]
        steady = dict(zip(map(id, plain), zip(first, second, reversed(backwards), strict=True), strict=True))
        return [
            Answered(each.telling, each.item, own, steady.get(id(each), ()))
            for each, own in zip(living, watched, strict=True)
        ]

    def _planned(self) -> list[Planned]:
        """The telling calls of every row: all in its usual mode; in others, which may compile, all in one dtype."""
        found = []
        for row in self.adapter.implementations:
            alone, places = [replace(self.adapter, implementations=(row,))], {self.environment.name: self.environment}
            for dtype in row.dtypes if OPERATIONS[row.operation].outputs and WRITTEN_OUT not in row.path else ():
                for told in telling(row, dtype):
                    items = planning.make([told.case], alone, places, lambda _unit, _subject: True).items
                    thorough = told.is_plain or dtype == _main_dtype(row)
                    kept = [
                        item for item in items if not item.refusal and (thorough or item.subject.mode == row.modes[0])
                    ]
                    found += [Planned(row, told, item) for item in kept]
        return found

    def _observed(
        self, watched: Sequence[Planned], plainly: Sequence[Planned]
    ) -> tuple[list[Observation], list[Greeting]]:
        """Make calls with their inputs watched, then calls as every run makes them."""
        file = self.work / "watcher.py"
        file.write_text(WATCHER.format(file=self.adapter.file), encoding="utf-8")
        items = [replace(each.item, adapter=str(file)) for each in watched] + [each.item for each in plainly]
        ranked = [replace(item, rank=rank) for rank, item in enumerate(items)]
        pool = Pool({self.environment.name: self.environment}, replace(self.limits, jobs=1), self.work / "workers")
        found = {item.rank: observation for item, observation in pool.observe(ranked)}
        return [found[rank] for rank in range(len(items))], pool.greetings


def _main_dtype(row: Implementation) -> str:
    """The dtype that a row is asked everything in."""
    return "float32" if "float32" in row.dtypes else row.dtypes[0]
