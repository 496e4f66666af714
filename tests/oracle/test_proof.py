"""The proof that the oracle is right: mpmath, a second implementation, lies in every enclosure.

More than 100,000 elements: every operation, reduction and parameter, with and without weights and an
upstream gradient, in the four dtypes, on drawn and on edge inputs, and every case that is shipped; of calls
of more than MANY rows, such as every number of a half format, one in STEP, as all would take mpmath hours.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import ml_dtypes  # noqa: F401 - gives NumPy the name bfloat16
import numpy as np
import pytest

from harness import casefile
from harness.model.case import Array, Case, Domain, Expectation, Relation, Source
from harness.operations import OPERATIONS
from harness.operations.base import Operation
from harness.oracle.formats import FORMATS
from tests.oracle.enclosing import elements, objections

WANTED = 100_000
MANY = 4096
STEP = 61
"""Odd, so that labels in turn are all met."""
DTYPES = tuple(FORMATS)
DEFINED = {name: operation for name, operation in OPERATIONS.items() if operation.outputs}
INF, NAN = np.inf, np.nan

VALUES: Mapping[str, tuple[Any, ...]] = {
    "label_smoothing": (0.0, 0.1, 1.0),
    "pos_weight": (1.0, 2.5, 0.0),
    "epsilon": (0.0, 1e-7, 1e-2),
    "epsilon_use": ("clip", "add", "clip_add"),
    "log_floor": (-INF, -100.0),
    "normalize": ("none", "before", "after"),
    "axis": (-1, 0),
    "log_labels": (False, True),
    "gamma": (2.0, 0.0, 0.5),
    "alpha": (0.25, 1.0),
    "class_balancing": (False, True),
    "ignore_index": ("none", 1, -100),
}
"""Values of every parameter but the reduction."""

SHAPE = (6, 5)
IGNORED = 0.3
"""Share of ignored labels."""
EDGES = (0.0, -0.0, 1.0, -1.0, 10.0, -10.0, 30.0, -88.0, 100.0, -104.0, 710.0, -745.0, 1e4, -1e4)


def draw(key: str) -> np.random.Generator:
    """Raw bits that are the same everywhere."""
    return np.random.Generator(np.random.Philox(zlib.crc32(key.encode())))


def logits(bits: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Array:
    """Of scales 0.1 to 1,000, with edges, uniform rows and the dtype's ends among them."""
    form = FORMATS[dtype]
    found = bits.standard_normal(shape) * 10.0 ** bits.integers(-1, 4, (*shape[:-1], 1))
    edges = np.array([*EDGES, form.smallest_subnormal, -form.smallest_normal, 2.0**-12, 0.25])
    found = np.where(bits.random(shape) < 0.3, bits.choice(edges, shape), found)
    return np.where(bits.random((*shape[:-1], 1)) < 0.1, 3.0, found)


