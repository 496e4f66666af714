"""Files that are written at once or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` once the block has ended without an error.

    What is no file, a pipe or a device, is written to as it is. Folders above it are made.

    Raises:
        OSError: it can't be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.resolve()  # a link stays a link
    if place.exists() and not place.is_file():
        yield place
        return
    part = place.with_name(f".{os.getpid()}.{place.name}")  # the suffix decides what pandas writes
    try:
        yield part
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
