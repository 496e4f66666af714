"""GitHub's annotations: workflow commands on standard output, which show at the cases' lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.model.run import Results
from harness.model.verdict import Verdict
from harness.reporting import overview
from harness.reporting.failure import message
from harness.reporting.places import Base, Places
from harness.reporting.text import one_line, plural, shorten, visible

TOP = 10
"""Annotations of a kind that GitHub shows of a step."""

TITLE, MESSAGE = 200, 2000
"""Characters of a title and of a message."""


def data(text: str) -> str:
    """A message as the runner reads it."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def property_(text: str) -> str:
    """A property's value as the runner reads it: colons and commas end one."""
    return data(one_line(text)).replace(":", "%3A").replace(",", "%2C")


def command(name: str, title: str, text: str, **properties: str) -> str:
    """`::error file=...,line=...,title=...::message`."""
    given = {**properties, "title": shorten(title, TITLE)}
    listed = ",".join(f"{key}={property_(value)}" for key, value in given.items())
    return f"::{name} {listed}::{data(shorten(text, MESSAGE))}"


def place(verdict: Verdict, places: Places) -> dict[str, str]:
    """The case's line, where it is one of the repository's: others can't be shown beside the change."""
    found = places[verdict.source]
    return {"file": found.path, "line": str(found.line)} if found.base is Base.REPOSITORY else {}


def commands(results: Results) -> Iterator[str]:
    """Failures, each subject's and output's first before further ones, then what could not be asked."""
    places = Places()
    for verdict in overview.varied(overview.failures(results.verdicts)):
        title = f"{verdict.verdict}: {verdict.subject} {verdict.output}"
        yield command("error", title, message(verdict), **place(verdict, places))
    for absent in overview.absences(results.verdicts):
        text = f"{plural(absent.verdicts, 'verdict')} missing: {absent.reason}"
        yield command("warning", f"unavailable: {absent.name} in {absent.environment}", text)


def lines(results: Results) -> list[str]:
    """The first ten annotations, and how many there are."""
    found = list(commands(results))
    if not found:
        return []
    left = f"; {len(found) - TOP:,} more are in the other reports" if len(found) > TOP else ""
    return [*found[:TOP], command("notice", "Conformance of losses", overview.headline(results) + left)]


def write(results: Results, path: Path) -> None:
    """Write the commands to a file, for a later step to print."""
    path.write_text("".join(f"{line}\n" for line in lines(results)), encoding="utf-8", newline="\n")
