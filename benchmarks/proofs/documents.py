"""Claim: the forms that documents 000, 001 and 003 print are graded as they deserve, interval by interval.

In float32, for labels 0 and 1 apart and for labels between: the share of elements beyond max(B, 4 ulp), the pass
line before its factor 2, and the worst grade.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from benchmarks.proofs.samples import bits_of
from harness.adapters import reference
from harness.adapters.formulas import FORMULAS, evaluate
from harness.adapters.numpy import PRIMITIVES
from harness.comparator.measure import ACCURATE_ULPS, Pair, failing
from harness.model.case import Array, Case, Expectation, Inputs, Parameters, Source
from harness.model.verdict import Grade
from harness.operations.base import VALUE
from harness.oracle import truth
from harness.oracle.formats import FORMATS

FLOAT32 = FORMATS["float32"]
COUNT = 4000
"""Elements of an interval."""
FEW = 0.005
NEARLY = 3.0
"""What a share may be off from the one that is claimed, in per cent: it is one of a sample."""
EDGES = (-104, -88.8, -87, -17.4, -9.7, -4, -1, 1, 4, 9.7, 17.4, 87, 88.8, 104)
INTERVALS = tuple(itertools.pairwise(EDGES))
SIGMOID, SPARSE = "sigmoid_cross_entropy", "sparse_softmax_cross_entropy"
CATEGORICAL = "categorical_cross_entropy"
SOFT = "0.05..0.95"
LABELS = {"0": "hard0", "1": "hard1", SOFT: "soft"}

Run = Callable[[Inputs], Array]


class Form(NamedTuple):
    """A form under test.

    Attributes:
        text: as it is written.
        names: of the documents' formulas that are it.
        runs: what computes it, once for each name.
        claims: what is claimed of it by label, a cell for each interval: see `Cell`.
    """

    text: str
    names: tuple[str, ...]
    runs: tuple[Run, ...]
    claims: Mapping[str, str]
    operation: str = SIGMOID
    parameters: Parameters = MappingProxyType({})


class Cell(NamedTuple):
    """A form on an interval.

    Attributes:
        beyond: share of elements beyond the pass line before its factor 2.
        failed: share of those that fail.
        grade: that most of these have.
    """

    beyond: float
    failed: float
    grade: Grade

    def __str__(self) -> str:
        """In per cent, with the first letter of the grade."""
        return f"{100 * self.beyond:.0f}{self._letter}"

    def is_as(self, claim: str) -> bool:
        """Whether it is what is claimed, but for the sample."""
        digits = claim.rstrip("biu")
        graded = claim[len(digits) :] == self._letter or 100 * self.failed <= 2 * NEARLY
        return graded and abs(100 * self.beyond - float(digits)) <= NEARLY

    @property
    def _letter(self) -> str:
        return str(self.grade)[0] if self.failed > FEW else ""


class Row(NamedTuple):
    """A form for one kind of label, on all intervals."""

    form: Form
    name: str
    label: str
    cells: tuple[Cell, ...]

    @property
    def objections(self) -> list[str]:
        """Where it isn't graded as claimed."""
        claims = self.form.claims[self.label].split()
        return [
            f"{self.name or self.form.text}, z = {self.label}, x in {low:g}..{high:g}: {cell}, not {claim}"
            for cell, claim, (low, high) in zip(self.cells, claims, INTERVALS, strict=True)
            if not cell.is_as(claim)
        ]


def rows() -> Iterator[Row]:
    """Every form, under each of its names, for each kind of label that is claimed."""
    for form in FORMS:
        for (name, run), label in itertools.product(zip(form.names, form.runs, strict=True), form.claims):
            yield Row(form, name, label, tuple(_cell(form, run, label, *interval) for interval in INTERVALS))


def sampled(form: Form, label: str, low: float, high: float, count: int = COUNT) -> Case:
    """Logits of an interval with one kind of label; rows [x, 0] of softmax, whose first class has the label.

    Of those the probabilities, where an operation takes them.
    """
    bits = bits_of(f"{label}/{low}/{high}")
    x = bits.uniform(low, high, count).astype(np.float32)
    z = (bits.uniform(0.05, 0.95, count) if label == SOFT else np.full(count, float(label))).astype(np.float32)
    given = {"logits": x, "labels": z}
    if form.operation != SIGMOID:
        given = {"logits": np.stack([x, np.zeros_like(x)], axis=-1), "labels": np.stack([z, 1 - z], axis=-1)}
    if form.operation.startswith("sparse"):
        given["labels"] = np.argmax(given["labels"], axis=-1)
    if form.operation == CATEGORICAL:
        wide = given.pop("logits").astype(np.float64)
        given["probabilities"] = (1 / (1 + np.exp(wide[..., ::-1] - wide))).astype(np.float32)
    return Case("documents", form.operation, given, form.parameters, "float32", Expectation(), Source("benchmarks", 0))


