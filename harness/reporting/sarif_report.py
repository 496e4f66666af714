"""The SARIF 2.1.0 report, for GitHub's code scanning and editors: what isn't a pass, at its case's line.

The properties and limits are those of GitHub's page "SARIF support for code scanning".
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness import __version__
from harness.model.row import row
from harness.model.run import Results, Run
from harness.model.verdict import Grade, Kind, Verdict
from harness.reporting import overview, rows
from harness.reporting.json_report import dumps
from harness.reporting.places import Base, Place, Places
from harness.reporting.text import one_line, plural, shorten

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

RESULTS = 25_000
"""Results of a run: a file with more is refused. 5,000 are shown, the gravest."""

GZIPPED = 10_000_000
"""Bytes of the compressed file: a larger one is refused."""

ABOUT, MESSAGE = 200, 1000
"""Characters of an operation's name (GitHub takes 255 of a rule's, and 1,024 of its descriptions) and of a message."""

LEVELS = {"error": "error", "warning": "warning", "note": "recommendation"}
"""Levels of results, and what GitHub calls the severity of a rule."""

MEANINGS: Mapping[str, str] = {
    Grade.RANGE: "An intermediate overflows although another subject has the value.",
    Grade.UNDERFLOW: "The result is lost at or near the subnormal range.",
    Grade.INACCURATE: "A value or gradient is farther from the truth than a stable algorithm and 4 ulp allow.",
    Grade.BROKEN: "The result is of the wrong class: NaN, infinity, sign, shape, dtype, an error, or a number"
    " for undefined input.",
    Kind.FAIL: "The result is not what the case expects.",
    Kind.STALE: "A known deviation no longer shows: the list of deviations is to be corrected.",
    Kind.CRASH: "The call took its process down.",
    Kind.TIMEOUT: "The call took longer than its limit.",
    Kind.OUT_OF_MEMORY: "The call ran out of memory.",
    Kind.ERROR: "The harness itself failed.",
    Kind.UNAVAILABLE: "The framework, or this API in this version, can't be had: nothing was judged.",
    Kind.ERRATUM: "A document is wrong: what it prints or says, against the truth.",
    Kind.DEVIATION: "A subject departs from the truth in a known way, with reason and link.",
}
"""What the second half of a rule's id says."""


class Finding(NamedTuple):
    """A result before it has its place.

    Attributes:
        identity: what it is told by in another run, whatever has moved.
        verdicts: number of verdicts that it stands for.
    """

    verdict: Verdict
    message: str
    identity: tuple[str, ...]
    verdicts: int = 1


def findings(results: Results) -> list[Finding]:
    """Failures and errata one by one, known deviations and absences gathered; the gravest first."""
    verdicts = results.verdicts
    single = [*overview.failures(verdicts), *overview.of(Kind.ERRATUM, verdicts)]
    found = [Finding(v, message(v), (v.case, v.subject, v.output)) for v in single]
    for d in overview.departures(verdicts):
        text = f"{d.subject} has a known deviation in {plural(len(d.verdicts), 'verdict')}: {d.reason}"
        found.append(Finding(d.verdicts[0], text, (d.subject, d.deviation, d.reason), len(d.verdicts)))
    for a in overview.absences(verdicts):
        text = f"{a.name} in {a.environment} is unavailable: {a.reason}. Nothing was judged of it."
        found.append(Finding(a.first, text, (a.environment, a.name), a.verdicts))
    return sorted(found, key=lambda finding: overview.SEVERITY.index(finding.verdict.verdict))


def message(verdict: Verdict) -> str:
    """Whose verdict it is in one sentence, which is all that a list shows; then what was found."""
    whose = f"{verdict.subject}: {verdict.output} of {verdict.case}: {verdict.verdict}."
    return f"{whose} {'; '.join(filter(None, (overview.finding(verdict), verdict.reason)))}"


def text(message: str) -> str:
    """Text as SARIF's messages have it: braces doubled, for they may hold arguments; no links."""
    short = shorten(one_line(message), MESSAGE)
    return short.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def what(verdict: Verdict) -> str:
    """A failure's grade; of everything else, and where nothing was graded, the verdict."""
    failed = verdict.verdict is Kind.FAIL and verdict.grade in MEANINGS
    return str(verdict.grade if failed else verdict.verdict)


def rule_id(verdict: Verdict) -> str:
    """`sigmoid_cross_entropy.inaccurate`."""
    return f"{about(verdict)}.{what(verdict)}"


def about(verdict: Verdict) -> str:
    """The operation; relations and documents' statements have none."""
    return shorten(one_line(verdict.operation or ("relation" if verdict.output == "relation" else "document")), ABOUT)


