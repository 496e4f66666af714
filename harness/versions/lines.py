"""The first screen of an upgrade: both sides, how many APIs changed, and a line for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from harness.model.verdict import Verdict
from harness.reporting.text import one_line, plural, shorten
from harness.versions.changes import Api, Changed, Effect
from harness.versions.upgrade import Upgrade

T = TypeVar("T")

LISTED = 15
"""Lines of a part at most."""
WIDTH = 160


def lines(upgrade: Upgrade) -> Iterator[str]:
    """The screen, as plain text lines."""
    yield upgrade.title
    yield headline(upgrade)
    yield from _some(upgrade.changed, about)
    if bits := [api.implementation for api in upgrade.apis if api.effect is Effect.BITS]:
        yield f"{plural(len(bits), 'API')} with other bits that are as good: {', '.join(bits)}"
    for heading, found in (
        ("Signatures", upgrade.parameters),
        ("Errors", upgrade.errors),
        ("Deprecations", upgrade.deprecations),
    ):
        if found:
            yield f"{heading}:"
            yield from _some([(name, told) for name, sentences in found.items() for told in sentences], _sentence)
    if upgrade.times:
        yield "Run time beyond noise (after / before, 99.9 % interval of the median):"
        yield from _some(
            list(upgrade.times.items()),
            lambda item: f"  {item[0]}: {item[1].median:.2g} ({item[1].low:.2g} to {item[1].high:.2g})",
        )


def headline(upgrade: Upgrade) -> str:
    """`3 APIs changed: 1 worse, 2 better, none newly broken`."""
    changed = plural(len(upgrade.changed), "API") if upgrade.changed else "no API"
    counts = [(effect, upgrade.count(effect)) for effect in Effect if effect is not Effect.BITS]
    told = [f"{count} {effect}" for effect, count in counts if count and effect is not Effect.BROKEN]
    broken = upgrade.count(Effect.BROKEN) or "none"
    return f"{changed} changed: {', '.join([*told, f'{broken} newly broken'])} ({upgrade.compared:,} outputs compared)"


def about(api: Api) -> str:
    """An API: what became of it, where, and its smallest case."""
    place = " ".join(", ".join(names) for names in where(api))
    moved = f" ({api.nearer} nearer to the truth, {api.farther} farther)" if api.nearer or api.farther else ""
    return f"  {api.effect}  {api.implementation}  {place}{moved}: {api.example.either.case}: {moves(api.example)}"


def where(api: Api) -> list[list[str]]:
    """The dtypes, the modes and the outputs of an API's gravest changes."""
    own = [change.either for change in api.having(api.effect)]
    found = (
        dict.fromkeys(filter(None, values)) for values in zip(*((v.dtype, v.mode, v.output) for v in own), strict=True)
    )
    return [list(names) for names in found]


def moves(change: Changed) -> str:
    """`pass +0.5 ulp -> fail +3.2e+06 ulp`."""
    return f"{standing(change.before)} -> {standing(change.after)}"


def standing(verdict: Verdict | None) -> str:
    """`accurate +0.5 ulp`, `broken (raised ...)`."""
    if verdict is None:
        return "nothing"
    ulps = "" if verdict.max_ulp is None else f" {verdict.max_ulp:+.3g} ulp"
    told = one_line(verdict.reason) if verdict.max_ulp is None and verdict.reason else ""
    return f"{verdict.grade or verdict.verdict}{ulps}" + (f" ({shorten(told, 40)})" if told else "")


def _sentence(item: tuple[str, str]) -> str:
    return f"  {item[0]}: {one_line(item[1])}"


def _some(found: Sequence[T], line: Callable[[T], str]) -> list[str]:
    shown = [shorten(line(each), WIDTH) for each in found[:LISTED]]
    more = [f"  and {len(found) - LISTED} more, see the report"] if len(found) > LISTED else []
    return [*shown, *more]
