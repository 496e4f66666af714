"""The findings of `cases/deviations.yaml`, with what a run and the baselines say of each: Markdown and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.model.deviation import Finding
from harness.model.row import number
from harness.model.verdict import Kind, Verdict
from harness.reporting.markdown_report import code, prose, table
from harness.reporting.repro import command
from harness.reporting.text import plural

UNREPORTED = "unreported"
INTRODUCTION = (
    "Written by `harness findings`; the list is in `cases/deviations.yaml`. A finding is one root cause: the same in",
    "other dtypes, modes and wrappers is a deviation that is part of it. Sizes are signed errors in ulps of the dtype;",
    "`since` is by the matrix's baselines: of TensorFlow, Keras 3, PyTorch, JAX, ONNX Runtime, scikit-learn.",
)
LONG = 1000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with what is known of it.

    Attributes:
        deviations: ids of those that are part of it.
        row: the verdict of its smallest case in the run; None if the run has none.
        truth: the exact number with the radius that it is known within, "" if the case has none.
        since: in which versions of the baselines it is, in words.
    """

    finding: Finding
    deviations: tuple[str, ...]
    row: Verdict | None
    truth: str
    since: str


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that the document shows.

    Attributes:
        versions: packages of the run's environments.
    """

    shown: Sequence[Shown]
    versions: Mapping[str, str]


def markdown(found: Findings) -> Iterator[str]:
    """`docs/findings.md`, line by line."""
    yield "# Findings"
    yield ""
    yield from INTRODUCTION
    yield ""
    yield f"Measured with {prose(', '.join(f'{name} {version}' for name, version in found.versions.items()), LONG)}."
    yield ""
    yield count([each.finding for each in found.shown])
    yield ""
    yield from table(("framework", "findings", "unreported"), list(_counts(found)))
    for framework in dict.fromkeys(each.finding.framework for each in found.shown):
        yield ""
        yield f"## {prose(framework)}"
        for each in found.shown:
            if each.finding.framework == framework:
                yield ""
                yield from _section(each)


def count(findings: Sequence[Finding]) -> str:
    """How many findings there are, and how many of them nobody has reported."""
    unreported = sum(finding.link == UNREPORTED for finding in findings)
    return f"**{plural(len(findings), 'finding')}, {unreported} of them unreported as far as search shows.**"


def heading(finding: Finding) -> str:
    """The line that a finding's section begins with."""
    return f"### {prose(finding.id)}: {prose(finding.title)}"


def listed(finding: Finding, deviations: Sequence[str]) -> list[str]:
    """What a finding's section says whatever the run."""
    link = finding.link if finding.link == UNREPORTED else f"<{finding.link}>"
    return [
        f"Why: {prose(finding.why, LONG)}.",
        f"- upstream: {link}",
        f"- deviations: {', '.join(map(code, deviations))}",
        f"- case: {code(finding.case)}, {code(finding.output)} of {code(finding.subject)}",
    ]


def content(found: Findings) -> dict[str, Any]:
    """The same as plain data."""
    findings = [each.finding for each in found.shown]
    return {
        "versions": dict(found.versions),
        "findings": len(findings),
        "unreported": sum(finding.link == UNREPORTED for finding in findings),
        "list": [_row(each) for each in found.shown],
    }


def _counts(found: Findings) -> Iterator[list[str]]:
    every = Counter(each.finding.framework for each in found.shown)
    unreported = Counter(each.finding.framework for each in found.shown if each.finding.link == UNREPORTED)
    for framework, many in every.items():
        yield [prose(framework), str(many), str(unreported[framework])]


def _section(each: Shown) -> Iterator[str]:
    why, *rest = listed(each.finding, each.deviations)
    yield heading(each.finding)
    yield ""
    yield why
    yield ""
    yield from rest
    yield f"- seen: {_seen(each)}"
    yield f"- since: {prose(each.since)}"
    if each.row is not None and (line := command(each.row)):
        yield f"- repro: `{line}`"


def _seen(each: Shown) -> str:
    row = each.row
    if row is None:
        return "not measured in this run"
    if row.verdict is Kind.PASS:
        return f"not on the processor of this run, which has {prose(row.observed or 'no number')} ({row.grade})"
    if row.observed is None or not each.truth:
        return f"{row.grade or row.verdict}: {prose(row.reason, LONG)}"
    size = "" if row.max_ulp is None else f", {row.max_ulp:+.3g} ulp"
    place = f" at {list(row.index)}" if row.index else ""
    return f"{prose(row.observed)} where the truth is {prose(each.truth)}{place}: {row.grade}{size} ({row.dtype})"


def _row(each: Shown) -> dict[str, Any]:
    finding, row = each.finding, each.row
    return {
        "finding": finding.id,
        "framework": finding.framework,
        "title": finding.title,
        "why": finding.why,
        "link": finding.link,
        "case": finding.case,
        "subject": finding.subject,
        "output": finding.output,
        "deviations": list(each.deviations),
        "verdict": None if row is None else str(row.verdict),
        "grade": None if row is None or row.grade is None else str(row.grade),
        "max_ulp": None if row is None else number(row.max_ulp),
        "observed": None if row is None else row.observed,
        "truth": each.truth or None,
        "version": None if row is None else row.version,
        "since": each.since,
        "repro": (command(row) if row is not None else "") or None,
    }


WRITERS: Mapping[str, Callable[[Findings], str]] = {
    "markdown": lambda found: "\n".join(markdown(found)) + "\n",
    "json": lambda found: json.dumps(content(found), indent=1) + "\n",
}
"""By format: the text."""