def level(verdict: Verdict) -> str:
    """How grave a verdict is: failures, what couldn't be asked, what is known."""
    if verdict.verdict.failed:
        return "error"
    return "warning" if verdict.verdict is Kind.UNAVAILABLE else "note"


def rule(verdict: Verdict) -> dict[str, Any]:
    """The rule of a verdict, with its help."""
    meaning = MEANINGS[what(verdict)]
    description = f"{about(verdict)}: {meaning}"
    help_ = f"{meaning} `harness explain CASE` shows the case with all subjects side by side: values, bits, errors."
    grave = level(verdict)
    return {
        "id": rule_id(verdict),
        "name": re.sub(r"[\W_]", "", rule_id(verdict).title()),
        "shortDescription": {"text": description},
        "fullDescription": {"text": description},
        "help": {"text": help_, "markdown": help_},
        "defaultConfiguration": {"level": grave},
        "properties": {
            "tags": [about(verdict), what(verdict)],
            "precision": "very-high",
            "problem.severity": LEVELS[grave],
        },
    }


def location(place: Place) -> dict[str, Any]:
    """The line of a case: its columns are known where its file could be read."""
    bases = {Base.REPOSITORY: {"uriBaseId": "%SRCROOT%"}, Base.PACKAGE: {"uriBaseId": "PACKAGE"}, Base.NOTHING: {}}
    region = {"startLine": place.line, "startColumn": 1, "endLine": place.line}
    if place.columns is not None:
        region["endColumn"] = place.columns + 1
    return {"physicalLocation": {"artifactLocation": {"uri": place.uri, **bases[place.base]}, "region": region}}


def fingerprint(identity: Sequence[str]) -> str:
    """Tells a result in runs of any version, wherever its line has moved."""
    joined = "\0".join(identity).encode("utf-8", "backslashreplace")
    return f"{hashlib.blake2b(joined, digest_size=8).hexdigest()}:1"


def result(finding: Finding, places: Places, rules: Mapping[str, int]) -> dict[str, Any]:
    """One finding: GitHub's alert."""
    verdict, name = finding.verdict, rule_id(finding.verdict)
    facts = ("case", "subject", "output", "dtype", "version", "verdict", "grade", "max_ulp", "deviation")
    known = row(verdict)
    return {
        "ruleId": name,
        "ruleIndex": rules[name],
        "level": level(verdict),
        "message": {"text": text(finding.message)},
        "locations": [location(places[verdict.source])],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint(finding.identity)},
        "occurrenceCount": finding.verdicts,
        "properties": {fact: known[fact] for fact in facts if known[fact] is not None},
    }


def invocation(run: Run, left_out: int) -> dict[str, Any]:
    """How the run was started, what it never came to, and how many results the limits leave out."""
    said = [overview.left_out(run)] if run.left_out else []
    if left_out:
        said.append(f"{plural(left_out, 'result')} left out to keep within GitHub's limits: the JSON report has all.")
    made: dict[str, Any] = {
        "executionSuccessful": True,
        "commandLine": one_line(run.command),
        "startTimeUtc": run.started.replace("+00:00", "Z"),
    }
    if said:
        made["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": text(each)}} for each in said]
    return made


def head(results: Results, rules: Sequence[dict[str, Any]], left_out: int) -> dict[str, Any]:
    """All of a SARIF run but its results."""
    run = results.run
    driver = {"name": "harness", "semanticVersion": __version__, "rules": list(rules)}
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"harness/{run.tier}/{one_line(run.id)}"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"PACKAGE": {"description": {"text": "The folder that the package is installed in."}}},
        "invocations": [invocation(run, left_out)],
        "properties": rows.run(run),
    }


def document(results: Results, found: Sequence[Finding], total: int) -> bytes:
    """The file with some of the findings, one a line; strict JSON in ASCII."""
    rules = {rule_id(finding.verdict): rule(finding.verdict) for finding in found}
    places, ranks = Places(), {name: rank for rank, name in enumerate(rules)}
    opened = dumps(head(results, list(rules.values()), total - len(found))).removesuffix("}")
    lines = ",\n".join(dumps(result(finding, places, ranks)) for finding in found)
    return f'{{"$schema": "{SCHEMA}", "version": "2.1.0", "runs": [\n{opened}, "results": [\n{lines}\n]}}]}}\n'.encode()


def fitting(results: Results, most: int = RESULTS, gzipped: int = GZIPPED) -> bytes:
    """The largest file within the limits: half as many findings again and again until it fits."""
    found = findings(results)
    kept = found[:most]
    while True:
        made = document(results, kept, len(found))
        if not kept or len(gzip.compress(made)) <= gzipped:
            return made
        kept = kept[: len(kept) // 2]


def write(results: Results, path: Path) -> None:
    """Write the report."""
    path.write_bytes(fitting(results))
