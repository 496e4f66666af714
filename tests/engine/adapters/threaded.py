"""A loss that says how many threads it was given, and whether its array is contiguous."""

from typing import Any

import numpy as np

from harness.adapters import Implementation, Tensor

FRAMEWORK, PACKAGES = "threaded", ("numpy",)
IMPLEMENTATIONS = (Implementation("threaded.loss", "sigmoid_cross_entropy", print),)
GIVEN: list[int] = []


def start(threads: int) -> None:
    GIVEN.append(threads)


def call(_implementation: Any, _mode: str, inputs: Any, _parameters: Any, _wanted: Any) -> dict[str, Tensor]:
    contiguous = inputs["logits"].data.flags.c_contiguous
    return {"value": Tensor.of(np.array([GIVEN[0], contiguous], np.float32))}
