"""Wheels that are made here, and an index that is a folder: nothing comes from a network."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.environments.cache import Cache
from harness.environments.definitions import Definition

MakeWheel = Callable[..., Path]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip is configured to take wheels from, and nothing else: only a pip that reads it finds them."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def wheel(index: Path) -> MakeWheel:
    def make(name: str, version: str, *requires: str) -> Path:
        info = f"{name}-{version}.dist-info"
        metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
        tags = ["Wheel-Version: 1.0", "Generator: here", "Root-Is-Purelib: true", "Tag: py3-none-any"]
        path = index / f"{name}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.py", f"__version__ = {version!r}\n")
            archive.writestr(f"{info}/METADATA", _lines(metadata))
            archive.writestr(f"{info}/WHEEL", _lines(tags))
            archive.writestr(f"{info}/RECORD", "")
        return path

    return make


def _lines(lines: list[str]) -> str:
    return "\n".join([*lines, ""])


@pytest.fixture
def definition() -> Callable[..., Definition]:
    """A definition for the interpreter that runs the tests."""

    def make(name: str = "mine", *requirements: str, python: str = HERE, **more: object) -> Definition:
        return Definition(name, python, requirements or ("small==1.0",), **{"megabytes": 10, **more})  # type: ignore[arg-type]

    return make


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")
