"""`harness coverage --cases`: cases in which every pair of choices of an operation's parameters occurs.

A covering array of strength 2, made greedily (Cohen et al., The AETG system, IEEE TSE 23(7), 1997) and without a
draw: each row takes, factor by factor, the choice with the most pairs that no row has yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

from harness.operations import OPERATIONS
from harness.operations.base import Operation

Row = Mapping[str, Any]
Pair = frozenset[tuple[str, Any]]

OTHER: Mapping[str, Any] = {
    "label_smoothing": 0.25,
    "pos_weight": 2.5,
    "axis": 1,
    "ignore_index": 1,
    "epsilon": 0.0078125,
    "log_floor": -3.0,
    "gamma": 3.0,
    "alpha": 0.5,
    "empty_mean": "zero",
}
"""A second choice of parameters that have endlessly many, or whose others are no different here."""
INPUTS: Mapping[str, str] = {
    "logits": "{generate: uniform, low: -8, high: 8, shape: [3, 5]}",
    "probabilities": "{generate: simplex, shape: [3, 5]}",
    "log_probabilities": "{generate: uniform, low: -8, high: -0.125, shape: [3, 5]}",
    "hidden": "{generate: uniform, low: -2, high: 2, shape: [3, 5]}",
    "kernel": "{generate: uniform, low: -2, high: 2, shape: [5, 5]}",
    "biases": "{generate: cycle, values: [0, 1.5, -0.5], shape: [5]}",
    "true_expected": "{generate: uniform, low: 0.125, high: 1, shape: [3, 1]}",
    "sampled_expected": "{generate: uniform, low: 0.125, high: 1, shape: [2]}",
    "class_weights": "{generate: cycle, values: [1, 0.5, 2.25, 3, 0.125]}",
    "weights": "{generate: cycle, values: [0, 1, 2.5, 0.5]}",
    "upstream": "{generate: uniform, low: -2, high: 2}",
}
SAMPLED: Mapping[str, str] = {"labels": "[[0], [3], [1]]", "samples": "[2, 4]"}
"""A label a row, and a sample without any of them."""
BEYOND: Mapping[str, str] = {
    "labels": "{generate: uniform, low: -0.5, high: 1.5}",
    "log_probabilities": "{generate: uniform, low: -8, high: 2, shape: [3, 5]}",
    "probabilities": "{generate: uniform, low: -0.5, high: 1.5, shape: [3, 5]}",
}
"""Input in the domain `extended`."""
ROW_WEIGHTS = "{generate: cycle, values: [2.5, 0, 0.5], shape: [3]}"
ELEMENTWISE_LABELS = "{generate: uniform}"
DTYPES = "[float16, bfloat16, float32, float64]"


def choices(operation: Operation) -> dict[str, list[Any]]:
    """What each parameter may be, its default first; whether each input is given that may be left out."""
    found: dict[str, list[Any]] = {}
    for parameter in operation.parameters:
        others = [OTHER[parameter.name]] if parameter.name in OTHER else list(parameter.choices)
        others = [choice for choice in others if not parameter.objection(choice)]
        found[parameter.name] = list(dict.fromkeys([parameter.default, *others]))
    return found | {i.name: [False, True] for i in operation.inputs if i.optional}


def covering(factors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows in which every two choices of two factors occur together, the first of them nowhere at its first choice."""
    left = {frozenset(pair) for pair in _pairs({name: list(options) for name, options in factors.items()})}
    rows = [{name: options[-1] for name, options in factors.items()}]
    while left := left - _of(rows[-1]):
        rows.append(_row(factors, left))
    return rows


def _row(factors: Mapping[str, Sequence[Any]], left: set[Pair]) -> dict[str, Any]:
    """The row that has one of the pairs that are left, and as many more as a greedy choice gives."""
    row = dict(min(left, key=lambda pair: sorted(map(repr, pair))))
    for name, options in factors.items():
        if name not in row:
            row[name] = max(options, key=lambda choice: len(left & _of(row | {name: choice})))
    return {name: row[name] for name in factors}


def _pairs(factors: Mapping[str, Sequence[Any]]) -> Iterator[tuple[tuple[str, Any], tuple[str, Any]]]:
    for one, other in combinations(factors, 2):
        for a, b in product(factors[one], factors[other]):
            yield (one, a), (other, b)


def _of(row: Row) -> set[Pair]:
    return {frozenset(pair) for pair in combinations(row.items(), 2)}


def text() -> str:
    """The case file."""
    lines = [
        "# Made by `harness coverage --cases`, not by hand. Every pair of choices of an operation's parameters and of",
        "# inputs that may be left out occurs; the first row of each, with everything set, in every dtype and domain.",
        "cases:",
    ]
    for operation in OPERATIONS.values():
        if operation.outputs:
            rows = covering(choices(operation))
            for number, row in enumerate(rows):
                lines += _entry(operation, f"{operation.name}-{number}", row, DTYPES if not number else "[float32]")
            lines += _elsewhere(operation, rows[0])
    return "\n".join(lines) + "\n"


def _elsewhere(operation: Operation, row: Row) -> Iterator[str]:
    """The row with everything set in the other domains."""
    if extends(operation):
        yield from _entry(operation, f"{operation.name}-extended", row, DTYPES, beyond=True)
    wrong = {"reduction": "average"} if "reduction" in row else {"axis": 7} if "axis" in row else {}
    if wrong:
        yield from _entry(operation, f"{operation.name}-undefined", {**row, **wrong}, DTYPES)
        yield "  expect: {undefined: error}"


def extends(operation: Operation) -> bool:
    """Whether an operation has values for input that its formula isn't meant for: labels of any size, say.

    Not if what labels are weighed with is a power, which negative numbers have none of.
    """
    given = {i.name: i.kind for i in operation.inputs}
    power = operation.elementwise and any(p.name == "gamma" for p in operation.parameters)
    return not power and (given.get("labels") == "real" or (operation.leading in BEYOND and "labels" in given))


def _entry(operation: Operation, name: str, row: Row, dtypes: str, *, beyond: bool = False) -> Iterator[str]:
    defaults = {p.name: p.default for p in operation.parameters}
    parameters = {key: value for key, value in row.items() if key in defaults and value != defaults[key]}
    yield f"- id: {name}"
    yield f"  operation: {operation.name}"
    recipes = {
        i.name: _input(operation, i.name, i.kind, row) for i in operation.inputs if not i.optional or row[i.name]
    }
    if beyond:
        name = "labels" if any(i.name == "labels" and i.kind == "real" for i in operation.inputs) else operation.leading
        recipes[name] = BEYOND[name]
    yield f"  inputs: {{{', '.join(f'{key}: {recipe}' for key, recipe in recipes.items())}}}"
    if parameters:
        yield f"  parameters: {{{', '.join(f'{key}: {_scalar(value)}' for key, value in parameters.items())}}}"
    yield f"  dtypes: {dtypes}"


def _input(operation: Operation, name: str, kind: str, row: Row) -> str:
    if kind == "index":
        return SAMPLED[name] if any(i.name == "samples" for i in operation.inputs) else "{generate: indices}"
    if name == "labels" and operation.name == "soft_margin_loss":
        return "{generate: cycle, values: [-1, 1, 1]}"
    if name == "labels" and row.get("log_labels"):
        return "{generate: uniform, low: -8, high: -0.125}"
    if name == "labels":
        return "{generate: simplex}" if any(p.name == "axis" for p in operation.parameters) else ELEMENTWISE_LABELS
    by_row = name == "weights" and str(row.get("reduction")).startswith("row_")
    return ROW_WEIGHTS if by_row else INPUTS[name]


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
