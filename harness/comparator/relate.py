"""Relations between calls, and agreement among subjects where there is no truth.

Two calls are equal within bounds if their errors differ by no more than both may lose: what the
truths themselves differ by, for inputs are rounded, is neither's fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.comparator import tolerance
from harness.comparator.findings import ENDED, Finding, at, raised
from harness.comparator.measure import place
from harness.comparator.views import Seen, of_truth, of_value
from harness.model.case import Against, Array, Relation, View, Within
from harness.model.observation import Observation, Outcome
from harness.model.subject import DOCUMENT, Subject
from harness.model.verdict import Grade, Kind, Verdict
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Truth

Observed = Mapping[Subject, Observation]
Truths = Mapping[str, Truth]
EQUAL = "equal"
WHOLE = View()
Alone = Callable[[str, Subject, Observation], Verdict]
"""How the value that a subject gave for a call, by its name, is judged by itself."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two views held against each other.

    Attributes:
        differs: how they differ beyond what is allowed, "" if they don't.
        within: what was allowed, in words.
        ulps: their largest difference in ulps of the dtype; None if there is none to measure.
    """

    differs: str
    within: str = ""
    ulps: float | None = None


def relation(
    stated: Relation, observed: Mapping[str, Observed], truths: Truths, alone: Alone
) -> Iterator[tuple[Subject, Finding]]:
    """Judge a relation for every subject of its first call.

    Each is held against what it says itself to the other call, or, where it doesn't make that one, against the
    first subject of the same environment, framework, mode and device that does; if the relation is one of
    modes, against the first subject of the same implementation in another mode. Where they differ because
    one of them departs from the truth in a known way, so does the relation.

    Args:
        truths: of the calls.
        alone: how a call is judged by itself.
    """
    first, *others = stated.calls
    for subject, observation in observed[first].items():
        findings = []
        for other in others:
            partner, partners = _partner(stated, subject, observed[other])
            found = _pair(stated, truths, first, observation, other, partner, partners)
            if found.kind is Kind.FAIL and partner and partners and stated.within is not Within.BITWISE:
                sides = [alone(first, subject, observation), alone(other, partner, partners)]
                found = _explained(found, sides)
            findings.append(found)
        yield subject, _worst(findings)


def _explained(found: Finding, sides: Sequence[Verdict]) -> Finding:
    """A failure in the light of its two sides: known, if everything that is wrong with them is."""
    wrong = [side for side in sides if side.verdict is not Kind.PASS]
    if not wrong or any(side.verdict is not Kind.DEVIATION for side in wrong):
        return found
    names = ", ".join(dict.fromkeys(side.deviation or "" for side in wrong))
    return replace(found, kind=Kind.DEVIATION, deviation=names, reason=f"{wrong[0].reason}: {found.reason}")


def statement(stated: Relation, truths: Truths) -> tuple[Subject, Finding]:
    """Whether the relation holds in truth: if it doesn't, the document that states it is wrong."""
    first, *others = stated.calls
    dtype = stated.calls[first].dtype
    views = {name: of_truth(truth, stated.views[name], FORMATS[dtype]) for name, truth in truths.items()}
    for other in others:
        comparison = _compare(views[first], views[other], dtype, stated.within, plain=True)
        if bool(comparison.differs) == (stated.kind == EQUAL):
            reason = comparison.differs or f"{first} and {other} are equal {comparison.within}"
            return DOCUMENT, Finding(Kind.ERRATUM, reason=f"does not hold: {reason}")
    return DOCUMENT, Finding(Kind.PASS, reason="holds in truth")


def agreement(observed: Observed, dtype: str, truth: Truth) -> Iterator[tuple[Subject, Finding]]:
    """Judge subjects by one another: those outside the largest group that agrees fail.

    Args:
        truth: of their call, for what each of them may lose; without it the usual tolerance is allowed.
    """
    form = FORMATS[dtype]
    values = {s: of_value(o.outputs["value"], WHOLE, truth, form) for s, o in observed.items() if _has(o, "value")}
    agreeing = _largest_group(values, dtype)
    for subject, observation in observed.items():
        if subject in values:
            yield subject, _among(subject, agreeing)
        else:
            yield subject, _nothing(observation, "value")


