"""The HTML report: one self-contained file that works from disk, without a network or scripts.

Everything that comes from case files, adapters and frameworks is escaped by jinja2, and a
content security policy that names the hashes of the report's own style and script lets nothing
else run or load.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.model.run import Results
from harness.model.verdict import Kind, Verdict
from harness.reporting import html_cases, html_plots, overview, repro, stability
from harness.reporting.html_matrix import matrix
from harness.reporting.text import plural, visible
from harness.reporting.values import measure
from harness.reporting.where import Where, farthest, named

if TYPE_CHECKING:
    from jinja2 import Environment

PASSING = 500
"""Cases listed in which nothing but passes is seen; the matrix counts them all."""

NOTABLE = 2000
"""Cases listed in which anything else is seen, the failing ones first."""

ROWS = 5000
"""Lines of a table of failures, errata or deviations."""

QUIET = frozenset({Kind.PASS, Kind.UNSUPPORTED, Kind.UNAVAILABLE})

MARKS = {"": "", "far": "▲ ", "off": "✗ "}
"""Signs of the marks that elements bear."""

Cases = Mapping[str, Sequence[Verdict]]


def by_case(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """Verdicts of each case, in the order of the plan."""
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        found.setdefault(verdict.case, []).append(verdict)
    return found


def listed(cases: Cases) -> list[str]:
    """The cases that are shown one by one, in the order of the plan."""
    notable = [case for case, own in cases.items() if any(v.verdict not in QUIET for v in own)]
    notable.sort(key=lambda case: not any(v.verdict.failed for v in cases[case]))
    notable_set = set(notable)
    passing = [case for case in cases if case not in notable_set]
    chosen = {*notable[:NOTABLE], *passing[:PASSING]}
    return [case for case in cases if case in chosen]


def file_of(verdict: Verdict) -> str:
    """The file that a case was read from."""
    return verdict.source.rpartition(":")[0] or verdict.source


def files(results: Results, cases: Cases, anchors: Mapping[str, str]) -> Iterator[tuple[str, int, Any]]:
    """Each file with the number of its cases and the cases, made as they are asked for."""
    order = dict.fromkeys(file_of(cases[case][0]) for case in anchors)
    ranks = {file: rank for rank, file in enumerate(order)}
    ids = sorted(anchors, key=lambda case: ranks[file_of(cases[case][0])])
    for file, own in groupby(ids, key=lambda case: file_of(cases[case][0])):
        members = list(own)
        yield file, len(members), (html_cases.case(anchors[case], cases[case], results) for case in members)


@lru_cache(maxsize=4096)
def breakable(text: str) -> Any:
    """Text that a line may break in after a dot, colon, slash, underscore or at sign."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - only for this report

    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[._:/@])(?=\w)", visible(text)))


def finalize(value: Any) -> Any:
    """Every value that isn't markup already or a number, as text without control characters."""
    from markupsafe import Markup  # noqa: PLC0415 - only for this report

    return value if isinstance(value, Markup | int | float) else visible(str(value))


def environment() -> Environment:
    """jinja2 set up to escape everything and to miss nothing."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only for this report

    made = Environment(
        loader=PackageLoader("harness.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    made.filters |= {"breakable": breakable, "measure": measure, "plural": plural, "visible": visible}
    made.filters |= {"finding": overview.finding, "sides": overview.sides, "command": repro.command}
    made.globals |= {"symbols": overview.SYMBOLS, "marks": MARKS, "frame": html_plots.FRAME}
    made.globals |= {"grades": stability.MEANINGS, "causes": stability.CAUSES}
    return made


def digest(templates: Environment, name: str) -> str:
    """The hash by which the content security policy knows a style or script."""
    text = templates.get_template(name).render()
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def located(results: Results) -> Iterator[tuple[stability.Stability, Where | None, Where | None]]:
    """The stability view with the place of the largest error in ulps, and in units of B where that is another case."""
    for line in stability.view(results.verdicts):
        far, beyond = line.farthest, line.beyond
        ulps_at = farthest(far, results.record(far.case)) if far else None
        bound_at = named(beyond, results.record(beyond.case)) if beyond and beyond is not far else None
        yield line, ulps_at, bound_at


def context(results: Results) -> dict[str, Any]:
    """What the template is given."""
    verdicts, cases = results.verdicts, by_case(results.verdicts)
    shown = listed(cases)
    anchors = {case: f"c{position}" for position, case in enumerate(shown, 1)}
    counts = overview.counts(verdicts)
    return {
        "run": results.run,
        "headline": overview.headline(results),
        "passed": overview.passed(results),
        "left_out": overview.left_out(results.run),
        "gate": [str(ground) for ground in results.decision.grounds()] if results.decision else [],
        "counts": {kind: counts[kind] for kind in overview.SEVERITY if counts[kind]},
        "graded": overview.graded(verdicts),
        "failures": overview.failures(verdicts),
        "changed": overview.changed(results),
        "errata": overview.of(Kind.ERRATUM, verdicts),
        "departures": overview.departures(verdicts),
        "absences": overview.absences(verdicts),
        "atol_alone": overview.atol_alone(verdicts),
        "matrix": matrix(verdicts, anchors),
        "stability": list(located(results)),
        "plots": html_plots.plots(results),
        "anchors": anchors,
        "scripts": results.scripts,
        "files": files(results, cases, anchors),
        "total_cases": len(cases),
        "rows": ROWS,
    }


def write(results: Results, path: Path) -> None:
    """Write the report, one case after the other, so that a large run needs little memory."""
    write_page("report.html.jinja", path, **context(results))


def write_page(template: str, path: Path, **given: Any) -> None:
    """Write a page of the report's style, its parts as they are made."""
    templates = environment()
    hashes = {"style_hash": digest(templates, "report.css"), "script_hash": digest(templates, "report.js")}
    stream = templates.get_template(template).stream(**given, **hashes)
    stream.enable_buffering(200)
    stream.dump(str(path), encoding="utf-8", errors="backslashreplace")
