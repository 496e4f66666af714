"""The run as a tuple of stages: each a plain function from the last value and the options.

case files -> entries -> units -> plan -> session -> observations and verdicts -> results -> decision -> reports
"""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from harness import casefile, provision, reporting, scripts, selection
from harness.config import ANEW, ConfigError, Options
from harness.engine import order
from harness.engine import plan as planning
from harness.engine.pool import Pool
from harness.environments.adapters import adapters
from harness.gate.decide import gate
from harness.gate.lines import lines
from harness.gate.policy import Policy
from harness.mistakes import NothingSelectedError
from harness.model.case import Claim, Unit
from harness.model.plan import Plan
from harness.model.run import Results
from harness.model.verdict import FAILED, ExitCode, Kind, Verdict
from harness.reporting import progress, step_summary, terminal
from harness.reporting.text import plural
from harness.session import Session, as_baseline, begun_with, unfinished
from harness.store import baseline, changes, folder
from harness.store.database import Store, begun, reading
from harness.store.entries import Key

SELDOM = 100_000
"""Objects that are made between two looks for garbage."""
DEFAULT_REPORTS = ("json", "html")

ELSEWHERE = frozenset({"resume", "out", "cache", "jobs", "time_budget"})
"""Options of where, and how long, is measured: they decide no result."""

Stage = Callable[[Any, Options], Any]


def run(options: Options) -> ExitCode:
    """Run all stages.

    Raises:
        CaseFileErrors, ConfigError, RunFolderError, EnvironmentUnusableError: the user's input is wrong.
        NothingSelectedError: there is nothing to run.
    """
    options = resumed(options) if options.resume else options
    wanted_reports(options)  # a mistake there must not be found out after the run
    wanted_baseline(options)
    return ExitCode(_through((*MEASURING, decide, write_scripts, report, exit_code), options))


def measured(options: Options) -> Results:
    """Run the stages that measure, without reports and gate, and without the gate's limits.

    Raises:
        As `run`.
    """
    whole = options.model_copy(update={"max_failures": 0, "time_budget": 0.0})
    found: Results = _through(MEASURING, resumed(whole) if options.resume else whole)
    return found


def planned(options: Options) -> Plan:
    """Run the stages before any call is made.

    Raises:
        As `run`.
    """
    made: Plan = _through(PLANNING, options)
    return made


def verdicts(plan: Plan, options: Options) -> Sequence[Verdict]:
    """Carry out a plan, or a part of one, in the folder `options.out`."""
    with _collecting_seldom():
        session = relate(observe(open_session(plan, options), options), options)
        found = finish(session, options).verdicts
    session.close()
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


def resumed(options: Options) -> Options:
    """The options that an interrupted run was started with, and those for what becomes of its results as they are now.

    Raises:
        ConfigError: it is asked to go on otherwise than it was started.
        RunFolderError: there is none that has begun.
    """
    before = reopened(options)
    given = {name: value for name in options.model_fields_set if (value := getattr(options, name))}
    for flag in differing(before, options, given):
        raise ConfigError(f"--resume: {flag}: the run in {before.out} was started otherwise, and goes on as it was")
    return before.model_copy(update={name: given[name] for name in given.keys() & ANEW})


def differing(before: Options, now: Options, names: Iterable[str] = Options.model_fields) -> Iterator[str]:
    """Flags that are not as a run was started with, of those that decide what is measured."""
    for name in sorted({*names} - ANEW - ELSEWHERE):
        if getattr(before, name) != getattr(now, name):
            yield "paths" if name == "paths" else f"--{name.replace('_', '-')}"


def reopened(options: Options) -> Options:
    """The options that an interrupted run was started with; how long it may take now is said anew."""
    found = folder.find(options.out)
    with reading(found) as store:
        stored = begun_with(store, found)
    now = {"resume": True, "out": found, "jobs": options.jobs or stored["jobs"], "time_budget": options.time_budget}
    return Options(**{**stored, **now})


def resumable(place: Path) -> bool:
    """Whether a run of ours was begun in a folder; what was stopped before is removed.

    Raises:
        RunFolderError: the folder holds something else.
    """
    if begun(place):
        return True
    folder.discard(place)
    return False


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
    failing = kept(options, FAILED) if options.max_failures and options.fail_on != "any" else frozenset()
    return Session(plan, store, place, options, {**facts, "command": command}, known, failing)


def observe(session: Session, options: Options) -> Session:
    """Make the calls and judge each answer as it comes; what is stored survives a kill."""
    left = session.left(partial(order.telling, departed=departed(options)) if options.time_budget else list)
    pool = Pool(session.plan.environments, provision.limits(options), session.folder / folder.WORKERS)
    try:
        with progress.Progress(len(left)) as shown:
            for item, observation in pool.observe(left, session.foresee):
                session.hear(pool.greetings)
                session.take(item, observation)
                shown.advance(1)
                if full(session, options):
                    break
    finally:
        session.hear(pool.greetings)
        session.save()
    failed = full(session, options)
    said = plural(options.max_failures, "failure") if failed else f"the time budget of {options.time_budget:g} s"
    session.leave_out(said, failed=failed)
    return session


