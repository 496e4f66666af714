"""The JSON report, for programs and baselines: versioned, deterministic, one verdict a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.model.row import text
from harness.model.run import Results
from harness.reporting import rows

SCHEMA = 1


class UnreadableReportError(ValueError):
    """A file that isn't a JSON report of a schema that is known here."""


dumps = json.JSONEncoder(allow_nan=False).encode
"""Strict JSON in ASCII on one line: lone surrogates survive as escapes."""


def write(results: Results, path: Path) -> None:
    """Write the report; verdicts stand on lines of their own, so that line tools and diffs work."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(f'{{"schema": {SCHEMA},\n')
        about = {**rows.run(results.run), "gate": rows.gate(results.decision)}
        file.write(f'"run": {dumps(about)},\n')
        file.write(f'"counts": {dumps(rows.counts(results))},\n')
        file.write('"verdicts": [')
        for position, verdict in enumerate(results.verdicts):
            file.write((",\n" if position else "\n") + text(verdict))
        file.write("\n]}\n")


def read(path: Path) -> dict[str, Any]:
    """Load a JSON report.

    Raises:
        UnreadableReportError: it is no report, or of a newer schema than this harness knows.
        OSError: the file can't be read.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnreadableReportError(f"{path} is no JSON report: {error}") from error
    schema = report.get("schema") if isinstance(report, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise UnreadableReportError(f"{path} is no report of this harness: it has no schema number")
    if schema > SCHEMA:
        newer = f"{path} has schema {schema}, written by a newer harness; this one reads up to {SCHEMA}"
        raise UnreadableReportError(f"{newer}: update the harness, or write the report again")
    return report
