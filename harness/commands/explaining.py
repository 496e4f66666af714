"""`harness explain CASE`: one case, all subjects side by side, measured now."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness import casefile, pipeline
from harness.config import ConfigError, Options
from harness.engine.plan import calls
from harness.model.case import Unit
from harness.oracle.truth import evaluate
from harness.reporting import explanation

MANY = 5


def explain(name: str, options: Options) -> Iterator[str]:
    """Run a case with every subject and tell what each gave, as lines.

    Args:
        name: a case id, the part of it behind the colon, or the beginning of either.

    Raises:
        ConfigError: no case has that name, or several have.
    """
    unit = _named(name, _units(name, options))
    with tempfile.TemporaryDirectory() as folder:
        settings = options.model_copy(update={"out": Path(folder)})
        session = pipeline.open_session(pipeline.make_plan([unit], settings), settings)
        results = pipeline.finish(pipeline.relate(pipeline.observe(session, settings), settings), settings)
        for call in calls(unit):
            yield from explanation.lines(results, call.id, evaluate(call))
        yield from explanation.relation(results, unit.id)


def _units(name: str, options: Options) -> list[Unit]:
    """The units of the file that the name speaks of; of the paths that are given, or of all files, if it names none."""
    root = casefile.cases_folder()
    stem, colon, _ = name.partition(":")
    named = root / f"{stem}.yaml"
    files = [named] if colon and named.is_file() else casefile.find(options.paths or [root], root)
    return [unit for entry in casefile.load(files, root) for unit in casefile.expand(entry, options.seed)]


def _named(name: str, units: Sequence[Unit]) -> Unit:
    exact = [u for u in units if name in (u.id, u.id.partition(":")[2])]
    found = exact or [u for u in units if u.id.startswith(name) or u.id.partition(":")[2].startswith(name)]
    if not found:
        raise ConfigError(f"explain {name}: no case has this id; `harness list cases` shows them")
    if len(found) > 1:
        shown = ", ".join(u.id for u in found[:MANY]) + (f" and {len(found) - MANY} more" if len(found) > MANY else "")
        raise ConfigError(f"explain {name}: {len(found)} cases begin so: {shown}")
    return found[0]
