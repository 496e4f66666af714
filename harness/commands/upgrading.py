"""`harness upgrade`: the same plan in two environments, and what is not as it was."""

from __future__ import annotations

from collections.abc import Iterator

from harness import pipeline, provision
from harness.commands import formats
from harness.config import ConfigError, Options
from harness.environments.adapters import adapters
from harness.environments.interpreters import EnvironmentUnusableError
from harness.model.verdict import ExitCode
from harness.versions import lines
from harness.versions.changes import Effect
from harness.versions.reports import FORMATS
from harness.versions.upgrade import Upgrade, view

SIDES = 2
GATES = {
    "new": (Effect.BROKEN,),
    "regression": (Effect.BROKEN, Effect.SEMANTICS, Effect.WORSE, Effect.NOT_MEASURED, Effect.REMOVED),
}
"""Effects that fail an upgrade, by what `--fail-on` says."""


def upgrade(options: Options) -> Upgrade:
    """Run the plan on both sides, write the reports, and say what changed.

    Args:
        options: `env` and `python` have the two sides; `jobs` is the number of worker processes of each.

    Raises:
        ConfigError: there are not two sides, or a report's format is unknown.
        EnvironmentUnusableError: a side can't be had.
    """
    wanted = formats.wanted(options.report, FORMATS)
    options = options.model_copy(update={"jobs": SIDES * options.jobs})
    options = pipeline.reopened(options) if options.resume else options
    sides = list(provision.environments(options, adapters(options.adapter)).values())
    if len(sides) != SIDES:
        raise ConfigError(f"upgrade: two environments are compared, not {len(sides)}")
    for side in sides:
        if side.complaint:
            raise EnvironmentUnusableError(f"{side.name}: {side.complaint}")
    results = pipeline.measured(options)
    found = view(results, *(side.name for side in sides))
    formats.write(found, wanted, FORMATS, results.run.folder)
    return found


def screen(found: Upgrade) -> Iterator[str]:
    """What is said at the end."""
    return lines.lines(found)


def exit_code(found: Upgrade, fail_on: str) -> ExitCode:
    """1 if there is what the gate does not let through: something `new`ly broken, a `regression`, or `any` failure."""
    if fail_on == "any":
        failed = any(verdict.verdict.failed for verdict in found.verdicts[1])
    else:
        failed = any(found.count(effect) for effect in GATES[fail_on])
    return ExitCode.FAILED if failed else ExitCode.OK
