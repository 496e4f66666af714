"""Runs: a plan executed to the end, and what its reports are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.model.case import Array, Parameters
from harness.model.decision import Decision
from harness.model.observation import Observation
from harness.model.subject import Fingerprint, Signatures
from harness.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Calls that a run never made, because it was stopped before.

    Attributes:
        why: what stopped it, in words.
        failed: whether failures did; else its time was over.
        calls: how many of each operation.
        planned: how many calls the run was to make.
        outputs: their cases and subjects; known where the run was measured, and empty elsewhere.
    """

    why: str
    failed: bool
    calls: Mapping[str, int]
    planned: int
    outputs: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a run as a whole.

    Attributes:
        id: `<UTC time>-<6 hex>`, or the folder's name with `--out`.
        folder: where it writes.
        started: UTC, ISO 8601.
        command: the command line that started it.
        cases: digest of the calls, to tell runs of other cases or inputs; "" where it isn't known.
        truth: what truth was, in words: every report says it.
        tolerance: (rtol, atol) if the named judge was asked for with values of its own.
        seconds: wall time from start to the last verdict.
        signatures: of each environment's implementations.
        left_out: None if every call was made.
    """

    id: str
    folder: Path
    started: str
    command: str
    seed: int
    tier: str
    threads: int
    cpu: str
    truth: str
    environments: Mapping[str, Fingerprint] = field(default_factory=dict)
    tolerance: tuple[float, float] | None = None
    seconds: float = 0.0
    signatures: Mapping[str, Signatures] = field(default_factory=dict)
    left_out: LeftOut | None = None
    cases: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One case with everything that was observed of it, for showing side by side.

    Attributes:
        inputs: arrays as they were given to the subjects.
        truth: output names to the truth (float64), empty where there is none.
        observations: subject ids to what they did.
        layout, misuse: as of the `Case`.
    """

    case: str
    operation: str
    dtype: str
    parameters: Parameters
    source: str
    inputs: Mapping[str, Array]
    truth: Mapping[str, Array]
    observations: Mapping[str, Observation]
    layout: str = ""
    misuse: str = ""


Place = tuple[str, str, str]
"""Case, subject and output of a verdict."""


@dataclass(frozen=True, slots=True)
class Results:
    """A finished run, as reports see it.

    Attributes:
        verdicts: in the order of the plan.
        record: the record of a case by its id; None for relations and claims.
        decision: the gate's; None where none was asked.
        scripts: stand-alone scripts of failures and deviations, of one of each group; empty where nobody reads them.
    """

    run: Run
    verdicts: Sequence[Verdict]
    record: Callable[[str], Record | None]
    decision: Decision | None = None
    scripts: Mapping[Place, str] = field(default_factory=dict)