def full(session: Session, options: Options) -> bool:
    """Whether there are as many failures as there may be."""
    return 0 < options.max_failures <= session.failures


def kept(options: Options, kinds: Container[Kind]) -> frozenset[Key]:
    """The outputs that have one of these verdicts in the baseline."""
    if options.baseline is None:
        return frozenset()
    return frozenset(place for place, entry in as_baseline(options.baseline).entries() if entry.verdict in kinds)


def departed(options: Options) -> frozenset[tuple[str, str]]:
    """The cases and subjects that failed or departed from the truth in the baseline."""
    return frozenset((case, subject) for case, subject, _ in kept(options, FAILED | {Kind.DEVIATION}))


def relate(session: Session, _options: Options) -> Session:
    """Judge what needs several answers, and what needs none: relations, agreement, documents."""
    session.judge_units()
    return session


def finish(session: Session, _options: Options) -> Results:
    """The run as reports see it."""
    return session.results()


def write_scripts(results: Results, options: Options) -> Results:
    """Write what is wrong down as scripts, where a report shows them."""
    if not any(name in reporting.WITH_SCRIPTS for name, _ in wanted_reports(options)):
        return results
    tables = adapters(options.adapter)
    found = scripts.scripts(results, tables, provision.environments(options, tables), provision.limits(options))
    return replace(results, scripts=found)


def report(results: Results, options: Options) -> Results:
    """Write the reports and show the summary.

    Raises:
        ConfigError: some can't be written; all others are, and the summary is shown.
    """
    written: list[tuple[str, Path]] = []
    printed: list[str] = []
    wrong: list[str] = []
    for name, given in wanted_reports(options):
        if name in reporting.PRINTED and not given:
            printed.extend(reporting.PRINTED[name](results))
            continue
        path = Path(given) if given else results.run.folder / reporting.FORMATS[name].filename
        with _told(f"--report {name}", wrong):
            reporting.write(results, name, path)
            written.append((name, path))
    with _told(step_summary.VARIABLE, wrong):
        step_summary.append(results, os.environ)
    terminal.show(results, written)
    terminal.print_lines([*(results.decision.lines if results.decision else ()), *printed])
    if wrong:
        raise ConfigError("\n".join(wrong))
    return results


@contextmanager
def _told(what: str, wrong: list[str]) -> Iterator[None]:
    """Go on where a file can't be written, and keep what is to be said of it."""
    try:
        yield
    except OSError as error:
        wrong.append(f"{what}: {error.filename} can't be written: {error.strerror}")


def wanted_reports(options: Options) -> list[tuple[str, str]]:
    """Formats and paths of `--report`; an empty path stands for the run's folder."""
    wanted = [(name, given) for name, _, given in (r.partition(":") for r in options.report or DEFAULT_REPORTS)]
    for name, _ in wanted:
        if name not in reporting.FORMATS:
            raise ConfigError(f"--report {name}: no such format; there are {', '.join(reporting.FORMATS)}")
    return wanted


def wanted_baseline(options: Options) -> None:
    """See that the baseline can be read, and say what it lacks."""
    if options.baseline is None:
        return
    if not options.baseline.is_dir():
        baseline.load(options.baseline)
    warn_of_unfinished(options.baseline)


def warn_of_unfinished(path: Path) -> None:
    """Say it aloud where a run that is taken as a baseline has not made every call."""
    if said := unfinished(path):
        print(f"harness: warning: {path}: {said}", file=sys.stderr, flush=True)  # noqa: T201 - no part of any output


def decide(results: Results, options: Options) -> Results:
    """Ask the gate, whose decision the reports show."""
    diff = None
    if options.baseline is not None:
        diff = changes.diff(as_baseline(options.baseline), baseline.of_run(results.run, results.verdicts))
    decision = gate(Policy(options.fail_on, options.rules), results.verdicts, diff, results.run.left_out)
    return replace(results, decision=replace(decision, lines=lines(decision, diff, results.run.left_out)))


def exit_code(results: Results, _options: Options) -> ExitCode:
    """Whether the run passes."""
    return results.decision.exit_code if results.decision else ExitCode.OK


PLANNING: tuple[Stage, ...] = (find_entries, expand_units, make_plan)
"""What comes before the first call."""

MEASURING: tuple[Stage, ...] = (*PLANNING, open_session, observe, relate, finish)
"""What comes before the reports and the gate of a run, or of what else is made of runs."""