def _cell(form: Form, run: Run, label: str, low: float, high: float) -> Cell:
    case = sampled(form, label, low, high)
    known = truth.evaluate(case)
    exact, bounds = known.outputs[VALUE], known.bounds[VALUE]
    observed = run(case.inputs)
    with np.errstate(all="ignore"):
        lost = np.abs((observed - exact.high) - exact.low)
        line = np.maximum(bounds.passing, ACCURATE_ULPS * FLOAT32.ulp(exact.high)) + exact.radius
        counts = {
            grade: int(mask.sum()) for grade, mask in failing(Pair(observed, exact, bounds), FLOAT32, None).items()
        }
    worst = max(counts, key=lambda grade: counts[grade])
    return Cell(float(np.mean(~(lost <= line))), sum(counts.values()) / COUNT, worst)


def table() -> str:
    """What is claimed, for each form and label."""
    heads = [f"{low:g}..{high:g}" for low, high in INTERVALS]
    lines = [f"| form | z | {' | '.join(heads)} |", f"|---|---|{'---|' * len(heads)}"]
    for form in FORMS:
        printed = f" ({', '.join(name.replace('_', '-') for name in form.names)})" if form.names[0] else ""
        lines += [
            f"| `{form.text}`{printed} | {label} | {' | '.join(claim.split())} |"
            for label, claim in form.claims.items()
        ]
    return "\n".join(lines).replace("|x|", "\\|x\\|")


def _printed(name: str, *, shifted: bool = True) -> Run:
    """A document's formula, softmax with or without its largest logit shifted out."""
    formula = next(f for f in FORMULAS if f.name == name)
    primitives = PRIMITIVES if shifted else PRIMITIVES._replace(softmax=_unshifted)

    def run(inputs: Inputs) -> Array:
        with np.errstate(all="ignore"):
            found: Array = evaluate(formula, primitives, inputs, {"reduction": "none"})
        return found

    return run


def _unshifted(x: Array) -> Array:
    e = np.exp(x)
    return e / np.sum(e, axis=-1, keepdims=True)


def _by_log1p(inputs: Inputs) -> Array:
    found: Array = reference.sigmoid_losses(inputs["logits"], inputs["labels"], {})
    return found


def _form(text: str, names: str, operation: str = SIGMOID, *, shifted: bool = True, **claims: str) -> Form:
    """A form that documents print; claims are `hard0`, `hard1` and `soft`."""
    printed = tuple(names.split())
    by_label = {label: claims[key] for label, key in LABELS.items() if key in claims}
    parameters = {"normalize": "before"} if operation == CATEGORICAL else {}
    runs = tuple(_printed(name, shifted=shifted) for name in printed)
    return Form(text, printed, runs, by_label, operation, parameters)


