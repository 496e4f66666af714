from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.environments.interpreters import EnvironmentUnusableError, environments
from harness.model.subject import Environment

MakePython = Callable[..., Path]


@pytest.fixture
def python(tmp_path: Path) -> MakePython:
    """An executable in a folder, which is a virtual environment or not."""

    def make(folder: str, name: str = "python", *, venv: bool = True, mode: int = 0o755) -> Path:
        home = tmp_path / folder
        (home / "bin").mkdir(parents=True, exist_ok=True)
        if venv:
            (home / "pyvenv.cfg").touch()
        made = home / "bin" / name
        made.touch(mode)
        return made

    return make


def test_without_any_the_current_interpreter_is_the_environment() -> None:
    assert environments(()) == {"current": Environment("current", sys.executable)}


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("torch214", "torch214"),
        ("project/.venv", "project"),
        ("project/venv", "project"),
        ("project/env", "project"),
        (".tox/py312-torch", "py312-torch"),
        ("with space & more", "with-space-more"),
        ("ü", "python"),
        ("a:b@c", "a-b-c"),
    ],
)
def test_a_virtual_environment_is_named_by_its_folder(python: MakePython, folder: str, name: str) -> None:
    made = python(folder)
    assert environments([str(made)]) == {name: Environment(name, str(made))}
    assert environments([str(made.parent.parent)]) == {name: Environment(name, str(made))}


def test_an_interpreter_outside_one_is_named_by_itself(python: MakePython) -> None:
    made = python("usr", "python3.7", venv=False)
    assert list(environments([str(made)])) == ["python3.7"]


def test_duplicates_get_numbers(python: MakePython) -> None:
    paths = [str(python(f"{parent}/.venv")) for parent in ("a/p", "b/p", "c/p")]
    found = environments(paths)
    assert list(found) == ["p", "p-2", "p-3"]
    assert [e.python for e in found.values()] == paths
    assert [e.name for e in found.values()] == list(found)


def test_a_link_is_kept_since_it_is_what_makes_the_environment(python: MakePython, tmp_path: Path) -> None:
    real = python("usr", "python3.11", venv=False)
    link = python("venv9", "other").parent / "python"
    link.symlink_to(real)
    assert environments([str(link)]) == {"venv9": Environment("venv9", str(link))}
    assert tmp_path in link.parents


@pytest.mark.parametrize("here", [".", "bin/python", "../../project/.venv", "../.venv", "./bin/../bin/python"])
def test_relative_paths(python: MakePython, monkeypatch: pytest.MonkeyPatch, here: str) -> None:
    made = python("project/.venv")
    monkeypatch.chdir(made.parent.parent)
    (found,) = environments([here]).values()
    assert found.name == "project"
    assert Path(found.python).is_absolute()
    assert Path(found.python).samefile(made)


@pytest.mark.parametrize("given", ["nothing", "folder", "file"])
def test_what_is_no_interpreter_is_told(python: MakePython, tmp_path: Path, given: str) -> None:
    (tmp_path / "folder").mkdir()
    python("file", mode=0o644).rename(tmp_path / "file" / "python")
    path = tmp_path / given if given != "file" else tmp_path / "file" / "python"
    with pytest.raises(EnvironmentUnusableError) as refused:
        environments([str(path)])
    assert str(refused.value) == f"{path} is no Python interpreter, nor a virtual environment with bin/python"
