"""Claim: bounds are near what textbook forms do lose. The worst error comes to a quarter of B, a twentieth if reduced.

B is taken with the depth of the sums that the form really has. The worst input is looked for: rows are drawn,
those that lose the largest share of their bounds are kept and varied, until one loses enough. Errors are first
estimated by the same form in a wider dtype; what is told of the worst rows is held against the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from benchmarks.proofs import samples, textbook
from benchmarks.proofs.samples import Bits
from harness.model.case import Array, Case, Inputs, Parameters
from harness.operations.base import UPSTREAM, VALUE, Operation, widened
from harness.oracle import truth
from harness.oracle.bounds import bounds
from harness.oracle.enclosures import running_call
from harness.oracle.formats import FORMATS
from harness.oracle.running import ORACLE

UNREDUCED, REDUCED = 1 / 4, 1 / 20
CLASSES = (2, 10, 1000)
TERMS = (2, 16, 256)
"""Losses that are reduced; a row of them has `CLASSES[1]` classes."""

POPULATION = 20_000
"""Elements that are looked at together."""
CALLS = 16
"""Reduced calls that are looked at together."""
LEAST = 64
"""Rows, however long."""
TURNS = 60
KEPT = 4
"""One in so many members is kept and varied."""
CERTIFIED = 4
"""Rows whose estimate is held against the truth."""


SUBNORMAL = 64
"""Bounds of at most so many smallest numbers are left out."""
UPSTREAM_MATTERS = {"reduction"}
"""Losses' slopes are asked for without an upstream gradient, which only multiplies them."""


class Question(NamedTuple):
    """Which bounds are asked about.

    Attributes:
        operation, parameters, dtype: of the calls.
        length: classes of a row, or losses that are reduced.
        goal: the share of B that is to be lost.
    """

    operation: Operation
    parameters: Parameters
    dtype: str
    length: int
    goal: float


