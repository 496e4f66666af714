"""Environments that `--env` names, from their definitions to the rows of a run."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import config, pipeline, provision
from harness.config import ConfigError, Options
from harness.environments import venvs
from harness.environments.adapters import adapters
from harness.environments.definitions import Definition, DefinitionError
from harness.environments.venvs import NotMadeError, Tools
from harness.model.run import Results
from harness.model.verdict import ExitCode, Kind
from harness.session import results
from harness.store.database import reading

SUITE = Path(__file__).parent / "pipeline" / "suite.yaml"
PROJECT = """
[tool.harness.env.old]
python = "3.9"
requirements = ["numpy==1.26"]

[tool.harness.env.broken]
requirements = ["numpy==0.1"]

[tool.harness.env.huge]
requirements = ["numpy"]
megabytes = 1_000_000_000_000

[tool.harness.env.odd]
requirements = ["numpy"]
frameworks = ["mxnet"]
"""
Go = Callable[..., tuple[ExitCode, Results]]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A project whose environments are this interpreter, but for a broken one; the names of those that were made."""
    made: list[str] = []

    def make(definition: Definition, _tools: Tools, home: Path, _lock: Path | None, _log: Path) -> list[str]:
        if definition.python == "3.5":
            raise NotMadeError("no Python 3.5 here")
        if definition.name == "broken":
            raise NotMadeError("No matching distribution found for numpy==0.1")
        made.append(definition.name)
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (home / "bin" / "python").chmod(0o755)
        return list(definition.requirements)

    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(venvs, "make", make)
    monkeypatch.setattr(venvs, "tools", lambda _definition: Tools("uv", Path(sys.executable)))
    return made


@pytest.fixture
def go(tmp_path: Path) -> Go:
    def run(**flags: Any) -> tuple[ExitCode, Results]:
        environ = {"CI": flags.pop("ci", "")}
        options = config.resolve(
            {"paths": (SUITE,), "out": tmp_path / "run", "cache": tmp_path / "cache", **flags}, environ
        )
        code = pipeline.run(options)
        with reading(tmp_path / "run") as store:
            return code, results(store, tmp_path / "run")

    return run


def subjects(found: Results) -> set[str]:
    return {v.subject for v in found.verdicts if v.subject != "document"}


def options(**settings: Any) -> Options:
    return Options(cache=Path("cache"), **settings)


def test_what_is_named_is_made_once_and_asked_what_its_requirements_name(project: list[str]) -> None:
    asked = options(env=("current", "old"))
    found = provision.environments(asked, adapters())
    assert list(found) == ["current", "old"]
    assert (found["current"].python, found["current"].frameworks) == (sys.executable, ())
    assert (found["old"].frameworks, found["old"].complaint) == (("numpy",), "")
    provision.environments(asked, adapters())
    assert project == ["old"]


def test_without_a_name_nothing_is_made(project: list[str]) -> None:
    assert list(provision.environments(options(), adapters())) == ["current"]
    assert project == []


def test_an_interpreter_stands_beside_the_named_ones() -> None:
    named, given = provision.environments(options(env=("old",), python=(sys.executable,)), adapters()).values()
    assert (named.name, given.python) == ("old", sys.executable)


def test_two_environments_of_one_name_are_told_apart_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "old" / "bin").mkdir(parents=True)
    (tmp_path / "old" / "pyvenv.cfg").touch()
    (tmp_path / "old" / "bin" / "python").symlink_to(sys.executable)
    with pytest.raises(ConfigError, match="--env old: an environment of --python has this name too"):
        provision.environments(options(env=("old",), python=("old",)), adapters())


def test_a_projects_definitions_stand_beside_the_shipped_ones() -> None:
    assert {"tf1.15", "jax", "old", "broken"} <= set(provision.known())


def test_what_is_not_defined_is_told() -> None:
    with pytest.raises(DefinitionError, match=r"environment odl: no such environment, did you mean 'old'\?"):
        provision.environments(options(env=("odl",)), adapters())


def test_a_framework_without_an_adapter_is_told() -> None:
    with pytest.raises(ConfigError, match="environment odd: mxnet is no framework that there is an adapter for"):
        provision.environments(options(env=("odd",)), adapters())


def test_a_definition_that_can_not_be_read_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.harness.env.a]\nrequirement = ['x']\n")
    with pytest.raises(DefinitionError) as refused:
        provision.known()
    assert str(refused.value).startswith(
        f"{tmp_path / 'pyproject.toml'}: [tool.harness.env.a] requirement: unknown key"
    )


def test_a_run_in_a_named_environment(go: Go) -> None:
    code, found = go(env=("old",))
    assert code is ExitCode.OK
    assert {subject.partition(".")[0] for subject in subjects(found)} == {"old:numpy"}


def test_an_environment_that_can_not_be_made_is_unavailable_and_costs_no_other_row(go: Go) -> None:
    code, found = go(env=("old", "broken"))
    assert code is ExitCode.OK
    rows = [v for v in found.verdicts if v.environment == "broken"]
    assert {(v.verdict, v.reason) for v in rows} == {
        (Kind.UNAVAILABLE, "No matching distribution found for numpy==0.1")
    }
    assert {v.framework for v in rows} == {"numpy"}
    assert all(v.verdict is not Kind.UNAVAILABLE for v in found.verdicts if v.environment == "old")


@pytest.mark.parametrize("flags", [{"require": ("broken",)}, {"ci": "true"}], ids=["required", "in CI"])
def test_a_required_environment_that_can_not_be_made_is_a_failure(go: Go, flags: dict[str, Any]) -> None:
    code, found = go(env=("old", "broken"), **flags)
    assert code is ExitCode.FAILED
    assert {v.reason for v in found.verdicts if v.verdict is Kind.FAIL} == {
        "required, but unavailable: No matching distribution found for numpy==0.1"
    }


def test_in_continuous_integration_the_same_requirements_on_two_pythons_are_both_required(go: Go) -> None:
    code, found = go(env=("numpy==9.9@python3.11", "numpy==9.9@python3.5"), ci="true")
    assert code is ExitCode.FAILED
    failed = {(v.environment, v.reason) for v in found.verdicts if v.verdict is Kind.FAIL}
    assert failed == {("numpy-9.9-2", "required, but unavailable: no Python 3.5 here")}


def test_without_disk_an_environment_is_unavailable_in_one_clear_line(
    go: Go, project: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    code, found = go(env=("old", "huge"))
    assert code is ExitCode.OK
    (reason,) = {v.reason for v in found.verdicts if v.environment == "huge"}
    assert re.fullmatch(r"no disk: it needs 1,000,000,000,200 MB, and [\d,]+ MB are free in \S+", reason)
    assert {v.verdict for v in found.verdicts if v.environment == "huge"} == {Kind.UNAVAILABLE}
    assert capfd.readouterr().err.count(f"UNAVAILABLE: environment huge: {reason}\n") == 1
    assert project == ["old"]


def test_without_disk_a_required_environment_is_a_failure_and_the_others_are_not(go: Go) -> None:
    code, found = go(env=("old", "huge"), require=("huge",))
    assert code is ExitCode.FAILED
    failed = [v for v in found.verdicts if v.verdict is Kind.FAIL]
    assert {v.environment for v in failed} == {"huge"}
    assert all(v.reason.startswith("required, but unavailable: no disk: it needs") for v in failed)
