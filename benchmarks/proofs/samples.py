"""Sampled calls of every operation with every parameter, over what is hard about a format's numbers.

Bit patterns, normal numbers of scales from 0.1 to 10,000, margins (differences and distances from the
ends from tiny to huge) and ties. Raw bits, so that every machine draws the same calls.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from harness.model.case import Array, Case, Domain, Expectation, Inputs, Parameters, Source
from harness.operations import OPERATIONS
from harness.operations.base import UPSTREAM, Operation, Parameter
from harness.operations.losses import losses_shape
from harness.operations.real import Shape
from harness.oracle.formats import FORMATS, Format

DEFINED = {name: operation for name, operation in OPERATIONS.items() if operation.outputs}

VALUES: Mapping[str, tuple[Any, ...]] = {
    "label_smoothing": (0.0, 0.1, 1.0),
    "pos_weight": (1.0, 2.5, 0.0),
    "epsilon": (0.0, 1e-7, 1e-2),
    "log_floor": (-np.inf, -100.0),
    "gamma": (2.0, 0.0, 1.5),
    "alpha": (0.25, 1.0),
    "axis": (-1, 0),
    "ignore_index": ("none", 1),
}
"""Values of parameters; others have choices."""

FACTORS = ("weights", "class_weights", UPSTREAM)
"""Inputs that `factors` draws."""
CLASSES = (1, 2, 3, 10, 128, 1000)
OUTPUTS = 2
"""About so many outputs has a call."""
LEAST = 8
EIGHT = 8
HALF = 0.5

Bits = np.random.Generator
Draw = Callable[[Bits, Format, Shape], Array]


def bits_of(key: str) -> Bits:
    """Raw bits that are the same everywhere."""
    return np.random.Generator(np.random.Philox(zlib.crc32(key.encode())))


def values(parameter: Parameter) -> tuple[Any, ...]:
    """What a parameter is called with; nothing if that isn't known here."""
    return tuple(v for v in VALUES.get(parameter.name, parameter.choices) if not parameter.objection(v))


def variants(operation: Operation) -> Iterator[dict[str, Any]]:
    """Every value of every parameter, one of them at a time, and with each reduction all of the last ones."""
    yield {}
    for parameter in operation.parameters:
        yield from ({parameter.name: value} for value in values(parameter) if value != parameter.default)
    last = {p.name: values(p)[-1] for p in operation.parameters if p.name != "reduction"}
    reductions = next((p.choices for p in operation.parameters if p.name == "reduction"), ())
    yield from ({**last, "reduction": reduction} for reduction in reductions)


def _values(parameter: Parameter) -> tuple[Any, ...]:
    return VALUES.get(parameter.name, parameter.choices)


# Logits.


def _any_bits(bits: Bits, form: Format, shape: Shape) -> Array:
    """Finite numbers by their bit patterns: every binade is as likely as another."""
    patterns = bits.integers(0, 1 << 8 * form.bits.itemsize, shape, np.uint64).astype(form.bits)
    with np.errstate(invalid="ignore"):
        found = patterns.view(form.dtype).astype(np.float64)
    return np.where(np.isfinite(found), found, 0.0)


def _normal(bits: Bits, _form: Format, shape: Shape) -> Array:
    return bits.standard_normal(shape) * 10.0 ** bits.uniform(-1, 4, (*shape[:-1], 1))


def _margins(bits: Bits, form: Format, shape: Shape) -> Array:
    """One logit leads by a margin from tiny to huge, or so that a sum swallows the rest; these lie close together."""
    highest = min(4.0, np.log10(form.largest) - 1)
    margin = 10.0 ** bits.uniform(-4, highest, (*shape[:-1], 1))
    swallowing = bits.uniform(-0.5, 2, margin.shape) - np.log(form.unit_roundoff)
    margin = np.where(bits.random(margin.shape) < 0.2, swallowing, margin)
    leads = np.arange(shape[-1]) == bits.integers(0, shape[-1], (*shape[:-1], 1))
    around = bits.standard_normal(shape) * bits.choice([0.0, 0.1, 3.0], (*shape[:-1], 1))
    return np.where(leads, margin, around) * bits.choice([-1.0, 1.0], (*shape[:-1], 1))


def _ties(bits: Bits, _form: Format, shape: Shape) -> Array:
    """Few distinct numbers, 0 among them; half of the rows have one, or one and a few others."""
    row = (*shape[:-1], 1)
    size = 10.0 ** bits.uniform(-3, 3, row)
    found = size * bits.choice([-1.0, 0.0, 1.0], shape)
    others = np.where(bits.random(shape) < bits.choice([0.0, 2 / shape[-1]], row), -size, 0.0)
    return np.where(bits.random(row) < 0.5, others, found)


