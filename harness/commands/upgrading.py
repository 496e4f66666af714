"""`harness upgrade`: the same plan in two environments, and what is not as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness import pipeline
from harness.config import ConfigError, Options
from harness.environments.interpreters import environments
from harness.model.verdict import ExitCode
from harness.versions import lines
from harness.versions.changes import Effect
from harness.versions.reports import FORMATS
from harness.versions.upgrade import Upgrade, view

SIDES = 2
DEFAULT_REPORTS = ("json", "html")


def upgrade(options: Options) -> Upgrade:
    """Run the plan on both sides, write the reports, and say what changed.

    Raises:
        ConfigError: there are not two sides, or a report's format is unknown.
    """
    wanted = _wanted(options)
    names = list(environments(options.python))
    if len(names) != SIDES:
        raise ConfigError(f"upgrade: two environments are compared, not {len(names)}")
    results = pipeline.measured(options)
    found = view(results, *names)
    for format_, given in wanted:
        filename, write = FORMATS[format_]
        path = Path(given) if given else results.run.folder / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        write(found, path)
        print(f"Report ({format_}): {path}")  # noqa: T201 - before the screen, which speaks last
    return found


def screen(found: Upgrade) -> Iterator[str]:
    """What is said at the end."""
    return lines.lines(found)


def exit_code(found: Upgrade) -> ExitCode:
    """1 if anything is newly broken."""
    return ExitCode.FAILED if found.count(Effect.BROKEN) else ExitCode.OK


def _wanted(options: Options) -> list[tuple[str, str]]:
    wanted = [(name, given) for name, _, given in (r.partition(":") for r in options.report or DEFAULT_REPORTS)]
    for name, _ in wanted:
        if name not in FORMATS:
            raise ConfigError(f"--report {name}: no such format of an upgrade; there are {', '.join(FORMATS)}")
    return wanted
