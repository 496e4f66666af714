from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from harness.model.tensors import to_array, to_tensor

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def test_bfloat16_travels_as_its_bits() -> None:
    bits = np.array([[0x7FC1, 0x8000], [0x3F80, 0x0001]], np.uint16)
    tensor = to_tensor(bits.view(BFLOAT16))
    assert (tensor.dtype, tensor.data.dtype) == ("bfloat16", np.uint16)
    np.testing.assert_array_equal(tensor.data, bits)
    back = to_array(tensor)
    assert back.dtype == BFLOAT16
    assert back.tobytes() == bits.tobytes()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint16", "bool"])
def test_other_dtypes_travel_as_they_are(dtype: str) -> None:
    array = np.array([0, 1]).astype(dtype)
    tensor = to_tensor(array)
    assert tensor.dtype == dtype
    assert to_array(tensor).dtype == array.dtype
    np.testing.assert_array_equal(to_array(tensor), array)
