"""Definitions: what an environment is made of. Shipped ones, a project's own, and those of a command's arguments."""

from __future__ import annotations

import difflib
import hashlib
import platform
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.environments.interpreters import ANONYMOUS, CURRENT, clean
from harness.model.subject import Adapter

SHIPPED = Path(__file__).parent / "shipped.toml"
LOCKS = Path(__file__).parent / "locks"
LOCKED_ON = ("Linux", "x86_64")
"""Where the shipped lock files were made; elsewhere the requirements are resolved anew."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PYTHON = re.compile(r"3\.\d+(\.\d+)?|.*/.*")
LONGEST = 80
"""Characters of a name that is made of requirements."""
WRITTEN_OUT = re.compile(r"[=~!<>@/\s]")
LOCK_SUFFIXES = {".txt", ".lock", ".in"}
ANOTHER_FILE = re.compile(r"(?:-r|-c|--requirement|--constraint)[=\s]*(?P<path>\S+)")
PINNED_PYTHON = re.compile(r"(?P<requirements>.+)@python(?P<python>3\.\d+(\.\d+)?)")
BUILDS = ("cpu", "gpu", "intel", "macos", "rocm", "cuda")
"""What a distribution's name may have behind its package's: tensorflow-cpu brings tensorflow."""

MEGABYTES = 3000
"""What an environment is taken to need, if its definition doesn't say."""


class DefinitionError(Exception):
    """A definition that can't be used; the message says where it stands and what is meant."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What an environment is made of.

    Attributes:
        name: the name that subject ids begin with.
        python: version of its interpreter ("3.7", "3.7.16"), or a path.
        requirements: as pip takes them.
        frameworks: what it is asked for; empty for those that its requirements name.
        megabytes: disk that it needs.
        lock: file of pinned requirements that it is made from, if it exists, and that is written, if not;
            None for one in the cache.
        content: digest of all that a file tells pip, its hashes, index and constraints too; empty if it is of no file.
    """

    name: str
    python: str
    requirements: tuple[str, ...]
    frameworks: tuple[str, ...] = ()
    megabytes: int = MEGABYTES
    lock: Path | None = None
    content: str = ""

    @property
    def key(self) -> str:
        """Its name and a digest of what it is made of: a changed definition is another environment."""
        told = "\n".join((self.python, *sorted(self.requirements), *filter(None, [self.content])))
        return f"{self.name}-{hashlib.sha256(told.encode()).hexdigest()[:10]}"

    def frameworks_of(self, adapters: Iterable[Adapter]) -> tuple[str, ...]:
        """The frameworks that it is asked for: those that it says, or that its requirements name, or else all.

        NumPy, which every framework brings, is thus asked only where a requirement names it.
        """
        if self.frameworks:
            return self.frameworks
        known = list(adapters)
        named = tuple(a.framework for a in known if all(map(self._names, _telling(a, known))))
        return named or tuple(a.framework for a in known)

    def _names(self, package: str) -> bool:
        return any(_brings(requirement, package) for requirement in self.requirements)


class Table(BaseModel):
    """`[tool.harness.env.NAME]`."""

    model_config = ConfigDict(extra="forbid")

    requirements: Annotated[list[str], Field(min_length=1)]
    python: str = f"{sys.version_info.major}.{sys.version_info.minor}"
    frameworks: list[str] = []
    megabytes: Annotated[int, Field(gt=0)] = MEGABYTES
    lock: Path | None = None


def shipped() -> dict[str, Definition]:
    """The definitions that come with the harness, by name."""
    tables = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    here = (platform.system(), platform.machine()) == LOCKED_ON
    locks = {name: {"lock": f"{name}.txt"} for name in tables if here and (LOCKS / f"{name}.txt").is_file()}
    return parse({name: {**table, **locks.get(name, {})} for name, table in tables.items()}, str(SHIPPED), LOCKS)


def parse(tables: Mapping[str, Any], place: str, folder: Path) -> dict[str, Definition]:
    """The definitions of a project, by name.

    Args:
        tables: by name, as TOML has them.
        place: where they stand, for messages: "pyproject.toml: [tool.harness.env."
        folder: what the path of a lock file is relative to.

    Raises:
        DefinitionError: the first mistake.
    """
    return {name: _parsed(name, table, f"{place}{name}]", folder) for name, table in tables.items()}


def adhoc(text: str) -> Definition:
    """The definition of a command's argument, `REQUIREMENTS[@pythonX.Y]`, or the path of a lock file.

    Several requirements have blanks between them. Its name is made of them: `tensorflow-2.20.0`.

    Raises:
        DefinitionError: it is neither.
    """
    pinned = PINNED_PYTHON.fullmatch(text)
    given, python = (pinned["requirements"], {"python": pinned["python"]}) if pinned else (text, {})
    path = Path(given)
    if path.suffix in LOCK_SUFFIXES:
        return from_lock(path, **python)
    if _is_file(path):  # its words may be names of packages, by chance
        raise DefinitionError(f"{path}: a file of requirements is named *.txt, *.in or *.lock")
    words = given.split()
    name = _name("-".join(re.sub(r"[=~!<>\[\],;@]+", "-", word) for word in words))
    return _parsed(name, {"requirements": words, **python}, text, Path())


