"""The cases of a pytest run: case files divided into the parts that are an item each, and run as one batch.

A part is a case x subject; a generator x subject for the cases of an entry that has many. What no API
of a subject can express is counted and has no part. All selected parts are one run of the pipeline,
so each framework starts once, and a verdict is the one that `harness run` gives.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from harness import casefile, pipeline
from harness.casefile import CaseFileErrors, Entry, Problem
from harness.config import Options
from harness.mistakes import NothingSelectedError
from harness.model.case import Case, Relation, Source, Unit
from harness.model.plan import Item, Plan
from harness.model.subject import Environment, Subject
from harness.model.verdict import Verdict
from harness.reporting import overview
from harness.reporting.text import one_line, plural

DOCUMENT = "document"
SINGLE = ("documents", "found")
"""Folders of the stock suite whose cases are a part each; in the others an entry is one."""


Rows = Mapping[tuple[str, str], list[Verdict]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one pytest item judges.

    Attributes:
        name: the case's or the entry's id in its file.
        subject: whose answers it judges.
        units: the cases.
        calls: the calls that its verdicts need.
    """

    name: str
    subject: str
    units: Sequence[Unit]
    calls: Sequence[Item]


class Suite:
    """Parts of case files, and their verdicts.

    Attributes:
        unsupported: calls of the files seen so far that their subject's API can't express.
    """

    def __init__(self, options: Options) -> None:
        # What stops a run, and where it writes, is pytest's to say.
        whole = {"max_failures": 0, "time_budget": 0.0}
        self._options = options.model_copy(update={**whole, "resume": False, "report": (), "baseline": None})
        self._sources: dict[str, Source] = {}
        self._environments: dict[str, Environment] = {}
        self._selected: Sequence[Part] = ()
        self._judged: dict[Part, list[Verdict]] = {}
        self.unsupported = 0

    def parts(self, file: Path) -> Iterator[Part]:
        """The parts of a case file; nothing is started yet.

        Raises:
            CaseFileErrors, ConfigError, EnvironmentUnusableError: the user's input is wrong.
        """
        options = self._options.model_copy(update={"paths": (_shown(file),)})
        entries = pipeline.find_entries(None, options)
        self._see(entries)
        try:
            plan = pipeline.make_plan(pipeline.expand_units(entries, options), options)
        except NothingSelectedError:
            return
        self._environments |= plan.environments
        self.unsupported += sum(bool(call.refusal) for call in plan.items)
        yield from _parts(plan, _gathered(file, entries))

    def select(self, parts: Iterable[Part]) -> None:
        """Know what is to be run, before the first verdict is asked for."""
        self._selected = tuple(parts)

    def judge(self, part: Part) -> list[Verdict]:
        """The verdicts of a part; the first one that is asked for runs all that are selected."""
        if isinstance(self._rows, Exception):
            raise self._rows
        rows = [row for unit in part.units for row in self._rows.get((unit.id, part.subject), [])]
        self._judged[part] = rows
        return rows

    def summary(self) -> list[str]:
        """What became of the parts that were judged, what could not be asked first; nothing if none was."""
        if not self._judged:
            return []
        rows = [row for judged in self._judged.values() for row in judged]
        lines = [
            f"UNAVAILABLE  {a.name} in {a.environment}: {plural(a.verdicts, 'verdict')} missing: {one_line(a.reason)}"
            for a in overview.absences(rows)
        ]
        lines += [f"{tally}: {overview.breakdown(tally.counts)}" for tally in overview.tallies(rows)]
        judgements = [row.tolerance for row in rows if row.tolerance]
        if judgements and (self._options.rtol, self._options.atol) != (None, None):
            outside = sum(judgement.passed is False for judgement in judgements)
            lines.append(f"rtol/atol, a judge of its own: {outside:,} of {plural(len(judgements), 'verdict')} outside")
        if self.unsupported:
            lines.append(f"unsupported, so no item: {plural(self.unsupported, 'call')}")
        return lines

    @cached_property
    def _rows(self) -> Rows | Exception:
        """All verdicts by case and subject; or what has stopped the run, which every item then says."""
        try:
            return self._run()
        except Exception as error:  # noqa: BLE001 - raised again for each item
            return error

    def _run(self) -> Rows:
        found: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
        with tempfile.TemporaryDirectory() as folder:
            options = self._options.model_copy(update={"out": Path(folder)})
            plan = _joined(self._selected, self._environments)
            with closing(pipeline.open_session(plan, options)) as session:
                results = pipeline.finish(pipeline.relate(pipeline.observe(session, options), options), options)
        for row in results.verdicts:
            found[row.case, row.subject].append(row)
        return found

    def _see(self, entries: Iterable[Entry]) -> None:
        """Refuse ids that two files share: a case is told by its id."""
        problems = []
        for entry in entries:
            first = self._sources.setdefault(entry.id, entry.source)
            if first.file != entry.source.file:
                message = f"id {entry.id!r} again; it is at {first} already"
                problems.append(Problem(entry.source.file, entry.source.line, 1, "$", message))
        if problems:
            raise CaseFileErrors(problems)


