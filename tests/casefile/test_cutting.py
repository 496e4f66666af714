"""One element or row of a call: every array keeps its axes, and numbers elsewhere no longer matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.casefile.cutting import cut
from harness.casefile.errors import ArrayFileError
from harness.casefile.own import Own, expectation, region
from harness.model.case import Case, Domain, Source
from harness.operations import OPERATIONS

CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
LABELS = np.array([[0, 1, 2, 0], [2, 1, 0, 9]])


def own(operation: str, inputs: dict[str, Any], parameters: dict[str, Any], **observed: Any) -> Own:
    found = region(OPERATIONS[operation], inputs, parameters)
    case = Case("x", operation, inputs, parameters, "float32", expectation(found), Source("x", 1))
    return Own(case, found, {"gpu": observed}, [])


@pytest.mark.parametrize("place", ["1,2", "[1, 2]", "1, 0, 2"])
def test_a_row_along_any_axis_is_cut_out_of_everything(place: str) -> None:
    inputs = {"logits": CUBE, "labels": LABELS, "weights": CUBE[:, 0]}
    seen = {"value": LABELS.astype(np.float32), "gradient:logits": CUBE}
    found = cut(own("sparse_softmax_cross_entropy", inputs, {"axis": 1}, **seen), place)
    assert {name: array.tolist() for name, array in found.case.inputs.items()} == {
        "logits": [[[14], [18], [22]]],
        "labels": [[0]],
        "weights": [[14]],
    }
    assert found.observed["gpu"]["value"].shape == (1, 1)
    assert found.observed["gpu"]["gradient:logits"].shape == (1, 3, 1)


def test_what_is_undefined_elsewhere_is_left_behind() -> None:
    whole = own("sparse_softmax_cross_entropy", {"logits": CUBE, "labels": LABELS}, {"axis": 1})
    assert whole.region.domain is Domain.UNDEFINED
    found = cut(whole, "0,0")
    assert found.region.domain is Domain.INSIDE
    assert not found.case.expect.undefined
    assert cut(whole, "1,3").region.domain is Domain.UNDEFINED


def test_an_element_is_cut_out_of_an_elementwise_call() -> None:
    found = cut(own("sigmoid_cross_entropy", {"logits": CUBE, "labels": CUBE / 24}, {}), "1,1,3")
    assert found.case.inputs["logits"].tolist() == [[[19]]]
    assert found.notes == ["only [1, 1, 3]"]


@pytest.mark.parametrize("place", ["2", "2,0,0", "0,0,0,0", "-1,0,0", "a", "", "1;1;1"])
def test_what_is_no_index_is_said(place: str) -> None:
    whole = own("sigmoid", {"logits": CUBE}, {})
    with pytest.raises(ArrayFileError, match=r"is no index of shape \[2, 3, 4\]"):
        cut(whole, place)


def test_calls_without_independent_parts_are_not_cut() -> None:
    given = {"logits": CUBE, "labels": CUBE / 24}
    with pytest.raises(ArrayFileError, match="with reduction=mean every number is in the value"):
        cut(own("sigmoid_cross_entropy", given, {"reduction": "mean"}), "0,0,0")
    weighted = {**given, "weights": np.ones(4, np.float32)}
    with pytest.raises(ArrayFileError, match="an input is broadcast"):
        cut(own("sigmoid_cross_entropy", weighted, {}), "0,0,0")
