"""An adapter's file described as plain data, right or wrong, for `harness check-adapter` and for loading one.

    {"error": "SyntaxError: ..."}                      it can't be loaded
    {"names": [...],                                   what it defines
     "imported": [...],                                frameworks that its top level has imported
     "calls": {"start": "", "call": "complaint"},      whether each can be called as the worker does
     "values": {name: value, ...},                     FRAMEWORK, PACKAGES, ALIASES
     "rows": [{field: value, ...} or {"other": text}]} IMPLEMENTATIONS

A value is text, a number, a list or a mapping; anything else is {"other": its repr}.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Callable

from harness.adapters import Implementation

FRAMEWORKS = ("jax", "keras", "onnxruntime", "sklearn", "tensorflow", "torch")
ARGUMENTS = {"start": 1, "call": 5}
VALUES = ("FRAMEWORK", "PACKAGES", "ALIASES")
SKIPPED = ("run",)
"""Fields that are the adapter's own business."""
SHOWN = 60


def write(load: Callable[[str], Any], path: str, to: str) -> None:
    """Load a file and write what it is."""
    found: dict[str, Any]
    try:
        adapter = load(path)
    except BaseException as error:  # a user's file raises anything, SystemExit too
        found = {"error": told(error, path)}
    else:
        found = table(adapter)
    with open(to, "w") as file:
        json.dump(found, file)


def table(adapter: Any) -> dict[str, Any]:
    """What a module has of an adapter."""
    rows = getattr(adapter, "IMPLEMENTATIONS", ())
    listed = isinstance(rows, (list, tuple))
    own = getattr(adapter, "PACKAGES", ())
    packages = [name for name in own if isinstance(name, str)] if isinstance(own, (list, tuple)) else []
    suspects = {*FRAMEWORKS, *packages} - {"numpy"}
    return {
        "names": [name for name in vars(adapter) if not name.startswith("__")],
        "imported": sorted(name for name in suspects if name in sys.modules),
        "calls": {name: _uncallable(getattr(adapter, name, None), count) for name, count in ARGUMENTS.items()},
        "values": {name: _plain(getattr(adapter, name)) for name in VALUES if hasattr(adapter, name)},
        "rows": [_row(row) for row in rows] if listed else {"other": repr(rows)[:SHOWN]},
    }


def _row(row: Any) -> dict[str, Any]:
    if not isinstance(row, Implementation):
        return {"other": type(row).__name__}
    return {name: _plain(value) for name, value in row._asdict().items() if name not in SKIPPED}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(own) for key, own in value.items()}
    return {"other": repr(value)[:SHOWN]}


def _uncallable(function: Any, count: int) -> str:
    """Why a function can't be called with so many arguments; "" if it can."""
    if function is None:
        return ""
    if not callable(function):
        return "is no function"
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*range(count))
    except TypeError:
        return "takes " + str(signature)
    return ""


def told(error: BaseException, path: str) -> str:
    """What was raised as a file was loaded, with the line of that file."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if os.path.abspath(frame.filename) == os.path.abspath(path)]
    if not lines and isinstance(error, SyntaxError):
        lines = [error.lineno]
    place = " on line {}".format(lines[-1]) if lines else ""
    return "{}: {}{}".format(type(error).__name__, getattr(error, "msg", error), place)
