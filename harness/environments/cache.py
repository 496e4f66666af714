"""The cache: a folder of virtual environments made of definitions, each made once and used by many.

    CACHE/NAME-DIGEST/               a virtual environment, with harness.json in it, written last: it is ready
    CACHE/locks/NAME-DIGEST.txt      what was installed: made again, it gets the same
    CACHE/locks/NAME-DIGEST.use      held shared while a process uses it, alone while it is made or removed
    CACHE/logs/NAME-DIGEST.txt       what uv and pip printed

Where disk is short, environments that nobody uses are removed, the least recently used first.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from harness.environments import venvs
from harness.environments.definitions import Definition
from harness.environments.venvs import NotMadeError
from harness.files import replacing
from harness.model.subject import Environment

READY = "harness.json"
LOCKS, LOGS = "locks", "logs"
MARGIN = 200
"""Megabytes of disk that are left to others."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a ready environment holds.

    Attributes:
        python: path of its interpreter.
        packages: names and versions.
        megabytes: disk that it takes.
        lock: digest of the lock file that it was made from, or that was made of it.
    """

    name: str
    python: str
    packages: Mapping[str, str]
    megabytes: int
    lock: str


CONTENTS = TypeAdapter(Contents)


class BusyError(Exception):
    """An environment that a process uses, so that it can't be removed; the message says so."""


