"""The run as a tuple of stages: each a plain function from the last value and the options.

case files -> entries -> units -> plan -> session -> observations and verdicts -> results -> exit code
"""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import casefile, provision, reporting, selection
from harness.config import ConfigError, Options
from harness.engine import plan as planning
from harness.engine.pool import Limits, Pool
from harness.environments.adapters import adapters
from harness.mistakes import NothingSelectedError
from harness.model.case import Claim, Unit
from harness.model.plan import Plan
from harness.model.run import Results
from harness.model.verdict import ExitCode
from harness.reporting import progress, step_summary, terminal
from harness.session import Session, as_baseline
from harness.store import baseline, changes, folder
from harness.store.changes import Change
from harness.store.database import Store

SELDOM = 100_000
"""Objects that are made between two looks for garbage."""
DEFAULT_REPORTS = ("json", "html")

GATES = {
    "new": frozenset({Change.NEW_FAILURE}),
    "regression": frozenset({Change.NEW_FAILURE, Change.SEMANTICS, Change.WORSE, Change.NOT_MEASURED, Change.REMOVED}),
}
"""Changes that fail a run, by what `--fail-on` says."""

Stage = Callable[[Any, Options], Any]


def run(options: Options) -> ExitCode:
    """Run all stages.

    Raises:
        CaseFileErrors, ConfigError, RunFolderError, EnvironmentUnusableError: the user's input is wrong.
        NothingSelectedError: there is nothing to run.
    """
    options = reopened(options) if options.resume else options
    wanted_reports(options)  # a mistake there must not be found out after the run
    return ExitCode(_through((*MEASURING, report, gate), options))


def measured(options: Options) -> Results:
    """Run the stages that measure, without reports and gate.

    Raises:
        As `run`.
    """
    found: Results = _through(MEASURING, reopened(options) if options.resume else options)
    return found


def _through(stages: Iterable[Stage], options: Options) -> Any:
    value: Any = None
    with _collecting_seldom():
        for stage in stages:
            value = stage(value, options)
    return value


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Nearly all that a run makes stays to its end: looking through it for garbage is a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def reopened(options: Options) -> Options:
    """The options that an interrupted run was started with."""
    found = folder.find(options.out)
    store = Store(found, fresh=False)
    stored = store.noted("options")
    store.close()
    return Options(**{**stored, "resume": True, "out": found, "jobs": options.jobs or stored["jobs"]})


def find_entries(_: None, options: Options) -> list[casefile.Entry]:
    """Case files to checked entries: every error of every file at once."""
    return casefile.load(casefile.find(selection.paths(options), casefile.cases_folder()), casefile.cases_folder())


def expand_units(entries: Iterable[casefile.Entry], options: Options) -> list[Unit]:
    """Entries to cases, relations and claims: generators expanded, inputs rounded."""
    wanted = selection.of_units(options)
    return [unit for entry in entries for unit in casefile.expand(entry, options.seed) if wanted(unit)]


def make_plan(units: Sequence[Unit], options: Options) -> Plan:
    """Units to calls: which subject is asked what."""
    tables = adapters(options.adapter)
    places = provision.environments(options, tables)
    names = {a.framework for a in tables} | set(places)
    if unknown := set(options.require) - names:
        raise ConfigError(
            f"--require {min(unknown)}: neither a framework nor an environment: {', '.join(sorted(names))}"
        )
    made = planning.make(units, tables, places, selection.wants(options))
    if not made.items and (options.subject or not any(isinstance(unit, Claim) for unit in made.units)):
        raise NothingSelectedError("no case is selected")
    return made


def open_session(plan: Plan, options: Options) -> Session:
    """Make or reopen the run's folder and store; a mistake in the list of deviations is told before."""
    known = casefile.load_deviations(casefile.cases_folder())
    started = datetime.now(UTC)
    place = options.out if options.resume and options.out else folder.create(options.out, started)
    facts = {"options": options.model_dump(mode="json"), "started": started.isoformat(timespec="seconds")}
    command = shlex.join(["harness", *sys.argv[1:]])
    store = Store(place, fresh=not options.resume)
    return Session(plan, store, place, options, {**facts, "command": command}, known)


def observe(session: Session, options: Options) -> Session:
    """Make the calls and judge each answer as it comes; what is stored survives a kill."""
    left = session.left()
    limits = Limits(options.jobs, options.threads, options.timeout)
    pool = Pool(session.plan.environments, limits, session.folder / "workers")
    try:
        with progress.Progress(len(left)) as shown:
            for item, observation in pool.observe(left, session.foresee):
                session.hear(pool.greetings)
                session.take(item, observation)
                shown.advance(1)
                if options.max_failures and session.failures >= options.max_failures:
                    break
    finally:
        session.hear(pool.greetings)
        session.save()
    return session


def relate(session: Session, _options: Options) -> Session:
    """Judge what needs several answers, and what needs none: relations, agreement, documents."""
    session.judge_units()
    return session


def finish(session: Session, _options: Options) -> Results:
    """The run as reports see it."""
    return session.results()


def report(results: Results, options: Options) -> Results:
    """Write the reports and show the summary."""
    written: dict[str, Path] = {}
    printed: list[str] = []
    for name, given in wanted_reports(options):
        if name in reporting.PRINTED and not given:
            printed.extend(reporting.PRINTED[name](results))
            continue
        path = Path(given) if given else results.run.folder / reporting.FORMATS[name].filename
        reporting.write(results, name, path)
        written[name] = path
    step_summary.append(results, os.environ)
    terminal.show(results, written)
    terminal.print_lines(printed)
    return results


def wanted_reports(options: Options) -> list[tuple[str, str]]:
    """Formats and paths of `--report`; an empty path stands for the run's folder."""
    wanted = [(name, given) for name, _, given in (r.partition(":") for r in options.report or DEFAULT_REPORTS)]
    for name, _ in wanted:
        if name not in reporting.FORMATS:
            raise ConfigError(f"--report {name}: no such format; there are {', '.join(reporting.FORMATS)}")
    return wanted


def gate(results: Results, options: Options) -> ExitCode:
    """Whether the run passes."""
    if options.baseline is None:
        return _exit_code(any(v.verdict.failed for v in results.verdicts))
    found = changes.diff(as_baseline(options.baseline), baseline.of_run(results.run, results.verdicts))
    for line in changes.summary(found):
        print(line)  # noqa: T201 - the gate speaks last
    if options.fail_on == "any":
        return _exit_code(any(v.verdict.failed for v in results.verdicts))
    return _exit_code(any(d.change in GATES[options.fail_on] for d in found.differences))


def _exit_code(failed: bool) -> ExitCode:  # noqa: FBT001 - a predicate's value
    return ExitCode.FAILED if failed else ExitCode.OK


MEASURING: tuple[Stage, ...] = (find_entries, expand_units, make_plan, open_session, observe, relate, finish)
"""What comes before the reports and the gate of a run, or of what else is made of runs."""
