"""`pytest cases`: each YAML case x subject is a pytest item.

One item is a case x subject for documents and found cases, a generator x subject elsewhere. Items
are run in batches: the first one of a framework runs all that were selected of it, so that each
framework starts once, under pytest-xdist too (items of a framework form an `xdist_group`).
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import casefile, config, pipeline, provision
from harness.config import Options
from harness.environments.adapters import adapters
from harness.mistakes import MISTAKES
from harness.model.case import Case, Relation, Unit
from harness.model.plan import Item as Call
from harness.model.plan import Plan
from harness.model.subject import Environment
from harness.model.verdict import Kind, Verdict
from harness.reporting.failure import message

EVERYBODY = "everybody"
"""Group of the cases whose subjects are judged by one another, across frameworks."""
DOCUMENT = "document"
SINGLE = ("documents", "found")
"""Folders whose cases are an item each."""

STASH: pytest.StashKey[Suite] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Give frameworks' items to one xdist worker each."""
    config.addinivalue_line("markers", "xdist_group(name): items that one pytest-xdist worker runs")
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "loadgroup"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CaseFile | None:
    """Collect the YAML files below cases/, but for the list of deviations."""
    root = casefile.cases_folder()
    if file_path.suffix != ".yaml" or not file_path.is_relative_to(root) or casefile.lists_deviations(file_path, root):
        return None
    return CaseFile.from_parent(parent, path=file_path)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Know what is selected before the first item runs."""
    items = [item for item in session.items if isinstance(item, CaseItem)]
    if items:
        session.config.stash[STASH] = Suite(items, _options())


class VerdictFailedError(Exception):
    """A case that a subject fails; the message is the comparator's."""


class CaseFile(pytest.File):
    """A case file."""

    def collect(self) -> Iterator[CaseItem]:
        """Plan the file's cases: nothing is started yet."""
        try:
            options = _options().model_copy(update={"paths": (self.path,)})
            entries = pipeline.find_entries(None, options)
            plan = pipeline.make_plan(pipeline.expand_units(entries, options), options)
        except MISTAKES as mistake:
            raise self.CollectError(str(mistake)) from mistake
        for unit in plan.units:
            if _prints(unit):
                yield self._item(_local(unit.id), DOCUMENT, DOCUMENT, [unit], [])
        by_unit = _by_unit(plan)
        single = self.path.parent.name in SINGLE
        for (name, subject, framework), units in _grouped(plan, by_unit, single=single).items():
            calls = [c for unit in units for c in by_unit[unit.id] if _belongs(c, subject, framework)]
            yield self._item(name, subject, framework, units, calls)

    def _item(self, name: str, subject: str, framework: str, units: Sequence[Unit], calls: Sequence[Call]) -> CaseItem:
        item: CaseItem = CaseItem.from_parent(self, name=f"{name}/{subject}")
        item.subject, item.framework, item.units, item.calls = subject, framework, units, calls
        item.add_marker(pytest.mark.xdist_group(framework))
        return item


class CaseItem(pytest.Item):
    """A case, or the cases of a generator, with one subject."""

    subject: str
    framework: str
    units: Sequence[Unit]
    calls: Sequence[Call]

    def runtest(self) -> None:
        """Judge; pass = passed, deviation and erratum = xfailed, unavailable = skipped."""
        rows = self.config.stash[STASH].rows(self)
        if failed := [row for row in rows if row.verdict.failed]:
            raise VerdictFailedError("\n\n".join(map(message, failed)))
        if known := [row for row in rows if row.verdict in (Kind.DEVIATION, Kind.ERRATUM)]:
            pytest.xfail(f"{known[0].verdict}: {known[0].reason}")
        if absent := [row for row in rows if row.verdict is Kind.UNAVAILABLE]:
            pytest.skip(absent[0].reason)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The comparator's message, without the harness's own traceback."""
        if isinstance(excinfo.value, VerdictFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the case stands."""
        line = self.units[0].source.line
        return self.path, line - 1, self.name


class Suite:
    """The selected items, run framework by framework when the first of them is asked for."""

    def __init__(self, items: Iterable[CaseItem], options: Options) -> None:
        self._options = options
        self._groups: dict[str, list[CaseItem]] = defaultdict(list)
        self._rows: dict[str, dict[tuple[str, str], list[Verdict]]] = {}
        for item in items:
            self._groups[item.framework].append(item)

    def rows(self, item: CaseItem) -> list[Verdict]:
        """The verdicts of an item."""
        if item.framework not in self._rows:
            self._rows[item.framework] = self._run(self._groups[item.framework])
        found = self._rows[item.framework]
        return [row for unit in item.units for row in found.get((unit.id, item.subject), [])]

    def _run(self, items: Sequence[CaseItem]) -> dict[tuple[str, str], list[Verdict]]:
        found: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
        with tempfile.TemporaryDirectory() as folder:
            options = self._options.model_copy(update={"out": Path(folder)})
            plan = _joined(items, provision.environments(options, adapters(options.adapter)))
            session = pipeline.open_session(plan, options)
            results = pipeline.finish(pipeline.relate(pipeline.observe(session, options), options), options)
        for row in results.verdicts:
            found[row.case, row.subject].append(row)
        return found


def _options() -> Options:
    return config.resolve({})


def _joined(items: Iterable[CaseItem], places: Mapping[str, Environment]) -> Plan:
    """One plan of several items' calls; what they share is asked once."""
    units = {unit.id: unit for item in items for unit in item.units}
    calls = {(call.call.id, call.subject): call for item in items for call in item.calls}
    first = len(units)
    ranked = [replace(call, rank=first + number) for number, call in enumerate(calls.values())]
    return Plan(list(units.values()), list(range(first)), ranked, places)


def _by_unit(plan: Plan) -> Mapping[str, Sequence[Call]]:
    found: dict[str, list[Call]] = defaultdict(list)
    for call in plan.items:
        found[call.unit.id].append(call)
    return found


def _grouped(
    plan: Plan, by_unit: Mapping[str, Sequence[Call]], *, single: bool
) -> Mapping[tuple[str, str, str], Sequence[Unit]]:
    """Units by item: its name, subject and group. What a subject's API can't express is no item."""
    grouped: dict[tuple[str, str, str], dict[str, Unit]] = defaultdict(dict)
    for unit in plan.units:
        for call in by_unit[unit.id]:
            if not call.refusal and _leads(call):
                name = _local(unit.id if single else unit.group)
                grouped[name, call.subject.id, _framework(call)][unit.id] = unit
    return {key: list(units.values()) for key, units in grouped.items()}


def _framework(call: Call) -> str:
    """The group that a call runs in: its framework's, or everybody's."""
    if isinstance(call.unit, Case) and call.unit.expect.agree:
        return EVERYBODY
    return f"{call.subject.environment}:{call.subject.framework}"


def _leads(call: Call) -> bool:
    """Whether a call's subject is judged by it: the first call's of a relation."""
    return not isinstance(call.unit, Relation) or call.call is next(iter(call.unit.calls.values()))


def _belongs(call: Call, subject: str, framework: str) -> bool:
    """Whether an item needs a call: its subject's own, its relation's partners, everybody's to agree."""
    others = framework == EVERYBODY or isinstance(call.unit, Relation)
    return call.subject.id == subject or (others and _framework(call) == framework)


def _prints(unit: Unit) -> bool:
    """Whether a document is judged by this unit."""
    return not isinstance(unit, Case) or unit.expect.printed is not None or bool(unit.expect.claimed)


def _local(name: str) -> str:
    return name.partition(":")[2]
