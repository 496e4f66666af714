"""`harness repro CASE SUBJECT`: a failure or deviation as a stand-alone script."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from harness import pipeline, provision, scripts
from harness.adapters import Implementation
from harness.casefile.cutting import cut
from harness.casefile.errors import ArrayFileError
from harness.casefile.own import Own, region
from harness.commands.explaining import named, units
from harness.config import ConfigError, Options
from harness.engine import spellings
from harness.environments.adapters import adapters
from harness.model.case import Case
from harness.model.plan import Item
from harness.model.run import Results
from harness.model.verdict import FAILED, Kind, Verdict
from harness.operations import OPERATIONS
from harness.reporting.dialects import DIALECTS
from harness.reporting.repro import Repro, writable

WRONG = FAILED | {Kind.DEVIATION}


def repro(name: str, subject: str, output: str, options: Options) -> Repro:
    """What a script shows: the worst number of the worst output of a case, as a subject gives it now.

    Args:
        name: a case id, as `harness explain` takes it.
        subject: a subject's id, or a glob that one alone of those asked matches.
        output: `value`, `gradient:NAME`; "" for the first that is wrong.

    Raises:
        ConfigError: there is no such case or subject, nothing is wrong, or no script can be written for it.
    """
    case = named(name, units(name, options))
    if not isinstance(case, Case):
        raise ConfigError(f"repro {name}: a relation or claim is no single call")
    item, row, versions = _seen(case, subject, output, options)
    smaller = _row_alone(case, row) if row.index else None
    if smaller is not None:
        try:
            item, row, versions = _seen(smaller, item.subject.id, row.output, options)
        except ConfigError:
            smaller = None  # the number is right in a call of its own
    return _made(smaller or case, item, row, versions, options)


def _seen(case: Case, subject: str, output: str, options: Options) -> tuple[Item, Verdict, dict[str, str]]:
    """Who is asked, the verdict that is wrong, and the versions of the environment."""
    with tempfile.TemporaryDirectory() as folder:
        settings = options.model_copy(update={"out": Path(folder), "subject": (subject,)})
        plan = pipeline.make_plan([case], settings)
        session = pipeline.observe(pipeline.open_session(plan, settings), settings)
        found: Results = pipeline.finish(pipeline.relate(session, settings), settings)
        session.close()
    wrong = [v for v in found.verdicts if v.verdict in WRONG and output in ("", v.output) and v.case == case.id]
    asked = {v.subject for v in wrong}
    if not wrong:
        raise ConfigError(f"repro {case.id} {subject}: nothing is wrong{' with ' + output if output else ''}")
    if len(asked) > 1:
        raise ConfigError(f"repro {case.id} {subject}: {len(asked)} subjects are wrong: {', '.join(sorted(asked))}")
    item = next(item for item in plan.items if item.subject.id == wrong[0].subject)
    return item, wrong[0], dict(found.run.environments[item.subject.environment].packages)


def _row_alone(case: Case, row: Verdict) -> Case | None:
    """The part of a case that the wrong number comes of; None if it has no independent parts."""
    own = Own(case, region(OPERATIONS[case.operation], case.inputs, case.parameters), {}, ())
    try:
        return replace(cut(own, ",".join(map(str, row.index or ()))).case, expect=case.expect)
    except ArrayFileError:
        return None


def _made(case: Case, item: Item, row: Verdict, versions: dict[str, str], options: Options) -> Repro:
    subject = item.subject
    if not writable(subject.framework, subject.mode):
        kinds = "; ".join(f"{name}: {', '.join(dialect.modes)}" for name, dialect in DIALECTS.items())
        raise ConfigError(f"repro {case.id} {subject.id}: scripts can be written for {kinds}")
    return scripts.repro(case, row, *_called(case, item, options), versions)


def _called(case: Case, item: Item, options: Options) -> tuple[Implementation, str]:
    """Who is called, and the public call as it is typed."""
    adapter = next(a for a in adapters(options.adapter) if a.file == item.adapter)
    path, mode = item.subject.implementation, item.subject.mode
    row = scripts.offered(adapter, path, case.operation)
    places = provision.environments(options, [adapter])
    limits = provision.limits(options)
    asked = spellings.Asked(adapter, row, case, mode)
    with tempfile.TemporaryDirectory() as work:
        found = spellings.spell([asked], places[item.subject.environment], limits, Path(work))
    spelled = next((spelling for _, spelling in found), None)
    if spelled is None:
        raise ConfigError(f"repro {case.id} {item.subject.id}: what it calls can't be written down")
    return row, spelled.text


def text_of(found: Repro, *, as_markdown: bool) -> str:
    """The script, or the issue."""
    from harness.reporting import repro as writing  # noqa: PLC0415 - as the other verbs

    return writing.markdown(found) if as_markdown else writing.script(found)
