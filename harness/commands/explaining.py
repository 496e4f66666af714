"""`harness explain CASE`: one case, all subjects side by side, measured now."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import casefile, pipeline
from harness.comparator.survey import survey, unjudged
from harness.config import ConfigError, Options
from harness.engine.plan import calls
from harness.model.case import Array, Case, Unit
from harness.model.explanation import Explained, Explanation, Survey
from harness.model.observation import Observation
from harness.model.run import Results
from harness.operations import OPERATIONS
from harness.oracle.truth import Truth, evaluate
from harness.reporting.explanation import SHOWN

MANY = 5


def explain(name: str, options: Options) -> Explained:
    """Run a case with every subject and gather what each gave.

    Args:
        name: a case id, the part of it behind the colon, or the beginning of either.

    Raises:
        ConfigError: no case has that name, or several have.
    """
    unit = named(name, units(name, options))
    with tempfile.TemporaryDirectory() as folder:
        settings = options.model_copy(update={"out": Path(folder)})
        session = pipeline.open_session(pipeline.make_plan([unit], settings), settings)
        results = pipeline.finish(pipeline.relate(pipeline.observe(session, settings), settings), settings)
        explanations = [_explanation(call, results) for call in calls(unit)]
    called = {explanation.call.id for explanation in explanations}
    return Explained(explanations, [row for row in results.verdicts if row.case not in called])


def surveys(call: Case, truth: Truth, arrays: Mapping[str, Mapping[str, Array]]) -> dict[str, Survey]:
    """What subjects gave, element by element.

    Args:
        arrays: by output, then by subject.
    """
    known = OPERATIONS[call.operation].offered(call.inputs) if truth.large else truth.outputs
    return {
        output: survey(call, truth, output, given, SHOWN) if output in known else unjudged(given, SHOWN)
        for output, given in arrays.items()
    }


def by_output(observations: Mapping[str, Observation]) -> dict[str, dict[str, Array]]:
    """What subjects gave, by output."""
    found: dict[str, dict[str, Array]] = {}
    for subject, seen in observations.items():
        for output, array in seen.outputs.items():
            found.setdefault(output, {})[subject] = array
    return found


def _explanation(call: Case, results: Results) -> Explanation:
    record, truth = results.record(call.id), evaluate(call)
    observations = record.observations if record else {}
    file = call.source.file
    return Explanation(
        f"{call.id}   {call.source}",
        call,
        results.run.truth,
        truth.region.domain,
        truth.region.reason,
        [row for row in results.verdicts if row.case == call.id],
        observations,
        surveys(call, truth, by_output(observations)),
        commands=[f"harness run {shlex.quote(file)} -k {shlex.quote(call.id.partition(':')[2])}"],
    )


def units(name: str, options: Options) -> list[Unit]:
    """The units of the file that the name speaks of; of the paths that are given, or of all files, if it names none."""
    root = casefile.cases_folder()
    stem, colon, _ = name.partition(":")
    named = root / f"{stem}.yaml"
    files = [named] if colon and named.is_file() else casefile.find(options.paths or [root], root)
    return [unit for entry in casefile.load(files, root) for unit in casefile.expand(entry, options.seed)]


def named(name: str, units: Sequence[Unit]) -> Unit:
    """The unit of a name.

    Raises:
        ConfigError: no case has that name, or several have.
    """
    exact = [u for u in units if name in {part for i in (u.id, u.group) for part in (i, i.partition(":")[2])}]
    found = exact or [u for u in units if u.id.startswith(name) or u.id.partition(":")[2].startswith(name)]
    if not found:
        raise ConfigError(f"{name}: no case has this id; `harness list cases` shows them")
    if len(found) > 1:
        shown = ", ".join(u.id for u in found[:MANY]) + (f" and {len(found) - MANY} more" if len(found) > MANY else "")
        raise ConfigError(f"{name}: {len(found)} cases begin so: {shown}")
    return found[0]
