"""Untrusted text made fit to show: case files, frameworks' messages and adapters' output may hold anything."""

from __future__ import annotations

import re

UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but not tab and newline
    "\u2028\u2029"  # line breaks of Unicode's own
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that reorder what follows
    "\ud800-\udfff\ufffe\uffff]"  # what no UTF-8 or XML file may hold
)


def visible(text: str) -> str:
    """Write out control, reordering and unencodable characters as escapes."""
    return UNSHOWABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: str) -> str:
    """The text on one line, each run of white space as one space."""
    return " ".join(visible(text).split())


def shorten(text: str, width: int) -> str:
    """Cut out the middle of a text longer than `width` characters."""
    if len(text) <= width:
        return text
    tail = max(0, (width - 3) // 2)
    head = max(0, width - 3 - tail)
    return text[:head] + "..."[:width] + text[len(text) - tail :]


def plural(count: int, noun: str) -> str:
    """`1 case`, `2,000 cases`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
