"""pydantic's errors in the words of case files, each at the node it speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.casefile.errors import unknown
from harness.casefile.models import ID, NESTED, OUTPUT
from harness.casefile.places import Place, Report, described, shortened
from harness.casefile.recipes import GENERATORS

Error = Mapping[str, Any]
Loc = tuple[str | int, ...]

NEEDED = {
    "string_type": "text is needed",
    "int_type": "a whole number is needed",
    "float_type": "a number is needed",
    "bool_type": "true or false is needed",
    "list_type": "a list is needed",
    "dict_type": "a mapping is needed",
    "model_type": "a mapping is needed",
    "no_scalar": "a number, text, true or false is needed",
}
"""What should have stood there, by the type of pydantic's error."""

FORMS = {
    ID: "id: letters, digits, '_', '.' and '-', beginning with a letter or digit",
    OUTPUT: "output: value, gradient:INPUT, relation or *",
}
"""What the patterns of the models mean."""

PREFIX = re.compile(r"^Input should be ")


def report_errors(error: ValidationError, model: type[BaseModel], place: Place, report: Report) -> None:
    """Add what pydantic found in a node to the report."""
    for found in error.errors(include_url=False):
        loc = found["loc"]
        writer = _WRITERS.get(found["type"], _other)
        if found["type"] == "extra_forbidden":
            report.add(place.nearest(*loc[:-1]).key(str(loc[-1])), _unknown_key(loc, model))
        else:
            at = place.nearest(*loc, *(["generate"] if found["type"] == "union_tag_invalid" else []))
            report.add(at, writer(found, at))


def _unknown_key(loc: Loc, model: type[BaseModel]) -> str:
    owner = next((NESTED[s] for s in reversed(loc[:-1]) if isinstance(s, str) and s in NESTED), model)
    names = [field.alias or name for name, field in owner.model_fields.items()]
    return unknown("key", str(loc[-1]), names)


def _missing(found: Error, _at: Place) -> str:
    return f"key {found['loc'][-1]!r} is missing"


def _needed(found: Error, at: Place) -> str:
    text = f"{NEEDED[found['type']]}, not {described(at.node)}"
    quotable = found["type"] == "string_type" and not isinstance(found["input"], list | dict | type(None))
    return f"{text}: put it in quotes" if quotable else text


def _literal(found: Error, at: Place) -> str:
    choices = re.findall(r"'([^']*)'", found["ctx"]["expected"])
    if choices and isinstance(found["input"], str):
        return unknown("choice", found["input"], choices)
    return f"{found['ctx']['expected'].replace('True', 'true')} is needed, not {described(at.node)}"


def _generator(found: Error, at: Place) -> str:
    name = found["input"].get("generate") if isinstance(found["input"], dict) else None
    if name is None:
        return "a mapping here is a generator: key 'generate' is missing"
    if not isinstance(name, str):
        return f"a generator's name is text, not {described(at.node)}"
    return unknown("generator", name, GENERATORS)


def _pattern(found: Error, _at: Place) -> str:
    return f"{shortened(found['input'])!r} is no {FORMS[found['ctx']['pattern']]}"


def _too_short(found: Error, _at: Place) -> str:
    return f"at least {found['ctx']['min_length']} are needed, there are {found['ctx']['actual_length']}"


def _own(found: Error, _at: Place) -> str:
    return str(found["ctx"]["error"])


def _other(found: Error, _at: Place) -> str:
    return f"should be {PREFIX.sub('', found['msg'])}" if PREFIX.match(found["msg"]) else found["msg"]


_WRITERS: Mapping[str, Callable[[Error, Place], str]] = {
    "missing": _missing,
    "literal_error": _literal,
    "union_tag_invalid": _generator,
    "string_pattern_mismatch": _pattern,
    "too_short": _too_short,
    "value_error": _own,
    **dict.fromkeys(NEEDED, _needed),
}
