"""A verdict as a row of JSON: a line of the JSON report, and what the run store keeps."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring_ascii as quoted
from operator import attrgetter
from typing import Any

from harness.model.verdict import Cause, Grade, Kind, Tolerance, Verdict

Row = dict[str, Any]

KEYS = (
    *("case", "operation", "subject", "implementation", "framework", "version", "environment", "mode", "device"),
    *("dtype", "output", "verdict", "grade", "max_ulp", "index", "observed", "truth", "domain", "deviation"),
    *("reason", "source", "max_relative", "max_absolute", "max_bound", "cause", "avoidable_bits"),
    *("summation_length", "tolerance", "bits", "outcome"),
)
"""The keys of a row, in order: the JSON report's schema."""

NUMBERS = ("max_ulp", "max_relative", "max_absolute", "max_bound", "avoidable_bits", "summation_length", "seconds")
"""Those whose values are numbers."""


def number(value: float | None) -> float | str | None:
    """A number that JSON can hold: `nan`, `inf` and `-inf` as strings."""
    return value if value is None or math.isfinite(value) else str(value)


def row(verdict: Verdict) -> Row:
    """A verdict as numbers, strings, lists and None."""
    found: Row = json.loads(text(verdict))
    return found


def verdict(given: Row) -> Verdict:
    """A verdict from what `whole` said of it."""
    known = dict(given)
    for key, kind in _KINDS.items():
        known[key] = None if known[key] is None else kind(known[key])
    for key in NUMBERS:
        known[key] = float(known[key]) if isinstance(known[key], str) else known[key]
    return Verdict(**known)


def _judgement(given: Row) -> Tolerance:
    return Tolerance(float(given["rtol"]), float(given["atol"]), given["passed"], given["remark"])


_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "verdict": Kind,
    "grade": Grade,
    "cause": Cause,
    "index": tuple,
    "tolerance": _judgement,
}


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _number(value: float | None) -> str:
    if value is None:
        return "null"
    return str(value) if math.isfinite(value) else f'"{value}"'


def _index(value: tuple[int, ...] | None) -> str:
    return "null" if value is None else f"[{', '.join(map(str, value))}]"


def _tolerance(value: Tolerance | None) -> str:
    if value is None:
        return "null"
    limits = f'"rtol": {_number(value.rtol)}, "atol": {_number(value.atol)}'
    return f'{{{limits}, "passed": {json.dumps(value.passed)}, "remark": {quoted(value.remark)}}}'


_OTHERS: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(NUMBERS, _number),
    "index": _index,
    "tolerance": _tolerance,
}


def _writer(keys: Sequence[str]) -> Callable[[Verdict], str]:
    """What writes a row of some keys; json.dumps takes twice as long, and a run has thousands."""
    values, writers = attrgetter(*keys), [_OTHERS.get(key, _text) for key in keys]
    template = f"{{{', '.join(f'{quoted(key)}: %s' for key in keys)}}}"
    return lambda verdict: (
        template % tuple([write(value) for write, value in zip(writers, values(verdict), strict=True)])
    )


text = _writer(KEYS)
"""A verdict's row in ASCII on one line."""
whole = _writer((*KEYS, "group", "seconds", "content"))
"""The same with what only reports for people and machines ask for."""
