"""The text of a case file without what its entries hold: all that a listing reads, in a third of the time."""

from __future__ import annotations

import re

HELD = rb"(?:inputs|parameters|expect|calls|per|note|implementations)"
"""Keys of an entry whose values don't say what it is called or expands to."""
VALUE = re.compile(rb"^  " + HELD + rb":.*\n(?:   .*\n| *\n)*", re.MULTILINE)
"""Such a key, what follows it on its line, and the lines below that are farther in: they can't be anything else's."""


def skim(data: bytes) -> bytes:
    """A text in which the content of entries is left out, as far as it is written in the usual way.

    Every line stays where it is. An alias of something that was left out, or the rest of a value that goes on where its
    key stands, is then a fault, which the whole text doesn't have: where there is a fault, the whole text tells.
    """
    return VALUE.sub(lambda found: b"\n" * found[0].count(b"\n"), data)