FORMS = (
    _form(
        "max(x, 0) - x z + log(1 + exp(-|x|))",
        "003_c_10",
        hard0="77u 100u 100i 100i 94i 17i 0 0 0 0 0 0 0",
        hard1="0 0 0 0 0 0 0 17i 95i 100i 100i 100u 76u",
        soft="0 0 0 0 0 0 0 0 0 0 0 0 0",
    ),
    Form("max(x, 0) - x z + log1p(exp(-|x|))", ("",), (_by_log1p,), dict.fromkeys(LABELS, "0 0 0 0 0 0 0 0 0 0 0 0 0")),
    _form(
        "-z log(sigma(x)) - (1 - z) log(1 - sigma(x))",
        "000_c_2 000_c_3 001_a 003_c_1",
        hard0="77u 100u 100i 100i 90i 4 0 18i 89i 100i 100b 100b 100b",
        hard1="60i 0 0 0 0 0 0 19i 95i 100i 100b 100b 100b",
        soft="61i 0 0 0 0 0 0 12i 90i 100i 100b 100b 100b",
    ),
    _form(
        "the same, sigma(x) = 1 / (1 + exp(-x))",
        "003_c_2",
        hard0="100b 100u 100i 100i 90i 5 0 0 0 0 0 0 60i",
        hard1="100b 5b 0 0 0 0 0 19i 95i 100i 100i 100u 76u",
        soft="100b 4b 0 0 0 0 0 0 0 0 0 0 61i",
    ),
    _form(
        "z log(1 + exp(-x)) + (1 - z) (-log(exp(-x)) + log(1 + exp(-x)))",
        "003_c_3",
        hard0="100b 100u 100i 100i 99i 40i 0 0 0 0 0 0 60i",
        hard1="100b 5b 0 0 0 0 0 17i 95i 100i 100i 100u 76u",
        soft="100b 4b 0 2i 3i 2 0 0 0 0 0 0 61i",
    ),
    _form(
        "z log(1 + exp(-x)) + (1 - z) (x + log(1 + exp(-x)))",
        "003_c_4",
        hard0="100b 100u 100i 100i 99i 40i 0 0 0 0 0 0 0",
        hard1="100b 5b 0 0 0 0 0 17i 95i 100i 100i 100u 76u",
        soft="100b 4b 0 2i 3i 2 0 0 0 0 0 0 0",
    ),
    _form(
        "(1 - z) x + log(1 + exp(-x))",
        "003_c_5",
        hard0="100b 100u 100i 100i 99i 40i 0 0 0 0 0 0 0",
        hard1="100b 5b 0 0 0 0 0 17i 95i 100i 100i 100u 76u",
        soft="100b 8b 4i 5i 5i 3i 0 0 0 0 0 0 0",
    ),
    _form(
        "x - x z + log(1 + exp(-x))",
        "003_c_6 003_c_7",
        hard0="100b 100u 100i 100i 99i 40i 0 0 0 0 0 0 0",
        hard1="100b 5b 0 0 0 0 0 17i 95i 100i 100i 100u 76u",
        soft="100b 7b 3i 4i 5i 3i 0 0 0 0 0 0 0",
    ),
    _form(
        "log(exp(x)) - x z + log(1 + exp(-x))",
        "003_c_8",
        hard0="100b 100u 100i 100i 99i 42i 0 0 0 0 0 4b 100b",
        hard1="100b 5b 0 0 0 0 0 19i 95i 100i 100i 100u 100b",
        soft="100b 7b 3i 4i 5i 3i 0 0 0 0 0 4b 100b",
    ),
    _form(
        "-x z + log(1 + exp(x))",
        "003_c_9",
        hard0="77u 100u 100i 100i 94i 17i 0 0 0 0 0 4b 100b",
        hard1="0 0 0 0 0 0 0 40i 99i 100i 100i 100u 100b",
        soft="0 0 0 0 0 0 0 0 1 1 0 4b 100b",
    ),
    _form(
        "-z log(sigma(x)), incomplete",
        "000_c_1",
        hard0="77u 100u 100i 100i 100i 100i 100i 100i 100i 100i 100i 100i 100i",
        hard1="60i 0 0 0 0 0 0 19i 95i 100i 100i 100u 76u",
        soft="61i 0 0 34i 100i 100i 100i 100i 100i 100i 100i 100i 100i",
    ),
    _form(
        "-sum z log(softmax([x, 0]))",
        "000_b",
        "softmax_cross_entropy",
        hard0="0 0 0 0 10 0 0 0 0 0 0 0 60i",
        hard1="60i 0 0 0 0 0 0 0 9 0 0 0 0",
        soft="61i 0 0 0 0 0 0 0 0 0 0 0 62i",
    ),
    _form(
        "the same, no logit shifted out",
        "000_b",
        "softmax_cross_entropy",
        shifted=False,
        hard0="0 0 0 0 10 0 0 0 0 0 0 4b 100b",
        hard1="60i 0 0 0 0 0 0 0 0 2 0 4b 100b",
        soft="61i 0 0 0 0 0 0 0 0 0 0 4b 100b",
    ),
    _form(
        "softmax divided by its sum once more",
        "001_c",
        SPARSE,
        hard0="0 0 0 0 0 0 0 0 0 0 0 0 60i",
        hard1="60i 0 0 0 0 0 0 0 0 0 0 0 0",
    ),
    _form(
        "-sum z log(p / sum p)",
        "001_f",
        CATEGORICAL,
        hard0="0 0 0 0 0 0 0 0 0 0 0 0 0",
        hard1="0 0 0 0 0 0 0 0 0 0 0 0 0",
        soft="0 0 0 0 0 0 0 0 0 0 0 0 0",
    ),
)
