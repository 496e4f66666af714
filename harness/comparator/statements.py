"""Findings in the light of what a case states of single subjects (`per:`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from harness.comparator import tolerance
from harness.comparator.findings import Finding, of_undefined
from harness.model.case import Array, Departure, Override
from harness.model.observation import Observation, Outcome
from harness.model.subject import Subject
from harness.model.verdict import Grade, Kind
from harness.operations.base import Region


def stated(per: Sequence[Override], subject: Subject, output: str) -> Override | None:
    """The first expectation of its own that a case states for this subject and output."""
    for override in per:
        if override.output in ("*", output) and fnmatchcase(subject.id, override.subjects):
            return override
    return None


def against(
    finding: Finding, override: Override, output: str, observation: Observation, dtype: str, region: Region
) -> Finding:
    """A finding against what is stated: a deviation if it is so, stale if it passes after all."""
    if override.undefined:
        right = of_undefined(observation, output, region.reason, override.undefined)
        return replace(right, reason=override.reason or right.reason) if right.kind is Kind.PASS else right
    if finding.kind is Kind.PASS and finding.grade is Grade.RANGE:
        return finding  # it fails only where another subject has the value
    if finding.kind is Kind.PASS:
        return replace(finding, kind=Kind.STALE, reason=f"stated to differ ({override.reason}), but it does not")
    if _departs_so(finding, override, output, observation, dtype):
        return replace(finding, kind=Kind.DEVIATION, deviation=str(override.source), reason=override.reason)
    return replace(finding, reason=f"differs otherwise than stated: {finding.reason}")


def _departs_so(finding: Finding, override: Override, output: str, observation: Observation, dtype: str) -> bool:
    if override.departs is Departure.ERROR:
        return observation.outcome is Outcome.ERROR
    if observation.outcome is not Outcome.VALUE:
        return False
    if override.departs is Departure.VALUE and override.value is not None:
        observed = observation.outputs.get(output)
        return observed is not None and _is_given(observed, np.asarray(override.value, np.float64), dtype)
    grade = Grade.BROKEN if finding.grade is Grade.RANGE else finding.grade
    return grade is not None and str(grade) == str(override.departs)


def _is_given(observed: Array, given: Array, dtype: str) -> bool:
    """Whether an output is what is stated, within the frameworks' usual tolerance."""
    allowed = tolerance.usual(dtype)
    return observed.shape == given.shape and np.allclose(
        observed.astype(np.float64), given, allowed.rtol, allowed.atol, equal_nan=True
    )
