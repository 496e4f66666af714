"""Signatures of an adapter's public calls, as plain data, to be compared between versions."""

from __future__ import annotations

import inspect
import operator
import re
import sys
from typing import Any

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def signatures(adapter: Any) -> dict[str, list[tuple[str, str, str | None]]]:
    """The parameters of each implementation that can be found and has a signature, by its path.

    A path begins with a package, or with the alias that the adapter's ALIASES has for one.
    """
    found = {}
    for path in {implementation.path for implementation in adapter.IMPLEMENTATIONS}:
        public = resolve(path, getattr(adapter, "ALIASES", {}))
        parameters = _parameters(public)
        if parameters is not None:
            found[path] = parameters
    return found


def resolve(path: str, aliases: Any) -> Any:
    """What a path names in the packages that are imported; None if it names nothing."""
    root, _, rest = path.partition(".")
    try:
        return operator.attrgetter(rest)(sys.modules.get(aliases.get(root, root)))
    except Exception:  # a lazily loaded module raises anything
        return None


def _parameters(public: Any) -> list[tuple[str, str, str | None]] | None:
    try:
        found = inspect.signature(public).parameters.values()
    except (TypeError, ValueError):  # no callable, or one in C without a signature
        return None
    return [(p.name, p.kind.name, _default(p.default)) for p in found]


def _default(value: Any) -> str | None:
    return None if value is inspect.Parameter.empty else ADDRESS.sub("", repr(value))
