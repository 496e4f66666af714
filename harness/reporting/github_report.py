"""GitHub's annotations: workflow commands on standard output, which show at the cases' lines of a pull request."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from functools import partial
from pathlib import Path

from harness.model.decision import Ruling
from harness.model.run import Results
from harness.model.verdict import Verdict
from harness.reporting import overview
from harness.reporting.failure import message
from harness.reporting.places import Base, Places
from harness.reporting.text import one_line, plural, shorten, visible

TOP = 10
"""Annotations of a kind that GitHub shows of a step."""

Key = tuple[str, str, str]

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


Written = Callable[[], str]
"""An annotation that is written when it is shown: of thousands, ten are."""


def commands(results: Results) -> Iterator[Written]:
    """What fails the gate, each subject's and output's first before further ones, then what was not asked."""
    places = Places()
    failures = overview.varied(overview.failures(results.verdicts))
    failing = {_key(each) for each in (failures if results.decision is None else results.decision.failing)}
    yield from (partial(judged, "error", v, places) for v in failures if _key(v) in failing)
    yield from changed(results, {_key(verdict) for verdict in failures}, places)
    for absent in overview.absences(results.verdicts):
        text = f"{plural(absent.verdicts, 'verdict')} missing: {absent.reason}"
        yield partial(command, "warning", f"unavailable: {absent.name} in {absent.environment}", text)
    if said := overview.left_out(results.run):
        yield partial(command, "warning", "not measured", said)
    yield from (partial(judged, "warning", v, places) for v in failures if _key(v) not in failing)


def changed(results: Results, failures: Container[Key], places: Places) -> Iterator[Written]:
    """Changes that fail the gate and are no failures: an error that grew, or what is gone."""
    failing = results.decision.failing if results.decision else ()
    wanted = {key: ruling for ruling in failing if (key := _key(ruling)) not in failures}
    known = {key: verdict for verdict in results.verdicts if (key := _key(verdict)) in wanted}
    for key, ruling in wanted.items():
        at = place(known[key], places) if key in known else {}
        title = f"{ruling.change}: {ruling.subject} {ruling.output}"
        yield partial(command, "error", title, f"{ruling.case}: {ruling.found}\nby {ruling.rule}", **at)


def judged(name: str, verdict: Verdict, places: Places) -> str:
    """The annotation of a failure."""
    title = f"{verdict.verdict}: {verdict.subject} {verdict.output}"
    return command(name, title, message(verdict), **place(verdict, places))


def _key(about: Verdict | Ruling) -> Key:
    return about.case, about.subject, about.output


def lines(results: Results) -> list[str]:
    """The first ten annotations, and how many there are."""
    found = list(commands(results))
    if not found:
        return []
    left = f"; {len(found) - TOP:,} more are in the other reports" if len(found) > TOP else ""
    count = command("notice", "Conformance of losses", overview.headline(results) + left)
    return [*(written() for written in found[:TOP]), count]


def write(results: Results, path: Path) -> None:
    """Write the commands to a file, for a later step to print."""
    path.write_text("".join(f"{line}\n" for line in lines(results)), encoding="utf-8", newline="\n")
