"""The environments of a run: those that exist, and those that are made because `--env` names them."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from harness import config
from harness.config import ConfigError, Options
from harness.engine.pool import Limits
from harness.environments import definitions, interpreters
from harness.environments.cache import Cache
from harness.environments.definitions import Definition
from harness.environments.interpreters import CURRENT
from harness.model.subject import Adapter, Environment


def environments(options: Options, adapters: Sequence[Adapter]) -> dict[str, Environment]:
    """The environments of a run by name: `--env`'s, then `--python`'s; the current one if neither is given.

    What `--env` names is made if it isn't there; an environment that can't be made has a complaint.

    Raises:
        ConfigError, DefinitionError: `--env` names what isn't defined, or a definition can't be used.
        EnvironmentUnusableError: `--python` is no interpreter, or too old.
    """
    asked = [environment(text, options, adapters) for text in dict.fromkeys(options.env)]
    names = interpreters.numbered(one.name for one in asked)
    named = {name: replace(one, name=name) for name, one in zip(names, asked, strict=True)}
    found = interpreters.environments(options.python) if options.python or not named else {}
    if doubled := named.keys() & found.keys():
        raise ConfigError(f"--env {min(doubled)}: an environment of --python has this name too")
    if options.python:
        interpreters.see(found.values())
    return named | found


def environment(name: str, options: Options, adapters: Sequence[Adapter]) -> Environment:
    """The environment of a name; made if it isn't there.

    Raises:
        DefinitionError: it isn't defined.
    """
    if name == CURRENT:
        return interpreters.environments(())[CURRENT]
    return made(defined(name), options, adapters)


def defined(name: str) -> Definition:
    """The definition of a name.

    Raises:
        DefinitionError: there is none, or a definition can't be used.
    """
    return definitions.lookup(name, known())


def made(definition: Definition, options: Options, adapters: Sequence[Adapter]) -> Environment:
    """The environment of a definition, with the frameworks that it is asked for; made if it isn't there.

    Raises:
        ConfigError: it is to be asked for a framework that there is no adapter for.
    """
    frameworks = definition.frameworks_of(adapters)
    if unknown := set(frameworks) - {adapter.framework for adapter in adapters}:
        raise ConfigError(f"environment {definition.name}: {min(unknown)} is no framework that there is an adapter for")
    return replace(kept(options).ensure(definition), frameworks=frameworks)


def known(start: Path | None = None) -> dict[str, Definition]:
    """The environments that `--env` may name: the shipped ones, and those of [tool.harness.env.NAME].

    Raises:
        DefinitionError: a definition that can't be used.
    """
    file, table = config.table(start or Path.cwd())
    own = table.get(config.ENVIRONMENTS)
    place = f"{file}: [{config.TABLE}.{config.ENVIRONMENTS}."
    return definitions.shipped() | definitions.parse(own if isinstance(own, dict) else {}, place, file.parent)


def kept(options: Options) -> Cache:
    """The cache of environments: `--cache`, or a folder for caches as XDG has it."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return _cache(options.cache or caches / "cross-entropy-harness")


def limits(options: Options) -> Limits:
    """How calls are made."""
    budget = options.time_budget or math.inf
    return Limits(options.jobs, options.threads, options.timeout, budget=budget, cache=kept(options).compiled)


@cache
def _cache(folder: Path) -> Cache:
    """One for a folder and process, so that what it uses stays, and what can't be made is tried once."""
    return Cache(folder, say=lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201 - it takes minutes
