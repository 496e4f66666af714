"""Arrays of the host to tensors of a frame, and back."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from harness.model.case import Array
from harness.worker.frames import NAMES, Tensor

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def to_tensor(array: Array) -> Tensor:
    """Tag an array; bfloat16 goes as its bits."""
    if array.dtype == BFLOAT16:
        return Tensor(BFLOAT16.name, array.view(np.uint16))
    return Tensor.of(array)


def tag(array: Array) -> str:
    """The dtype tag of an array."""
    return BFLOAT16.name if array.dtype == BFLOAT16 else NAMES[array.dtype]


def to_array(tensor: Tensor) -> Array:
    """The array that a tensor stands for."""
    return tensor.data.view(ml_dtypes.bfloat16) if tensor.dtype == BFLOAT16.name else tensor.data