class Cache:
    """Has environments made, keeps them, and removes them.

    Args:
        folder: of the cache; made when it is needed.
        say: told, in a line each, what takes long.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda _line: None) -> None:
        self.folder = folder.expanduser().absolute()
        self._say = say
        self._held: dict[str, int] = {}
        self._refused: dict[str, str] = {}

    @property
    def compiled(self) -> Path:
        """Folder for what frameworks compile, which they keep themselves."""
        return self.folder / "compiled"

    def ensure(self, definition: Definition) -> Environment:
        """The environment of a definition, made if it isn't there, and held so that nobody removes it.

        One that can't be made has a complaint, and is not tried again by this cache.
        """
        if (known := self._refused.get(definition.key)) is not None:
            return Environment(definition.name, "", complaint=known)
        try:
            return Environment(definition.name, self._ensured(definition).python)
        except (NotMadeError, OSError) as error:
            complaint = self._refused[definition.key] = str(error)
        self._say(f"UNAVAILABLE: environment {definition.name}: {complaint}")
        return Environment(definition.name, "", complaint=complaint)

    def contents(self, definition: Definition) -> Contents | None:
        """What a ready environment holds; None if it isn't there, or its lock file has changed."""
        found = _read(self.folder / definition.key)
        lock = self._lock(definition)
        current = found is not None and (lock is None or found.lock == _digest(lock.read_bytes()))
        return found if current else None

    def keys(self) -> dict[str, Contents]:
        """All ready environments in the cache, those whose definition is gone or has changed included."""
        homes = sorted(self.folder.glob(f"*/{READY}"))
        return {file.parent.name: found for file in homes if (found := _read(file.parent)) is not None}

    def remove(self, key: str) -> int:
        """Remove an environment by its key; its lock file stays. Megabytes that were freed, 0 if it wasn't there.

        Raises:
            BusyError: a process uses it.
        """
        home = self.folder / key
        self._release(key)
        with self._alone(key) as alone:
            if not alone:
                raise BusyError(f"{key}: in use by another process")
            freed = venvs.megabytes(home)
            _discard(home)
        return freed

    def unlock(self, definition: Definition) -> None:
        """Forget the lock file: the environment will be resolved anew."""
        (definition.lock or self._own_lock(definition)).unlink(missing_ok=True)

    def release(self) -> None:
        """Hold nothing any more."""
        for key in tuple(self._held):
            self._release(key)

    def _ensured(self, definition: Definition) -> Contents:
        for folder in (LOCKS, LOGS):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        self._hold(definition.key)
        found = self.contents(definition) or self._made(definition)
        os.utime(self.folder / definition.key / READY)  # it was used now
        return found

    def _made(self, definition: Definition) -> Contents:
        """Make it alone, or wait until another process has.

        Nobody waits for a lock of its own: who has made it goes on holding it shared, for as long as it is used.
        """
        held = self._held[definition.key]
        while True:
            fcntl.flock(held, fcntl.LOCK_SH)  # waits while another makes it
            if (found := self.contents(definition)) is not None:
                return found
            if _locked(held):
                try:
                    return self.contents(definition) or self._make(definition)
                finally:
                    fcntl.flock(held, fcntl.LOCK_SH)
            fcntl.flock(held, fcntl.LOCK_UN)
            time.sleep(secrets.randbelow(100) / 1000)  # another wants it too

    def _make(self, definition: Definition) -> Contents:
        home = self.folder / definition.key
        tools = venvs.tools(definition)  # before others are removed for it
        _discard(home)
        self._make_room(definition)
        self._say(f"making environment {definition.name}: Python {definition.python}, {_told(definition)}")
        begun = time.monotonic()
        try:
            frozen = venvs.make(definition, tools, home, self._lock(definition), self._log(definition.key))
            lock = self._keep_lock(definition, frozen)
        except BaseException:
            _discard(home)
            raise
        size = venvs.megabytes(home)
        python = str(home / "bin" / "python")
        made = Contents(definition.name, python, venvs.packages(frozen), size, _digest(lock.read_bytes()))
        _write(home / READY, json.dumps(asdict(made), indent=1))
        self._say(f"made environment {definition.name}: {size} MB, {time.monotonic() - begun:.0f} s")
        return made

    def _lock(self, definition: Definition) -> Path | None:
        """The lock file to make an environment from, if there is one."""
        path = definition.lock or self._own_lock(definition)
        return path if path.is_file() else None

    def _own_lock(self, definition: Definition) -> Path:
        return self.folder / LOCKS / f"{definition.key}.txt"

    def _keep_lock(self, definition: Definition, frozen: Sequence[str]) -> Path:
        known = self._lock(definition)
        if known is None:
            known = definition.lock or self._own_lock(definition)
            _write(known, "\n".join(frozen) + "\n")
        return known

    def _log(self, key: str) -> Path:
        return self.folder / LOGS / f"{key}.txt"

    def _make_room(self, definition: Definition) -> None:
        """Remove what nobody uses, the least recently used first, until there is room; nothing where that can't help.

        Raises:
            NotMadeError: there is none.
        """
        needed = definition.megabytes + MARGIN
        if (free := venvs.free_megabytes(self.folder)) >= needed:
            return
        sizes = {key: found.megabytes for key, found in self.keys().items() if self._is_unused(key)}
        unused = sorted(sizes, key=lambda key: (self.folder / key / READY).stat().st_mtime)
        if free + sum(sizes.values()) < needed:
            unused = []
        while (free := venvs.free_megabytes(self.folder)) < needed:
            if not unused:
                raise NotMadeError(f"no disk: it needs {needed:,} MB, and {free:,} MB are free in {self.folder}")
            self._remove_unused(unused.pop(0))

    def _is_unused(self, key: str) -> bool:
        with self._alone(key) as alone:
            return alone

    def _remove_unused(self, key: str) -> None:
        with self._alone(key) as alone:
            if alone:
                self._say(f"removing environment {key}, which nobody uses: disk is short")
                _discard(self.folder / key)

    def _hold(self, key: str) -> None:
        if key not in self._held:
            self._held[key] = os.open(self.folder / LOCKS / f"{key}.use", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self._held[key], fcntl.LOCK_SH)

    def _release(self, key: str) -> None:
        if key in self._held:
            os.close(self._held.pop(key))

    @contextmanager
    def _alone(self, key: str) -> Iterator[bool]:
        """Whether nobody uses an environment, and nobody can until this ends."""
        path = self.folder / LOCKS / f"{key}.use"
        path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            yield _locked(held)
        finally:
            os.close(held)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(home: Path) -> Contents | None:
    try:
        found = CONTENTS.validate_json((home / READY).read_bytes(), strict=True)
        return found if Path(found.python).is_file() else None  # its interpreter may have been removed
    except (OSError, ValueError):  # not made, or by another version of the harness
        return None


def _discard(home: Path) -> None:
    """Remove a folder; without its mark first, so that what is half removed isn't taken for ready."""
    (home / READY).unlink(missing_ok=True)
    if home.exists():
        shutil.rmtree(home)


def _write(path: Path, text: str) -> None:
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _told(definition: Definition) -> str:
    return ", ".join(requirement.partition(";")[0] for requirement in definition.requirements)
