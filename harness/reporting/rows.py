"""What the JSON report says of a run as a whole, word for word."""

from __future__ import annotations

from dataclasses import asdict

from harness.model.decision import Decision
from harness.model.row import Row, number
from harness.model.run import LeftOut, Results, Run
from harness.model.subject import Fingerprint
from harness.reporting import overview


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
