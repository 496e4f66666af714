"""Arrays of the same numbers, laid out otherwise."""

import numpy as np
import pytest

from harness.worker.layouts import LAYOUTS, laid_out

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)
SAME = np.array([[1.0, -0.0, np.nan]] * 4, np.float32)
STRIDES = {"strided": (24, 8), "transposed": (4, 16), "unaligned": (12, 4), "expanded": (0, 4)}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_numbers_are_the_same_and_strides_are_not(layout: str) -> None:
    given = SAME if layout == "expanded" else ROWS
    made = laid_out(given, layout)
    assert made.strides == STRIDES[layout]
    assert made.flags.writeable
    assert made.tobytes() == given.tobytes()
    assert not np.shares_memory(made, given)


def test_an_unaligned_array_begins_within_its_memory() -> None:
    made = laid_out(ROWS, "unaligned")
    assert made.ctypes.data - made.base.ctypes.data == ROWS.itemsize


def test_rows_that_differ_are_not_expanded() -> None:
    assert laid_out(ROWS, "expanded").tobytes() == ROWS.tobytes()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 0)])
def test_there_may_be_nothing_to_lay_out(layout: str, shape: tuple[int, ...]) -> None:
    assert laid_out(np.zeros(shape, np.float32), layout).shape == shape


def test_contiguous_arrays_stay_as_they_are() -> None:
    assert laid_out(ROWS, "") is ROWS
