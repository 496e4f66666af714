from __future__ import annotations

import numpy as np

from harness.model.agreement import groups


def test_the_largest_group_comes_first_and_ties_are_by_name() -> None:
    one, two = np.array([1.0]), np.array([2.0])
    found = groups({"d": two, "c": one, "b": one, "e": two, "a": np.array([3.0]), "f": one})
    assert found == [["b", "c", "f"], ["d", "e"], ["a"]]
    assert groups({"b": two, "a": one}) == [["a"], ["b"]]
    assert groups({}) == []


def test_every_bit_counts() -> None:
    payloads = np.array([0x7FC00000, 0x7FC00001], np.uint32).view(np.float32)
    outputs = {
        "zero": np.array([0.0], np.float32),
        "minus zero": np.array([-0.0], np.float32),
        "double": np.array([0.0]),
        "scalar": np.array(0.0, np.float32),
        "row": np.array([[0.0]], np.float32),
        "nan": payloads[:1],
        "other nan": payloads[1:],
    }
    assert len(groups(outputs)) == len(outputs)
    outputs["same nan"] = payloads[:1].copy()
    assert groups(outputs)[0] == ["nan", "same nan"]
