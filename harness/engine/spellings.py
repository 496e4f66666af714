"""Public calls made and written down: what a person types for an operation with given parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.adapters import Implementation
from harness.adapters.spelling import SPELLED
from harness.engine import plan as planning
from harness.engine.pool import Limits, Pool
from harness.model.case import Case, Parameters
from harness.model.observation import Observation, Outcome
from harness.model.plan import Item
from harness.model.subject import Adapter, Environment

LASTING = frozenset({Outcome.VALUE, Outcome.ERROR, Outcome.UNSUPPORTED})
"""How calls end that end so again."""
SPELLER = """from harness.adapters.spelling import spelling
from harness.worker.process import load_adapter

adapter = load_adapter({file!r})
FRAMEWORK, PACKAGES, IMPLEMENTATIONS = adapter.FRAMEWORK, adapter.PACKAGES, adapter.IMPLEMENTATIONS
ALIASES = getattr(adapter, "ALIASES", {{}})
start, call = adapter.start, spelling(adapter.call, ALIASES)
"""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A call that is to be written down.

    Attributes:
        row: who is asked.
        case: what.
        mode: how; "" for the row's usual mode.
    """

    adapter: Adapter
    row: Implementation
    case: Case
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A call as it was made.

    Attributes:
        row: the implementation's row.
        parameters: the operation's, all of them.
        text: the expression; inputs by their names.
        arguments: of the public call that the row is named by, as text by name, in the signature's order.
        defaults: of its arguments, likewise.
    """

    row: Implementation
    parameters: Parameters
    text: str
    arguments: Mapping[str, str]
    defaults: Mapping[str, str]


def spell(
    asked: Sequence[Asked], environment: Environment, limits: Limits, work: Path
) -> list[tuple[Asked, Spelling | None]]:
    """Make calls in an environment.

    Args:
        work: a folder for what is needed on the way.

    Returns:
        Each call with how it was made; None if it is refused or raises, or can't be told. Calls that crashed, ran out
        of time or memory, or whose framework wasn't there are left out: another time they may go well.
    """
    work.mkdir(parents=True, exist_ok=True)
    items = list(_items(asked, environment, work))
    pool = Pool({environment.name: environment}, limits, work / "workers")
    seen = {item.rank: observation for item, observation in pool.observe([item for item in items if item])}
    found: list[tuple[Asked, Spelling | None]] = []
    for rank, (each, item) in enumerate(zip(asked, items, strict=True)):
        if item is None:
            found.append((each, None))
        elif rank in seen and seen[rank].outcome in LASTING:
            found.append((each, _read(each.row, item, seen[rank])))
    return found


def _items(asked: Sequence[Asked], environment: Environment, work: Path) -> Iterator[Item | None]:
    files = {file: _speller(file, work / f"speller{n}.py") for n, file in enumerate({a.adapter.file for a in asked})}
    for rank, each in enumerate(asked):
        alone = replace(each.adapter, implementations=(each.row._replace(alias=False, seldom=()),))
        items = planning.make([each.case], [alone], {environment.name: environment}, lambda _unit, _subject: True).items
        mode = each.mode or each.row.modes[0]
        found = [item for item in items if item.subject.mode == mode and not item.refusal]
        adapter = str(files[each.adapter.file])
        yield replace(found[0], rank=rank, adapter=adapter, wanted=("value",)) if found else None


def _speller(file: str, place: Path) -> Path:
    """An adapter that wraps the one in a file."""
    place.write_text(SPELLER.format(file=file), encoding="utf-8")
    return place


def _read(row: Implementation, item: Item, seen: Observation) -> Spelling | None:
    if SPELLED not in seen.outputs:
        return None
    log: Mapping[str, Any] = json.loads(seen.outputs[SPELLED].tobytes().decode("utf-8"))
    if not log["text"]:
        return None
    own = [
        call for call in log["calls"] if call["function"].partition("(")[0] == row.path
    ]  # a class is made, then called
    return Spelling(row, item.parameters, log["text"], _merged(own, "arguments"), _merged(own, "defaults"))


def _merged(calls: Sequence[Mapping[str, Mapping[str, str]]], key: str) -> dict[str, str]:
    return {name: text for call in calls for name, text in call[key].items()}
