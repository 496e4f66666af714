"""`[tool.harness.gate]` of a pyproject.toml: settings and rules, every mistake at its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.gate.policy import CLASSES, Rule

NAME = "gate"
RULES = "rules"
HEADER = re.compile(r"\s*\[(?P<array>\[)?\s*(?P<name>[^\[\]]+?)\s*\]")


class PolicyError(Exception):
    """Rules that can't be used: a line for each mistake, with its place."""


class Table(BaseModel):
    """`[[tool.harness.gate.rules]]`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    changes: Annotated[list[str], Field(min_length=1)]
    fail: bool
    reason: Annotated[str, Field(min_length=1)]
    operations: list[str] = []
    dtypes: list[str] = []
    modes: list[str] = []
    subjects: list[str] = []
    cases: list[str] = []


class Lines:
    """Where the tables and keys of a TOML file stand, as far as they are written in the usual way.

    The parser of the standard library doesn't say, and a message can do without.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []

    def place(self, table: str, number: int = 0, key: str = "") -> str:
        """`FILE:LINE`, or `FILE` alone where a key or table isn't found.

        Args:
            table: its name in full.
            number: which one, of an array of tables.
        """
        start = self._header(table, number)
        if start is None:
            return str(self._file)
        at = next(
            (n for n in self._body(start) if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", self._lines[n])), start
        )
        return f"{self._file}:{(at if key else start) + 1}"

    def _header(self, table: str, number: int) -> int | None:
        found = [n for n, line in enumerate(self._lines) if (m := HEADER.match(line)) and m["name"] == table]
        return found[number] if number < len(found) else None

    def _body(self, start: int) -> Iterator[int]:
        for n in range(start + 1, len(self._lines)):
            if HEADER.match(self._lines[n]):
                return
            yield n


def rules(given: Any, name: str, lines: Lines) -> tuple[Rule, ...]:
    """The rules of a table.

    Args:
        given: the value of its `rules`.
        name: the table's name in full.

    Raises:
        PolicyError: every mistake.
    """
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise PolicyError(
            f"{lines.place(name, key=RULES)}: [{name}] {RULES}: a list of tables is needed: [[{name}.{RULES}]]"
        )
    made, wrong = [], []
    for number, table in enumerate(given):
        found = list(_mistakes(table))
        for key, message in found:
            where = lines.place(f"{name}.{RULES}", number, key)
            wrong.append(f"{where}: [[{name}.{RULES}]] {key}: {message}")
        if not found:
            fields: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
            }
            made.append(Rule(**fields, source=Path(lines.place(f"{name}.{RULES}", number)).name))
    if wrong:
        raise PolicyError("\n".join(wrong))
    return tuple(made)


def _mistakes(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys and what is wrong with them."""
    try:
        Table.model_validate(table)
    except ValidationError as error:
        for found in error.errors():
            key = str(found["loc"][0])
            yield key, _unknown("key", key, Table.model_fields) if found["type"] == "extra_forbidden" else _said(found)
        return
    for key, noun, known in _names():
        for name in table.get(key, ()):
            if not any(fnmatchcase(each, name) for each in known):
                yield key, _unknown(noun, name, known)
    for name in table["changes"]:
        if name not in CLASSES:
            yield "changes", _unknown("change", name, CLASSES)


def _names() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Keys whose globs must match something that there is."""
    from harness.operations import OPERATIONS  # noqa: PLC0415 - only where there are rules
    from harness.oracle.formats import FORMATS  # noqa: PLC0415

    yield "operations", "operation", tuple(OPERATIONS)
    yield "dtypes", "dtype", tuple(FORMATS)


def _unknown(noun: str, name: str, known: Any) -> str:
    from harness.casefile.errors import unknown  # noqa: PLC0415 - only mistakes pay for it

    return unknown(noun, name, known)


def _said(found: Any) -> str:
    return "is missing" if found["type"] == "missing" else f"{found['msg']}, not {found['input']!r}"
