"""Findings in the light of what a case states of single subjects (`per:`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from harness.comparator import tolerance
from harness.comparator.findings import Finding, of_undefined
from harness.comparator.measure import ACCURATE_ULPS, pass_line
from harness.model.case import Array, Departure, Override
from harness.model.observation import Observation, Outcome
from harness.model.subject import Subject
from harness.model.verdict import Grade, Kind
from harness.model.versions import Packages, meant
from harness.oracle.formats import FORMATS, Format
from harness.oracle.truth import Truth


def stated(per: Sequence[Override], subject: Subject, packages: Packages, output: str) -> Override | None:
    """The first expectation of its own that a case states for this subject, its versions and output."""
    for override in per:
        named = override.output in ("*", output) and fnmatchcase(subject.id, override.subjects)
        if named and meant(override.versions, packages):
            return override
    return None


def against(
    finding: Finding, override: Override, output: str, observation: Observation, dtype: str, truth: Truth
) -> Finding:
    """A finding against what is stated: a deviation if it is so, stale if it passes after all."""
    if override.undefined:
        right = of_undefined(observation, output, truth.region.reason, override.undefined)
        return replace(right, reason=override.reason or right.reason) if right.kind is Kind.PASS else right
    if finding.kind is Kind.PASS and finding.grade is Grade.RANGE:
        return finding  # it fails only where another subject has the value
    if finding.kind is Kind.PASS:
        return replace(finding, kind=Kind.STALE, reason=f"stated to differ ({override.reason}), but it does not")
    if _departs_so(finding, override, output, observation, dtype, truth):
        return replace(finding, kind=Kind.DEVIATION, deviation=str(override.source), reason=override.reason)
    return replace(finding, reason=f"differs otherwise than stated: {finding.reason}")


def _departs_so(
    finding: Finding, override: Override, output: str, observation: Observation, dtype: str, truth: Truth
) -> bool:
    if override.departs is Departure.ERROR:
        return observation.outcome is Outcome.ERROR
    if observation.outcome is not Outcome.VALUE:
        return False
    if override.departs is Departure.VALUE and override.value is not None:
        observed = observation.outputs.get(output)
        given = np.asarray(override.value, np.float64)
        return observed is not None and _is_given(observed, given, _allowed(given, output, FORMATS[dtype], truth))
    grade = Grade.BROKEN if finding.grade is Grade.RANGE else finding.grade
    return grade is not None and str(grade) == str(override.departs)


def _is_given(observed: Array, given: Array, allowed: Array) -> bool:
    """Whether an output is what is stated."""
    if observed.shape != given.shape:
        return False
    wide = observed.astype(np.float64)
    with np.errstate(invalid="ignore"):
        same = (wide == given) | (np.isnan(wide) & np.isnan(given))
        return bool(np.all(same | (np.abs(wide - given) <= allowed)))


def _allowed(given: Array, output: str, form: Format, truth: Truth) -> Array:
    """How far a number may be from the one that is stated: by as much as a right one may be from the truth."""
    enclosed = truth.outputs.get(output)
    if enclosed is None or enclosed.high.shape != given.shape:
        return tolerance.usual(form.name).of(given)
    line = pass_line(enclosed, truth.bounds[output], form)
    least: Array = ACCURATE_ULPS * form.ulp(given)
    return np.maximum(least, np.where(np.isfinite(line), line, 0.0))
