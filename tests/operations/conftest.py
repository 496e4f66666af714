"""Calls of operations, evaluated as the harness does it, and held against mpmath's independent definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes  # noqa: F401 - gives NumPy the name bfloat16
import numpy as np
import pytest

from harness.model.case import Case, Expectation, Source
from harness.operations import OPERATIONS
from harness.oracle import truth
from harness.oracle.truth import Truth
from tests.oracle.enclosing import compared

Evaluate = Callable[..., Truth]


def build(operation: str, dtype: str = "float32", /, **given: Any) -> Case:
    """A case: what is no input is a parameter; floating inputs are rounded to the dtype."""
    kinds = {i.name: i.kind for i in OPERATIONS[operation].inputs}
    inputs = {n: np.asarray(v, np.int64 if kinds[n] == "index" else dtype) for n, v in given.items() if n in kinds}
    parameters = {n: v for n, v in given.items() if n not in kinds}
    return Case("tests:case", operation, inputs, parameters, dtype, Expectation(), Source("tests.yaml", 1))


@pytest.fixture(scope="session")
def evaluate() -> Evaluate:
    """Truth as the harness has it."""

    def evaluated(operation: str, dtype: str = "float32", /, **given: Any) -> Truth:
        return truth.evaluate(build(operation, dtype, **given))

    return evaluated


@pytest.fixture(scope="session")
def assert_exact() -> Evaluate:
    """Assert that all outputs of a call enclose mpmath's; gives the truth for further questions."""

    def exact(operation: str, dtype: str = "float32", /, **given: Any) -> Truth:
        case = build(operation, dtype, **given)
        found = truth.evaluate(case)
        assert not compared(case, found.outputs)
        return found

    return exact
