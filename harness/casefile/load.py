"""Case files -> checked entries, or everything that is wrong with all of them at once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from harness.casefile import models, reading, tree
from harness.casefile.entries import Entry, Heading
from harness.casefile.errors import CaseFileErrors, Problem
from harness.casefile.files import names
from harness.casefile.messages import validated
from harness.casefile.places import Place, Report
from harness.casefile.skimming import skim
from harness.model.case import Source

Read = TypeVar("Read", bound=Heading)
Reader = Callable[[Place, reading.Context], Read | None]
Parser = Callable[[bytes], tree.Tree]


def load(files: Iterable[Path], root: Path) -> list[Entry]:
    """Read and check case files.

    Args:
        root: the folder `cases/`: ids are relative to it.

    Raises:
        CaseFileErrors: with every problem of every file.
    """
    return _read(files, root, reading.entry, tree.parse)


def headings(files: Iterable[Path], root: Path) -> list[Heading]:
    """Read what the entries of case files are called and expand to, in half the time.

    Raises:
        CaseFileErrors: with the problems that are seen on the way.
    """
    return _read(files, root, reading.heading, _skimmed)


def _skimmed(data: bytes) -> tree.Tree:
    found = tree.parse(skim(data))
    return tree.parse(data) if found.faults else found


def _read(files: Iterable[Path], root: Path, reader: Reader[Read], parse: Parser) -> list[Read]:
    entries: list[Read] = []
    problems: list[Problem] = []
    cases = root.resolve()
    with _collector_paused():
        for file in files:
            shown, ids = names(file, cases)
            report = Report(shown)
            entries += _entries(file, ids, report, reader, parse)
            problems += report.problems
    problems += _repeated(entries)
    if problems:
        raise CaseFileErrors(problems)
    return entries


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nearly all that is built here stays: looking through it for garbage is a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _repeated(entries: Sequence[Heading]) -> Iterator[Problem]:
    """Ids that entries of two files share. One file's own are reported where it is read."""
    first: dict[str, Source] = {}
    for entry in entries:
        source = first.setdefault(entry.id, entry.source)
        if source.file != entry.source.file:
            message = f"id {entry.id!r} again; it is at {source} already"
            yield Problem(entry.source.file, entry.source.line, 1, "$", message)


def _entries(file: Path, ids: str, report: Report, reader: Reader[Read], parse: Parser) -> list[Read]:
    """The entries of a file, without those that something is wrong with."""
    place = document(file, report, "cases", parse)
    if place is None:
        return []
    head = validated(models.Document, tree.plain(place.node, depth=2), place, report)
    context = reading.Context(ids, head.document if head else "", report)
    listed = place.child("cases")
    lines: dict[str, int] = {}
    found = []
    for at in listed.items() if listed is not None else ():
        check_id(at, lines, report)
        entry = reader(at, context)
        found += [entry] if entry is not None else []
    return found


def document(file: Path, report: Report, key: str, parse: Parser = tree.parse) -> Place | None:
    """The root of a file that has a list under a key; None if it can't be read."""
    try:
        data = file.read_bytes()
    except OSError as error:
        report.fault(tree.Fault(1, 1, f"can't be read: {error.strerror}"))
        return None
    parsed = parse(data)
    for fault in parsed.faults:
        report.fault(fault)
    if parsed.root is None and not parsed.faults:
        report.fault(tree.Fault(1, 1, f"an empty file: it should have a list under {key!r}"))
    return None if parsed.root is None else Place(parsed.root)


def check_id(place: Place, lines: dict[str, int], report: Report) -> None:
    """Whether an entry's id is its own in the file."""
    at = place.child("id")
    name = at.text() if at else None
    if at is None or name is None:
        return
    if name in lines:
        report.add(at, f"id {name!r} again; it is on line {lines[name]} already")
    lines.setdefault(name, at.node.line)
