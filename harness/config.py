"""What a run is told: flag, then HARNESS_*, then [tool.harness], then the default."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.environments.interpreters import CURRENT

PREFIX = "HARNESS_"
TABLE = "tool.harness"
ENVIRONMENTS = "env"
"""[tool.harness.env.NAME] defines an environment; `env = [...]` names those of a run."""
FILES = frozenset({"adapter", "baseline", "cache", "out", "python"})
"""Settings that are paths: in a pyproject.toml they are relative to it, as `paths` are that are found there."""
LISTS = frozenset({"paths", "subject", "operation", "dtype", "env", "python", "require", "report", "adapter"})


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
    timeout: Annotated[float, Field(gt=0)] = 60.0
    seed: int = 0
    out: Path | None = None
    resume: bool = False
    report: tuple[str, ...] = ()
    baseline: Path | None = None
    fail_on: Literal["any", "new", "regression"] = "any"
    rtol: Annotated[float | None, Field(ge=0)] = None
    atol: Annotated[float | None, Field(ge=0)] = None
    max_failures: Annotated[int, Field(ge=0)] = 0
    adapter: tuple[str, ...] = ()
    cache: Path | None = None


def resolve(flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, start: Path | None = None) -> Options:
    """Settle every setting.

    Args:
        flags: what the command line gives; None and empty values are not given.
        environ: environment variables.
        start: folder whose nearest pyproject.toml is read; the current one by default.

    Raises:
        ConfigError: an unknown key, or a value that doesn't fit.
    """
    settings: dict[str, Any] = {}
    for place, given in (_from_pyproject(start or Path.cwd()), _from_environ(environ), ("", flags)):
        present = {key: value for key, value in given.items() if _is_given(value)}
        _check_names(place, present)
        _check_values(place, present)
        settings.update(present)
    options = Options(**settings)
    return _strict(options) if environ.get("CI", "").lower() not in {"", "0", "false"} else options


def _strict(options: Options) -> Options:
    """In continuous integration an environment that is asked for by name must be there."""
    asked = (*options.require, *(named(name) for name in options.env if name != CURRENT))
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


def _from_pyproject(start: Path) -> tuple[str, Mapping[str, Any]]:
    file, found = table(start)
    settings = {key: value for key, value in found.items() if key != ENVIRONMENTS or not isinstance(value, dict)}
    named = {str(key).replace("-", "_"): value for key, value in settings.items()}
    return f"{file}: [{TABLE}] ", {key: _anchored(key, value, file.parent) for key, value in named.items()}


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


def _check_names(place: str, given: Mapping[str, Any]) -> None:
    for key in given:
        if key not in Options.model_fields:
            near = difflib.get_close_matches(key, Options.model_fields, 1)
            meant = f", did you mean {near[0]!r}?" if near else f": known are {', '.join(Options.model_fields)}"
            raise ConfigError(f"{place}{_as_written(place, key)}: unknown setting{meant}")


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
