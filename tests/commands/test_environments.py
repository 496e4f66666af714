"""What `harness env list` says of environments that are made up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness import provision
from harness.commands import environments
from harness.config import ConfigError, Options
from harness.environments import venvs
from harness.environments.adapters import adapters
from harness.environments.definitions import Definition
from harness.environments.venvs import Tools

PROJECT = '[tool.harness.env.prod]\nrequirements = ["numpy=={version}"]\n'


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_definition: Definition, _tools: Tools, home: Path, _lock: Path | None, _log: Path) -> list[str]:
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "python").symlink_to(sys.executable)
        return []

    monkeypatch.setattr(venvs, "make", make)


def test_what_is_not_defined_is_told_from_what_is_defined_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project, options = tmp_path / "pyproject.toml", Options(cache=tmp_path / "cache")
    project.write_text(PROJECT.format(version="9.8"))
    for name in ("numpy==9.9", "prod"):
        provision.environment(name, options, adapters())
    states = {row["environment"].rpartition("-")[0]: row["state"] for row in environments.rows(options)}
    assert states["numpy-9.9"] == "not defined here"
    project.write_text(PROJECT.format(version="9.9"))
    states = {row["environment"].rpartition("-")[0]: row["state"] for row in environments.rows(options)}
    assert states["prod"] == "of another definition"


def test_a_file_of_the_users_is_not_resolved_anew(tmp_path: Path) -> None:
    """It was deleted, and made of its own requirements without its constraints."""
    file = tmp_path / "prod.txt"
    file.write_text("numpy==2.4.6\n")
    with pytest.raises(ConfigError, match="yours to change"):
        list(environments.create([str(file)], Options(cache=tmp_path / "cache"), relock=True))
    assert file.read_text() == "numpy==2.4.6\n"
