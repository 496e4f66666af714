"""pydantic's errors in the words of case files, each at the node it speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.casefile.errors import unknown
from harness.casefile.models import CASE_ID, ID, NESTED, OUTPUT, SUBJECT_ID
from harness.casefile.places import Place, Report, described, shortened

M = TypeVar("M", bound=BaseModel)
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
    CASE_ID: "id of a case, such as operations/sigmoid:boundaries/float32",
    SUBJECT_ID: "id of a subject, such as current:torch.sigmoid@eager",
    OUTPUT: "output: value, gradient:INPUT, relation or *",
}
"""What the patterns of the models mean."""

PREFIX = re.compile(r"^Input should be ")


def validated(model: type[M], values: Any, place: Place, report: Report) -> M | None:
    """The values of a node as a model; None, and what is wrong in the report, if they are none.

    Args:
        values: the node's values, as pydantic is to see them.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            _report(found, model, place, report)
        return None


def _report(found: Error, model: type[BaseModel], place: Place, report: Report) -> None:
    loc: Loc = found["loc"]
    if found["type"] == "extra_forbidden":
        report.add(place.nearest(*loc[:-1]).key(str(loc[-1])), _unknown_key(loc, model))
    else:
        at = place.nearest(*loc)
        report.add(at, _WRITERS.get(found["type"], _other)(found, at))


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
    "string_pattern_mismatch": _pattern,
    "too_short": _too_short,
    "value_error": _own,
    **dict.fromkeys(NEEDED, _needed),
}
