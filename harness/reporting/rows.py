"""A run as rows: what the JSON and CSV reports hold, word for word."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from operator import attrgetter
from typing import Any

from harness.model.decision import Decision
from harness.model.run import LeftOut, Results, Run
from harness.model.subject import Fingerprint
from harness.model.verdict import Tolerance, Verdict
from harness.reporting import overview

Row = dict[str, Any]

KEYS = (
    *("case", "operation", "subject", "implementation", "framework", "version", "environment", "mode", "device"),
    *("dtype", "output", "verdict", "grade", "max_ulp", "index", "observed", "truth", "domain", "deviation"),
    *("reason", "source", "max_relative", "max_absolute", "max_bound", "cause", "avoidable_bits"),
    *("summation_length", "tolerance", "bits", "outcome"),
)
"""The keys of a verdict's row, in order: the JSON report's schema."""


def number(value: float | None) -> float | str | None:
    """A number that JSON can hold: `nan`, `inf` and `-inf` as strings."""
    return value if value is None or math.isfinite(value) else str(value)


def tolerance(judged: Tolerance | None) -> Row | None:
    """The judgement by plain rtol and atol."""
    if judged is None:
        return None
    return {
        "rtol": number(judged.rtol),
        "atol": number(judged.atol),
        "passed": judged.passed,
        "remark": judged.remark,
    }


def row(verdict: Verdict) -> Row:
    """A verdict as numbers, strings, lists and None."""
    values = dict(zip(KEYS, _VALUES(verdict), strict=True))
    values["max_ulp"] = number(verdict.max_ulp)
    values["max_relative"] = number(verdict.max_relative)
    values["max_absolute"] = number(verdict.max_absolute)
    values["max_bound"] = number(verdict.max_bound)
    values["avoidable_bits"] = number(verdict.avoidable_bits)
    values["index"] = None if verdict.index is None else [int(i) for i in verdict.index]
    values["tolerance"] = tolerance(verdict.tolerance)
    return values


_VALUES = attrgetter(*KEYS)


def environment(fingerprint: Fingerprint) -> Row:
    """An interpreter's version and the packages that decide results."""
    return {"python": fingerprint.python, "packages": dict(sorted(fingerprint.packages.items()))}


def left_out(stopped: LeftOut | None) -> Row | None:
    """The calls that were never made, by operation."""
    if stopped is None:
        return None
    return {"why": stopped.why, "planned": stopped.planned, "calls": dict(sorted(stopped.calls.items()))}


def gate(decision: Decision | None) -> Row | None:
    """The gate's decision, with all that fails it, and what a rule lets pass."""
    if decision is None:
        return None
    return {
        "exit_code": int(decision.exit_code),
        "stopped": decision.stopped,
        "rulings": [asdict(ruling) for ruling in decision.rulings],
    }


def run(about: Run) -> Row:
    """What is known of the run as a whole."""
    limits = about.tolerance
    return {
        "id": about.id,
        "started": about.started,
        "command": about.command,
        "seed": about.seed,
        "tier": about.tier,
        "threads": about.threads,
        "cpu": about.cpu,
        "environments": {name: environment(found) for name, found in sorted(about.environments.items())},
        "truth": about.truth,
        "tolerance": None if limits is None else {"rtol": number(limits[0]), "atol": number(limits[1])},
        "seconds": number(about.seconds),
        "left_out": left_out(about.left_out),
    }


def counts(results: Results) -> dict[str, int]:
    """Verdicts of each kind, zeros included."""
    return {kind.value: count for kind, count in overview.counts(results.verdicts).items()}


def rows(results: Results) -> Iterator[Row]:
    """Every verdict, in the order of the plan."""
    return map(row, results.verdicts)
