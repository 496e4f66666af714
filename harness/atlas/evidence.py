"""What a run has shown of each implementation: the cases that back every row of the atlas."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.model.case import Case, Domain, Scalar
from harness.model.verdict import Kind, Verdict
from harness.operations import OPERATIONS
from harness.operations.base import VALUE

Settings = tuple[tuple[str, Scalar], ...]
"""Complete parameters, sorted by name; a class axis that is the last one is -1."""


@dataclass(slots=True)
class Evidence:
    """Of one implementation and operation, in all its modes and dtypes.

    Attributes:
        counts: verdicts by kind.
        passed: cases whose value passed, by their parameters, in the order of the run.
        deviations: how often each known deviation was seen.
        undefined: what became of each call that has no value.
    """

    counts: Counter[Kind] = field(default_factory=Counter)
    passed: dict[Settings, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    deviations: Counter[str] = field(default_factory=Counter)
    undefined: dict[str, str] = field(default_factory=dict)


Gathered = Mapping[tuple[str, str], Evidence]
"""By implementation and operation."""


def gather(verdicts: Iterable[Verdict], cases: Mapping[str, Case]) -> Gathered:
    """The evidence of a run's verdicts.

    Args:
        cases: the run's cases by their ids.
    """
    found: dict[tuple[str, str], Evidence] = defaultdict(Evidence)
    for verdict in verdicts:
        case = cases.get(verdict.case)
        if case is None or case.operation != verdict.operation or verdict.verdict is Kind.UNSUPPORTED:
            continue
        evidence = found[verdict.implementation, case.operation]
        evidence.counts[verdict.verdict] += 1
        if verdict.deviation:
            evidence.deviations[verdict.deviation] += 1
        if verdict.output == VALUE:
            _note(evidence, verdict, case)
    return found


def _note(evidence: Evidence, verdict: Verdict, case: Case) -> None:
    if verdict.domain == Domain.UNDEFINED and verdict.outcome is not None:
        evidence.undefined.setdefault(case.id, became(verdict))
    elif verdict.verdict is Kind.PASS:
        evidence.passed[settings(case)][case.id] = None


def became(verdict: Verdict) -> str:
    """`raises ValueError`, `gives nan`: the only value that may pass for no value."""
    how, _, what = (verdict.outcome or "").partition(" ")
    if how == "error":
        return f"raises {what}"
    if how == "value":
        return "gives nan" if verdict.verdict is Kind.PASS else f"gives {verdict.observed or 'a number'}"
    return how


def settings(case: Case) -> Settings:
    """The complete parameters of a case."""
    operation = OPERATIONS[case.operation]
    return key(operation.complete(case.parameters), case.inputs[operation.leading].ndim)


def key(parameters: Mapping[str, Scalar], rank: int) -> Settings:
    """Parameters as a key; the class axis is one of so many."""
    known = dict(parameters)
    if "axis" in known and int(known["axis"]) == rank - 1:
        known["axis"] = -1
    return tuple(sorted(known.items()))
