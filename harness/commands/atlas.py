"""`harness atlas`: which public calls compute the same function, and how to port one to another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness import pipeline, provision
from harness.atlas import atlas
from harness.atlas.atlas import Atlas, Surveyor
from harness.atlas.choosing import Shown
from harness.atlas.evidence import gather
from harness.atlas.reports import FORMATS
from harness.commands import formats
from harness.config import Options
from harness.environments.adapters import adapters
from harness.model.case import Case, Relation
from harness.model.run import Results
from harness.session import results
from harness.store import folder
from harness.store.database import reading

DEFAULTS = ("json", "html", "markdown")


def made(run: Path | None, options: Options) -> Atlas:
    """Read a run, make the calls that it needs, and write the reports.

    Args:
        run: a run's folder; the latest if None.

    Raises:
        RunFolderError: there is no such run.
        ConfigError: a report's format is unknown.
    """
    wanted = formats.wanted(options.report or DEFAULTS, FORMATS)
    place = folder.find(run)
    asked = pipeline.reopened(options.model_copy(update={"out": place}))
    with reading(place) as store:
        found = _atlas(results(store, place), asked.model_copy(update={"cache": options.cache}))
    formats.write(found, wanted, FORMATS, place)
    return found


def _atlas(measured: Results, options: Options) -> Atlas:
    units = pipeline.expand_units(pipeline.find_entries(None, options), options)
    cases = {unit.id: unit for unit in units if isinstance(unit, Case)}
    relations = {unit.id: unit for unit in units if isinstance(unit, Relation)}
    tables = adapters(options.adapter)
    places = [each for each in provision.environments(options, tables).values() if not each.complaint]
    versions = {name: dict(known.packages) for name, known in measured.run.environments.items()}
    limits = provision.limits(options)
    with tempfile.TemporaryDirectory() as work:
        surveyor = Surveyor(tables, places, limits, Path(work))
        evidence = gather(measured.verdicts, cases)
        return atlas.make(surveyor, evidence, Shown(relations, measured.verdicts), measured.run.command, versions)


def screen(found: Atlas) -> Iterator[str]:
    """What there is in the reports."""
    frameworks = ", ".join(dict.fromkeys(function.framework for function in found.functions))
    called = sum(bool(function.text) for function in found.functions)
    yield f"{len(found.chapters)} operations, {len(found.functions)} functions of {frameworks}: {called} called"
    can = [each for each in found.ports if each.text]
    backed = sum(bool(each.cases) for each in can)
    yield f"{len(found.ports)} ports: {len(can)} with a call, {backed} of them backed by cases"
