from __future__ import annotations

import ast
import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import harness.adapters
from harness.adapters import numpy as numpy_adapter
from harness.environments.adapters import BUILT_IN

FOLDER = Path(harness.adapters.__file__).parent
ISLAND = [*FOLDER.glob("*.py"), *(FOLDER.parent / "worker").glob("*.py"), FOLDER.parent / "__init__.py"]
MODULES = [importlib.import_module(f"harness.adapters.{name}") for name in BUILT_IN]
FRAMEWORKS = {getattr(m, "ALIASES", {}).get(name, name) for m in MODULES for name in m.PACKAGES} - {"numpy"}
# What the island uses of the standard library, all of it in Python 3.7.
STANDARD = {
    "__future__", "argparse", "collections", "functools", "hashlib", "importlib", "inspect", "json",
    "operator", "os", "pathlib", "platform", "re", "signal", "struct", "sys", "time", "traceback", "types",
    "typing", "warnings",
}  # fmt: skip


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield str(node.module)


@pytest.mark.parametrize("file", ISLAND, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_file_is_python_3_7_and_imports_only_the_island(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 7))
    for name in imported(ast.walk(tree)):
        first = name.partition(".")[0]
        allowed = first in STANDARD | FRAMEWORKS | {"numpy"} or name.startswith(("harness.adapters", "harness.worker"))
        assert allowed, name


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.name)
def test_top_level_imports_no_framework(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert not FRAMEWORKS & {name.partition(".")[0] for name in imported(tree.body)}


def test_importing_the_adapters_imports_no_framework() -> None:
    modules = ", ".join(module.__name__ for module in MODULES)
    program = f"import sys, {modules}; print(sorted({FRAMEWORKS!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


@pytest.mark.parametrize("adapter", MODULES, ids=lambda module: module.FRAMEWORK)
def test_table_names_each_implementation_once(adapter: ModuleType) -> None:
    keys = [(i.path, i.operation) for i in adapter.IMPLEMENTATIONS]
    assert len(keys) == len(set(keys))


def old_python() -> str:
    """A Python 3.7 that has NumPy; "" if there is none."""
    versions = Path.home() / ".pyenv" / "versions"
    found = [shutil.which("python3.7"), *(str(p) for p in sorted(versions.glob("3.7*/bin/python")))]
    for python in filter(None, found):
        if subprocess.run([python, "-c", "import numpy"], capture_output=True, check=False).returncode == 0:
            return python
    return ""


def test_worker_runs_under_python_3_7(start_worker: Any, assert_agrees: Any) -> None:
    python = old_python()
    if not python:
        pytest.skip("no Python 3.7 with NumPy here: neither python3.7 on the path nor one of pyenv's")
    worker = start_worker(FOLDER / "numpy.py", python)
    assert worker.hello["python"].startswith("3.7.")
    for row in numpy_adapter.IMPLEMENTATIONS:
        if not row.path.endswith("000_c_1"):
            for dtype in row.dtypes:
                assert_agrees(row, worker.send, dtype)
    worker.close()
