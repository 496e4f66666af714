"""Policies: what fails a run. Rules decide before `--fail-on` does, the first that matches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.model.change import Change

FAILURE = "failure"
"""An output fails now, whatever it did before."""

LEFT_OUT = "left out"
"""An output was not measured because the run's time was over."""

CLASSES = (*map(str, Change), FAILURE, LEFT_OUT)
"""What a rule's `changes` may name."""

FAIL_ON: Mapping[str, frozenset[str]] = {
    "any": frozenset({FAILURE}),
    "new": frozenset({Change.NEW_FAILURE}),
    "regression": frozenset({Change.NEW_FAILURE, Change.SEMANTICS, Change.WORSE, Change.NOT_MEASURED, Change.REMOVED}),
}
"""What fails by each word of `--fail-on`."""


@dataclass(frozen=True, slots=True)
class Event:
    """One output that fails, or is not as it was.

    Attributes:
        classes: all of `CLASSES` that it is, the most telling first.
        operation: "" if it isn't known, as for a case that is gone; as are dtype and mode.
        found: what it was and what it is.
    """

    classes: tuple[str, ...]
    case: str
    subject: str
    output: str
    operation: str
    dtype: str
    mode: str
    found: str


@dataclass(frozen=True, slots=True)
class Rule:
    """An exception from `--fail-on`, or an addition to it.

    Attributes:
        changes: classes that it speaks of.
        fail: whether they fail the run.
        operations, dtypes, modes, subjects, cases: globs; empty for all.
        source: where it stands: `pyproject.toml:9`.
    """

    changes: tuple[str, ...]
    fail: bool
    reason: str
    operations: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    source: str = ""

    def matches(self, event: Event) -> bool:
        """Whether it speaks of an event. What isn't known of the event is matched by `*` only."""
        return not set(self.changes).isdisjoint(event.classes) and all(
            not globs or any(fnmatchcase(name, glob) for glob in globs)
            for globs, name in (
                (self.operations, event.operation),
                (self.dtypes, event.dtype),
                (self.modes, event.mode),
                (self.subjects, event.subject),
                (self.cases, event.case),
            )
        )

    def __str__(self) -> str:
        return f"the rule at {self.source} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Policy:
    """What fails a run."""

    fail_on: str = "any"
    rules: tuple[Rule, ...] = ()
