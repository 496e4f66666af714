"""Findings in the light of the known deviations (`cases/deviations.yaml`).

Strict: a deviation covers failures of its own kind, on the inputs that it names. One element
outside, or a failure of another kind beside it, and the finding stays a failure. A subject that
passes a case which shows its deviation makes it stale.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np

from harness.comparator import tolerance
from harness.comparator.findings import Finding
from harness.comparator.large import parts
from harness.comparator.measure import Pair, failing
from harness.model.case import Array, Case, Domain
from harness.model.deviation import TRUTH, Deviation, DeviationKind, Requirement
from harness.model.observation import Observation, Outcome
from harness.model.subject import Subject
from harness.model.verdict import Grade, Kind
from harness.model.versions import Packages, meant
from harness.operations import OPERATIONS
from harness.oracle.blocks import blocks
from harness.oracle.formats import FORMATS, Format
from harness.oracle.truth import Truth

COVERED: Mapping[DeviationKind, frozenset[Grade]] = {
    DeviationKind.ACCURACY: frozenset({Grade.INACCURATE}),
    DeviationKind.SEMANTICS: frozenset({Grade.INACCURATE, Grade.BROKEN}),
    DeviationKind.UNDERFLOW: frozenset({Grade.UNDERFLOW}),
    DeviationKind.RANGE: frozenset({Grade.RANGE, Grade.BROKEN}),
    DeviationKind.ERRORS: frozenset(),
}
"""Grades of elements that a kind covers; `errors` is about no element."""

RELATED: Mapping[str, Callable[[Array, float], Array]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One output that a subject was asked for, with all that a deviation may speak of."""

    case: Case
    subject: Subject
    packages: Packages
    output: str
    observation: Observation
    truth: Truth


class Known:
    """The list of deviations, which is asked what it says of findings.

    Which deviations speak of an output doesn't depend on numbers: it is found out once for each kind of call.
    """

    def __init__(self, deviations: Sequence[Deviation]) -> None:
        self._deviations = deviations
        self._speaking: dict[object, list[Deviation]] = {}

    def judged(self, asked: Asked, finding: Finding) -> Finding:
        """A finding in the light of the deviations: a deviation, stale, or what it was."""
        mine = self._of(asked)
        if not mine or finding.kind not in (Kind.PASS, Kind.FAIL):
            return finding
        if finding.kind is Kind.PASS and finding.grade is not Grade.RANGE:
            shown = next((d for d in mine if _any(asked.case.id, d.shown_by)), None)
            if shown is None:
                return finding
            return replace(
                finding, kind=Kind.STALE, deviation=shown.id, reason=f"passes, but {shown.id} says: {shown.reason}"
            )
        covering = _covering(mine, asked, finding) if finding.kind is Kind.FAIL else []
        if not covering:
            return finding
        names = ", ".join(deviation.id for deviation in covering)
        return replace(finding, kind=Kind.DEVIATION, deviation=names, reason=covering[0].reason)

    def left_over(self, asked: Asked) -> Array:
        """Where an output's elements fail, and no deviation covers it; of a call whose truth is at hand."""
        pair = Pair(
            asked.observation.outputs[asked.output], asked.truth.outputs[asked.output], asked.truth.bounds[asked.output]
        )
        masks = failing(pair, FORMATS[asked.case.dtype], tolerance.stated(asked.case))
        del masks[Grade.RANGE]  # fails only where another subject has the value
        left, _ = _uncovered(self._of(asked), asked, masks)
        found: Array = np.logical_or.reduce([*left.values(), np.zeros(pair.observed.shape, dtype=bool)])
        return found

    def _of(self, asked: Asked) -> list[Deviation]:
        """The deviations that speak of an output."""
        case = asked.case
        parameters = tuple(case.parameters.items())
        about = (case.operation, case.dtype, case.misuse, parameters)
        kind = (about, asked.output, asked.subject, tuple(asked.packages.items()))
        found = self._speaking.get(kind)
        if found is None:
            found = self._speaking[kind] = [known for known in self._deviations if _speaks_of(known, asked)]
        return found


def _speaks_of(deviation: Deviation, asked: Asked) -> bool:
    case = asked.case
    return (
        case.operation in deviation.operations
        and _any(asked.output, deviation.outputs)
        and (not deviation.dtypes or case.dtype in deviation.dtypes)
        and (not deviation.misuse or case.misuse in deviation.misuse)
        and _any(asked.subject.id, deviation.subjects)
        and _has(deviation, case)
        and meant(deviation.versions, asked.packages)
    )


def _has(deviation: Deviation, case: Case) -> bool:
    complete = OPERATIONS[case.operation].complete(case.parameters)
    return all(complete.get(name) == value for name, value in deviation.parameters.items())


