"""The atlas written down: JSON for programs, Markdown, and HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.atlas.atlas import Atlas
from harness.atlas.evidence import Evidence
from harness.atlas.functions import Function, Told, shown
from harness.atlas.porting import Port, Same, uncalled
from harness.operations import OPERATIONS
from harness.reporting import html_report, markdown_report
from harness.reporting.markdown_report import code, prose

SCHEMA = 1
LINE = 2000
"""Characters of a line of a list."""


def write_json(atlas: Atlas, path: Path) -> None:
    """Everything."""
    path.write_text(json.dumps(content(atlas), indent=1) + "\n", encoding="utf-8")


def content(atlas: Atlas) -> dict[str, Any]:
    """The JSON report as plain data."""
    return {
        "schema": SCHEMA,
        "run": atlas.run,
        "environments": {name: dict(packages) for name, packages in atlas.versions.items()},
        "operations": [
            {
                "operation": chapter.operation,
                "formula": OPERATIONS[chapter.operation].formula,
                "functions": [_function(function, evidence_of(atlas, function)) for function in chapter.functions],
                "same": [{"parameters": _plain(s.parameters), "cases": dict(s.counts)} for s in chapter.same],
            }
            for chapter in atlas.chapters
        ],
        "porting": [_port(each) for each in atlas.ports],
        "choosing": [
            {"question": a.question, "answer": list(a.lines), "evidence": list(a.evidence)} for a in atlas.answers
        ],
    }


def _function(function: Function, evidence: Evidence) -> dict[str, Any]:
    return {
        "implementation": function.path,
        "framework": function.framework,
        "call": function.text or None,
        "inputs": dict(function.inputs),
        "parameters": {
            name: {
                "argument": told.argument or None,
                "values": [{"value": _number(value), "passed": text} for value, text in told.texts.items()],
                "default": _number(told.default),
                "api_default": told.api_default or None,
            }
            for name, told in function.told.items()
        },
        "other_arguments": dict(function.further),
        "gradients": list(function.row.gradients),
        "dtypes": list(function.row.dtypes),
        "modes": list(function.row.modes),
        "verdicts": {kind.value: count for kind, count in evidence.counts.items()},
        "deviations": dict(evidence.deviations),
        "undefined": dict(evidence.undefined),
    }


def _port(each: Port) -> dict[str, Any]:
    return {
        "from": each.source.path,
        "to": each.target.path,
        "operation": each.source.row.operation,
        "parameters": _plain(each.parameters),
        "pass": each.text or None,
        "refusal": each.refusal or None,
        "mind": list(each.mind),
        "cases": list(each.cases),
        "count": each.count,
    }


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in parameters.items()}


def _number(value: Any) -> Any:
    """A value that JSON can hold: infinities as strings."""
    return str(value) if isinstance(value, float) and value in (float("inf"), float("-inf")) else value


def evidence_of(atlas: Atlas, function: Function) -> Evidence:
    """What the run has shown of a function."""
    return atlas.evidence.get((function.path, function.row.operation), Evidence())


def counts(evidence: Evidence) -> str:
    """`12 pass, 3 deviation`."""
    return ", ".join(f"{count:,} {kind}" for kind, count in evidence.counts.items()) or "no case was run"


def defaults(function: Function) -> str:
    """What holds where only inputs are given: `reduction=mean (reduction='mean')`; without what nobody can change."""
    return ", ".join(
        _default(name, told)
        for name, told in function.told.items()
        if told.argument or told.default != _usual(function, name)
    )


def _default(name: str, told: Told) -> str:
    if not told.argument:
        return f"{name} as the shape has it" if told.default is None else f"{name}={told.default}"
    if told.default is None:
        given = f"={told.api_default}" if told.api_default else ", to be given"
        return f"{name}: {told.argument}{given}"
    return f"{name}={told.default} ({told.argument}={told.api_default})"


def _usual(function: Function, name: str) -> Any:
    return next(p.default for p in function.operation.parameters if p.name == name)


def setting(each: Same, operation: str) -> str:
    """The parameters that are not the operation's defaults."""
    return ", ".join(shown(each.parameters, OPERATIONS[operation])) or "defaults"


def write_markdown(atlas: Atlas, path: Path) -> None:
    """All tables."""
    path.write_text("\n".join(markdown(atlas)) + "\n", encoding="utf-8")


def markdown(atlas: Atlas) -> Iterator[str]:
    """The Markdown report, line by line."""
    yield "# Atlas of cross-entropy functions"
    yield ""
    yield prose(f"Evidence: {atlas.run}")
    for answer in atlas.answers:
        yield from ("", f"## {prose(answer.question)}", "")
        yield from (f"- {prose(line, LINE)}" for line in (*answer.lines, *answer.evidence))
    for chapter in atlas.chapters:
        yield from ("", f"## {code(chapter.operation)}", "", prose(OPERATIONS[chapter.operation].formula), "")
        lines = [_row(function, evidence_of(atlas, function)) for function in chapter.functions]
        yield from markdown_report.table(("function", "call", "where nothing is said", "verdicts"), lines)
        ports = [each for each in atlas.ports if each.source.row.operation == chapter.operation]
        if ports:
            yield from ("", "Porting:", "")
            yield from markdown_report.table(("from", "to", "pass", "mind that", "cases"), list(map(_line, ports)))


def _row(function: Function, evidence: Evidence) -> list[str]:
    called = code(function.text) if function.text else "not called"
    return [code(function.path), called, prose(defaults(function)), prose(counts(evidence))]


def _line(each: Port) -> list[str]:
    passed = code(each.text) if each.text else prose(each.excuse)
    backed = f"{each.count:,}, as {code(each.cases[0])}" if each.cases else "none was run"
    return [code(each.source.path), code(each.target.path), passed, prose("; ".join(each.mind)), backed]


def write_html(atlas: Atlas, path: Path) -> None:
    """One self-contained file."""
    html_report.write_page(
        "atlas.html.jinja", path, atlas=atlas, operations=OPERATIONS, evidence_of=evidence_of, counts=counts,
        defaults=defaults, setting=setting, uncalled=uncalled,
    )  # fmt: skip


FORMATS: Mapping[str, tuple[str, Callable[[Atlas, Path], None]]] = {
    "json": ("atlas.json", write_json),
    "html": ("atlas.html", write_html),
    "markdown": ("atlas.md", write_markdown),
}
"""Formats of `harness atlas --report`: the file that each goes to unless a path is given, and what writes it."""
