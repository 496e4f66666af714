"""What a worker says of its adapter's rows in the version that it has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.adapters import Implementation
from harness.worker import process


def row(operation: str, **more: Any) -> Implementation:
    return Implementation("mine.loss", operation, run=None, **more)  # type: ignore[arg-type]


def absent(*rows: Implementation) -> Any:
    adapter = SimpleNamespace(FRAMEWORK="mine", PACKAGES=("numpy", "no_such_package"), IMPLEMENTATIONS=rows)
    return process.describe(adapter, 1)["absent"]


def test_one_operation_of_a_call_may_come_later_than_another() -> None:
    rows = row("sigmoid"), row("softmax", since="99.0")
    reason = f"mine {np.__version__} is not asked for it, only 99.0 and later"
    assert absent(*rows) == {"mine.loss": {"softmax": reason}}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"until": "1.0"}, f"mine {np.__version__} no longer has it (gone since 1.0)"),
        ({"absent": "later"}, "later"),
        ({"since": "1.0", "until": "99.0"}, ""),
    ],
)
def test_what_a_version_has_not_is_told(more: dict[str, str], reason: str) -> None:
    assert absent(row("sigmoid", **more)).get("mine.loss", {}).get("sigmoid", "") == reason


@pytest.mark.parametrize(("version", "lacking"), [("1.15.5", True), ("2.0.0", False), ("2.21.0+cpu", False)])
def test_a_gradient_that_came_later_is_lacking_before(version: str, *, lacking: bool) -> None:
    told = process.lacks(row("softmax", gradients_since={"labels": "2.0"}), "mine", version)
    assert bool(told) == lacking
    assert set(told) <= {"gradient:labels"}


def test_packages_without_a_version_are_left_out() -> None:
    adapter = SimpleNamespace(FRAMEWORK="mine", PACKAGES=("numpy", "no_such_package"), IMPLEMENTATIONS=())
    assert process.describe(adapter, 1)["packages"] == {"numpy": np.__version__}


def test_an_answer_that_is_no_dict_is_told_as_that() -> None:
    adapter = SimpleNamespace(call=lambda *_given: [1.0])
    header, tensors = process.answer(adapter, row("sigmoid"), {"mode": "eager", "parameters": {}, "wanted": []}, {})
    assert header["reason"] == "call returned list, no dict of output names to arrays"
    assert (header["outcome"], header["error"], tensors) == ("error", "TypeError", [])
