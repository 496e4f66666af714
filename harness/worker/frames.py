"""Frames between host and worker: a JSON header, then raw little-endian arrays.

    frame   = length of the header (4 bytes, big-endian) + header (JSON, UTF-8) + arrays
    header  = {..., "tensors": [[dtype, shape], ...]}: the arrays follow in that order

A dtype is a tag of ours, and bfloat16 travels as its 16 bits in uint16, since NumPy alone has no
such type. Nothing in a frame is executed, and what it says of sizes is checked before it is read.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO, NamedTuple, Sequence

import numpy as np

LENGTH = struct.Struct(">I")
HEADER_LIMIT = 1 << 28
ARRAY_LIMIT = 1 << 36

STORED = {
    "float16": "<f2",
    "bfloat16": "<u2",
    "float32": "<f4",
    "float64": "<f8",
    "bool": "|b1",
    "int8": "|i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "uint8": "|u1",
    "uint16": "<u2",
    "uint32": "<u4",
    "uint64": "<u8",
}
"""dtype tag to the NumPy dtype that its bytes are stored as."""

DTYPES = {name: np.dtype(stored) for name, stored in STORED.items()}
NAMES = {stored: name for name, stored in DTYPES.items() if name != "bfloat16"}
"""NumPy's own dtypes to their tags: `dtype.name` takes microseconds."""


class FrameError(Exception):
    """A frame that doesn't follow the protocol."""


class Tensor(NamedTuple):
    """An array with a dtype tag; for bfloat16 `data` holds the bits as uint16."""

    dtype: str
    data: np.ndarray[Any, Any]

    @classmethod
    def of(cls, array: Any) -> Tensor:
        """Wrap anything NumPy takes as an array of a dtype that it knows itself."""
        data = np.asarray(array)
        if data.dtype not in NAMES:
            raise FrameError(f"an array of dtype {data.dtype} can't be sent")
        return cls(NAMES[data.dtype], data)


def encode(header: dict[str, Any], tensors: Sequence[Tensor] = ()) -> bytes:
    """One frame as bytes."""
    head = dict(header, tensors=[[t.dtype, t.data.shape] for t in tensors])
    text = json.dumps(head).encode("utf-8")
    arrays = [t.data.astype(DTYPES[t.dtype], copy=False).tobytes() for t in tensors]
    return b"".join([LENGTH.pack(len(text)), text, *arrays])


def write(stream: BinaryIO, header: dict[str, Any], tensors: Sequence[Tensor] = ()) -> None:
    """Write one frame and flush it."""
    stream.write(encode(header, tensors))
    stream.flush()


def read(stream: Any) -> tuple[dict[str, Any], list[Tensor]]:
    """Read one frame from anything with a file's `read`.

    Raises:
        EOFError: the other side is gone, at a frame's edge or within it.
        FrameError: the bytes are no frame.
    """
    (length,) = LENGTH.unpack(_exactly(stream, LENGTH.size))
    if length > HEADER_LIMIT:
        raise FrameError(f"a header of {length} bytes")
    try:
        header = json.loads(_exactly(stream, length).decode("utf-8"))
        described = header["tensors"]
    except (ValueError, KeyError, TypeError) as error:
        raise FrameError(f"no header: {error}")
    return header, [_tensor(stream, *entry) for entry in described]


def _tensor(stream: Any, dtype: str, shape: Sequence[int]) -> Tensor:
    if dtype not in DTYPES or any(not isinstance(n, int) or n < 0 for n in shape):
        raise FrameError(f"no array: dtype {dtype!r}, shape {shape!r}")
    stored = DTYPES[dtype]
    size = stored.itemsize
    for n in shape:
        size *= n
    if size > ARRAY_LIMIT:
        raise FrameError(f"an array of {size} bytes")
    return Tensor(dtype, np.frombuffer(_exactly(stream, size), stored).reshape(shape))


def _exactly(stream: Any, count: int) -> bytes:
    data = stream.read(count) if count else b""
    if len(data) < count:
        raise EOFError("the other side closed the pipe")
    return data
