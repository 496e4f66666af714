"""Arrays of the host to tensors of a frame, and back."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from harness.model.case import Array
from harness.worker.frames import Tensor

BFLOAT16 = "bfloat16"


def to_tensor(array: Array) -> Tensor:
    """Tag an array; bfloat16 goes as its bits."""
    data = array.view(np.uint16) if array.dtype.name == BFLOAT16 else array
    return Tensor(array.dtype.name, data)


def to_array(tensor: Tensor) -> Array:
    """The array that a tensor stands for."""
    return tensor.data.view(ml_dtypes.bfloat16) if tensor.dtype == BFLOAT16 else tensor.data
