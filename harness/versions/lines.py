"""The first screen of an upgrade: both sides, how many APIs changed, and a line for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from harness.gate.lines import grounds
from harness.model.verdict import Kind, Verdict
from harness.reporting.stability import BY_HAND
from harness.reporting.text import one_line, plural, shorten
from harness.versions.changes import Api, Changed, Effect
from harness.versions.upgrade import Upgrade

T = TypeVar("T")

LISTED = 15
"""Lines of a part at most."""
WIDTH = 160
REASON = 60
OTHERS = {
    Effect.SEMANTICS: "with other semantics",
    Effect.REMOVED: "removed",
    Effect.NOT_MEASURED: "not measured",
    Effect.NEW: "new",
}
"""What is counted only where there is some."""


def lines(upgrade: Upgrade) -> Iterator[str]:
    """The screen, as plain text lines."""
    yield upgrade.title
    yield headline(upgrade)
    width = max((len(api.effect) for api in upgrade.changed), default=0)
    yield from (f"  {api.effect:<{width}}  {about(api)}" for api in upgrade.changed)
    yield from _in_short(upgrade)
    for heading, found in (
        ("Signatures", upgrade.parameters),
        ("Errors", upgrade.errors),
        ("Deprecations and other warnings that only the later side gives", upgrade.deprecations),
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
    if upgrade.decision is not None:
        yield from grounds(upgrade.decision)


def headline(upgrade: Upgrade) -> str:
    """`3 APIs changed: 1 worse, 2 better, none newly broken`: each is counted once, by its gravest change."""
    told = _counts(upgrade.changed)
    return f"{plural(len(upgrade.changed), 'API')} changed: {told} ({plural(upgrade.compared, 'output')} compared)"


def about(api: Api) -> str:
    """An API: its smallest case, where else it changed, and how often it is nearer to the truth or farther from it."""
    places = " ".join(", ".join(names) for names in where(api) if names)
    counts = {"farther from the truth": api.farther, "nearer": api.nearer}
    moved = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    of = f"; of {plural(api.compared, 'output')} {moved}" if moved else ""
    return f"{api.implementation}: {api.example.either.case}: {moves(api.example)} ({places}{of})"


def _in_short(upgrade: Upgrade) -> Iterator[str]:
    """What has no line of its own."""
    if formulas := upgrade.formulas:
        yield f"{plural(len(formulas), 'written-out formula')} changed: {_counts(formulas)}"
    quiet = [api.implementation for api in upgrade.apis if api.effect is Effect.BITS]
    if names := [name for name in quiet if BY_HAND not in name]:
        yield f"{plural(len(names), 'API')} with other bits that are as good: {', '.join(names)}"


def _counts(apis: Sequence[Api]) -> str:
    count = Counter(api.effect for api in apis)
    broken = count[Effect.BROKEN] or "none"
    usual = f"{count[Effect.WORSE]} worse, {count[Effect.BETTER]} better, {broken} newly broken"
    return ", ".join([usual, *(f"{count[effect]} {said}" for effect, said in OTHERS.items() if count[effect])])


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
    """`accurate +0.5 ulp, 0.2 B`, `broken (raised ...)`, `underflow -7.6e+06 ulp, known`; B is the bound."""
    if verdict is None:
        return "nothing"
    bound = "" if verdict.max_bound is None else f", {verdict.max_bound:.3g} B"
    ulps = "" if verdict.max_ulp is None else f" {verdict.max_ulp:+.3g} ulp{bound}"
    told = one_line(verdict.reason) if verdict.max_ulp is None and verdict.reason else ""
    known = ", known" if verdict.verdict is Kind.DEVIATION else ""
    return f"{verdict.grade or verdict.verdict}{ulps}" + (f" ({shorten(told, REASON)})" if told else "") + known


def _sentence(item: tuple[str, str]) -> str:
    return f"  {item[0]}: {one_line(item[1])}"


def _some(found: Sequence[T], line: Callable[[T], str]) -> list[str]:
    shown = [shorten(line(each), WIDTH) for each in found[:LISTED]]
    more = [f"  and {len(found) - LISTED} more, see the report"] if len(found) > LISTED else []
    return [*shown, *more]
