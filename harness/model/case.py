"""Cases: one call of an operation each, with what is expected of it and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Scalar = float | int | str | bool
Parameters = Mapping[str, Scalar]
Inputs = Mapping[str, Array]


class Domain(StrEnum):
    """Where an input lies with respect to an operation's definition."""

    INSIDE = "inside"
    EXTENDED = "extended"
    UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True)
class Source:
    """The place a case was read from: `file:line`, and where in a document it stands."""

    file: str
    line: int
    document: str = ""
    place: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Interval:
    """The reals that a printed decimal stands for: `0.7981` says between 0.79805 and 0.79815.

    `center` is NaN-free and exact; a printed `nan` or `inf` has `special` set to it and no width.
    """

    text: str
    center: Fraction = Fraction(0)
    half_width: Fraction = Fraction(0)
    special: float | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """Numbers as a document prints them, in reading order, with the shape they are printed in."""

    shape: tuple[int, ...]
    intervals: tuple[Interval, ...]


class Departure(StrEnum):
    """What a case may say of a subject that is known not to give the truth."""

    INACCURATE = "inaccurate"
    BROKEN = "broken"
    ERROR = "error"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Override:
    """An expectation of its own for the subjects that a glob names (`per:` in a case file).

    Attributes:
        subjects: glob over subject ids.
        output: the output it speaks of, or `*`.
        versions: what versions the subjects have, as `model.versions` reads it; "" for all.
        undefined: outcomes that are right for undefined input (`error`, `nan`), if it sets them.
        departs: the way in which the subject is known to differ from the truth.
        value: with `departs: value`, what it gives instead of the truth.
        reason: why, in one sentence.
        source: the line that states it.
    """

    subjects: str
    output: str = "*"
    undefined: frozenset[str] = frozenset()
    departs: Departure | None = None
    value: Array | None = None
    reason: str = ""
    source: Source = field(default_factory=lambda: Source("", 0))
    versions: str = ""


@dataclass(frozen=True, slots=True)
class StatedTolerance:
    """A pass line of a case's own: |y - T| <= atol + rtol |T|, with the reason for it."""

    rtol: float
    atol: float
    reason: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case expects of every subject.

    Attributes:
        undefined: outcomes that are right where the input is undefined; empty if it is defined.
        agree: subjects are compared with one another only; there is no truth to hold them against.
        printed: what the document prints, judged as an observation of the subject `document`.
        claimed: what the document says happens (`value`, `error`), where it prints no number.
        per: expectations of single subjects; the first that matches counts.
        tolerance: the pass line instead of the bounds, if the case states one.
    """

    undefined: frozenset[str] = frozenset()
    agree: bool = False
    printed: Printed | None = None
    claimed: str = ""
    per: tuple[Override, ...] = ()
    tolerance: StatedTolerance | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One call of an operation: concrete inputs, parameters and dtype.

    Attributes:
        id: path below `cases/` without suffix, `:`, the id, then `/dtype` and further expansions.
        operation: name of the operation.
        inputs: arrays, floating ones already rounded to `dtype`.
        parameters: only those that the case names; the operation has the defaults.
        dtype: dtype of the floating inputs.
        group: id of the entry it was expanded from (the case or generator in the file).
        implementations: glob over implementations that are asked; `*` for all.
        layout: how its arrays lie in memory: one of `harness.worker.layouts`, "" for contiguous.
        threads: how many it may use; 0 for as many as the run says.
        misuse: what is spoilt in it, one of `harness.operations.misuse.KINDS`; "" if it is as it was written.
    """

    id: str
    operation: str
    inputs: Inputs
    parameters: Parameters
    dtype: str
    expect: Expectation
    source: Source
    group: str = ""
    implementations: str = "*"
    layout: str = ""
    threads: int = 0
    misuse: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What a relation looks at: an output, or one index along an axis of it, or the sum over that axis."""

    axis: int | None = None
    index: int | None = None
    output: str = "value"


class Against(StrEnum):
    """Whom a relation holds a subject's first call against.

    ITSELF: the subject's own other calls. ANOTHER_MODE: those of the same implementation in another mode.
    """

    ITSELF = "itself"
    ANOTHER_MODE = "another_mode"


class Within(StrEnum):
    """How near to each other the calls of a relation must be.

    BOUNDS: their errors differ by no more than both may lose. BITWISE: the same bits. TOLERANCE: the
    frameworks' usual rtol and atol.
    """

    BOUNDS = "bounds"
    BITWISE = "bitwise"
    TOLERANCE = "tolerance"


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """Calls whose outputs satisfy a stated identity (`equal`) or are to be told apart (`differ`).

    Attributes:
        id: as a case's.
        kind: `equal` or `differ`.
        calls: the calls by name, in order; the first is compared with each of the others.
        views: the part of each call's output that is compared.
        per: expectations of single subjects.
        within: how near to each other they must be.
        against: whose other calls the first call is compared with.
    """

    id: str
    kind: str
    calls: Mapping[str, Case]
    views: Mapping[str, View]
    per: tuple[Override, ...]
    source: Source
    group: str = ""
    within: Within = Within.BOUNDS
    against: Against = Against.ITSELF


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of a document about its own text, decided without running anything.

    Attributes:
        parses: an expression that the document prints as well formed.
        defines: names that its program binds.
        uses: names that its program uses.
    """

    id: str
    source: Source
    group: str = ""
    parses: str | None = None
    defines: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()


Unit = Case | Relation | Claim
