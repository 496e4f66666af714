"""Adapters of installed packages: modules that the entry point group `harness.adapters` names."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from harness.environments.interpreters import EnvironmentUnusableError

GROUP = "harness.adapters"


def files() -> Iterator[tuple[str, Path]]:
    """For each entry point what it is called in messages, and the file of its module; nothing is imported.

    Raises:
        EnvironmentUnusableError: there is no such module.
    """
    for point in entry_points(group=GROUP):
        name = f"{point.dist.name if point.dist else '?'}: entry point {point.name} = {point.value}"
        found = None if point.attr else _spec(point)
        if found is None or found.origin is None:
            raise EnvironmentUnusableError(f"{name}: there is no such module; an adapter is one with a file")
        yield name, Path(found.origin)


def _spec(point: EntryPoint) -> ModuleSpec | None:
    """Where a module is. Looking for it in the usual way would import the packages that it is in."""
    root, *rest = point.module.split(".")
    found = importlib.util.find_spec(root)
    for part in rest:
        found = found and PathFinder.find_spec(f"{found.name}.{part}", found.submodule_search_locations or [])
    return found
