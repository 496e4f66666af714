"""`harness repro CASE SUBJECT`: a failure or deviation as a stand-alone script."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness import pipeline, provision
from harness.adapters import SECOND_AXIS, Implementation
from harness.atlas import spellings
from harness.casefile.cutting import cut
from harness.casefile.errors import ArrayFileError
from harness.casefile.own import Own, region
from harness.commands.explaining import named, units
from harness.config import ConfigError, Options
from harness.engine.pool import Limits
from harness.environments.adapters import adapters
from harness.model.case import Array, Case
from harness.model.plan import Item
from harness.model.run import Results
from harness.model.verdict import FAILED, Kind, Verdict
from harness.operations import OPERATIONS
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Truth, evaluate
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
    truth = evaluate(case)
    formed = row.output in truth.outputs and _of_its_form(row, truth.outputs[row.output].high)
    high, low, allowed = (0.0, 0.0, 0.0) if formed else _expected(truth, case, row)
    offered, expression = _called(case, item, options)
    return Repro(
        title=f"{case.id} {subject.id} {row.output}",
        framework=subject.framework,
        mode=subject.mode,
        expression=expression,
        inputs={name: _plain(case, array) for name, array in case.inputs.items()},
        dtypes={name: case.dtype if _is_real(case, array) else array.dtype.name for name, array in case.inputs.items()},
        output=row.output,
        index=row.index or (),
        high=high,
        low=low,
        allowed=allowed,
        seen=row.observed or row.reason,
        reason=row.reason,
        raised=row.outcome not in ("", "value"),
        form=(case.dtype, truth.outputs[row.output].high.shape) if formed else None,
        versions=versions,
        batch_of_one=subject.mode == "vmap" and offered.parameters.get("axis") == SECOND_AXIS,
    )


def _of_its_form(row: Verdict, truth: Array) -> bool:
    """Whether dtype and shape are what a script looks at: they are what is wrong, or there is no number."""
    return not truth.size or (row.index is None and row.outcome == "value")


def _expected(truth: Truth, case: Case, row: Verdict) -> tuple[float | None, float, float]:
    """The enclosure of the number, and by how much it may be missed."""
    if row.output not in truth.outputs:
        return None, 0.0, 0.0
    at, form = row.index or (0,) * truth.outputs[row.output].high.ndim, FORMATS[case.dtype]
    found, bound = truth.outputs[row.output], truth.bounds[row.output].passing
    high, radius = found.high[at], float(found.radius[at])
    ulps = 4 * float(np.abs(form.ulp(np.asarray(high))))
    allowed = max(2 * float(bound[at]) if np.isfinite(bound[at]) else 0.0, ulps) + radius
    return float(high), float(found.low[at]), allowed if np.isfinite(high) else 0.0


def _called(case: Case, item: Item, options: Options) -> tuple[Implementation, str]:
    """Who is called, and the public call as it is typed."""
    adapter = next(a for a in adapters(options.adapter) if a.file == item.adapter)
    path, mode = item.subject.implementation, item.subject.mode
    row = next(r for r in adapter.implementations if (r.path, r.operation) == (path, case.operation))
    places = provision.environments(options, [adapter])
    limits = Limits(threads=options.threads, timeout=options.timeout)
    asked = spellings.Asked(adapter, row, case, mode)
    with tempfile.TemporaryDirectory() as work:
        ((_, spelled),) = spellings.spell([asked], places[item.subject.environment], limits, Path(work))
    if spelled is None:
        raise ConfigError(f"repro {case.id} {item.subject.id}: what it calls can't be written down")
    return row, spelled.text


def _is_real(case: Case, array: Array) -> bool:
    return array.dtype == FORMATS[case.dtype].dtype


def _plain(case: Case, array: Array) -> Array:
    """Real numbers as float64, which holds each of them."""
    return array.astype(np.float64) if _is_real(case, array) else array


def text_of(found: Repro, *, as_markdown: bool) -> str:
    """The script, or the issue."""
    from harness.reporting import repro as writing  # noqa: PLC0415 - as the other verbs

    return writing.markdown(found) if as_markdown else writing.script(found)