def probabilities(bits: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Array:
    """From the dtype's smallest number to 1, both ends of [0, 1] among them."""
    found = 10.0 ** (-8.0 * bits.random(shape))
    found = np.where(bits.random(shape) < 0.3, 1.0 - found, found)
    edges = np.array([0.0, 1.0, 0.5, FORMATS[dtype].smallest_subnormal, 1.0 - FORMATS[dtype].unit_roundoff])
    return np.where(bits.random(shape) < 0.2, bits.choice(edges, shape), found)


def features(bits: np.random.Generator, _dtype: str, shape: tuple[int, ...]) -> Array:
    """Of scales 0.1 to 10, so that logits are of 0.01 to 100; some rows are uniform, some numbers 0."""
    found = bits.standard_normal(shape) * 10.0 ** bits.integers(-1, 2, (*shape[:-1], 1))
    return np.where(bits.random(shape) < 0.1, 0.0, np.where(bits.random((*shape[:-1], 1)) < 0.1, 3.0, found))


def log_probabilities(bits: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Array:
    """As logits are, none above 0, and -inf among them."""
    return np.where(bits.random(shape) < 0.05, -INF, -np.abs(logits(bits, dtype, shape)))


LEADS: Mapping[str, Callable[..., Array]] = {
    "logits": logits,
    "probabilities": probabilities,
    "log_probabilities": log_probabilities,
    "hidden": features,
}
"""How the leading input is drawn."""


def labels(bits: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Hard, soft, uniform, and outside [0, 1]."""
    hard, soft = bits.integers(0, 2, shape).astype(float), bits.random(shape)
    found = np.where(bits.random(shape) < 0.5, hard, soft)
    return np.where(bits.random(shape) < 0.1, bits.choice([0.25, 0.5, -0.5, 1.5], shape), found)


def layer(bits: np.random.Generator, dtype: str, variant: str) -> dict[str, Array]:
    """As many classes as features; a bias of -inf masks one."""
    kernel = features(bits, dtype, (SHAPE[-1], SHAPE[-1]))
    if variant == "plain":
        return {"kernel": kernel}
    return {"kernel": kernel, "biases": bits.choice([0.0, 1.5, -3.0, -INF], SHAPE[-1], p=[0.4, 0.3, 0.2, 0.1])}


def sampled(dtype: str, variant: str, key: str) -> dict[str, Array]:
    """A layer, two labels a row, and four samples of seven classes: hits are likely."""
    bits, rows, classes = draw(key), SHAPE[0], 7
    found = {
        "hidden": features(bits, dtype, SHAPE),
        "kernel": features(bits, dtype, (classes, SHAPE[1])),
        "biases": bits.choice([0.0, 1.5, -3.0], classes),
        "labels": bits.integers(0, classes, (rows, 2)),
        "samples": bits.integers(0, classes, 4),
        "true_expected": 1.0 - 0.99 * bits.random((rows, 2)),
        "sampled_expected": bits.choice([1.0, 0.5, 0.1, 2.0], 4),
    }
    found |= {"upstream": bits.choice([1.0, -0.5, 0.0, 3.0], rows)} if variant == "upstream" else {}
    return {n: a if a.dtype.kind == "i" else a.astype(dtype) for n, a in found.items()}


def inputs(operation: Operation, complete: Mapping[str, Any], dtype: str, variant: str, key: str) -> dict[str, Array]:
    """Inputs of a call: `variant` says which weights and upstream gradient it has."""
    bits, axis = draw(key), complete.get("axis")
    lead = operation.leading
    made = {lead: LEADS[lead](bits, dtype, SHAPE)}
    losses = SHAPE if axis is None else tuple(np.delete(SHAPE, axis).tolist())
    kinds = {i.name: i.kind for i in operation.inputs}
    if "kernel" in kinds:
        made |= layer(bits, dtype, variant)
    if kinds.get("labels") == "index":
        made["labels"] = bits.integers(0, SHAPE[axis or 0], losses)
    elif "labels" in kinds:
        made["labels"] = labels(bits, SHAPE)
        if "focal" in operation.name:
            made["labels"] = made["labels"].clip(0.0, 1.0)
        if "kl_divergence" in operation.name:
            made["labels"] = (
                log_probabilities(bits, dtype, SHAPE) if complete.get("log_labels") else abs(made["labels"])
            )
    if complete.get("ignore_index", "none") != "none":
        made["labels"] = np.where(bits.random(losses) < IGNORED, complete["ignore_index"], made["labels"])
    if "class_weights" in kinds and variant != "plain":
        made["class_weights"] = bits.choice([1.0, 0.5, 2.25, 0.0, 3.0, -1.0], SHAPE[axis or 0])
    if "weights" in kinds and variant != "plain":
        whole = losses[:-1] if str(complete["reduction"]).startswith("row_mean") else losses
        shape = whole if variant == "weights" else (1,) * len(whole)
        made["weights"] = bits.choice([0.0, 1.0, 0.5, 2.25, -1.0, 3.0], shape)
    if variant == "upstream" and operation.shape is not None:
        # A weighted mean of an infinite loss has no slope, and 0 times that is nothing to prove.
        some = [1.0, -0.5, 3.0] if complete.get("reduction") == "weighted_mean" else [1.0, -0.5, 0.0, 3.0]
        made["upstream"] = bits.choice(some, operation.shape(made, complete))
    return {n: a if a.dtype.kind == "i" else a.astype(dtype) for n, a in made.items()}


def combinations(operation: Operation) -> Iterator[dict[str, Any]]:
    """Every reduction with every value of every parameter, one of them at a time and all together."""
    reductions = next((p.choices for p in operation.parameters if p.name == "reduction"), (None,))
    given = {
        p.name: [value for value in VALUES.get(p.name, p.choices) if not p.objection(value)]
        for p in operation.parameters
        if p.name != "reduction"
    }
    names = list(given)
    together = [
        dict(zip(names, values, strict=True)) for values in itertools.product(*(some[-1:] for some in given.values()))
    ]
    single = [{name: value} for name, some in given.items() for value in some]
    for reduction, values in itertools.product(reductions, [{}, *single, *together]):
        yield values if reduction is None else {**values, "reduction": reduction}


def drawn(name: str, dtype: str) -> Iterator[Case]:
    """Calls of an operation in a dtype that it is defined for."""
    operation = DEFINED[name]
    has_weights = any(i.name == "weights" for i in operation.inputs)
    for n, parameters in enumerate(combinations(operation)):
        complete = operation.complete(parameters)
        for variant in ("plain", "weights", "upstream") if has_weights else ("plain", "upstream"):
            key = f"{name}/{dtype}/{n}/{variant}"
            of_sample = any(i.name == "samples" for i in operation.inputs)
            given = sampled(dtype, variant, key) if of_sample else inputs(operation, complete, dtype, variant, key)
            if operation.locate(given, parameters).domain is not Domain.UNDEFINED:
                yield Case(key, name, given, parameters, dtype, Expectation(), Source("proof", n))


def thinned(call: Case) -> Case:
    """A call of very many rows with one in STEP of them; any other call as it is."""
    rows = max((array.shape[0] for array in call.inputs.values() if array.ndim), default=0)
    if rows <= MANY:
        return call
    inputs = {n: a[::STEP] if a.ndim and a.shape[0] == rows else a for n, a in call.inputs.items()}
    return replace(call, inputs=inputs)


def distinct(calls: Iterable[Case]) -> list[Case]:
    """Calls whose truth differs: how arrays lie in memory, say, is nothing to it."""
    kept: dict[Any, Case] = {}
    for call in calls:
        given = tuple((name, array.shape, array.tobytes()) for name, array in call.inputs.items())
        kept.setdefault((call.operation, call.dtype, tuple(sorted(call.parameters.items())), given), call)
    return list(kept.values())


@cache
def shipped() -> list[Case]:
    """Every call of the shipped cases that has a value."""
    root = casefile.cases_folder()
    calls: list[Case] = []
    for entry in casefile.load(casefile.find([root], root), root):
        for unit in casefile.expand(entry, 0):
            calls += (
                [unit] if isinstance(unit, Case) else list(unit.calls.values()) if isinstance(unit, Relation) else []
            )
    return distinct(
        thinned(call)
        for call in calls
        if call.operation in DEFINED
        and DEFINED[call.operation].locate(call.inputs, call.parameters).domain is not Domain.UNDEFINED
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", DEFINED)
def test_mpmath_lies_in_every_enclosure(name: str, dtype: str) -> None:
    found = [message for case in drawn(name, dtype) for message in objections(case)]
    assert not found, "\n".join(found[:10])


@pytest.mark.parametrize("name", DEFINED)
def test_mpmath_lies_in_every_enclosure_of_the_shipped_cases(name: str) -> None:
    cases = [case for case in shipped() if case.operation == name]
    assert cases
    found = [message for case in cases for message in objections(case)]
    assert not found, "\n".join(found[:10])


def test_the_proof_is_large_and_leaves_nothing_out() -> None:
    every = [case for name in DEFINED for dtype in DTYPES for case in drawn(name, dtype)]
    assert sum(elements(case) for case in [*every, *shipped()]) >= WANTED
    for name, operation in DEFINED.items():
        mine = [case for case in every if case.operation == name]
        assert {case.dtype for case in mine} == set(DTYPES)
        assert {i for case in mine for i in case.inputs} == {i.name for i in operation.inputs}
        for parameter in operation.parameters:
            tried = VALUES.get(parameter.name, parameter.choices)
            wanted = [value for value in tried if not parameter.objection(value)]
            assert {operation.complete(case.parameters)[parameter.name] for case in mine} >= set(wanted)
