"""The adapters there are: built in, of installed packages, and users' own files."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from harness.environments import installed, table
from harness.environments.interpreters import EnvironmentUnusableError
from harness.model.subject import Adapter
from harness.worker import tables
from harness.worker.process import load_adapter

BUILT_IN = (
    "numpy",
    "tensorflow",
    "torch",
    "scipy",
    "sklearn",
    "jax",
    "optax",
    "onnx",
    "onnxruntime",
    "keras_tensorflow",
    "keras_torch",
    "keras_jax",
)


def adapters(files: Sequence[str] = ()) -> list[Adapter]:
    """The built-in adapters, those of installed packages, then the given files.

    A file replaces the adapter that there is of its framework; an installed package may not.

    Raises:
        EnvironmentUnusableError: a file can't be loaded, is no adapter or has a wrong table; two packages have one of
            the same framework.
    """
    found = {a.framework: a for a in map(_built_in, BUILT_IN)}
    for name, path in installed.files():
        adapter = _from_file(path)
        if adapter.framework in found:
            raise EnvironmentUnusableError(f"{name}: there is an adapter of {adapter.framework} already")
        found[adapter.framework] = adapter
    for file in files:
        adapter = _from_file(Path(file))
        found[adapter.framework] = adapter
    return list(found.values())


def _built_in(name: str) -> Adapter:
    return _adapter(importlib.import_module(f"harness.adapters.{name}"))


def _from_file(path: Path) -> Adapter:
    if not path.is_file():
        raise EnvironmentUnusableError(f"{path}: no such adapter file")
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        module = load_adapter(str(path))
    except (Exception, SystemExit) as error:  # a user's file raises anything
        raise EnvironmentUnusableError(f"{path}: can't be loaded: {tables.told(error, str(path))}") from error
    finally:
        sys.dont_write_bytecode = written
    missing = [name for name in table.REQUIRED if not hasattr(module, name)]
    if missing:
        raise EnvironmentUnusableError(f"{path}: no adapter: it lacks {', '.join(missing)}")
    # What is imported tells of this process, where a user's tests may have imported a framework before.
    if complaints := table.complaints({**tables.table(module), "imported": ()}):
        more = f" (and {len(complaints) - 1} more: harness check-adapter {path})" if len(complaints) > 1 else ""
        raise EnvironmentUnusableError(f"{path}: {complaints[0]}{more}")
    return _adapter(module)


def _adapter(module: ModuleType) -> Adapter:
    return Adapter(module.FRAMEWORK, str(module.__file__), tuple(module.PACKAGES), tuple(module.IMPLEMENTATIONS))
