"""Verdicts: observations judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What becomes of an observation. Nothing is ever dropped."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    ERRATUM = "erratum"
    DEVIATION = "deviation"
    STALE = "stale"
    UNSUPPORTED = "unsupported"
    UNAVAILABLE = "unavailable"
    CRASH = "crash"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out-of-memory"
    ERROR = "error"

    @property
    def failed(self) -> bool:
        """Whether the gate counts it as a failure."""
        return self in FAILED


FAILED = frozenset({Kind.FAIL, Kind.STALE, Kind.CRASH, Kind.TIMEOUT, Kind.OUT_OF_MEMORY, Kind.ERROR})


class Grade(StrEnum):
    """How near a finite value is to the truth, or that it is of another class.

    EXACT: correctly rounded. ACCURATE: within 4 ulp. STABLE: within twice the bound. RANGE: an
    intermediate of the reference algorithm leaves the format's range. UNDERFLOW: truth and answer
    are near the subnormal range. INACCURATE: outside. BROKEN: of the wrong class.
    """

    EXACT = "exact"
    ACCURATE = "accurate"
    STABLE = "stable"
    RANGE = "range"
    UNDERFLOW = "underflow"
    INACCURATE = "inaccurate"
    BROKEN = "broken"

    @property
    def passes(self) -> bool:
        """Whether it is within the pass line."""
        return self in PASSING


PASSING = frozenset({Grade.EXACT, Grade.ACCURATE, Grade.STABLE, Grade.RANGE})


class Cause(StrEnum):
    """The first bound that explains an error: what its algorithm loses.

    SHIFT: log(s) is added to logits that were shifted. CANCELLATION: a difference or quotient is
    rounded near its limit. LSE: log-sum-exp is subtracted from logits. SUM: terms are added one
    after another. NONE: no bound does.
    """

    ROUNDING = "rounding"
    SHIFT = "shift"
    CANCELLATION = "cancellation"
    LSE = "lse"
    SUM = "recursive sum"
    UNDERFLOW = "underflow"
    RANGE = "range"
    NONE = "none"


class ExitCode(IntEnum):
    """The exit codes of the command line; pytest's."""

    OK = 0
    FAILED = 1
    INTERRUPTED = 2
    INTERNAL = 3
    USAGE = 4
    EMPTY = 5


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The judgement of plain rtol and atol, a judge of its own beside the verdict.

    Attributes:
        rtol: relative tolerance.
        atol: absolute tolerance.
        passed: |y - T| <= atol + rtol |T| for every element; None where there was nothing to measure.
        remark: set where an element passes by atol alone, with the bits it has lost.
    """

    rtol: float
    atol: float
    passed: bool | None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One output of one subject on one case, judged: a row of every report.

    Attributes:
        output: `value`, `gradient:logits`, ... or `relation`.
        max_ulp: worst signed error in ulps of the dtype at the truth; None where nothing was measured.
        max_relative: worst relative error; None where nothing was measured.
        max_absolute: worst absolute error; None where nothing was measured.
        max_bound: worst error in units of the bound B; None where nothing was measured.
        cause: the first bound that explains the worst error.
        avoidable_bits: most bits lost beyond what the input's conditioning loses.
        summation_length: additions on a sum's longest path that the error tells of; 0 if pairwise sums do.
        index: index of the worst or first differing element.
        observed: the value there, as text.
        truth: the truth there, as text.
        deviation: where the departure is stated, if it is a known one.
        bits: digest of the output's bits, for comparing runs.
        content: what the output is: `float32[3]`, with ` nan` or ` inf` after it where an element is one; else None.
        outcome: how the call ended: `value`, `error TYPE`, `crash`, ...; None where nothing was called.
        seconds: wall time of the call, which gave all outputs; likewise. Verdicts that differ in it only are equal.
    """

    case: str
    operation: str | None
    subject: str
    implementation: str
    framework: str
    environment: str
    mode: str | None
    device: str | None
    dtype: str | None
    output: str
    verdict: Kind
    source: str
    version: str | None = None
    grade: Grade | None = None
    max_ulp: float | None = None
    max_relative: float | None = None
    max_absolute: float | None = None
    max_bound: float | None = None
    cause: Cause | None = None
    avoidable_bits: float | None = None
    summation_length: int | None = None
    index: tuple[int, ...] | None = None
    observed: str | None = None
    truth: str | None = None
    domain: str | None = None
    deviation: str | None = None
    reason: str = ""
    tolerance: Tolerance | None = None
    bits: str | None = None
    group: str = ""
    outcome: str | None = None
    seconds: float | None = field(default=None, compare=False)
    content: str | None = None