# Probabilities.


def _probability_bits(bits: Bits, form: Format, shape: Shape) -> Array:
    found = np.abs(_any_bits(bits, form, shape))
    return np.where(found <= 1, found, 1 / np.maximum(found, 1))


def _simplex(bits: Bits, form: Format, shape: Shape) -> Array:
    """Rows that softmax gives."""
    x = _normal(bits, form, shape) / 100
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def _near_the_ends(bits: Bits, form: Format, shape: Shape) -> Array:
    """Near 0, 1, and where guards begin to act."""
    tiny = 10.0 ** bits.uniform(-9, -0.3, shape)
    about = np.array([1e-7, 1e-2, 0.5]) * (1 + 4 * form.unit_roundoff * bits.standard_normal((*shape, 3)))
    tiny = np.where(bits.random(shape) < 0.3, bits.permuted(about, axis=-1)[..., 0], tiny)
    return np.where(bits.random(shape) < 0.5, tiny, 1 - tiny)


def _equal(bits: Bits, form: Format, shape: Shape) -> Array:
    """Few distinct probabilities, both ends among them; half of the rows have one, or one and a few others.

    Some of these are so much larger that a sum swallows the rest.
    """
    found = bits.choice([0.0, 0.25, 0.5, 1.0, 1 / shape[-1]], shape)
    row = (*shape[:-1], 1)
    kind = bits.random(row)
    level = np.where(kind < 0.3, 1 / shape[-1], 10.0 ** bits.uniform(-4, 0, row))
    level = np.where(kind > 0.7, form.unit_roundoff * bits.uniform(0.2, 2, row), level)
    others = np.where(bits.random(shape) < bits.choice([0.0, 2 / shape[-1]], row), bits.random(row), level)
    return np.where(bits.random(row) < 0.5, others, found)


# Log-probabilities.


def _below_zero(draw: Draw) -> Draw:
    return lambda bits, form, shape: -np.abs(draw(bits, form, shape))


# Labels.


def _indices(bits: Bits, leading: Array, _complete: Parameters) -> Array:
    """Of the right class, which leads, or of any."""
    rows, classes = leading.shape
    return np.where(bits.random(rows) < 0.5, np.argmax(leading, axis=-1), bits.integers(0, classes, rows))


def _labels(bits: Bits, leading: Array, complete: Parameters, *, low: float = -0.5, high: float = 1.5) -> Array:
    """Row by row hard, soft, or of a few sizes; some of these lie outside [0, 1], at `low` and `high`."""
    shape = leading.shape
    soft = bits.random(shape)
    hard = bits.integers(0, 2, shape).astype(np.float64)
    if "axis" in complete:
        hard = (np.arange(shape[-1]) == _indices(bits, leading, complete)[:, np.newaxis]).astype(np.float64)
        soft = soft / np.sum(soft, axis=-1, keepdims=True)
    few = bits.choice([0.0, 0.25, 0.5, 1.0, 1.0, low, high], shape)
    kind = bits.random((*shape[:-1], 1))
    return np.where(kind < 0.4, hard, np.where(kind < 0.9, soft, few))


# -z log p of probabilities that become 0 is infinite: of both signs it is no number, and no rounding matters.
_positive_labels = partial(_labels, low=0.0)


def _predicted(bits: Bits, leading: Array, complete: Parameters) -> Array:
    """Labels of which most rows lie near the predictions, often all as near: a divergence is small there."""
    row = (*leading.shape[:-1], 1)
    each = np.where(bits.random(row) < 0.3, bits.standard_normal(leading.shape), bits.standard_normal(row))
    near = np.abs(leading * (1 + 10.0 ** bits.uniform(-4, 0, row) * each))
    return np.where(bits.random(row) < 0.7, near, _positive_labels(bits, leading, complete))


def _predicted_logs(bits: Bits, leading: Array, complete: Parameters) -> Array:
    """The same of log-probabilities; the labels are logarithms too where the call says so."""
    found = _predicted(bits, np.exp(np.maximum(leading, -80.0)), complete)
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(found), -80.0) if complete["log_labels"] else found


def _signs(bits: Bits, leading: Array, _complete: Parameters) -> Array:
    """-1 and 1; some rows have others."""
    others = bits.uniform(-2, 2, leading.shape)
    return np.where(bits.random((*leading.shape[:-1], 1)) < 0.2, others, bits.choice([-1.0, 1.0], leading.shape))


# Linear layers.

OUTPUTS_OF_LAYER = 5
SAMPLE = 3


def _small(bits: Bits, form: Format, shape: Shape) -> Array:
    """Features of scales 0.001 to 100."""
    return _normal(bits, form, shape) / 100