def _among(subject: Subject, agreeing: Sequence[Subject]) -> Finding:
    if subject in agreeing:
        return Finding(Kind.PASS, reason=f"agrees with {len(agreeing) - 1} others")
    reason = (
        f"differs from {len(agreeing)} that agree" if agreeing else "no group that agrees is larger than the others"
    )
    return Finding(Kind.FAIL, Grade.INACCURATE, reason)


def _largest_group(values: Mapping[Subject, Seen], dtype: str) -> Sequence[Subject]:
    """The subjects of the largest group that agrees; none where another one is as large."""
    groups = [
        [other for other, value in values.items() if not _compare(value, pivot, dtype, Within.BOUNDS).differs]
        for pivot in values.values()
    ]
    largest = max(groups, key=len, default=[])
    tied = any(len(group) == len(largest) and not set(group) & set(largest) for group in groups)
    return [] if tied else largest


def _partner(stated: Relation, subject: Subject, candidates: Observed) -> tuple[Subject | None, Observation | None]:
    """Who is held against a subject, with what it gave."""
    own = candidates.get(subject)
    if stated.against is Against.ANOTHER_MODE:
        place = (subject.environment, subject.implementation, subject.device)
        near = [(s, o) for s, o in candidates.items() if (s.environment, s.implementation, s.device) == place]
        near = [(s, o) for s, o in near if s.mode != subject.mode]
    elif own is not None and own.outcome is not Outcome.UNSUPPORTED:
        return subject, own
    else:
        where = (subject.environment, subject.framework, subject.mode, subject.device)
        near = [(s, o) for s, o in candidates.items() if (s.environment, s.framework, s.mode, s.device) == where]
    return next(((s, o) for s, o in near if o.outcome is Outcome.VALUE), near[0] if near else (None, None))


def _pair(
    stated: Relation,
    truths: Truths,
    first: str,
    observation: Observation,
    other: str,
    partner: Subject | None,
    partners: Observation | None,
) -> Finding:
    if partner is None or partners is None:
        return _without(observation, stated.views[first]) or Finding(
            Kind.UNSUPPORTED, reason=f"nothing {_where(stated)} computes {other}"
        )
    without = _without(observation, stated.views[first]) or _without(partners, stated.views[other])
    if without:
        return without
    form = FORMATS[stated.calls[first].dtype]
    a, b = (
        of_value(seen.outputs[stated.views[name].output], stated.views[name], truths[name], form)
        for name, seen in ((first, observation), (other, partners))
    )
    # Calls that are told apart differ by more than both may lose: what their truths differ by is the point.
    comparison = _compare(a, b, form.name, stated.within, plain=stated.kind != EQUAL)
    holds = bool(comparison.differs) != (stated.kind == EQUAL)
    reason = f"{comparison.differs or f'equal {comparison.within}'}, against {partner.id} ({other})"
    if holds:
        return Finding(Kind.PASS, reason=reason, max_ulp=comparison.ulps)
    return Finding(Kind.FAIL, Grade.INACCURATE, reason, max_ulp=comparison.ulps)


def _without(observation: Observation, view: View) -> Finding | None:
    """What is found where there is no such view of a value to compare; None where there is."""
    if not _has(observation, view.output):
        return _nothing(observation, view.output)
    shape = observation.outputs[view.output].shape
    if view.axis is None:
        return None
    if not -len(shape) <= view.axis < len(shape):
        return Finding(Kind.FAIL, Grade.BROKEN, f"gave shape {list(shape)}, which has no axis {view.axis}")
    if view.index is not None and not -shape[view.axis] <= view.index < shape[view.axis]:
        return Finding(Kind.FAIL, Grade.BROKEN, f"gave shape {list(shape)}: no index {view.index} on axis {view.axis}")
    return None


def _where(stated: Relation) -> str:
    return "in this framework" if stated.against is Against.ITSELF else "in another mode"


def _has(observation: Observation, output: str) -> bool:
    return observation.outcome is Outcome.VALUE and output in observation.outputs


def _nothing(observation: Observation, output: str) -> Finding:
    """What is found where there is no such output."""
    if output in observation.unsupported:
        return Finding(Kind.UNSUPPORTED, reason=observation.unsupported[output])
    if observation.outcome is Outcome.VALUE:
        return Finding(Kind.FAIL, Grade.BROKEN, f"gave no {output}")
    if observation.outcome is Outcome.ERROR:
        return Finding(Kind.FAIL, Grade.BROKEN, raised(observation))
    return Finding(ENDED[observation.outcome], reason=observation.reason)


