"""Explanations: one call with what every subject gave, and its outputs looked at element by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.model.case import Array, Case, Domain
from harness.model.observation import Observation
from harness.model.verdict import Grade, Verdict

Index = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a subject has in one element.

    Attributes:
        value: a NumPy scalar of the output's dtype.
        ulps: signed error in ulps of the dtype at the truth; NaN where one of the two is no finite number.
        in_bounds: the error's size in units of the bound B; NaN likewise.
        grade: None where there is no truth.
    """

    value: Any
    ulps: float = float("nan")
    in_bounds: float = float("nan")
    grade: Grade | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The truth of one element, and what may be lost there.

    Attributes:
        high, low, radius: the exact number lies within `radius` of `high + low`.
        bits: the precision that decided: 53 is the float64 tier.
        bound: B.
        ulp: spacing of the dtype at the truth.
        allowed: the error up to which it passes.
    """

    high: float
    low: float
    radius: float
    bits: int
    bound: float
    ulp: float
    allowed: float


@dataclass(frozen=True, slots=True)
class Element:
    """One element of an output, with what every subject has there.

    Attributes:
        truth: None where there is none.
        readings: by subject, of those whose arrays fit.
    """

    index: Index
    truth: Known | None
    readings: Mapping[str, Reading]


@dataclass(frozen=True, slots=True)
class Survey:
    """One output looked at element by element.

    Attributes:
        shape: that it has, or the first subject's where that isn't known.
        counts: how many elements of each subject's array have each grade, the worst grade first.
        elements: those with the largest errors of any subject, the largest first; the first ones without a truth.
    """

    shape: tuple[int, ...]
    counts: Mapping[str, Mapping[Grade, int]] = field(default_factory=dict)
    elements: Sequence[Element] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """One call with everything that is known of it.

    Attributes:
        title: what it is called, and where it comes from.
        method: what truth is, in words.
        domain: where its input lies.
        why: why it isn't inside.
        rows: its verdicts.
        observations: what the subjects did, by their ids.
        surveys: by output.
        notes: what the user should know of how the arrays were read.
        commands: what to type next.
    """

    title: str
    call: Case
    method: str
    domain: Domain
    why: str
    rows: Sequence[Verdict]
    observations: Mapping[str, Observation]
    surveys: Mapping[str, Survey]
    notes: Sequence[str] = ()
    commands: Sequence[str] = ()

    def arrays(self, output: str) -> dict[str, Array]:
        """What subjects gave for an output."""
        return {name: seen.outputs[output] for name, seen in self.observations.items() if output in seen.outputs}


class Explained(NamedTuple):
    """What was asked to be explained: a case, a relation, or a document's claim about itself.

    Attributes:
        calls: the calls that it is made of.
        rows: verdicts that are about no single call.
    """

    calls: Sequence[Explanation]
    rows: Sequence[Verdict] = ()