def _shown(file: Path) -> Path:
    """The file as messages name it: from here, if it lies below."""
    here = Path.cwd()
    return Path(os.path.relpath(file, here)) if file.is_relative_to(here) else file


def _gathered(file: Path, entries: Sequence[Entry]) -> Callable[[Unit], bool]:
    """Whether a unit is judged together with the others of its entry."""
    root = casefile.cases_folder().resolve()
    if file.resolve().is_relative_to(root):
        return lambda _unit: file.parent.name not in SINGLE
    many = {entry.id for entry in entries if entry.count > 1}
    return lambda unit: unit.group in many


def _parts(plan: Plan, gathered: Callable[[Unit], bool]) -> Iterator[Part]:
    for unit in plan.units:
        if _prints(unit):
            yield Part(_local(unit.id), DOCUMENT, [unit], [])
    calls = _by_unit(plan.items)
    grouped: dict[tuple[str, Subject], dict[str, Unit]] = defaultdict(dict)
    for unit in plan.units:
        for call in calls[unit.id]:
            if not call.refusal and _leads(call):
                name = _local(unit.group if gathered(unit) else unit.id)
                grouped[name, call.subject][unit.id] = unit
    for (name, subject), units in grouped.items():
        needed = [call for unit in units.values() for call in calls[unit.id] if _needs(subject, call)]
        yield Part(name, subject.id, list(units.values()), needed)


def _by_unit(items: Iterable[Item]) -> Mapping[str, Sequence[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.unit.id].append(item)
    return found


def _joined(parts: Iterable[Part], environments: Mapping[str, Environment]) -> Plan:
    """One plan of several parts; what they share is asked once."""
    units = {unit.id: unit for part in parts for unit in part.units}
    calls = {(call.call.id, call.subject): call for part in parts for call in part.calls}
    first = len(units)
    ranked = [replace(call, rank=first + number) for number, call in enumerate(calls.values())]
    return Plan(list(units.values()), list(range(first)), ranked, environments)


def _leads(call: Item) -> bool:
    """Whether a call's subject is judged by it: the first call's of a relation."""
    return not isinstance(call.unit, Relation) or call.call is next(iter(call.unit.calls.values()))


def _needs(subject: Subject, call: Item) -> bool:
    """Whether a subject's verdict needs a call: its own, its partners' in a relation, everybody's to agree.

    Partners are of one environment and framework: to select one framework's items starts no other.
    """
    if isinstance(call.unit, Relation):
        return (call.subject.environment, call.subject.framework) == (subject.environment, subject.framework)
    return call.subject == subject or _agrees(call.unit)


def _agrees(unit: Unit) -> bool:
    return isinstance(unit, Case) and unit.expect.agree


def _prints(unit: Unit) -> bool:
    """Whether a document is judged by this unit."""
    return not isinstance(unit, Case) or unit.expect.printed is not None or bool(unit.expect.claimed)


def _local(name: str) -> str:
    return name.partition(":")[2]
