"""The CSV report, for spreadsheets and data frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.model.row import KEYS, Row, row
from harness.model.run import Results
from harness.reporting.text import visible

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

TOLERANCE = ("rtol", "atol", "passed", "remark")
COLUMNS = (
    *(key for key in KEYS if key not in {"tolerance", "bits"}),
    *(f"tolerance_{key}" for key in TOLERANCE),
    "bits",
)


def is_number(text: str) -> bool:
    """Whether a spreadsheet may read the text as a number, `-inf` included."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def cell(value: Any) -> Any:
    """A cell that no spreadsheet executes: an apostrophe before what looks like a formula."""
    if isinstance(value, list):
        return str(value)
    if not isinstance(value, str):
        return value
    shown = visible(value)
    return f"'{shown}" if value.startswith(FORMULA) and not is_number(value) else shown


def flat(row: Row) -> Row:
    """A row with the tolerance in columns of its own, in the place of the nested one."""
    judged = row["tolerance"] or {}
    return row | {f"tolerance_{key}": judged.get(key) for key in TOLERANCE}


def write(results: Results, path: Path) -> None:
    """Write one line a verdict, with the JSON report's columns; what isn't known is an empty cell."""
    import pandas as pd  # noqa: PLC0415 - takes 0.9 s, and most runs write no CSV

    table = [{key: cell(value) for key, value in flat(found).items()} for found in map(row, results.verdicts)]
    frame = pd.DataFrame(table, columns=list(COLUMNS), dtype=object)
    frame.to_csv(path, index=False, lineterminator="\n")
