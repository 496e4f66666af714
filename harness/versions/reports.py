"""Upgrades written down: JSON for programs, Markdown for pull requests, HTML for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.gate.lines import grounds
from harness.model.row import number
from harness.model.verdict import Verdict
from harness.reporting import html_report, markdown_report, rows
from harness.reporting.markdown_report import code, prose
from harness.versions import lines
from harness.versions.changes import Api, Changed, Effect
from harness.versions.upgrade import Side, Upgrade

SCHEMA = 2
MOST = 100
"""Changed outputs of an API that the HTML report lists."""


def write_json(upgrade: Upgrade, path: Path) -> None:
    """Everything, every changed output included."""
    path.write_text(json.dumps(content(upgrade), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def content(upgrade: Upgrade) -> dict[str, Any]:
    """The JSON report as plain data: numbers that are not finite are strings."""
    return {
        "schema": SCHEMA,
        "title": upgrade.title,
        "before": _side(upgrade.before),
        "after": _side(upgrade.after),
        "compared": upgrade.compared,
        "counts": {str(effect): upgrade.count(effect) for effect in Effect},
        "formulas": {str(effect): sum(api.effect is effect for api in upgrade.formulas) for effect in Effect},
        "gate": rows.gate(upgrade.decision),
        "apis": [_api(api) for api in upgrade.apis],
        "signatures": {path: list(sentences) for path, sentences in upgrade.parameters.items()},
        "errors": {path: list(sentences) for path, sentences in upgrade.errors.items()},
        "deprecations": {path: list(sentences) for path, sentences in upgrade.deprecations.items()},
        "times": {subject: asdict(ratio) for subject, ratio in upgrade.times.items()},
    }


def write_markdown(upgrade: Upgrade, path: Path) -> None:
    """The changed APIs as a table, and what else changed as lists."""
    path.write_text("\n".join(markdown(upgrade)) + "\n", encoding="utf-8")


def markdown(upgrade: Upgrade) -> Iterator[str]:
    """The Markdown report, line by line."""
    yield f"## {prose(upgrade.title)}"
    yield ""
    yield prose(lines.headline(upgrade))
    for ground in grounds(upgrade.decision) if upgrade.decision else ():
        yield ""
        yield prose(ground)
    if upgrade.apis:
        yield ""
        yield from markdown_report.table(HEADER, [_row(api) for api in upgrade.apis])
    for heading, found in told(upgrade).items():
        yield ""
        yield f"### {heading}"
        yield ""
        yield from (f"- {code(name)}: {prose(sentence)}" for name, sentence in found)


HEADER = ("effect", "API", "dtypes", "modes", "outputs", "smallest case", "before, after", "nearer, farther, compared")


def write_html(upgrade: Upgrade, path: Path) -> None:
    """One self-contained file."""
    html_report.write_page("upgrade.html.jinja", path, upgrade=upgrade, lines=lines, told=told(upgrade), most=MOST)


def told(upgrade: Upgrade) -> dict[str, list[tuple[str, str]]]:
    """What else changed, by heading: of what, and how."""
    times = [
        (subject, f"{ratio.median:.2g} times ({ratio.low:.2g} to {ratio.high:.2g}, {ratio.pairs} calls)")
        for subject, ratio in upgrade.times.items()
    ]
    found = {
        "Signatures": _pairs(upgrade.parameters),
        "Errors": _pairs(upgrade.errors),
        "Deprecations": _pairs(upgrade.deprecations),
        "Run time": times,
    }
    return {heading: pairs for heading, pairs in found.items() if pairs}


def _pairs(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, sentence) for name, sentences in found.items() for sentence in sentences]


def _side(side: Side) -> dict[str, Any]:
    return {"environment": side.name, **asdict(side.fingerprint)}


def _api(api: Api) -> dict[str, Any]:
    return {
        "implementation": api.implementation,
        "effect": api.effect,
        "compared": api.compared,
        "nearer": api.nearer,
        "farther": api.farther,
        "example": api.example.either.case,
        "changes": [_changed(change) for change in api.changes],
    }


def _changed(change: Changed) -> dict[str, Any]:
    place = {name: getattr(change.either, name) for name in ("case", "mode", "dtype", "output", "source")}
    sides = {"before": _standing(change.before), "after": _standing(change.after)}
    return {"effect": change.effect, **place, **sides}


def _standing(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    texts = {name: getattr(verdict, name) for name in ("verdict", "grade", "observed", "truth", "reason", "bits")}
    return {**texts, "max_ulp": number(verdict.max_ulp)}


def _row(api: Api) -> list[str]:
    example = api.example
    return [
        str(api.effect),
        code(api.implementation),
        *(prose(", ".join(names)) for names in lines.where(api)),
        code(example.either.case),
        prose(lines.moves(example)),
        f"{api.nearer}, {api.farther}, {api.compared}",
    ]


FORMATS: Mapping[str, tuple[str, Callable[[Upgrade, Path], None]]] = {
    "json": ("upgrade.json", write_json),
    "html": ("upgrade.html", write_html),
    "markdown": ("upgrade.md", write_markdown),
}
"""Formats of `harness upgrade --report`: the file that each goes to unless a path is given, and what writes it."""
