"""What a scalar's text means by YAML 1.2's core schema: `1e-5` is a number, `on` and `no` are text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import yamlcore

Value = None | bool | int | float | str

CORE = "tag:yaml.org,2002:"
NOT_CORE = object()
"""Stands for a value whose tag or text is outside the core schema."""


@lru_cache(maxsize=4096)
def resolve(text: str) -> Value:
    """The value of a plain scalar."""
    for tag, pattern in yamlcore.CCoreLoader.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            return _CONSTRUCT[tag](text)
    return text


def _integer(text: str) -> int | float:
    try:
        return int(text, {"0x": 16, "0o": 8}.get(text[:2], 10))
    except ValueError:  # more digits than Python converts
        return float(text)


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_CONSTRUCT: Mapping[str, Callable[[str], Value]] = {
    CORE + "null": lambda _: None,
    CORE + "bool": lambda text: text.lower() == "true",
    CORE + "int": _integer,
    CORE + "float": _float,
    CORE + "str": str,
}


def tagged(tag: str, text: str) -> Any:
    """The value of a scalar with a tag of the core schema, or the sentinel."""
    if tag == CORE + "str":
        return text
    value = resolve(text)
    kinds: Mapping[str, type] = {"null": type(None), "bool": bool, "int": int, "float": float}
    wanted = kinds.get(tag.removeprefix(CORE))
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if wanted is not None and type(value) is wanted else NOT_CORE


def bad_tag(tag: str, text: str) -> str:
    """What is wrong with a tag that gave the sentinel."""
    shown = tag.replace(CORE, "!!")
    if shown in {"!!null", "!!bool", "!!int", "!!float"}:
        return f"{text!r} is no {shown}"
    return f"tag {shown}: case files hold plain text, numbers, lists and mappings"
