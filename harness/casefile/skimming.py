"""The text of a case file without what its entries hold: all that a listing reads, in a third of the time."""

from __future__ import annotations

import re

HELD = b"(?:inputs|parameters|expect|calls|per)"
"""Keys of an entry whose values don't say what it is called or expands to."""
ANCHOR = rb"(?: +&[\w-]+)?"
ON_A_LINE = re.compile(rb"^((?:- |  )" + HELD + b":" + ANCHOR + rb") +\{.*\} *$", re.MULTILINE)
ON_LINES_BELOW = re.compile(rb"^((?:- |  )" + HELD + b":" + ANCHOR + rb") *\n((?:   .*\n| *\n)+)", re.MULTILINE)


def skim(data: bytes) -> bytes:
    """A text in which the content of entries is left out, as far as it is written in the usual way.

    Every line stays where it is. An alias of something that was left out, or the rest of a mapping that goes on below
    its line, is then a fault, which the whole text doesn't have: where there is a fault, the whole text tells.
    """
    data = ON_A_LINE.sub(rb"\1", data)
    return ON_LINES_BELOW.sub(lambda found: found[1] + b"\n" * (1 + found[2].count(b"\n")), data)
