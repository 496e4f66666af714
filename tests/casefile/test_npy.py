"""Arrays of strangers: what is no array of numbers gets one message, and nothing is lost unsaid."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness.casefile.errors import ArrayFileError
from harness.casefile.npy import numbers, own_dtype, read


def saved(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(2))
    return file.getvalue()


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.float16(1.5), np.zeros((0, 3)), np.array([1, -2])])
def test_an_array_is_read_as_it_was_saved(array: Any, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(saved(array))
    found = read(tmp_path / "a.npy")
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)


def test_byte_order_and_memory_order_make_no_difference(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(saved(np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3))))
    found = read(tmp_path / "a.npy")
    assert found.dtype == np.dtype(np.float32)
    assert found.flags.c_contiguous
    assert found.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b"1.0, 2.0\n", "no .npy file: save the array with numpy.save"),
        (pickle.dumps([1.0]), "no .npy file"),
        (archive(), "an .npz archive: save each array by itself, with numpy.save"),
        (saved(np.array([{}, 1], dtype=object)), "holds pickled Python objects, which are never loaded"),
        (saved(np.ones(2, np.complex64)), "holds complex64, and not numbers"),
        (saved(np.array(["a"])), "holds <U1, and not numbers"),
        (saved(np.arange(3.0))[:-1], "a damaged .npy file: "),
    ],
)
def test_what_is_no_array_of_numbers_is_said(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(ArrayFileError) as found:
        read(tmp_path / "a.npy")
    assert str(found.value).startswith(f"{tmp_path / 'a.npy'}: {message}")
    assert len(str(found.value).splitlines()) == 1


def test_a_file_that_is_cut_off_anywhere_is_never_read(tmp_path: Path) -> None:
    whole = saved(np.arange(3.0))
    for length in range(len(whole)):
        (tmp_path / "a.npy").write_bytes(whole[:length])
        with pytest.raises(ArrayFileError):
            read(tmp_path / "a.npy")


def test_a_damaged_header_is_a_message_whatever_it_makes_numpy_raise(tmp_path: Path) -> None:
    draws = np.random.Generator(np.random.Philox(5))
    for _ in range(300):
        data = bytearray(saved(np.arange(3.0)))
        for at in draws.integers(6, 128, 3):
            data[at] = draws.integers(0, 256)
        (tmp_path / "a.npy").write_bytes(bytes(data))
        try:
            read(tmp_path / "a.npy")
        except ArrayFileError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - most of them are still arrays


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArrayFileError, match=r"none\.npy: can't be read: No such file or directory"):
        read(tmp_path / "none.npy")


@pytest.mark.parametrize("array", [np.array([0x3FC0, 0xFFFF], np.uint16), np.array([0x3FC0, -1], np.int16)])
def test_bits_are_numbers_of_bfloat16(array: Any) -> None:
    found, note = numbers(array, "bfloat16", rounding=False)
    assert found.dtype == ml_dtypes.bfloat16
    assert float(found[0]) == 1.5
    assert note == f"{array.dtype} is read as the bits of bfloat16"


def test_what_numpy_saves_of_bfloat16_is_read_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(saved(np.array([1.5, -2], ml_dtypes.bfloat16)))
    raw = read(tmp_path / "a.npy")
    assert own_dtype(raw) == "bfloat16"
    found, note = numbers(raw, "bfloat16", rounding=False)
    assert (found.tolist(), note) == ([1.5, -2], "")


def test_bits_are_not_taken_for_numbers() -> None:
    with pytest.raises(ArrayFileError, match="bits of bfloat16 are not taken for numbers of float32"):
        numbers(np.array([0x3FC0], np.uint16), "float32", rounding=True)


def test_a_dtype_that_has_the_numbers_takes_them() -> None:
    found, note = numbers(np.array([0.0, 1.0, np.nan, -np.inf]), "float16", rounding=False)
    assert found.dtype == np.dtype(np.float16)
    assert note == "float64 is taken as float16"
    assert numbers(np.array([True, False]), "float32", rounding=False).array.tolist() == [1.0, 0.0]


def test_nothing_is_rounded_unless_it_may_be() -> None:
    third = np.array([0.5, 1 / 3])
    with pytest.raises(ArrayFileError, match="is float64, and 1 of its 2 numbers are no numbers of float32"):
        numbers(third, "float32", rounding=False)
    found, note = numbers(third, "float32", rounding=True)
    assert found.tolist() == [0.5, float(np.float32(1 / 3))]
    assert note == "float64 is taken as float32, 1 of 2 numbers rounded"


def test_what_a_dtype_does_not_hold_is_never_infinity() -> None:
    with pytest.raises(ArrayFileError, match="1 of 2 numbers are more than float16 holds"):
        numbers(np.array([1.0, 7e4]), "float16", rounding=True)
