"""What of the suite a run selects: paths, tier, `-k`, globs over subjects, operations and dtypes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from harness.casefile import cases_folder
from harness.config import ConfigError, Options
from harness.model.case import Case, Claim, Unit
from harness.model.subject import DOCUMENT, Subject

WORD = re.compile(r"\s*(?:(\()|(\))|([^\s()]+))")
TIERS = {
    "quick": (("documents", "operations"), ("eager",)),
    "stock": (("documents", "errors", "exhaustive", "found", "modes", "operations", "relations"), ()),
    "nightly": ((), ()),
}
"""Folders of cases/ and modes of each tier; an empty tuple stands for all."""

Matcher = Callable[[str], bool]


def paths(options: Options) -> list[Path]:
    """The paths that are asked for, or the tier's folders."""
    if options.paths:
        return list(options.paths)
    folders, _ = TIERS[options.tier]
    return [cases_folder() / folder for folder in folders] if folders else [cases_folder()]


def wants(options: Options) -> Callable[[Unit, Subject], bool]:
    """Whether a unit is to be run with a subject; a document is judged with whatever cases are selected."""
    matches = keyword(options.keyword)
    _, modes = TIERS[options.tier]

    @cache
    def asked(subject: Subject) -> bool:
        return subject is DOCUMENT or ((not modes or subject.mode in modes) and _any(options.subject, subject.id))

    def wanted(unit: Unit, subject: Subject) -> bool:
        if not options.keyword:
            return asked(subject)
        name = subject.implementation if subject is DOCUMENT else subject.id
        return asked(subject) and matches(f"{unit.id} {name}")

    return wanted


def of_names(options: Options) -> Callable[[str, str], bool]:
    """Whether an operation and a dtype are asked for.

    Raises:
        ConfigError: there is none of a name that is asked for.
    """
    from harness.casefile.errors import unknown  # noqa: PLC0415 - `harness list cases` names none
    from harness.operations import OPERATIONS  # noqa: PLC0415
    from harness.oracle.formats import FORMATS  # noqa: PLC0415

    for noun, globs, known in (("operation", options.operation, OPERATIONS), ("dtype", options.dtype, FORMATS)):
        for glob in globs:
            if not any(_any((glob,), name) for name in known):
                raise ConfigError(f"--{noun} {glob}: {unknown(noun, glob, known)}")
    return lambda operation, dtype: _any(options.operation, operation) and _any(options.dtype, dtype)


def of_units(options: Options) -> Callable[[Unit], bool]:
    """Whether a unit has one of the operations and dtypes that are asked for."""
    named = of_names(options)

    def wanted(unit: Unit) -> bool:
        if isinstance(unit, Claim):
            return not options.operation and not options.dtype
        calls = (unit,) if isinstance(unit, Case) else tuple(unit.calls.values())
        return any(named(c.operation, c.dtype) for c in calls)

    return wanted


def keyword(expression: str) -> Matcher:
    """Read a `-k` expression: substrings joined by and, or, not and parentheses, as in pytest.

    Raises:
        ConfigError: it is no such expression.
    """
    if not expression:
        return lambda _text: True
    words = [match.group().strip() for match in WORD.finditer(expression)]
    stream = iter([*words, ""])
    matcher, rest = _either(next(stream), stream, expression)
    if rest:
        raise ConfigError(f"-k {expression!r}: {rest!r} is one word too many")
    return matcher


def _either(word: str, stream: Iterator[str], expression: str) -> tuple[Matcher, str]:
    left, word = _both(word, stream, expression)
    while word == "or":
        right, word = _both(next(stream), stream, expression)
        left = _or(left, right)
    return left, word


def _both(word: str, stream: Iterator[str], expression: str) -> tuple[Matcher, str]:
    left, word = _term(word, stream, expression)
    while word == "and":
        right, word = _term(next(stream), stream, expression)
        left = _and(left, right)
    return left, word


def _term(word: str, stream: Iterator[str], expression: str) -> tuple[Matcher, str]:
    if word == "not":
        inner, rest = _term(next(stream), stream, expression)
        return (lambda text: not inner(text)), rest
    if word == "(":
        inner, rest = _either(next(stream), stream, expression)
        if rest != ")":
            raise ConfigError(f"-k {expression!r}: a parenthesis is not closed")
        return inner, next(stream)
    if word in ("", ")", "and", "or"):
        raise ConfigError(f"-k {expression!r}: a word is missing {'at the end' if not word else f'before {word!r}'}")
    lowered = word.lower()
    return (lambda text: lowered in text.lower()), next(stream)


def _or(left: Matcher, right: Matcher) -> Matcher:
    return lambda text: left(text) or right(text)


def _and(left: Matcher, right: Matcher) -> Matcher:
    return lambda text: left(text) and right(text)


def _any(globs: tuple[str, ...], name: str) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)
