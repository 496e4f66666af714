from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.environments import pythons

Fake = Callable[..., Path]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Interpreters that say a version; nothing but them is on the path or among pyenv's."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))

    def make(place: str, version: str, code: int = 0) -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho {version}\necho {path}\nexit {code}\n")
        path.chmod(0o755)
        return path

    return make


def test_this_interpreter_is_found_behind_its_virtual_environment() -> None:
    found = pythons.find(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert found is not None
    assert found == Path(sys._base_executable).resolve()  # type: ignore[attr-defined]


def test_one_on_the_path_is_found(fake: Fake) -> None:
    path = fake("bin/python3.4", "3.4.9")
    assert pythons.find("3.4") == path
    assert pythons.find("3.4.9") == path
    assert pythons.find("3.4.8") is None


def test_a_shim_that_leads_nowhere_is_passed_over_for_pyenvs_newest(fake: Fake) -> None:
    fake("bin/python3.4", "3.4.9", code=127)
    fake("pyenv/versions/3.4.9/bin/python3.4", "3.4.9")
    newest = fake("pyenv/versions/3.4.10/bin/python3.4", "3.4.10")
    assert pythons.find("3.4") == newest


def test_3_1_is_not_3_11(fake: Fake) -> None:
    fake("bin/python3.1", "3.11.0")
    assert pythons.find("3.1") is None


def test_a_path_is_taken_at_its_word(fake: Fake, tmp_path: Path) -> None:
    path = fake("opt/python", "3.4.9")
    assert pythons.find(str(path)) == path
    assert pythons.find(str(tmp_path / "nothing")) is None
