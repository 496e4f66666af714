from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.adapters import formulas, leading_input
from harness.adapters import numpy as numpy_adapter
from harness.adapters import tensorflow as tensorflow_adapter
from harness.adapters import torch as torch_adapter
from harness.operations import OPERATIONS

BY_NAME = {formula.name: formula for formula in formulas.FORMULAS}
ADAPTERS = {"numpy": numpy_adapter, "tensorflow": tensorflow_adapter, "torch": torch_adapter}
NAMES = ["000_b", "000_c_1", "000_c_2", "000_c_3", "001_a", "001_c", "001_f", *(f"003_c_{n}" for n in range(1, 11))]


def evaluated(name: str, x: Any, z: Any, dtype: str = "float32", reduction: str = "none") -> Any:
    formula = BY_NAME[name]
    given = {leading_input(formula.operation): np.asarray(x, dtype), "labels": np.asarray(z)}
    if given["labels"].dtype.kind == "f":
        given["labels"] = given["labels"].astype(dtype)
    with np.errstate(all="ignore"):
        return formulas.evaluate(formula, numpy_adapter.PRIMITIVES, given, {"reduction": reduction})


def test_names_are_those_of_the_documents() -> None:
    assert list(BY_NAME) == NAMES


@pytest.mark.parametrize("framework", ADAPTERS)
def test_every_adapter_offers_every_formula(framework: str) -> None:
    rows = {i.path: i for i in ADAPTERS[framework].IMPLEMENTATIONS if ".by_hand." in i.path}
    assert list(rows) == [f"{framework}.by_hand.{name}" for name in NAMES]
    for row in rows.values():
        leading = (OPERATIONS[row.operation].leading,)
        assert row.gradients == (() if framework == "numpy" else leading)
        assert row.modes == (("eager", "graph", "xla", "session") if framework == "tensorflow" else ("eager",))


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith(("000_c", "001_a", "003"))])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_constants_keep_the_dtype(name: str, dtype: str, shape: tuple[int, ...]) -> None:
    losses = evaluated(name, np.full(shape, 0.5), np.full(shape, 1.0), dtype)
    assert (losses.dtype.name, losses.shape) == (dtype, shape)


def test_incomplete_formula_is_zero_for_label_zero() -> None:
    assert evaluated("000_c_1", [0.2, 0.2], [0.0, 1.0]).tolist() == [0.0, pytest.approx(0.598138869)]


def test_each_line_fails_where_its_own_terms_do() -> None:
    far, labels = [-200.0, 200.0], [0.5, 0.5]
    finite = {name: np.isfinite(evaluated(name, far, labels)).tolist() for name in NAMES if name.startswith("003")}
    assert finite == {
        "003_c_1": [False, False],  # log 0 on one side, log(1 - 1) on the other
        "003_c_2": [False, False],  # exp(200) / (1 + exp(200)) is inf / inf
        "003_c_3": [False, False],
        "003_c_4": [False, True],
        "003_c_5": [False, True],
        "003_c_6": [False, True],
        "003_c_7": [False, True],
        "003_c_8": [False, False],
        "003_c_9": [True, False],
        "003_c_10": [True, True],
    }


def test_mean_is_taken_by_the_framework() -> None:
    logits, labels = [-1.0, -1.0, 0.0, 1.0, 2.0], [0.0, 0.0, 1.0, 1.0, 1.0]
    assert evaluated("001_a", logits, labels, reduction="mean") == pytest.approx(0.351972050832)


def test_unknown_reduction_raises() -> None:
    with pytest.raises(ValueError, match="unknown reduction 'avg'"):
        evaluated("001_a", [0.0], [1.0], reduction="avg")
