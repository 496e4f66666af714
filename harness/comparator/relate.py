"""Relations between calls, and agreement among subjects where there is no truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.comparator import tolerance
from harness.comparator.findings import ENDED, Finding, raised
from harness.comparator.measure import place
from harness.model.case import Array, Relation, View
from harness.model.observation import Observation, Outcome
from harness.model.subject import DOCUMENT, Subject
from harness.model.verdict import Grade, Kind
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Truth

Observed = Mapping[Subject, Observation]
EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two views held against each other.

    Attributes:
        differs: how they differ beyond the tolerance, "" if they don't.
        ulps: their largest difference in ulps of the dtype; None if there is none to measure.
    """

    differs: str
    ulps: float | None = None


def relation(stated: Relation, observed: Mapping[str, Observed]) -> Iterator[tuple[Subject, Finding]]:
    """Judge a relation for every subject of its first call.

    Each is held against the first subject of the same environment, framework, mode and device
    that makes the other call.
    """
    first, *others = stated.calls
    for subject, observation in observed[first].items():
        findings = [_pair(stated, first, observation, other, *_partner(subject, observed[other])) for other in others]
        yield subject, _worst(findings)


def statement(stated: Relation, truths: Mapping[str, Truth]) -> tuple[Subject, Finding]:
    """Whether the relation holds in truth: if it doesn't, the document that states it is wrong."""
    first, *others = stated.calls
    views = {name: _view(truth.outputs["value"].high, stated.views[name]) for name, truth in truths.items()}
    for other in others:
        comparison = _compare(views[first], views[other], stated.calls[first].dtype)
        if bool(comparison.differs) == (stated.kind == EQUAL):
            reason = comparison.differs or f"{first} and {other} are equal"
            return DOCUMENT, Finding(Kind.ERRATUM, reason=f"does not hold: {reason}")
    return DOCUMENT, Finding(Kind.PASS, reason="holds in truth")


def agreement(observed: Observed, dtype: str) -> Iterator[tuple[Subject, Finding]]:
    """Judge subjects by one another: those outside the largest group that agrees fail."""
    values = {s: o.outputs["value"] for s, o in observed.items() if _has_value(o)}
    agreeing = _largest_group(values, dtype)
    for subject, observation in observed.items():
        if subject in values:
            yield subject, _among(subject, agreeing)
        else:
            yield subject, _no_value(observation)


def _among(subject: Subject, agreeing: Sequence[Subject]) -> Finding:
    if subject in agreeing:
        return Finding(Kind.PASS, reason=f"agrees with {len(agreeing) - 1} others")
    reason = (
        f"differs from {len(agreeing)} that agree" if agreeing else "no group that agrees is larger than the others"
    )
    return Finding(Kind.FAIL, Grade.INACCURATE, reason)


def _largest_group(values: Mapping[Subject, Array], dtype: str) -> Sequence[Subject]:
    """The subjects of the largest group that agrees; none where another one is as large."""
    groups = [
        [other for other, value in values.items() if not _compare(value, pivot, dtype).differs]
        for pivot in values.values()
    ]
    largest = max(groups, key=len, default=[])
    tied = any(len(group) == len(largest) and not set(group) & set(largest) for group in groups)
    return [] if tied else largest


def _partner(subject: Subject, candidates: Observed) -> tuple[Subject | None, Observation | None]:
    place = (subject.environment, subject.framework, subject.mode, subject.device)
    near = [(s, o) for s, o in candidates.items() if (s.environment, s.framework, s.mode, s.device) == place]
    return next(((s, o) for s, o in near if o.outcome is Outcome.VALUE), near[0] if near else (None, None))


def _pair(
    stated: Relation,
    first: str,
    observation: Observation,
    other: str,
    partner: Subject | None,
    partners: Observation | None,
) -> Finding:
    if partner is None or partners is None:
        return _without(observation, stated.views[first]) or Finding(
            Kind.UNSUPPORTED, reason=f"nothing in this framework computes {other}"
        )
    without = _without(observation, stated.views[first]) or _without(partners, stated.views[other])
    if without:
        return without
    a = _view(observation.outputs["value"], stated.views[first])
    b = _view(partners.outputs["value"], stated.views[other])
    comparison = _compare(a, b, stated.calls[first].dtype)
    holds = bool(comparison.differs) != (stated.kind == EQUAL)
    reason = f"{comparison.differs or 'equal'}, against {partner.id} ({other})"
    if holds:
        return Finding(Kind.PASS, reason=reason, max_ulp=comparison.ulps)
    return Finding(Kind.FAIL, Grade.INACCURATE, reason, max_ulp=comparison.ulps)


def _without(observation: Observation, view: View) -> Finding | None:
    """What is found where there is no such view of a value to compare; None where there is."""
    if not _has_value(observation):
        return _no_value(observation)
    shape = observation.outputs["value"].shape
    if view.axis is None:
        return None
    if not -len(shape) <= view.axis < len(shape):
        return Finding(Kind.FAIL, Grade.BROKEN, f"gave shape {list(shape)}, which has no axis {view.axis}")
    if view.index is not None and not -shape[view.axis] <= view.index < shape[view.axis]:
        return Finding(Kind.FAIL, Grade.BROKEN, f"gave shape {list(shape)}: no index {view.index} on axis {view.axis}")
    return None


def _has_value(observation: Observation) -> bool:
    return observation.outcome is Outcome.VALUE and "value" in observation.outputs


def _no_value(observation: Observation) -> Finding:
    if observation.outcome is Outcome.VALUE:
        return Finding(Kind.FAIL, Grade.BROKEN, "gave no value")
    if observation.outcome is Outcome.ERROR:
        return Finding(Kind.FAIL, Grade.BROKEN, raised(observation))
    return Finding(ENDED[observation.outcome], reason=observation.reason)


def _worst(findings: list[Finding]) -> Finding:
    """A failure before anything else, then what could not be compared, then passes."""
    order = {Kind.PASS: 2, Kind.UNSUPPORTED: 1, Kind.UNAVAILABLE: 1}
    return min(findings, key=lambda finding: order.get(finding.kind, 0))


def _view(value: Array, view: View) -> Array:
    wide = value.astype(np.float64)
    if view.axis is None:
        return wide
    with np.errstate(all="ignore"):
        return np.sum(wide, axis=view.axis) if view.index is None else np.take(wide, view.index, axis=view.axis)


def _compare(a: Array, b: Array, dtype: str) -> Comparison:
    if a.shape != b.shape:
        return Comparison(f"shape {list(a.shape)} instead of {list(b.shape)}")
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        difference = np.where(same, 0.0, a - b)
        beyond = ~(np.abs(difference) <= tolerance.usual(dtype).of(b))
        ulps = difference / FORMATS[dtype].ulp(b)
    worst = float(np.nanmax(np.abs(ulps), initial=0.0))
    if not beyond.any():
        return Comparison("", worst)
    at = place(int(beyond.argmax()), beyond.shape)
    return Comparison(f"{a[at]:.9g} instead of {b[at]:.9g}" + (f" at {list(at)}" if at else ""), worst)
