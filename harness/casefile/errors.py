"""What is wrong with case files, each problem at its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CLOSE = 0.6
"""How alike (difflib's ratio) a misspelt name and a known one must be for a suggestion."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong: where, on which path of the document, and what was meant."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}  {self.path}  {self.message}"


class CaseFileError(Exception):
    """Case files that can't be used; the message says why."""


class CaseFileErrors(CaseFileError):  # noqa: N818 - there are several
    """Everything that is wrong with the case files that were loaded, a line each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class ArrayFileError(Exception):
    """Arrays of a user's own that can't be used, or that don't fit; the message says why."""


def unknown(noun: str, name: str, known: Iterable[str]) -> str:
    """`unknown key 'logit', did you mean 'logits'?`, or the names that are known."""
    import difflib  # noqa: PLC0415 - only mistakes pay for it

    names = list(known)
    close = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=1, cutoff=CLOSE)
    meant = next((n for n in names if n.lower() in close), None)
    if meant is not None:
        return f"unknown {noun} {name!r}, did you mean {meant!r}?"
    return f"unknown {noun} {name!r}; there is {', '.join(names) or 'none'}"