def _any(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _covering(deviations: Sequence[Deviation], asked: Asked, finding: Finding) -> list[Deviation]:
    """The deviations that together cover everything that fails; none if something is left over."""
    observed = asked.observation.outputs.get(asked.output)
    if _is_about_errors(asked):
        return [d for d in deviations if d.kind is DeviationKind.ERRORS and _holds_somewhere(d, asked)][:1]
    form = FORMATS[asked.case.dtype]
    if observed is None or observed.shape != _shape(asked) or observed.dtype != form.dtype:
        return [d for d in deviations if d.kind is DeviationKind.SEMANTICS and _holds_somewhere(d, asked)][:1]
    helpful: set[str] = set()
    for part, pair in _parts(asked, observed):
        covering = _by_elements(deviations, part, failing(pair, form, tolerance.stated(asked.case)), finding)
        if covering is None:
            return []
        helpful |= covering
    return [deviation for deviation in deviations if deviation.id in helpful]


def _shape(asked: Asked) -> tuple[int, ...]:
    if asked.truth.large:
        operation = OPERATIONS[asked.case.operation]
        return operation.shape_of(asked.output, asked.case.inputs, operation.complete(asked.case.parameters))
    return asked.truth.outputs[asked.output].high.shape


def _parts(asked: Asked, observed: Array) -> Iterator[tuple[Asked, Pair]]:
    """What was asked with the numbers: at once, or for a large call block by block."""
    if not asked.truth.large:
        yield asked, Pair(observed, asked.truth.outputs[asked.output], asked.truth.bounds[asked.output])
        return
    whole = blocks(asked.case, asked.truth.region, (asked.output,))
    for block, (pair,) in parts(whole, asked.output, [observed]):
        case = replace(asked.case, inputs=block.units.take(block.chosen), parameters=block.units.parameters)
        yield replace(asked, case=case, truth=block.truth), pair


def _by_elements(
    deviations: Sequence[Deviation], asked: Asked, masks: Mapping[Grade, Array], finding: Finding
) -> set[str] | None:
    """The deviations that cover something here; None if something that fails is left over."""
    wanted = {grade: mask for grade, mask in masks.items() if grade is not Grade.RANGE or finding.grade is Grade.RANGE}
    left, covering = _uncovered(deviations, asked, wanted)
    return None if any(mask.any() for mask in left.values()) else covering


def _uncovered(
    deviations: Sequence[Deviation], asked: Asked, masks: Mapping[Grade, Array]
) -> tuple[dict[Grade, Array], set[str]]:
    """What of the failing elements no deviation covers, and the deviations that cover others."""
    left, covering = {grade: mask.copy() for grade, mask in masks.items()}, set()
    for deviation in deviations:
        held = _holds(deviation, asked)
        for grade in COVERED[deviation.kind] & left.keys():
            if np.any(left[grade] & held):
                covering.add(deviation.id)
            left[grade] &= ~held
    return left, covering


def _is_about_errors(asked: Asked) -> bool:
    return asked.observation.outcome is Outcome.ERROR or asked.truth.region.domain is Domain.UNDEFINED


def _holds_somewhere(deviation: Deviation, asked: Asked) -> bool:
    inputs = {name: array for name, array in asked.case.inputs.items() if name in deviation.inputs}
    form = FORMATS[asked.case.dtype]
    return inputs.keys() == deviation.inputs.keys() - {TRUTH} and all(
        np.any(_all_of(deviation.inputs[name], array, -1, form)) for name, array in inputs.items()
    )


def _holds(deviation: Deviation, asked: Asked) -> Array:
    """Where an output's elements meet the deviation's conditions."""
    truth, form = asked.truth.outputs[asked.output].high, FORMATS[asked.case.dtype]
    complete = OPERATIONS[asked.case.operation].complete(asked.case.parameters)
    rows, axis = "axis" in complete, int(complete.get("axis", -1))
    found = np.ones(truth.shape, dtype=bool)
    for name, tests in deviation.inputs.items():
        if name != TRUTH and name not in asked.case.inputs:
            return np.zeros(truth.shape, dtype=bool)
        array = truth if name == TRUTH else asked.case.inputs[name]
        mask = _all_of(tests, array, axis, form)
        if rows and name != TRUTH and mask.shape == truth.shape:
            mask = np.any(mask, axis=axis, keepdims=True)
        found &= _brought(mask, truth.shape, axis)
    return found


def _brought(mask: Array, shape: tuple[int, ...], axis: int) -> Array:
    """A condition on an input's elements as one on an output's: of its row, of an axis that has become one, or any."""
    if mask.ndim == len(shape):
        mask = np.any(mask, axis=tuple(np.flatnonzero(np.equal(shape, 1)).tolist()), keepdims=True)
        if all(length in (1, wanted) for length, wanted in zip(mask.shape, shape, strict=True)):
            return np.broadcast_to(mask, shape)
    if mask.ndim and np.delete(mask.shape, axis).tolist() == list(shape):
        return np.any(mask, axis=axis)
    if -len(shape) <= axis < len(shape) and list(mask.shape) == np.delete(shape, axis).tolist():
        return np.broadcast_to(np.expand_dims(mask, axis), shape)
    return np.broadcast_to(np.any(mask), shape)


def _all_of(tests: Sequence[Requirement], array: Array, axis: int, form: Format) -> Array:
    wide = array.astype(np.float64)
    found = np.ones(wide.shape, dtype=bool)
    with np.errstate(invalid="ignore"):
        for test in tests:
            found &= _one(test, wide, axis, form)
    return found


def _one(test: Requirement, wide: Array, axis: int, form: Format) -> Array:
    if test.number is not None:
        return RELATED[test.relation](wide, test.number)
    if test.relation == "unnormalised":
        return np.broadcast_to(np.sum(wide, axis=axis, keepdims=True) != 1, wide.shape)
    if test.relation == "subnormal":
        return (wide != 0) & (np.abs(wide) < form.smallest_normal)
    words: dict[str, Callable[[Array], Array]] = {"finite": np.isfinite, "infinite": np.isinf, "nan": np.isnan}
    return words[test.relation](wide)
