"""Case files: text -> checked entries -> cases.

- `tree`, `scalars`: text to nodes that know their line and column, by YAML 1.2's core rules
- `places`: nodes with their paths, and the report that gathers problems
- `recipes`, `models`: what a file may say (pydantic); `messages`: pydantic's errors in our words
- `literals`: numbers and printed digits; `calls`, `statements`: the parts of an entry
- `generators`, `arrays`: the inputs of a call; `checks`: what is known before anything runs
- `npy`, `own`, `cutting`, `saving`: arrays of a user's own to a case, one row of it, and a case to a file
- `deviations`: the file of known deviations; `checking`: every mistake of both at once
- `files`: which files; `reading`, `load`: files to entries; `expand`: entries to cases; `editors`: JSON Schema
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.casefile.entries import Entry, Heading, case_ids
from harness.casefile.errors import ArrayFileError, CaseFileError, CaseFileErrors, Problem
from harness.casefile.expand import expand
from harness.casefile.files import SUFFIXES, cases_folder, find, lists_deviations
from harness.casefile.load import headings, load

if TYPE_CHECKING:
    from harness.casefile.checking import check
    from harness.casefile.deviations import load as load_deviations
    from harness.casefile.deviations import load_known
    from harness.casefile.editors import SCHEMAS, schema

LATER = {
    "check": ("checking", "check"),
    "load_deviations": ("deviations", "load"),
    "load_known": ("deviations", "load_known"),
    "SCHEMAS": ("editors", "SCHEMAS"),
    "schema": ("editors", "schema"),
}
"""What is imported when it is first asked for: `harness list cases` needs none of it."""


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = LATER[name]
    return getattr(import_module(f"{__name__}.{module}"), attribute)


__all__ = [
    "SCHEMAS",
    "SUFFIXES",
    "ArrayFileError",
    "CaseFileError",
    "CaseFileErrors",
    "Entry",
    "Heading",
    "Problem",
    "case_ids",
    "cases_folder",
    "check",
    "expand",
    "find",
    "headings",
    "lists_deviations",
    "load",
    "load_deviations",
    "load_known",
    "schema",
]
