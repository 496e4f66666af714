"""`harness explain --operation NAME`: arrays of a user's own, beside what was observed of them elsewhere."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness import casefile, pipeline, provision
from harness.casefile import saving
from harness.casefile.cutting import cut
from harness.casefile.own import Asked, Own, read
from harness.commands.explaining import by_output, surveys
from harness.comparator.judge import Answer, Judge, avoided, having
from harness.config import Options
from harness.engine.pool import Pool
from harness.mistakes import NothingSelectedError
from harness.model.case import Array, Case
from harness.model.explanation import Explained, Explanation, Survey
from harness.model.observation import Observation, Outcome
from harness.model.plan import Plan
from harness.model.subject import Subject
from harness.model.verdict import Verdict
from harness.model.versions import Packages
from harness.operations import OPERATIONS
from harness.oracle.truth import METHOD, Truth, evaluate
from harness.reporting.progress import Progress

ENVIRONMENT = "observed"
SPOOLED_BYTES = 1 << 22
"""Arrays of more bytes wait on disk: many subjects' gradients don't fit into memory together."""

Versions = Mapping[tuple[str, str], Packages]


def explain(asked: Asked, at: str | None, save: Path | None, options: Options) -> Explained:
    """Run a call of one's own arrays with every subject, and judge what was observed elsewhere too.

    Args:
        at: index of the only element, or row, that is looked at.
        save: the case file to write.

    Raises:
        ArrayFileError: the arrays can't be used or don't fit, or the case can't be saved.
        NothingSelectedError: no subject is selected, and nothing was observed elsewhere.
    """
    own = read(asked)
    own = own if at is None else cut(own, at)
    known = casefile.load_deviations(casefile.cases_folder())
    if save is not None:
        saving.check(save, own.case, casefile.cases_folder())
    plan = _plan(own.case, options, optional=bool(own.observed))
    truth, measured, packages = _measured(own.case, plan, options)
    answers = [*_elsewhere(own, truth), *measured]
    rows = _judged(Judge(options.rtol, options.atol, packages, known), answers)
    observations = {answer.subject.id: answer.observation for answer in answers}
    found = surveys(own.case, truth, by_output(observations))
    if save is not None:
        saving.save(save, own.case, _provenance(asked, rows))
    explanation = Explanation(
        f"arrays of your own: {', '.join(asked.inputs)}",
        own.case,
        METHOD,
        own.region.domain,
        own.region.reason,
        rows,
        observations,
        found,
        own.notes,
        [_next(asked, at, save, own.case, found)],
    )
    return Explained([explanation])


def _plan(case: Case, options: Options, *, optional: bool) -> Plan:
    """Who is asked; nobody, where nobody need be."""
    try:
        return pipeline.make_plan([case], options)
    except NothingSelectedError:
        if optional:
            return Plan([], [], [], {})
        raise


def _measured(case: Case, plan: Plan, options: Options) -> tuple[Truth, list[Answer], Versions]:
    """The truth of a call, what each subject of a plan did with it, and the versions that workers have told."""
    truths: list[Truth] = []

    def foresee() -> bool:
        if truths:
            return False
        truths.append(evaluate(case))
        return True

    seen: dict[int, Observation] = {}
    with tempfile.TemporaryDirectory() as logs, Progress(len(plan.items)) as shown:
        pool = Pool(plan.environments, provision.limits(options), Path(logs))
        for item, observation in pool.observe(plan.items, foresee):
            kept = {output: _spooled(array) for output, array in observation.outputs.items()}
            seen[item.rank] = replace(observation, outputs=kept)
            shown.advance(1)
    foresee()
    answers = [Answer(case, i.subject, i.wanted, seen[i.rank], truths[0]) for i in plan.items]
    packages = {(g.environment, g.framework): g.fingerprint.packages for g in pool.greetings}
    return truths[0], answers, packages


def _spooled(array: Array) -> Array:
    """An array that the system may take out of memory, if it is large."""
    if array.nbytes <= SPOOLED_BYTES:
        return array
    with tempfile.TemporaryFile() as file:
        file.write(array.data)
        return np.memmap(file, array.dtype, "r", shape=array.shape)


def _elsewhere(own: Own, truth: Truth) -> list[Answer]:
    """What was observed elsewhere, as subjects of an environment of their own."""
    return [
        Answer(
            own.case,
            Subject(ENVIRONMENT, name, "", framework=ENVIRONMENT),
            list(outputs),
            Observation(Outcome.VALUE, outputs),
            truth,
        )
        for name, outputs in own.observed.items()
    ]


def _judged(judge: Judge, answers: Sequence[Answer]) -> list[Verdict]:
    judged = judge.verdicts(answers)
    known = having(row for rows in judged for row in rows)
    return [
        judge.avoidable_overflow(row, answer, other) if (other := avoided(row, known)) else row
        for answer, rows in zip(answers, judged, strict=True)
        for row in rows
    ]


def _provenance(asked: Asked, rows: Sequence[Verdict]) -> str:
    """Where a saved case comes from, in one line."""
    seen = [
        f"{row.implementation} {row.output} {row.grade or row.verdict}"
        + (f" ({row.max_ulp:+.3g} ulp)" if row.max_ulp is not None else "")
        for row in rows
        if row.environment == ENVIRONMENT
    ]
    observed = f"; observed: {', '.join(seen)}" if seen else ""
    return f"from {', '.join(asked.inputs)}{observed}"


def _next(asked: Asked, at: str | None, saved: Path | None, case: Case, found: Mapping[str, Survey]) -> str:
    """What to type next: run the case that is saved, save it, or look at the element with the largest error alone."""
    if saved is not None:
        return f"harness run {shlex.quote(str(saved))}"
    if saving.size(case) <= saving.LIMIT:
        return _again(asked, *(() if at is None else ("--at", at)), "--save", f"{asked.operation}.yaml")
    worst = next((survey.elements[0].index for survey in found.values() if survey.elements), ())
    if OPERATIONS[case.operation].complete(case.parameters).get("reduction", "none") == "none" and worst:
        return _again(asked, "--at", ",".join(map(str, worst)))
    parameters = [text for text in asked.parameters if not text.startswith("reduction=")]
    return _again(asked._replace(parameters=parameters, observed=()))


def _again(asked: Asked, *more: str) -> str:
    """The same command with other arrays, or more flags."""
    given = {"--input": asked.inputs, "--param": asked.parameters, "--observed": asked.observed}
    flags = [word for flag, texts in given.items() for text in texts for word in (flag, text)]
    dtype = ["--dtype", asked.dtype] if asked.dtype else []
    return shlex.join(["harness", "explain", "--operation", asked.operation, *flags, *dtype, *more])
