"""Places: nodes with the path that leads to them, and the report that gathers problems."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.casefile.errors import Problem
from harness.casefile.tree import Fault, Node, Scalar, Sequence, Table

SHOWN = 60
"""Characters of a text that a message shows."""

BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Place(NamedTuple):
    """A node and the way to it: the place above it, and the key or index below that."""

    node: Node
    above: Place | None = None
    step: str | int = ""

    @property
    def path(self) -> str:
        """The JSON path: `$.cases[0].inputs.logits`."""
        if self.above is None:
            return "$"
        step = self.step
        if isinstance(step, int):
            return f"{self.above.path}[{step}]"
        return f"{self.above.path}.{step}" if BARE.fullmatch(step) else f"{self.above.path}[{step!r}]"

    def child(self, step: str | int) -> Place | None:
        """The value under a key or index; None if there is none."""
        node = self.node
        if isinstance(node, Table) and isinstance(step, str) and step in node.values:
            return Place(node.values[step], self, step)
        if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            return Place(node.items[step], self, step)
        return None

    def key(self, step: str) -> Place:
        """The key itself, for what is wrong with it and not with its value."""
        if isinstance(self.node, Table) and step in self.node.keys:
            return Place(self.node.keys[step], self, step)
        return self

    def nearest(self, *steps: str | int) -> Place:
        """Follow steps as far as they lead."""
        place = self
        for step in steps:
            place = place.child(step) or place
        return place

    def table(self) -> Iterable[tuple[str, Place]]:
        """Keys and places of a mapping; nothing of anything else."""
        if isinstance(self.node, Table):
            for key, node in self.node.values.items():
                yield key, Place(node, self, key)

    def items(self) -> Iterable[Place]:
        """Places of a list's items; nothing of anything else."""
        if isinstance(self.node, Sequence):
            for index, node in enumerate(self.node.items):
                yield Place(node, self, index)

    def text(self) -> str | None:
        """The text of a scalar whose value is text."""
        return self.node.value if isinstance(self.node, Scalar) and isinstance(self.node.value, str) else None


@dataclass(slots=True)
class Report:
    """Gathers the problems of one file; saying the same thing twice counts once."""

    file: str
    problems: dict[Problem, None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.problems)

    def add(self, place: Place, message: str) -> None:
        """A problem at a node."""
        self._add(place.node.line, place.node.column, place.path, message)

    def fault(self, fault: Fault) -> None:
        """A fault of the text itself."""
        self._add(fault.line, fault.column, "$", fault.message)

    def _add(self, line: int, column: int, path: str, message: str) -> None:
        self.problems[Problem(self.file, line, column, path, message)] = None


def described(node: Node) -> str:
    """What a node is, in words: `the number 3`, `the text 'abc'`, `a list`."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Table):
        return "a mapping"
    match node.value:
        case None:
            return "nothing"
        case bool():
            return node.text
        case str():
            return f"the text {shortened(node.text)!r}"
        case _:
            return f"the number {shortened(node.text)}"


def shortened(text: str) -> str:
    """A text that fits into a message."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