def is_written_out(text: str) -> bool:
    """Whether a text is no name, but requirements or the path of a lock file."""
    return bool(WRITTEN_OUT.search(text)) or Path(text).suffix in LOCK_SUFFIXES


def from_lock(path: Path, python: str = "") -> Definition:
    """The definition of a file of pinned requirements; a virtual environment is made of just these.

    Raises:
        DefinitionError: it can't be read, or is no list of requirements.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        content = _digest(path)
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: can't be read: {error}") from error
    table = {"requirements": _requirements(lines), "lock": path.absolute()} | ({"python": python} if python else {})
    stem = path.parent.name if path.stem in {"requirements", "constraints", *ANONYMOUS} else path.stem
    return replace(_parsed(_name(stem), table, str(path), Path()), content=content)


def lookup(name: str, known: Mapping[str, Definition]) -> Definition:
    """The definition of a name, or of what is written in its place: requirements, or the path of a lock file.

    Raises:
        DefinitionError: there is none, or what is written can't be used.
    """
    if name in known:
        return known[name]
    if is_written_out(name):
        return adhoc(name)
    if name == CURRENT:
        raise DefinitionError(
            f"environment {CURRENT}: it is the one that the harness runs in; nothing makes or removes it"
        )
    raise DefinitionError(f"environment {name}: no such environment{_meant(name, (CURRENT, *known))}")


def _name(text: str) -> str:
    """A name made of a text; short enough for a folder that has more in its name."""
    return clean(clean(text)[:LONGEST])


def _parsed(name: str, table: Any, place: str, folder: Path) -> Definition:
    if not NAME.fullmatch(name) or name in {CURRENT, "document"}:
        raise DefinitionError(f"{place}: {name!r} can't name an environment: letters, digits, . _ -; not {CURRENT}")
    if not isinstance(table, Mapping):
        raise DefinitionError(f"{place}: this is no table: requirements and python are wanted, not {table!r}")
    for key in table:
        if key not in Table.model_fields:
            raise DefinitionError(f"{place} {key}: unknown key{_meant(str(key), Table.model_fields)}")
    try:
        read = Table(**table)
    except ValidationError as error:
        first = error.errors()[0]
        raise DefinitionError(f"{place} {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if not PYTHON.fullmatch(read.python):
        raise DefinitionError(f"{place} python: a version such as 3.11, or a path, not {read.python!r}")
    for requirement in read.requirements:
        _check(requirement, place)
    lock = folder / read.lock if read.lock else None
    return Definition(name, read.python, tuple(read.requirements), tuple(read.frameworks), read.megabytes, lock)


def _check(requirement: str, place: str) -> None:
    try:
        Requirement(requirement)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise DefinitionError(f"{place}: {requirement!r} is no requirement as pip takes them: {reason}") from error


def _requirements(lines: Iterable[str]) -> list[str]:
    """The requirements of a file's lines, without comments, hashes and options."""
    bare = (re.split(r"(?:^|\s)#|\s\\$|\s--", line)[0].strip() for line in lines)
    return [line for line in bare if line and not line.startswith("-")]


def _digest(path: Path) -> str:
    """A digest of all that pip reads in a file, and in those that it names by -r and -c; comments aside."""
    told: dict[Path, str] = {}
    waiting = [path]
    while waiting:
        file = waiting.pop().resolve()
        if file not in told and _is_file(file):
            bare = (
                re.split(r"(?:^|\s)#", line)[0].strip()
                for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
            )
            lines = [line for line in bare if line]
            told[file] = "\n".join(lines)
            waiting += [file.parent / another["path"] for another in map(ANOTHER_FILE.match, lines) if another]
    return hashlib.sha256("\0".join(told.values()).encode()).hexdigest()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # longer than a file's name can be
        return False


def _telling(adapter: Adapter, known: Sequence[Adapter]) -> Sequence[str]:
    """The packages that requirements must name: the first, and the second where frameworks share the first (Keras)."""
    shared = sum(other.packages[0] == adapter.packages[0] for other in known) > 1
    return adapter.packages[: 1 + shared]


def _brings(requirement: str, package: str) -> bool:
    name, wanted = canonicalize_name(Requirement(requirement).name), canonicalize_name(package)
    return name == wanted or name in {f"{wanted}-{build}" for build in BUILDS}


def _meant(name: str, known: Iterable[str]) -> str:
    choices: Sequence[str] = list(known)
    near = difflib.get_close_matches(name, choices, 1)
    return f", did you mean {near[0]!r}?" if near else f": there are {', '.join(choices)}"
