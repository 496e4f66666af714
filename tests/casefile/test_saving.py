"""A case that is saved and read again is the same to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness import casefile
from harness.casefile import saving
from harness.casefile.errors import ArrayFileError
from harness.model.case import Case, Expectation, Inputs, Source

BITS = np.random.Generator(np.random.Philox(11))


def made(operation: str, inputs: Inputs, dtype: str, **more: Any) -> Case:
    usual: dict[str, Any] = {"parameters": {}, "expect": Expectation(), "source": Source("x", 1)}
    return Case(f"arrays:{operation}", operation, inputs, dtype=dtype, **(usual | more))


def again(case: Case, folder: Path) -> Case:
    """The case as it is read from the file that it is saved to."""
    file = folder / "found.yaml"
    saving.save(file, case, "from a.npy: yes")
    (entry,) = casefile.load([file], folder / "cases")
    (unit,) = casefile.expand(entry, 0)
    assert isinstance(unit, Case)
    return unit


def same(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    """Equal to the bit, all NaNs alike."""
    with np.errstate(invalid="ignore"):
        a, b = first.astype(np.float64), second.astype(np.float64)
    known = ~np.isnan(a)
    return (
        (first.dtype, first.shape) == (second.dtype, second.shape)
        and np.array_equal(a, b, equal_nan=True)
        and np.array_equal(np.signbit(a[known]), np.signbit(b[known]))
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("part", range(8))
def test_every_number_of_a_half_format_survives(dtype: str, part: int, tmp_path: Path) -> None:
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.float16
    logits = np.arange(part << 13, (part + 1) << 13, dtype=np.uint32).astype(np.uint16).view(kind)
    found = again(made("sigmoid", {"logits": logits}, dtype), tmp_path)
    assert same(found.inputs["logits"], logits)


@pytest.mark.parametrize(("dtype", "bits"), [("float32", np.uint32), ("float64", np.uint64)])
def test_so_do_bit_patterns_of_the_wide_ones(dtype: str, bits: type, tmp_path: Path) -> None:
    drawn = BITS.integers(0, np.iinfo(bits).max, 3000, bits, endpoint=True).view(dtype).reshape(30, 100)
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(dtype).tiny, np.finfo(dtype).max], dtype)
    drawn[0, :7], drawn[1, 0] = edges, np.nextafter(np.array(0, dtype), np.array(1, dtype))
    assert same(again(made("softmax", {"logits": drawn}, dtype), tmp_path).inputs["logits"], drawn)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0), (2, 3), (2, 1, 3)])
def test_shapes_survive(shape: tuple[int, ...], tmp_path: Path) -> None:
    logits = np.full(shape, -22.18, np.float32)
    found = again(made("sigmoid_cross_entropy", {"logits": logits, "labels": logits}, "float32"), tmp_path)
    assert same(found.inputs["logits"], logits)


def test_parameters_indices_and_what_is_expected_survive(tmp_path: Path) -> None:
    inputs: Inputs = {"logits": np.zeros((2, 3), np.float32), "labels": np.array([0, 3], np.uint8)}
    parameters = {"reduction": "mean", "label_smoothing": 1e-5, "axis": -1}
    expect = Expectation(undefined=frozenset({"error"}))
    case = made("sparse_softmax_cross_entropy", inputs, "float32", parameters=parameters, expect=expect)
    found = again(case, tmp_path)
    assert dict(found.parameters) == parameters
    assert found.expect.undefined == {"error"}
    assert found.inputs["labels"].dtype == np.dtype(np.uint8)
    assert found.id == "found:found/float32"


def test_a_row_is_a_line_and_numbers_have_the_fewest_digits() -> None:
    logits = np.array([[0.1, -22.18, 1e-45], [1e30, 3, np.inf]], np.float32)
    written = saving.text(made("softmax", {"logits": logits}, "float32"), "", "x").splitlines()
    assert "    - [0.1, -22.18, 1.0e-45]" in written
    assert "    - [1.0e+30, 3.0, .inf]" in written


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("a.yaml", (101, 100), "10,100 numbers, and a case file may have 10,000: --at INDEX"),
        ("a.yaml", (0, 3), r"nested lists can't say shape \[0, 3\] of logits"),
        ("a.txt", (3,), "a case file's name ends in .yaml or .yml"),
        ("deviations.yaml", (3,), "a file of this name lists deviations"),
        ("there.yaml", (3,), "there is such a file, and none is overwritten"),
        ("nowhere/a.yaml", (3,), "there is no folder"),
    ],
)
def test_what_can_not_be_saved_is_known_before_anything_runs(
    name: str, shape: tuple[int, ...], message: str, tmp_path: Path
) -> None:
    (tmp_path / "there.yaml").write_text("cases: []\n")
    case = made("sigmoid", {"logits": np.zeros(shape, np.float32)}, "float32")
    with pytest.raises(ArrayFileError, match=message):
        saving.check(tmp_path / name, case, tmp_path / "cases")


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mine")
    with pytest.raises(ArrayFileError, match="File exists"):
        saving.save(tmp_path / "a.yaml", made("sigmoid", {"logits": np.zeros(1, np.float32)}, "float32"), "")
    assert (tmp_path / "a.yaml").read_text() == "mine"


@pytest.mark.parametrize(("name", "found"), [("gpu run.yaml", "gpu_run"), ("-x.yaml", "x"), ("_.yml", "case")])
def test_the_case_is_named_after_its_file(name: str, found: str) -> None:
    assert saving.identifier(Path(name)) == found