def _worst(findings: list[Finding]) -> Finding:
    """A failure before anything else, then what is known, then what could not be compared, then passes."""
    order = {Kind.PASS: 3, Kind.UNSUPPORTED: 2, Kind.UNAVAILABLE: 2, Kind.DEVIATION: 1}
    return min(findings, key=lambda finding: order.get(finding.kind, 0))


def _compare(a: Seen, b: Seen, dtype: str, within: Within, *, plain: bool = False) -> Comparison:
    """Hold two views against each other.

    Args:
        plain: whether the views themselves are compared, and not their errors, within bounds.
    """
    if a.value.shape != b.value.shape:
        return Comparison(f"shape {list(a.value.shape)} instead of {list(b.value.shape)}")
    with np.errstate(all="ignore"):
        same = (a.value == b.value) | (np.isnan(a.value) & np.isnan(b.value))
        difference = np.where(same, 0.0, a.value - b.value)
        ulps = float(np.nanmax(np.abs(difference / FORMATS[dtype].ulp(b.value)), initial=0.0))
        if within is Within.BITWISE and a.bits is not None and b.bits is not None:
            return _bitwise(a, b, np.abs(difference), _same_bits(a.bits, b.bits), ulps)
        apart, allowed, words = _apart(a, b, difference, dtype, within, plain=plain)
        beyond = ~((apart <= allowed) | np.isinf(allowed))
        shares = np.where(beyond, np.nan_to_num(apart / allowed, nan=np.inf, posinf=np.inf), -1.0)
    if not beyond.any():
        return Comparison("", words, ulps)
    index = place(int(shares.argmax()), shares.shape)
    off = f"{_instead(a, b, index)}: {apart[index]:.3g} apart, {allowed[index]:.3g} is allowed {words}"
    return Comparison(off, words, ulps)


def _bitwise(a: Seen, b: Seen, apart: Array, same: Array, ulps: float) -> Comparison:
    if same.all():
        return Comparison("", "bitwise", ulps)
    far = np.where(same, -1.0, np.nan_to_num(apart, nan=np.inf))
    return Comparison(f"{_instead(a, b, place(int(far.argmax()), far.shape))}: not the same bits", "bitwise", ulps)


def _instead(a: Seen, b: Seen, index: tuple[int, ...]) -> str:
    return f"{a.value[index]:.9g} instead of {b.value[index]:.9g}{at(index)}"


def _same_bits(a: Array, b: Array) -> Array:
    """Where two arrays of one shape have the same bits: zeros' signs and NaNs' payloads count."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype:
        return np.zeros(a.shape, bool)
    bits = np.dtype(f"u{a.dtype.itemsize}")
    return np.asarray(a.view(bits) == b.view(bits))


def _apart(a: Seen, b: Seen, difference: Array, dtype: str, within: Within, *, plain: bool) -> tuple[Array, Array, str]:
    """How far two views of one shape are apart, what is allowed, and that in words."""
    usual, size = tolerance.usual(dtype).of(b.value), np.abs(difference)
    if within is Within.TOLERANCE:
        return size, usual, "within the usual tolerance"
    known = a.known & b.known
    if within is Within.BITWISE:  # the exact values, or sums of what was given
        return size, np.where(known, a.radius + b.radius, 0.0), "bitwise"
    errors = np.where(difference == 0, 0.0, np.abs(a.error - b.error))
    allowed = np.where(known, a.allowed + b.allowed, usual)
    return size if plain else np.where(known, errors, size), allowed, _words(known, np.isinf(allowed))


def _words(known: Array, endless: Array) -> str:
    """What was allowed, where bounds were to be."""
    without = int(np.count_nonzero(~known))
    if without and without == known.size:
        return "within the usual tolerance, as there is no truth"
    notes = [
        f"{count} {what}"
        for count, what in (
            (without, "without a truth within the usual tolerance"),
            (int(np.count_nonzero(endless)), "beyond the range"),
        )
        if count
    ]
    return f"within bounds ({', '.join(notes)})" if notes else "within bounds"