class Answer(NamedTuple):
    """How tight a bound is.

    Attributes:
        share: the largest share of B that was lost; None where B is 0 and nothing is lost.
        by_library: the same with the m that NumPy has here in place of the formats', if it was asked for: 8 for
            float32 and 4 for float64 have to do for other libraries too.
    """

    question: Question
    output: str
    share: float | None
    by_library: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the bound is as tight as is claimed, its m apart."""
        return self.share is None or max(self.share, self.by_library or 0.0) >= self.question.goal

    def __str__(self) -> str:
        """What is asked about, and how much of it was lost."""
        asked = f"{self.question.operation.name} {dict(self.question.parameters)} {self.output}, {self.question.length}"
        more = "" if self.by_library is None else f", {self.by_library:.3f} B with the library's own m"
        return f"{asked}: {'nothing to lose' if self.share is None else f'{self.share:.3f} B'}{more}"

    @property
    def is_tight(self) -> bool:
        """Whether it is so with its m too."""
        return self.share is None or self.share >= self.question.goal


def questions(dtype: str, share: float, names: Collection[str] = samples.DEFINED) -> Sequence[Question]:
    """A part of all questions about operations in a dtype.

    Not about those whose rows have an input in common, as a layer's kernel: there are no rows to choose the worst of.
    """
    operations = [o for o in map(samples.DEFINED.__getitem__, names) if all(i.extent != "call" for i in o.inputs)]
    return [*_unreduced(operations, dtype), *_reduced(operations, dtype)][:: max(1, round(1 / share))]


def _unreduced(operations: Sequence[Operation], dtype: str) -> Iterator[Question]:
    """Every operation with every value of every parameter but the reduction, one at a time.

    Without a label smoothing of 1, which leaves nothing of the labels: 1,000 equal terms in a tree lose only what
    their roundings on each level conspire to.
    """
    for operation in operations:
        lengths = CLASSES if any(p.name == "axis" for p in operation.parameters) else CLASSES[1:2]
        for parameters in samples.variants(operation):
            if not parameters.keys() & {"reduction", "axis"} and parameters.get("label_smoothing") != 1:
                yield from (Question(operation, parameters, dtype, length, UNREDUCED) for length in lengths)


def _reduced(operations: Sequence[Operation], dtype: str) -> Iterator[Question]:
    """Every loss with every reduction."""
    for operation in operations:
        reductions = next((p.choices for p in operation.parameters if p.name == "reduction"), ())
        for reduction in reductions:
            if reduction != "none":
                yield from (Question(operation, {"reduction": reduction}, dtype, n, REDUCED) for n in TERMS)


def answers(question: Question) -> list[Answer]:
    """Look for rows that lose as much as is claimed, of each output."""
    found = []
    for output in _outputs(question):
        bits = samples.bits_of(f"{question[2:]}/{question.operation.name}/{question.parameters}/{output}")
        answer = Answer(question, output, _worst(question, output, None, bits))
        if not answer.is_tight:
            m = textbook.library(question.dtype)
            answer = answer._replace(by_library=_worst(question, output, m, bits))
        found.append(answer)
    return found


def _outputs(question: Question) -> list[str]:
    if "reduction" in question.parameters:
        return [VALUE]
    return [name for name in question.operation.outputs if name.partition(":")[2] not in samples.FACTORS]


def _worst(question: Question, output: str, library: float | None, bits: Bits) -> float | None:
    """The largest share that certified members of a population lose of their bounds."""
    best, members = None, _drawn(question, bits)
    for _ in range(TURNS):
        shares = _shares(question, output, library, members, _estimated)
        if shares is None:
            return best
        # One of those that lose as much: copies of the best would crowd out the others.
        order = np.unique(-shares, return_index=True)[1]
        certified = _shares(question, output, library, _some(members, order[:CERTIFIED]), _certified)
        best = max(best or 0.0, 0.0 if certified is None else float(certified.max()))
        if best >= question.goal:
            return best
        members = _next(question, _some(members, order[: max(1, len(shares) // KEPT)]), len(shares), bits)
    return best


# Populations: inputs with an axis of members in front, which are rows, or whole calls that are reduced.


def _drawn(question: Question, bits: Bits) -> Inputs:
    """Members of all families."""
    families = samples.SAMPLINGS[question.operation.name].families
    drawn = [_of_family(question, family, bits) for family in families]
    return {name: np.concatenate([members[name] for members in drawn]) for name in drawn[0]}


def _of_family(question: Question, family: str, bits: Bits) -> Inputs:
    operation, form = question.operation, FORMATS[question.dtype]
    complete = operation.complete(question.parameters)
    rows, reduced = "axis" in complete, "reduction" in question.parameters
    classes = CLASSES[1] if rows and reduced else question.length
    count = CALLS if reduced else max(LEAST, POPULATION // question.length)
    shape = (count * question.length, classes) if rows and reduced else (count, classes)
    found = dict(samples.inputs(operation, complete, form, family, shape, bits))
    if operation.shape is not None and UPSTREAM_MATTERS.isdisjoint(p.name for p in operation.parameters):
        found[UPSTREAM] = bits.standard_normal(operation.shape(found, complete))
    if reduced:
        each = (count, question.length) if rows else (count, 1)
        found = {name: array.reshape(*each, *array.shape[1:]) for name, array in found.items()}
        if complete["reduction"] in ("weighted_mean", "nonzero_mean"):
            found["weights"] = bits.choice([0.0, 0.7, 1.0, 2.3], (count, *((1, classes) if not rows else each[1:])))
    return samples.rounded(found, form)


def _some(members: Inputs, chosen: Array) -> Inputs:
    return {name: array[chosen] for name, array in members.items()}


def _next(question: Question, kept: Inputs, count: int, bits: Bits) -> Inputs:
    """Those that are kept, as many new ones, and children of two of them."""
    fresh, survivors = _drawn(question, bits), len(next(iter(kept.values())))
    fresh = _some(fresh, bits.permutation(len(next(iter(fresh.values()))))[:survivors])
    groups = (kept, fresh, _children(question, kept, max(0, count - 2 * survivors), bits))
    return {name: np.concatenate([group[name] for group in groups]) for name in kept}


def _children(question: Question, kept: Inputs, count: int, bits: Bits) -> Inputs:
    """One in three has places of two parents; in each the leading numbers, the labels or both are varied."""
    leading, survivors = question.operation.leading, len(next(iter(kept.values())))
    found = _some(kept, bits.integers(0, survivors, count))
    others = _some(kept, bits.integers(0, survivors, count))
    shape = found[leading].shape
    mixed = bits.random(shape) < bits.random(_per_member(shape)) * (bits.random(_per_member(shape)) < 1 / 3)
    varied = bits.integers(0, 3, _per_member(shape))
    for left_out, name in enumerate((leading, "labels")):
        numbers = found.get(name)
        if numbers is None or numbers.dtype.kind in "iu" or numbers.shape != shape:
            continue
        crossed = np.where(mixed, others[name], numbers)
        found = {**found, name: np.where(varied == left_out, crossed, _varied(crossed, name, question.dtype, bits))}
    return found


def _per_member(shape: Sequence[int]) -> tuple[int, ...]:
    return shape[0], *(1,) * (len(shape) - 1)


def _varied(numbers: Array, name: str, dtype: str, bits: Bits) -> Array:
    """Some numbers of each member times nearly 1, by much or by little; shares of 1 stay such, labels their sign."""
    per_member = _per_member(numbers.shape)
    least = max(-7.0, np.log10(FORMATS[dtype].unit_roundoff))
    size, part = 10.0 ** bits.uniform(least, 0, per_member), bits.random(per_member)
    factor = 1 + size * bits.standard_normal(numbers.shape) * (bits.random(numbers.shape) < part)
    wide = numbers.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        found = wide * (factor if name == "logits" else np.abs(factor))
        if name in ("probabilities", "labels"):
            found = np.where(np.abs(wide) <= 1, np.clip(found, -1, 1), found)
        rounded: Array = found.astype(numbers.dtype)
    return np.where(np.isfinite(rounded.astype(np.float64)), rounded, numbers)


# What members lose.

Lost = Callable[[Case, str, Array], Array]
"""|y - T| of an output, from what was observed."""


def _shares(question: Question, output: str, library: float | None, members: Inputs, lost: Lost) -> Array | None:
    """The largest share of B that each member loses; None if nothing has a bound other than 0."""
    operation, complete = question.operation, question.operation.complete(question.parameters)
    way, form = textbook.WAYS[question.dtype][0], FORMATS[question.dtype]
    own, count = textbook.own(form, way, library), len(next(iter(members.values())))
    whole = "reduction" not in question.parameters
    parts = [members] if whole else [_some(members, np.asarray(n)) for n in range(count)]
    found, bounded = [], False
    for part in parts:
        case = samples.case(operation, question.parameters, question.dtype, part)
        if case is None:
            found.append(np.zeros(count if whole else 1))
            continue
        observed = [textbook.outputs(case, way, (output,))[output]]
        if whole:
            observed += textbook.others(case, output)
        call = running_call(widened(part), complete, (ORACLE, own, own))
        with np.errstate(all="ignore"):
            bound = np.broadcast_to(bounds(operation.outputs[output], call).pairwise, observed[0].shape)
            share = np.maximum.reduce([lost(case, output, each) for each in observed]) / bound
        # What underflow loses is too near to what Arb's radii say of it.
        sound = (bound > SUBNORMAL * form.smallest_subnormal) & np.isfinite(bound) & np.isfinite(share)
        bounded |= bool(sound.any())
        found.append(np.where(sound, share, 0.0).reshape(count if whole else 1, -1).max(axis=1))
    return np.concatenate(found) if bounded else None


def _estimated(case: Case, output: str, observed: Array) -> Array:
    """Against the same form in a wider dtype, if there is one on this machine."""
    wide = textbook.WIDER[case.dtype]
    if np.finfo(wide).nmant <= np.finfo(np.float64).nmant and case.dtype == "float64":
        return _certified(case, output, observed)
    inputs = {name: array if array.dtype.kind in "iu" else array.astype(wide) for name, array in case.inputs.items()}
    nearly = textbook.outputs(replace(case, inputs=inputs), textbook.NUMPY, (output,))[output]
    lost: Array = np.abs(observed.astype(wide) - nearly).astype(np.float64)
    return lost


def _certified(case: Case, output: str, observed: Array) -> Array:
    """Against the truth, less what that is not known to."""
    exact = truth.evaluate(case).outputs[output]
    lost: Array = np.abs((observed.astype(np.float64) - exact.high) - exact.low) - exact.radius
    return lost


def unreached(found: Sequence[Answer]) -> list[str]:
    """Operations and lengths of which no bound at all is as tight as is claimed, with the m that it has."""
    kinds: dict[str, list[Answer]] = {}
    for answer in found:
        name = f"{answer.question.operation.name}{' reduced' if _kind(answer) else ''}, {answer.question.length}"
        kinds.setdefault(name, []).append(answer)
    return [name for name, answers_ in kinds.items() if not any(answer.is_tight for answer in answers_)]


def table(found: Mapping[str, Sequence[Answer]]) -> str:
    """The least share of each output over parameters and lengths, for each dtype."""
    keys = {(_kind(a), a.question.operation.name, a.output): None for row in found.values() for a in row}
    lines = [f"| | {' | '.join(found)} |", f"|---|{'---|' * len(found)}"]
    for key in sorted(keys, key=lambda key: key[0], reverse=True):
        chosen = [[a for a in row if (_kind(a), a.question.operation.name, a.output) == key] for row in found.values()]
        kind, operation, output = key
        lines.append(f"| {operation}, {output}{kind and ', ' + kind} | {' | '.join(map(_least, chosen))} |")
    return "\n".join(lines)


def _kind(answer: Answer) -> str:
    return "reduced" if "reduction" in answer.question.parameters else ""


def _least(found: Sequence[Answer]) -> str:
    shares = [a.share for a in found if a.share is not None]
    if not shares:
        return "exact"
    by_library = [a.by_library for a in found if a.by_library is not None]
    return f"{min(shares):.2f}" + (f" ({min(by_library):.2f})" if by_library else "")
