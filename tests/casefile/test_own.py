"""Arrays of a user's own: what makes a case, and what is said where they don't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.casefile.errors import ArrayFileError
from harness.casefile.own import Asked, Own, read
from harness.model.case import Domain

ROWS = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 5.0]], np.float32)
Reading = Callable[..., Own]


def saved(kind: str, arrays: dict[str, Any]) -> list[str]:
    """Arrays in files of the current folder, as the command line names them."""
    for number, array in enumerate(arrays.values()):
        np.save(f"{kind}{number}.npy", array)
    return [f"{name}={kind}{number}.npy" for number, name in enumerate(arrays)]


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reading:
    """Read inputs that are given as arrays, and what was observed."""
    monkeypatch.chdir(tmp_path)

    def go(operation: str, inputs: dict[str, Any], observed: dict[str, Any] | None = None, **asked: Any) -> Own:
        return read(Asked(operation, saved("input", inputs), observed=saved("observed", observed or {}), **asked))

    return go


def sparse(**more: Any) -> dict[str, Any]:
    return {"logits": ROWS, "labels": np.array([2, 0]), **more}


def test_arrays_become_a_case_in_their_own_dtype(reading: Reading) -> None:
    given = {"labels": np.array([2, 0], np.int32), "logits": ROWS.astype(np.float16)}
    found = reading("sparse_softmax_cross_entropy", given, parameters=["reduction=mean", "label_smoothing=0"])
    case = found.case
    assert (case.operation, case.dtype, list(case.inputs)) == (
        "sparse_softmax_cross_entropy",
        "float16",
        ["logits", "labels"],
    )
    assert case.inputs["labels"].dtype == np.dtype(np.int32)
    assert case.parameters == {"reduction": "mean", "label_smoothing": 0.0}
    assert isinstance(case.parameters["label_smoothing"], float)
    assert not found.notes
    assert found.region.domain is Domain.INSIDE


def test_other_inputs_take_the_dtype_of_the_first_if_they_have_its_numbers(reading: Reading) -> None:
    labels = np.array([[0, 1, 0], [1, 0, 0]])
    found = reading("softmax_cross_entropy", {"logits": ROWS, "labels": labels})
    assert found.case.inputs["labels"].dtype == np.dtype(np.float32)
    assert found.notes == ["labels=input1.npy: int64 is taken as float32"]
    with pytest.raises(ArrayFileError, match=r"2 of its 6 numbers .* float32; --dtype float32 would round them"):
        reading("softmax_cross_entropy", {"logits": ROWS, "labels": labels * 0.9})


def test_a_dtype_that_is_said_rounds_inputs_and_says_so(reading: Reading) -> None:
    found = reading("sigmoid", {"logits": np.array([0.5, 0.1])}, dtype="float32")
    assert found.case.inputs["logits"].tolist() == [0.5, float(np.float32(0.1))]
    assert found.notes == ["logits=input0.npy: float64 is taken as float32, 1 of 2 numbers rounded"]


def test_bits_of_bfloat16_need_a_word(reading: Reading) -> None:
    bits = np.array([0x3FC0], np.uint16)
    found = reading("sigmoid", {"logits": bits}, {"gpu": np.array([0.8125], np.float32)}, dtype="bfloat16")
    assert float(found.case.inputs["logits"][0]) == 1.5
    assert float(found.observed["gpu"]["value"][0]) == 0.8125
    with pytest.raises(ArrayFileError, match=r"is uint16, .*; bits of bfloat16 need --dtype bfloat16"):
        reading("sigmoid", {"logits": bits})


def test_what_was_observed_is_kept_by_name_and_output(reading: Reading) -> None:
    seen = {"gpu": np.zeros(2, np.float32), "gpu:gradient:logits": ROWS, "tpu:value": np.ones(2, np.float32)}
    found = reading("sparse_softmax_cross_entropy", sparse(), seen)
    assert {name: list(outputs) for name, outputs in found.observed.items()} == {
        "gpu": ["value", "gradient:logits"],
        "tpu": ["value"],
    }


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        ({"gpu": np.array([0.1, 0.2])}, "2 of its 2 numbers are no numbers of float32; .* is never rounded"),
        ({"gpu": np.zeros(3, np.float32)}, r"--observed gpu=observed0.npy: has shape \[3\], the value has \[2\]"),
        ({"gpu:gradient:logits": np.zeros(2, np.float32)}, r"has shape \[2\], the gradient:logits has \[2, 3\]"),
        ({"gpu:gradient:logit": ROWS}, "unknown output 'gradient:logit', did you mean 'gradient:logits'?"),
        ({"gpu:gradient:weights": ROWS}, "unknown output 'gradient:weights'"),
        ({"g/pu": ROWS}, "a name is letters, digits"),
        ({"gpu": np.zeros(2, np.float32), "gpu:value": np.zeros(2, np.float32)}, "the value of gpu is given twice"),
    ],
)
def test_what_can_not_have_been_observed_is_said(seen: dict[str, Any], message: str, reading: Reading) -> None:
    with pytest.raises(ArrayFileError, match=message):
        reading("sparse_softmax_cross_entropy", sparse(), seen)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"logits": ROWS}, "sparse_softmax_cross_entropy needs labels: --input labels=FILE.npy"),
        (sparse(label=ROWS), "--input label=input2.npy: unknown input 'label', did you mean 'labels'?"),
        (sparse(labels=np.array([2.0, 0.0])), "class indices are whole numbers, and not float64"),
        (sparse(labels=np.array([1])), r"labels have shape \[1\]: one index a row is \[2\]"),
        (sparse(weights=np.ones(3, np.float32)), "does not broadcast"),
        (sparse(upstream=np.ones(3, np.float32)), r"upstream has shape \[3\], the value has \[2\]"),
        (sparse(logits=np.arange(6).reshape(2, 3)), "is int64, .*; --dtype says which"),
    ],
)
def test_inputs_that_make_no_call_are_said(inputs: dict[str, Any], message: str, reading: Reading) -> None:
    with pytest.raises(ArrayFileError, match=message):
        reading("sparse_softmax_cross_entropy", inputs)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("reductoin=mean", "unknown parameter 'reductoin', did you mean 'reduction'?"),
        ("reduction=maen", "--param reduction=maen: unknown reduction 'maen', did you mean 'mean'?"),
        ("label_smoothing=2", r"label_smoothing is 2.0, outside \[0, 1\]"),
        ("label_smoothing=on", "label_smoothing is 'on', not a number of its kind"),
        ("axis=1.5", "axis is 1.5, not a number of its kind"),
        ("axis=2", "no axis 2"),
        ("axis=", "NAME=VALUE is needed"),
        ("axis", "NAME=VALUE is needed"),
        ("axis=null", "a number, text, true or false is needed"),
    ],
)
def test_parameters_are_checked_by_the_signature(parameter: str, message: str, reading: Reading) -> None:
    with pytest.raises(ArrayFileError, match=message):
        reading("sparse_softmax_cross_entropy", sparse(), parameters=[parameter])


def test_parameters_are_scalars_of_yaml(reading: Reading) -> None:
    found = reading("sparse_softmax_cross_entropy", sparse(), parameters=["label_smoothing=1e-5", "axis=-1"])
    assert found.case.parameters == {"label_smoothing": 1e-5, "axis": -1}
    with pytest.raises(ArrayFileError, match="axis is given twice"):
        reading("sparse_softmax_cross_entropy", sparse(), parameters=["axis=1", "axis=1"])


def test_a_value_that_no_class_has_is_undefined_input_and_no_mistake(reading: Reading) -> None:
    found = reading("sparse_softmax_cross_entropy", sparse(labels=np.array([3, 0])), {"gpu": np.zeros(7, np.float32)})
    assert found.region.domain is Domain.UNDEFINED
    assert found.case.expect.undefined == {"error"}
    assert found.observed["gpu"]["value"].shape == (7,)


def test_an_operation_must_be_known() -> None:
    with pytest.raises(ArrayFileError, match="--operation sigmod: unknown operation 'sigmod'"):
        read(Asked("sigmod", []))
