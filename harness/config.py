"""What a run is told: flag, then HARNESS_*, then [tool.harness], then the default."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.environments.interpreters import CURRENT, numbered
from harness.gate.policy import Rule
from harness.gate.table import Lines, PolicyError, rules

PREFIX = "HARNESS_"
TABLE = "tool.harness"
ENVIRONMENTS = "env"
"""[tool.harness.env.NAME] defines an environment; `env = [...]` names those of a run."""
GATE = "gate"
"""[tool.harness.gate] has what fails a run: some settings, and rules that no flag or variable can give."""
POLICY = ("fail_on", "max_failures", "time_budget", "rules")
FILES = frozenset({"adapter", "baseline", "cache", "out", "python"})
"""Settings that are paths: in a pyproject.toml they are relative to it, as `paths` are that are found there."""
LISTS = frozenset({"paths", "subject", "operation", "dtype", "env", "python", "require", "report", "adapter"})
DAY = 86_400
"""Seconds that a call may take at most: what waits for it can't wait for ever."""
ANEW = frozenset({"timeout", "report", "baseline", "fail_on", "rules", "require", "max_failures"})
"""Settings that a resumed run takes anew: what is measured, and how it is judged, is settled by the others."""


class ConfigError(Exception):
    """A setting that can't be used; the message says where it stands and what is meant."""


class Options(BaseModel):
    """The settings of a run, by the names of their flags; see `harness run --help`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paths: tuple[Path, ...] = ()
    keyword: str = ""
    subject: tuple[str, ...] = ()
    operation: tuple[str, ...] = ()
    dtype: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    tier: Literal["quick", "stock", "nightly"] = "stock"
    jobs: Annotated[int, Field(ge=0)] = 0
    threads: Annotated[int, Field(ge=1)] = 1
    timeout: Annotated[float, Field(gt=0, le=DAY)] = 60.0
    seed: int = 0
    out: Path | None = None
    resume: bool = False
    report: tuple[str, ...] = ()
    baseline: Path | None = None
    fail_on: Literal["any", "new", "regression"] = "any"
    rtol: Annotated[float | None, Field(ge=0)] = None
    atol: Annotated[float | None, Field(ge=0)] = None
    max_failures: Annotated[int, Field(ge=0)] = 0
    time_budget: Annotated[float, Field(ge=0)] = 0.0
    rules: tuple[Rule, ...] = ()
    adapter: tuple[str, ...] = ()
    cache: Path | None = None


def resolve(
    flags: Mapping[str, Any],
    environ: Mapping[str, str] = os.environ,
    start: Path | None = None,
    defaults: Mapping[str, Any] = MappingProxyType({}),
    together: Collection[str] = (),
) -> Options:
    """Settle every setting; those that count as asked for by a resumed run are its `model_fields_set`.

    Args:
        flags: what the command line gives; None and empty values are not given.
        environ: environment variables.
        start: folder whose nearest pyproject.toml is read; the current one by default.
        defaults: those of a command that has its own.
        together: settings that are one thing: a flag for one of them replaces all that files and variables say of them.

    Raises:
        ConfigError: an unknown key, or a value that doesn't fit.
    """
    settings: dict[str, Any] = dict(defaults)
    file, found = table(start or Path.cwd())
    sources = (_from_pyproject(file, found), _from_gate(file, found), _from_environ(environ), ("", flags))
    asked: set[str] = set()
    for place, given in sources:
        present = {key: value for key, value in given.items() if _is_given(value)}
        if place != GATE:
            _check(place, present, [name for name in Options.model_fields if name != "rules"])
        if given is flags and not present.keys().isdisjoint(together):
            settings = {key: value for key, value in settings.items() if key not in together}
        settings.update(present)
        asked |= present.keys() if given is flags else present.keys() & ANEW
    options = Options.model_construct(asked, **dict(Options(**settings)))
    return _strict(options) if environ.get("CI", "").lower() not in {"", "0", "false"} else options


def _strict(options: Options) -> Options:
    """In continuous integration an environment that is asked for by name must be there."""
    names = numbered(named(text) for text in dict.fromkeys(options.env))
    asked = (*options.require, *(name for name in names if name != CURRENT))
    return options.model_copy(update={"require": tuple(dict.fromkeys(asked))})


def named(environment: str) -> str:
    """The name of an environment that `--env` names, or writes out.

    Raises:
        ConfigError: what is written can't be used.
    """
    from harness.environments import definitions  # noqa: PLC0415 - only where an environment is asked for

    try:
        return definitions.adhoc(environment).name if definitions.is_written_out(environment) else environment
    except definitions.DefinitionError as error:
        raise ConfigError(f"--env {environment}: {error}") from error


def _from_pyproject(file: Path, found: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    settings = {
        key: value
        for key, value in found.items()
        if key != GATE and (key != ENVIRONMENTS or not isinstance(value, dict))
    }
    named = {str(key).replace("-", "_"): value for key, value in settings.items()}
    return f"{file}: [{TABLE}] ", {key: _anchored(key, value, file.parent) for key, value in named.items()}


def _from_gate(file: Path, found: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The settings and rules of [tool.harness.gate], which are checked here: each key at its line."""
    name, lines = f"{TABLE}.{GATE}", Lines(file)
    given = found.get(GATE, {})
    if not isinstance(given, dict):
        raise ConfigError(f"{file}: [{name}] is no table")
    settings: dict[str, Any] = {}
    for written, value in given.items():
        key = written.replace("-", "_")
        place = f"{lines.place(name, key=written)}: [{name}] "
        if key in {each.replace("-", "_") for each in found}:
            raise ConfigError(f"{place}{written}: stands in [{TABLE}] too")
        if key == "rules":
            settings[key] = _rules(value, name, lines)
        else:
            _check(place, {key: value}, POLICY)
            settings[key] = value
    return GATE, settings


