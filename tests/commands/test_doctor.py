"""What `harness env doctor` looks at, with environments that are made up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness import provision
from harness.commands import doctor
from harness.config import Options
from harness.environments import venvs
from harness.environments.adapters import adapters
from harness.environments.definitions import Definition
from harness.environments.venvs import Tools


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments that are this interpreter without what is installed: without NumPy."""

    def make(_definition: Definition, _tools: Tools, home: Path, _lock: Path | None, _log: Path) -> list[str]:
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
        (home / "bin" / "python").chmod(0o755)
        return []

    monkeypatch.setattr(venvs, "make", make)


def test_what_is_written_out_is_looked_at_as_it_was_made(tmp_path: Path) -> None:
    lock = tmp_path / "prod.txt"
    lock.write_text("numpy==9.9\n")
    options = Options(cache=tmp_path / "cache")
    written = ("numpy==9.8", str(lock))
    before = list(doctor.rows([*written, "numpy==9.8 idna"], options))
    assert [row["complaint"] for row in before] == [
        "it isn't made: `harness env create numpy==9.8`",
        f"it isn't made: `harness env create {lock}`",
        "it isn't made: `harness env create 'numpy==9.8 idna'`",
    ]
    for text in written:
        provision.environment(text, options, adapters())
    after = list(doctor.rows(written, options))
    assert [row["environment"] for row in after] == ["numpy-9.8", "prod"]
    assert not [row for row in after if "it isn't made" in row["complaint"]]


def test_an_environment_without_numpy_is_one_clear_line(tmp_path: Path) -> None:
    options = Options(cache=tmp_path / "cache")
    provision.environment("numpy==9.9", options, adapters())
    (row,) = doctor.rows(["numpy==9.9"], options)
    assert "Traceback" in row["complaint"]
    said = "numpy-9.9: numpy  UNAVAILABLE: ended with exit code 1: ModuleNotFoundError: No module named 'numpy'"
    assert doctor.line(row) == said
