"""Plans over adapters of the tests' own."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.engine import plan as planning
from harness.environments.adapters import adapters
from harness.environments.interpreters import environments
from harness.model.case import Case, Expectation, Source
from harness.model.plan import Plan

MakePlan = Callable[[str | Path, Sequence[str], int], Plan]


@pytest.fixture
def unruly() -> Path:
    return Path(__file__).parent / "adapters" / "unruly.py"


@pytest.fixture
def make_plan() -> MakePlan:
    """A plan that asks the named implementations of one adapter file a number of cases each."""

    def make(adapter: str | Path, implementations: Sequence[str], count: int = 1) -> Plan:
        tables = [a for a in adapters([str(adapter)]) if a.file == str(adapter)]
        units = [_case(number, name) for name in implementations for number in range(count)]
        return planning.make(units, tables, environments(()), lambda _unit, _subject: True)

    return make


def _case(number: int, implementation: str) -> Case:
    inputs = {"logits": np.array([number, -1.0], np.float32), "labels": np.zeros(2, np.float32)}
    name = f"made:{implementation}/float32/{number}"
    source = Source("made.yaml", 1)
    return Case(
        name, "sigmoid_cross_entropy", inputs, {}, "float32", Expectation(), source, implementations=implementation
    )