def _kernel(bits: Bits, leading: Array, _complete: Parameters) -> Array:
    """A few classes; of some calls two differ by little."""
    found = bits.standard_normal((OUTPUTS_OF_LAYER, leading.shape[-1])) / np.sqrt(leading.shape[-1])
    if bits.random() < HALF:
        found[1] = found[0] * (1 + 10.0 ** bits.uniform(-4, 0))
    return found


def _biases(bits: Bits, _leading: Array, _complete: Parameters) -> Array:
    return bits.choice([0.0, 0.5, -2.0], OUTPUTS_OF_LAYER)


def _layer_indices(bits: Bits, leading: Array, _complete: Parameters) -> Array:
    return bits.integers(0, OUTPUTS_OF_LAYER, leading.shape[:-1])


def _row_labels(bits: Bits, leading: Array, complete: Parameters) -> Array:
    return _layer_indices(bits, leading, complete)[:, np.newaxis]


def _drawn_classes(bits: Bits, _leading: Array, _complete: Parameters) -> Array:
    return bits.integers(0, OUTPUTS_OF_LAYER, SAMPLE)


def _true_expected(bits: Bits, leading: Array, _complete: Parameters) -> Array:
    return 10.0 ** bits.uniform(-3, 0.3, (len(leading), 1))


def _sampled_expected(bits: Bits, _leading: Array, _complete: Parameters) -> Array:
    return 10.0 ** bits.uniform(-3, 0.3, SAMPLE)


# The table.


class Sampling(NamedTuple):
    """How an operation's inputs are drawn.

    Attributes:
        families: of the leading input, by name.
        others: the further ones but factors, from rows of the leading one and the parameters.
    """

    families: Mapping[str, Draw]
    others: Mapping[str, Callable[[Bits, Array, Parameters], Array]] = MappingProxyType({})


LOGITS: Mapping[str, Draw] = {"bits": _any_bits, "normal": _normal, "margins": _margins, "ties": _ties}
PROBABILITIES: Mapping[str, Draw] = {
    "bits": _probability_bits,
    "simplex": _simplex,
    "margins": _near_the_ends,
    "ties": _equal,
}
LOG_PROBABILITIES: Mapping[str, Draw] = {name: _below_zero(draw) for name, draw in LOGITS.items()}
INDICES = {"labels": _indices}
LABELS = {"labels": _labels}
POSITIVE_LABELS = {"labels": _positive_labels}
UNIT_LABELS = {"labels": partial(_labels, low=0.0, high=1.0)}

SAMPLED = Sampling(
    {"normal": _small, "ties": _ties},
    {
        "kernel": _kernel,
        "biases": _biases,
        "labels": _row_labels,
        "samples": _drawn_classes,
        "true_expected": _true_expected,
        "sampled_expected": _sampled_expected,
    },
)
SAMPLINGS: Mapping[str, Sampling] = {
    "sampled_softmax_cross_entropy": SAMPLED,
    "noise_contrastive_estimation": SAMPLED,
    "sigmoid": Sampling(LOGITS),
    "log_sigmoid": Sampling(LOGITS),
    "softmax": Sampling(LOGITS),
    "log_softmax": Sampling(LOGITS),
    "logsumexp": Sampling(LOGITS),
    "sigmoid_cross_entropy": Sampling(LOGITS, LABELS),
    "weighted_sigmoid_cross_entropy": Sampling(LOGITS, LABELS),
    "softmax_cross_entropy": Sampling(LOGITS, LABELS),
    "sparse_softmax_cross_entropy": Sampling(LOGITS, INDICES),
    "sigmoid_cross_entropy_gradient": Sampling(LOGITS, LABELS),
    "softmax_cross_entropy_gradient": Sampling(LOGITS, LABELS),
    "sparse_softmax_cross_entropy_gradient": Sampling(LOGITS, INDICES),
    "binary_cross_entropy": Sampling(PROBABILITIES, POSITIVE_LABELS),
    "categorical_cross_entropy": Sampling(PROBABILITIES, POSITIVE_LABELS),
    "sparse_categorical_cross_entropy": Sampling(PROBABILITIES, INDICES),
    "nll_loss": Sampling(LOGITS, INDICES),
    "kl_divergence": Sampling(PROBABILITIES, {"labels": _predicted}),
    "sigmoid_focal_cross_entropy": Sampling(LOGITS, UNIT_LABELS),
    "binary_focal_cross_entropy": Sampling(PROBABILITIES, UNIT_LABELS),
    "softmax_focal_cross_entropy": Sampling(LOGITS, POSITIVE_LABELS),
    "categorical_focal_cross_entropy": Sampling(PROBABILITIES, POSITIVE_LABELS),
    "multilabel_soft_margin_loss": Sampling(LOGITS, LABELS),
    "soft_margin_loss": Sampling(LOGITS, {"labels": _signs}),
    "linear_cross_entropy": Sampling(
        {"normal": _small, "ties": _ties}, {"kernel": _kernel, "biases": _biases, "labels": _layer_indices}
    ),
    "relative_entropy": Sampling(PROBABILITIES, {"labels": _predicted}),
    "log_kl_divergence": Sampling(LOG_PROBABILITIES, {"labels": _predicted_logs}),
}
"""A row for each operation that is defined; its textbook form is the NumPy adapter's row."""


