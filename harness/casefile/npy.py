"""Arrays in `.npy` files: read without pickle, and taken for numbers of a dtype only where nothing is lost unsaid."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NamedTuple

import ml_dtypes
import numpy as np

from harness.casefile.errors import ArrayFileError
from harness.model.case import Array
from harness.oracle.formats import FORMATS, Format

MAGIC = b"\x93NUMPY"
ARCHIVE = b"PK\x03\x04"
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
BITS = (np.dtype(np.uint16), np.dtype(np.int16))
"""What bfloat16 numbers are saved as: `.npy` has no such dtype. NumPy saves ml_dtypes' own as two raw bytes, `V2`."""
RAW = np.dtype("V2")


SHOWN = 130
"""Characters of NumPy's own message that are shown."""


class Numbers(NamedTuple):
    """An array in the dtype that is needed, and what was done to it, in words; "" if nothing was."""

    array: Array
    note: str = ""


def read(path: Path) -> Array:
    """The array in a file, in this machine's byte order.

    Raises:
        ArrayFileError: there is no such file, or it holds no array of numbers that can be read without pickle.
    """
    try:
        with path.open("rb") as file:
            array = _parsed(file)
    except OSError as error:
        raise ArrayFileError(f"{path}: can't be read: {error.strerror}") from error
    except ArrayFileError as error:
        raise ArrayFileError(f"{path}: {error}") from error
    if array.dtype.kind not in "fiub" and array.dtype != RAW:
        raise ArrayFileError(f"{path}: holds {array.dtype}, and not numbers")
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")


def own_dtype(array: Array) -> str | None:
    """The floating dtype that an array has by itself; None if it has none, or one that no case can have."""
    if array.dtype == RAW:
        return BFLOAT16.name
    return next((name for name, form in FORMATS.items() if form.dtype == array.dtype), None)


def numbers(array: Array, dtype: str, *, rounding: bool) -> Numbers:
    """An array's numbers in a floating dtype.

    Args:
        rounding: whether numbers that the dtype doesn't have are rounded to it; else they are a mistake.

    Raises:
        ArrayFileError: they can't be had in this dtype.
    """
    form = FORMATS[dtype]
    if array.dtype == form.dtype:
        return Numbers(array)
    if array.dtype == RAW or (array.dtype in BITS and form.dtype == BFLOAT16):
        held = array.view(BFLOAT16)
        note = "" if array.dtype == RAW else f"{array.dtype} is read as the bits of bfloat16"
        return Numbers(held, note) if form.dtype == BFLOAT16 else _converted(held, form, rounding=rounding)
    if array.dtype == BITS[0]:
        raise ArrayFileError(f"is {array.dtype}: bits of bfloat16 are not taken for numbers of {dtype}")
    return _converted(array, form, rounding=rounding)


def _converted(array: Array, form: Format, *, rounding: bool) -> Numbers:
    with np.errstate(all="ignore"):
        found = array.astype(form.dtype)
        wide = found.astype(np.float64)
    beyond = int(np.count_nonzero(np.isinf(wide) & np.isfinite(array)))
    if beyond:
        raise ArrayFileError(f"{beyond:,} of {array.size:,} numbers are more than {form.name} holds")
    changed = int(np.count_nonzero((wide != array) & ~np.isnan(wide)))
    if changed and not rounding:
        raise ArrayFileError(
            f"is {array.dtype}, and {changed:,} of its {array.size:,} numbers are no numbers of {form.name}"
        )
    lost = f", {changed:,} of {array.size:,} numbers rounded" if changed else ""
    return Numbers(found, f"{array.dtype} is taken as {form.name}{lost}")


def _parsed(file: BinaryIO) -> Array:
    start = file.read(len(MAGIC))
    file.seek(0)
    if start != MAGIC:
        raise ArrayFileError(_stranger(start))
    try:
        return np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # NumPy parses the header as Python: a damaged one raises nearly anything
        raise ArrayFileError(_damage(error)) from error


def _stranger(start: bytes) -> str:
    """What a file is that is no `.npy` file."""
    if start.startswith(ARCHIVE):
        return "an .npz archive: save each array by itself, with numpy.save"
    return "no .npy file: save the array with numpy.save" if start else "an empty file"


def _damage(error: Exception) -> str:
    """Why NumPy can't read a file."""
    text = " ".join(str(error).split()) or type(error).__name__
    if "Object arrays" in text:
        return "holds pickled Python objects, which are never loaded: save an array of numbers"
    return f"a damaged .npy file: {text if len(text) <= SHOWN else text[:SHOWN] + '...'}"
