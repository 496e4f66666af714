from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from harness import casefile
from harness.model.case import Case, Domain
from harness.operations import OPERATIONS, misuse

ROOT = casefile.cases_folder()
SPOILT = [
    case
    for entry in casefile.load(casefile.find([ROOT / "errors" / "misuse.yaml"], ROOT), ROOT)
    for case in casefile.expand(entry, 0)
    if isinstance(case, Case)
]
HAS_A_VALUE = ("-nan", "-double", "labels-integer", "log_probabilities-above")
"""Ends of kinds of which the operation still has a value; clipped probabilities have one outside [0, 1], too."""


def located() -> Iterator[tuple[Case, Domain]]:
    for case in SPOILT:
        with np.errstate(all="ignore"):
            yield case, OPERATIONS[case.operation].locate(case.inputs, case.parameters).domain


def test_each_operation_is_misused_in_every_way_that_it_can_be() -> None:
    for operation in OPERATIONS.values():
        tried = {case.misuse for case in SPOILT if case.operation == operation.name}
        assert tried == set(misuse.kinds(operation)), operation.name


def test_what_is_spoilt_has_no_value_but_where_it_is_known_to() -> None:
    for case, domain in located():
        if case.misuse in ("probabilities-above", "probabilities-below"):
            continue
        assert (domain is Domain.UNDEFINED) is not case.misuse.endswith(HAS_A_VALUE), case.id


def test_an_error_is_right_of_what_has_no_value_and_nan_where_arithmetic_says_so() -> None:
    for case, domain in located():
        right = case.expect.undefined
        assert bool(right) is (domain is Domain.UNDEFINED), case.id
        assert "nan" not in right or case.misuse.startswith(("reduction-empty", "probabilities-", "epsilon-")), case.id


@pytest.mark.parametrize(
    ("kind", "name", "spoilt"),
    [
        ("labels-large", "labels", [0, 3]),
        ("labels-negative", "labels", [0, -1]),
        ("labels-fraction", "labels", [0, 0.5]),
        ("labels-longer", "labels", [0, 1, 1]),
        ("labels-column", "labels", [[0], [1]]),
        ("class_weights-longer", "class_weights", [1, 1, 1, 1]),
        ("weights-longer", "weights", [1, 1, 1]),
        ("logits-scalar", "logits", 1),
    ],
)
def test_one_input_is_spoilt_and_the_call_stays_as_it_was(kind: str, name: str, spoilt: object) -> None:
    operation = OPERATIONS["sparse_softmax_cross_entropy"]
    right = {"logits": np.array([[1, 2, 3], [4, 5, 6]], np.float32), "labels": np.array([0, 1])}
    before = {each: array.copy() for each, array in right.items()}
    found = misuse.spoilt(kind, operation, right, {})
    assert found.inputs[name].tolist() == spoilt
    assert found.parameters == {}
    assert all(np.array_equal(right[each], array) for each, array in before.items())
    assert all(found.inputs[each] is right[each] for each in right if each != name)


def test_an_index_is_too_large_by_the_classes_that_the_kernel_has() -> None:
    case = next(c for c in SPOILT if c.operation == "linear_cross_entropy" and c.misuse == "labels-large")
    assert case.inputs["labels"].max() == case.inputs["kernel"].shape[0]


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("label_smoothing-below", {"label_smoothing": -0.5}),
        ("label_smoothing-above", {"label_smoothing": 1.5}),
        ("axis-outside", {"axis": 2}),
        ("reduction-unknown", {"reduction": "meen"}),
    ],
)
def test_one_parameter_is_spoilt(kind: str, parameters: dict[str, object]) -> None:
    right = {"logits": np.ones((2, 3), np.float32), "labels": np.ones((2, 3), np.float32)}
    found = misuse.spoilt(kind, OPERATIONS["softmax_cross_entropy"], right, {})
    assert (found.inputs, found.parameters) == (right, parameters)


def test_the_mean_of_nothing_is_of_inputs_without_rows() -> None:
    right = {"logits": np.ones((2, 3), np.float32), "labels": np.ones((2, 3), np.float32)}
    found = misuse.spoilt("reduction-empty", OPERATIONS["softmax_cross_entropy"], right, {})
    assert [array.shape for array in found.inputs.values()] == [(0, 3), (0, 3)]
    assert found.parameters == {"reduction": "mean"}


def test_indices_that_are_no_integers_and_integers_for_logits_are_undefined_other_dtypes_extended() -> None:
    operation = OPERATIONS["softmax_cross_entropy"]
    whole, single = np.ones((2, 3), np.int64), np.ones((2, 3), np.float32)
    assert operation.locate({"logits": whole, "labels": single}, {}).reason == (
        "logits are int64: floating numbers are needed"
    )
    found = operation.locate({"logits": single, "labels": whole}, {})
    assert (found.domain, found.reason) == (Domain.EXTENDED, "labels are int64, logits float32")
    sparse = OPERATIONS["sparse_softmax_cross_entropy"].locate({"logits": single, "labels": single[:, 0]}, {})
    assert (sparse.domain, sparse.reason) == (Domain.UNDEFINED, "labels are float32: indices are integers")
