"""Arrays laid out in memory as callers have them: parts of larger ones, transposed, one row for many (the island).

Frames carry contiguous arrays. What an adapter hands on as it is (NumPy's, SciPy's, torch's) keeps the layout; other
frameworks copy what they are given.
"""

from __future__ import annotations

from typing import Any, Callable, Dict

import numpy as np

Array = Any


def laid_out(array: Array, layout: str) -> Array:
    """An array of the same numbers, in writable memory of its own; "" leaves it as it is.

    Args:
        layout: one of `LAYOUTS`, or "".
    """
    return LAYOUTS[layout](array) if layout and array.ndim else array


def _strided(array: Array) -> Array:
    """Every other number of each row of a wider array."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def _transposed(array: Array) -> Array:
    """The first axis is the nearest in memory."""
    return np.array(array.T, order="C").T


def _unaligned(array: Array) -> Array:
    """It begins one number past the beginning of its memory."""
    longer = np.zeros(array.size + 1, array.dtype)
    longer[1:] = array.reshape(-1)
    return longer[1:].reshape(array.shape)


def _expanded(array: Array) -> Array:
    """One row in memory, if all rows are the same: the stride of the first axis is 0."""
    rows = array.reshape(len(array), -1).view("u{}".format(array.itemsize)) if array.size else array
    if not array.size or not (rows == rows[:1]).all():
        return np.array(array)
    return np.lib.stride_tricks.as_strided(np.array(array[:1]), array.shape, (0, *array.strides[1:]))


LAYOUTS: Dict[str, Callable[[Array], Array]] = {
    "strided": _strided,
    "transposed": _transposed,
    "unaligned": _unaligned,
    "expanded": _expanded,
}
