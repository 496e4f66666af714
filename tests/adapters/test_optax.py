from __future__ import annotations

import numpy as np
import pytest

from harness.adapters import Tensor, UnsupportedError, optax


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_weights_that_no_mask_says_are_unsupported(dtype: str) -> None:
    row = next(row for row in optax.IMPLEMENTATIONS if row.path == "optax.softmax_cross_entropy")
    weights = np.array([1, 2], np.float32)
    bits = (weights.view(np.uint32) >> 16).astype(np.uint16) if dtype == "bfloat16" else weights
    with pytest.raises(UnsupportedError, match="1 or 0"):
        optax.call(row, "eager", {"weights": Tensor(dtype, bits)}, {}, ["value"])
