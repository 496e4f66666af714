"""Agreement: which subjects gave the same bits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from harness.model.case import Array


def groups(outputs: Mapping[str, Array]) -> list[list[str]]:
    """Subjects whose arrays are equal in dtype, shape and bits, NaN payloads and zeros' signs included.

    Returns:
        Names in alphabetical order within a group; the largest group first, ties by first name.
    """
    found: dict[tuple[str, tuple[int, ...], bytes], list[str]] = {}
    for name in sorted(outputs):
        array = np.asarray(outputs[name], order="C")
        bits = hashlib.blake2b(array.reshape(-1).view(np.uint8).data).digest()  # the bits themselves may be gigabytes
        found.setdefault((array.dtype.name, array.shape, bits), []).append(name)
    return sorted(found.values(), key=lambda names: (-len(names), names[0]))
