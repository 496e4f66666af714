"""`harness upgrade`: the same plan in two environments, and what is not as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness import pipeline, provision
from harness.commands import formats
from harness.config import ConfigError, Options
from harness.environments.adapters import adapters
from harness.environments.interpreters import EnvironmentUnusableError
from harness.gate.policy import Policy
from harness.model.verdict import ExitCode
from harness.versions import lines
from harness.versions.gating import decided
from harness.versions.reports import FORMATS
from harness.versions.upgrade import Upgrade, view

SIDES = 2
DEFAULTS = {"fail_on": "new"}
"""Settings that an upgrade has of its own, unless something is given."""
TOGETHER = ("env", "python")
"""The settings that have its sides."""


def upgrade(options: Options) -> Upgrade:
    """Run the plan on both sides, write the reports, and say what changed.

    Args:
        options: `env` and `python` have the two sides; `jobs` is the number of worker processes of each.

    Raises:
        ConfigError: there are not two sides, a report's format is unknown, or what is resumed was started otherwise.
        EnvironmentUnusableError: a side can't be had.
    """
    wanted = formats.wanted(options.report, FORMATS)
    options = options.model_copy(update={"jobs": SIDES * options.jobs})
    options = pipeline.resumed(options) if options.resume else options
    sides = list(provision.environments(options, adapters(options.adapter)).values())
    if len(sides) == 1 and len(options.env) == SIDES:
        raise ConfigError(f"upgrade: both sides are {sides[0].name}: nothing can have changed")
    if len(sides) != SIDES:
        raise ConfigError(f"upgrade: two environments are compared, not {len(sides)}")
    for side in sides:
        if side.complaint:
            raise EnvironmentUnusableError(f"{side.name}: {side.complaint}")
    results = pipeline.measured(options)
    seen = view(results, *(side.name for side in sides))
    found = replace(seen, decision=decided(seen, Policy(options.fail_on, options.rules)))
    formats.write(found, wanted, FORMATS, results.run.folder)
    return found


def screen(found: Upgrade) -> Iterator[str]:
    """What is said at the end."""
    return lines.lines(found)


def exit_code(found: Upgrade) -> ExitCode:
    """Whether the gate lets it pass."""
    return found.decision.exit_code if found.decision else ExitCode.OK
