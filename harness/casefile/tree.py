"""Text -> nodes that know where they stand, by YAML 1.2's core rules.

The tree is built from the parser's events with an explicit stack: depth is limited before it
grows, and an alias counts as many nodes as it stands for, so no file can exhaust the stack or the
memory. The scalar's text is kept beside its value: a printed `0.10` has two decimals.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml._yaml import CParser

from harness.casefile.scalars import CORE, NOT_CORE, Value, bad_tag, resolve, tagged

MAX_DEPTH = 32
MAX_NODES = 100_000
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Scalar(NamedTuple):
    """A scalar: its text as written, and the value that YAML 1.2 gives it."""

    line: int
    column: int
    text: str
    value: Value


class Sequence(NamedTuple):
    """A list. `size` counts its nodes with aliases written out, `height` its levels."""

    line: int
    column: int
    items: tuple[Node, ...]
    size: int
    height: int


class Table(NamedTuple):
    """A mapping from text to nodes; `keys` has the nodes of the keys."""

    line: int
    column: int
    keys: Mapping[str, Scalar]
    values: Mapping[str, Node]
    size: int
    height: int


Node = Scalar | Sequence | Table


class Fault(NamedTuple):
    """What is wrong with the text itself, at a line and column that count from 1."""

    line: int
    column: int
    message: str


class FatalFaultError(Exception):
    """A fault after which nothing more can be read."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(line, column, message)


class Tree(NamedTuple):
    """What could be read of a text, and its faults; the root is None after a fatal one."""

    root: Node | None
    faults: tuple[Fault, ...]


def parse(data: bytes) -> Tree:
    """Read one YAML document."""
    builder = _Builder()
    try:
        text = _decoded(data)
        _check_characters(text)
        builder.run(text)
    except FatalFaultError as fatal:
        return Tree(None, (*builder.faults, fatal.fault))
    return Tree(builder.root, tuple(builder.faults))


def plain(node: Node, depth: int = MAX_DEPTH) -> Any:
    """A node as plain Python values, for validation; what lies deeper than `depth` stays a node."""
    if isinstance(node, Scalar):
        return node.value
    if depth == 0:
        return node
    if isinstance(node, Sequence):
        return [plain(item, depth - 1) for item in node.items]
    return {key: plain(value, depth - 1) for key, value in node.values.items()}


@dataclass(slots=True)
class _Open:
    """A collection that hasn't ended yet."""

    event: Any
    children: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 1


class _Builder:
    """Puts nodes together as the parser's events come."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def run(self, text: str) -> None:
        handlers: Mapping[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.DocumentStartEvent: self._document,
            yaml.AliasEvent: self._alias,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceEndEvent: self._end,
            yaml.MappingEndEvent: self._end,
        }
        for event in _events(text):
            if handler := handlers.get(type(event)):
                handler(event)

    def _fault(self, at: Any, message: str) -> None:
        self.faults.append(Fault(at.line, at.column, message))

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise FatalFaultError(*_start_of(event), "a second document: a case file holds one")

    def _alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            raise FatalFaultError(*_start_of(event), f"no anchor &{event.anchor} is complete before its alias")
        self._check_depth(event, _extent(node)[1])
        self._attach(node, _start_of(event))

    def _scalar(self, event: Any) -> None:
        mark, text = event.start_mark, event.value
        value = resolve(text) if event.implicit[0] and event.tag is None else self._explicit(event)
        node = Scalar(mark.line + 1, mark.column + 1, text, value)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if self._open:
            parent = self._open[-1]
            parent.children.append(node)
            parent.size += 1
        else:
            self.root = node

    def _explicit(self, event: Any) -> Value:
        """The value of a scalar in quotes, or with a tag."""
        tag, text = event.tag, event.value
        value = text if tag in {None, "!"} else tagged(tag, text)
        if value is NOT_CORE:
            self.faults.append(Fault(*_start_of(event), bad_tag(tag, text)))
            return str(text)
        return value

    def _start(self, event: Any) -> None:
        self._check_depth(event, 1)
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if event.tag not in {None, "!", CORE + kind}:
            self.faults.append(Fault(*_start_of(event), bad_tag(event.tag, "")))
        self._open.append(_Open(event))

    def _check_depth(self, event: Any, more: int) -> None:
        if len(self._open) + more > MAX_DEPTH:
            raise FatalFaultError(*_start_of(event), f"nested deeper than {MAX_DEPTH} levels")

    def _end(self, _event: Any) -> None:
        done = self._open.pop()
        at = _start_of(done.event)
        if isinstance(done.event, yaml.MappingStartEvent):
            node: Node = Table(*at, *self._pairs(done.children), done.size, done.height)
        else:
            node = Sequence(*at, tuple(done.children), done.size, done.height)
        if done.event.anchor is not None:
            self._anchors[done.event.anchor] = node
        self._attach(node, at)

    def _pairs(self, children: list[Node]) -> tuple[dict[str, Scalar], dict[str, Node]]:
        keys: dict[str, Scalar] = {}
        values: dict[str, Node] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._fault(key, "a key is text, not a collection")
            elif key.text in keys:
                self._fault(key, f"key {key.text!r} again; it is on line {keys[key.text].line} already")
            else:
                keys[key.text], values[key.text] = key, value
        return keys, values

    def _attach(self, node: Node, at: tuple[int, int]) -> None:
        """Put a collection, or what an alias stands for, where it belongs."""
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.children.append(node)
        size, height = _extent(node)
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if parent.size > MAX_NODES:
            raise FatalFaultError(*at, f"more than {MAX_NODES:,} nodes, aliases written out")


def _extent(node: Node) -> tuple[int, int]:
    """How many nodes a node is with aliases written out, and how many levels of lists and mappings."""
    return (1, 0) if isinstance(node, Scalar) else (node.size, node.height)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        message = f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        raise FatalFaultError(line, column, message) from None


def _check_characters(text: str) -> None:
    found = UNPRINTABLE.search(text)
    if found:
        line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        name = unicodedata.name(found[0], "a control character" if ord(found[0]) else "NUL")
        raise FatalFaultError(line, column, f"U+{ord(found[0]):04X} ({name}) can't stand in YAML")


def _events(text: str) -> Iterator[Any]:
    parser = CParser(text)
    try:
        while not isinstance(event := parser.get_event(), yaml.StreamEndEvent):
            yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise FatalFaultError(line, column, _syntax(error, text, line, column)) from None


def _syntax(error: yaml.MarkedYAMLError, text: str, line: int, column: int) -> str:
    lines = text.splitlines()
    if line <= len(lines) and lines[line - 1][column - 1 : column] == "\t":
        return "a tab can't indent in YAML: use spaces"
    context = f" ({error.context} from line {error.context_mark.line + 1})" if error.context_mark else ""
    return f"not YAML: {error.problem}{context}"


def _start_of(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