# Calls.


def inputs(operation: Operation, complete: Parameters, form: Format, family: str, shape: Shape, bits: Bits) -> Inputs:
    """Inputs of a call but factors: rows of classes, or of elements."""
    sampling = SAMPLINGS[operation.name]
    leading = sampling.families[family](bits, form, shape)
    found = {
        operation.leading: leading,
        **{name: draw(bits, leading, complete) for name, draw in sampling.others.items()},
    }
    turned = complete.get("axis") == 0
    return rounded({name: array.T if turned and array.ndim > 1 else array for name, array in found.items()}, form)


def rounded(arrays: Inputs, form: Format) -> Inputs:
    """Real inputs in a dtype."""
    return {name: array if array.dtype.kind in "iu" else array.astype(form.dtype) for name, array in arrays.items()}


def factors(operation: Operation, complete: Parameters, given: Inputs, bits: Bits) -> Inputs:
    """Weights, full or one a call, class weights, and an upstream gradient: each in every second call."""
    found: dict[str, Array] = {}
    leading = given[operation.leading]
    if any(i.name == "weights" for i in operation.inputs) and bits.random() < HALF:
        losses = losses_shape(leading, complete)
        weighed = losses[:-1] if str(complete["reduction"]).startswith("row_mean") else losses
        shape = weighed if bits.random() < HALF else (1,) * len(weighed)
        found["weights"] = bits.choice([0.0, 1.0, 0.7, 2.3, 3.0], shape) * bits.choice([1.0, -1.0], shape, p=[0.9, 0.1])
    if any(i.name == "class_weights" for i in operation.inputs) and bits.random() < HALF:
        found["class_weights"] = bits.choice([1.0, 0.7, 2.3, 0.0], _classes(given, leading, complete))
    if operation.shape is not None and bits.random() < HALF:
        found[UPSTREAM] = bits.standard_normal(operation.shape(given, complete))
    return found


def _classes(given: Inputs, leading: Array, complete: Parameters) -> int:
    return int(given["kernel"].shape[0] if "kernel" in given else leading.shape[int(complete["axis"])])


def case(operation: Operation, parameters: Parameters, dtype: str, given: Inputs, name: str = "sample") -> Case | None:
    """A call; None where it is undefined."""
    if operation.locate(given, parameters).domain is Domain.UNDEFINED:
        return None
    return Case(name, operation.name, given, parameters, dtype, Expectation(), Source("benchmarks", 0))


def elements(found: Case) -> int:
    """Elements of all outputs of a call."""
    operation = OPERATIONS[found.operation]
    complete = operation.complete(found.parameters)
    shapes = (operation.shape_of(name, found.inputs, complete) for name in operation.offered(found.inputs))
    return sum(int(np.prod(shape)) for shape in shapes)


def calls(dtype: str, wanted: int, names: Collection[str] = DEFINED) -> Iterator[Case]:
    """Calls of operations with every parameter and family in turn, with at least so many elements in all."""
    kinds = [
        (operation, parameters, family)
        for operation in (DEFINED[name] for name in names)
        for parameters in variants(operation)
        for family in SAMPLINGS[operation.name].families
    ]
    size = max(LEAST, wanted // (OUTPUTS * len(kinds)))
    widths = [classes for classes in CLASSES if classes <= EIGHT * size]
    drawn = turn = 0
    while drawn < wanted:
        for n, (operation, parameters, family) in enumerate(kinds):
            key = f"{dtype}/{operation.name}/{n}/{turn}"
            found = _call(operation, parameters, dtype, family, _shape(size, widths[(turn + n) % len(widths)]), key)
            if found is not None:
                drawn += elements(found)
                yield found
        turn += 1


def _shape(size: int, classes: int) -> Shape:
    return max(1, size // classes), classes


def _call(operation: Operation, parameters: Parameters, dtype: str, family: str, shape: Shape, key: str) -> Case | None:
    bits, form, complete = bits_of(key), FORMATS[dtype], operation.complete(parameters)
    given = inputs(operation, complete, form, family, shape, bits)
    more = rounded(factors(operation, complete, given, bits), form)
    return case(operation, parameters, dtype, {**given, **more}, key)