def _rules(value: Any, name: str, lines: Lines) -> tuple[Rule, ...]:
    try:
        return rules(value, name, lines)
    except PolicyError as error:
        raise ConfigError(str(error)) from error


def _anchored(key: str, value: Any, folder: Path) -> Any:
    """A setting's paths as seen from here; `paths` that aren't in the folder may be in the suite's."""
    if isinstance(value, list):
        return [_anchored(key, each, folder) for each in value]
    if not isinstance(value, str) or Path(value).is_absolute():
        return value
    relative = key in FILES or (key == "paths" and (folder / value).exists())
    return os.path.relpath(folder / value) if relative else value


def table(start: Path) -> tuple[Path, Mapping[str, Any]]:
    """The nearest pyproject.toml, and its [tool.harness].

    Raises:
        ConfigError: it can't be read, or has no such table.
    """
    for folder in (start, *start.absolute().parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            try:
                read = tomllib.loads(file.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{file}: {error}") from error
            tools = read.get("tool", {})
            found = tools.get("harness", {}) if isinstance(tools, dict) else tools
            if not isinstance(found, dict):
                raise ConfigError(f"{file}: [{TABLE}] is no table")
            return file, found
    return start / "pyproject.toml", {}


def _from_environ(environ: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    given = {n.removeprefix(PREFIX).lower(): v for n, v in environ.items() if n.startswith(PREFIX)}
    return PREFIX, {key: tuple(value.split(",")) if key in LISTS else value for key, value in given.items()}


def _is_given(value: Any) -> bool:
    """A flag that is left out is None, False, or empty; 0 is a value."""
    return value is not None and value is not False and value not in ((), [], "")


def _check(place: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            meant = f", did you mean {near[0]!r}?" if near else f": known are {', '.join(known)}"
            raise ConfigError(f"{place}{_as_written(place, key)}: unknown setting{meant}")
    _check_values(place, given)


def _check_values(place: str, given: Mapping[str, Any]) -> None:
    try:
        Options(**given)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        raise ConfigError(f"{place}{_as_written(place, key)}: {first['msg']}, not {first['input']!r}") from error


def _as_written(place: str, key: str) -> str:
    if place == PREFIX:
        return key.upper()
    return key if place else f"--{key.replace('_', '-')}"
