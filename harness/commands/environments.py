"""`harness env list`, `create` and `remove`."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from harness import provision
from harness.config import ConfigError, Options
from harness.environments import definitions
from harness.environments.cache import Cache, Contents
from harness.environments.definitions import Definition
from harness.environments.interpreters import CURRENT

Row = Mapping[str, Any]


def rows(options: Options) -> Iterator[Row]:
    """The current environment, those that are defined, and what else is in the cache."""
    python = platform.python_version()
    yield _row(CURRENT, "here", python=python, interpreter=sys.executable)
    cache, known = provision.kept(options), provision.known()
    for definition in known.values():
        yield _defined(definition, cache)
    defined = {definition.key for definition in known.values()}
    for key, contents in cache.keys().items():
        if key not in defined:
            yield _row(key, "of another definition" if contents.name in known else "not defined here", contents)


def create(names: Sequence[str], options: Options, *, relock: bool) -> Iterator[Row]:
    """Make environments; a row for each, with a complaint where it can't be made.

    Raises:
        BusyError: one whose lock file is to be written anew is in use.
        ConfigError, DefinitionError: a name isn't defined, there is none, or its lock file comes with the harness.
    """
    cache = provision.kept(options)
    for definition in [provision.defined(name) for name in _given(names)]:
        if relock:
            _unlock(definition, cache)
        complaint = cache.ensure(definition).complaint
        yield {**_defined(definition, cache), **({"state": "UNAVAILABLE"} if complaint else {}), "complaint": complaint}


def remove(names: Sequence[str], options: Options, *, everything: bool) -> Iterator[tuple[str, int]]:
    """Remove environments; the key and the megabytes freed of each.

    Raises:
        BusyError: one is in use.
        ConfigError, DefinitionError: a name isn't defined and not in the cache, or there is none; the cache can't be
            changed.
    """
    cache = provision.kept(options)
    there = cache.keys()
    keys = list(there) if everything else []
    for name in [] if everything else _given(names):
        keys.append(name if name in there else provision.defined(name).key)
    for key in keys:
        with _usable(cache):
            freed = cache.remove(key)
        yield key, freed


def line(row: Row) -> str:
    """A row for people."""
    size = f"{row['megabytes']:,} MB" if row["megabytes"] else ""
    python = f"Python {row['python']}" if row["python"] else ""
    requirements = ", ".join(requirement.partition(";")[0] for requirement in row["requirements"])
    packages = f"{len(row['packages'])} packages" if row["packages"] else ""
    told = (row["environment"], row["state"], python, requirements, packages, size, row["complaint"])
    return "  ".join(filter(None, told))


def _defined(definition: Definition, cache: Cache) -> Row:
    contents = cache.contents(definition)
    more = {"python": definition.python, "requirements": definition.requirements}
    return _row(definition.name, "ready" if contents else "not made", contents, **more)


def _row(name: str, state: str, contents: Contents | None = None, **more: Any) -> Row:
    usual = {"python": "", "requirements": (), "interpreter": "", "packages": {}, "megabytes": 0, "complaint": ""}
    if contents:
        usual |= {"interpreter": contents.python, "packages": contents.packages, "megabytes": contents.megabytes}
    return {"environment": name, "state": state, **usual, **more}


def _given(names: Sequence[str]) -> Sequence[str]:
    if not names:
        raise ConfigError("env: which environments? `harness env list` shows them")
    return names


def _unlock(definition: Definition, cache: Cache) -> None:
    if definition.lock and definition.lock.parent == definitions.LOCKS:
        raise ConfigError(f"--relock {definition.name}: its lock file comes with the harness")
    if definition.content:
        raise ConfigError(f"--relock {definition.lock}: the environment is made of this file, which is yours to change")
    with _usable(cache):
        cache.remove(definition.key)
        cache.unlock(definition)


@contextmanager
def _usable(cache: Cache) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"--cache {cache.folder}: it can't be changed: {error}") from error
