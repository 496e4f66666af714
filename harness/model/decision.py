"""Decisions: what the gate makes of a run, and which rule says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.model.verdict import ExitCode


@dataclass(frozen=True, slots=True)
class Ruling:
    """One output that fails the gate, or that a rule lets pass though it would.

    Attributes:
        change: what became of it.
        found: what it was and what it is.
        rule: what decided, in words.
    """

    case: str
    subject: str
    output: str
    change: str
    found: str
    rule: str
    fails: bool

    def __str__(self) -> str:
        return f"{self.change}: {self.case} {self.subject} {self.output}: {self.found}"


class Ground(NamedTuple):
    """What one rule decided."""

    rule: str
    fails: bool
    changes: Mapping[str, int]

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {change}" for change, count in self.changes.items())
        return f"{'failed' if self.fails else 'let pass'} by {self.rule}: {counts}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's decision.

    Attributes:
        rulings: in the order of their gravity.
        stopped: why the run says too little to pass, whatever it says; "" if it was not stopped.
        lines: what is said of it on the terminal.
    """

    rulings: Sequence[Ruling] = ()
    stopped: str = ""
    lines: Sequence[str] = ()

    @property
    def failing(self) -> list[Ruling]:
        """The rulings that fail the gate."""
        return [ruling for ruling in self.rulings if ruling.fails]

    @property
    def exit_code(self) -> ExitCode:
        """Whether the gate passes."""
        return ExitCode.FAILED if self.stopped or self.failing else ExitCode.OK

    def grounds(self) -> Iterator[Ground]:
        """What each rule decided, those that fail first."""
        found: dict[tuple[bool, str], Counter[str]] = {}
        for ruling in self.rulings:
            found.setdefault((not ruling.fails, ruling.rule), Counter())[ruling.change] += 1
        for (passes, rule), counts in sorted(found.items(), key=lambda each: each[0][0]):
            yield Ground(rule, not passes, counts)
