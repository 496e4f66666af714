"""The workflow files of docs/: what can be known of them without the services."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml
import yamlcore

from harness import config, pipeline
from harness.cli import app

ROOT = Path(__file__).parent.parent
WORKFLOWS = ROOT / "docs" / "workflows"
GITHUB, GITLAB = "github-actions.yml", "gitlab-ci.yml"
SCHEMAS = {GITHUB: "github-workflows.json", GITLAB: "gitlab-ci.json"}
README = (ROOT / "README.md").read_text(encoding="utf-8")


def parsed(name: str) -> Any:
    """A workflow file, by the rules of YAML 1.2: its `on` is no truth value."""
    return yaml.load((WORKFLOWS / name).read_text(encoding="utf-8"), yamlcore.CoreLoader)  # noqa: S506 - it is safe


def lines(name: str) -> Iterator[str]:
    """Every line that a service runs in a shell."""
    found = parsed(name)
    if name == GITHUB:
        scripts = [step["run"] for job in found["jobs"].values() for step in job["steps"] if "run" in step]
    else:
        scripts = [line for job in found.values() for key in ("before_script", "script") for line in job.get(key, ())]
    for script in scripts:
        yield from script.splitlines()


def commands(text: Iterator[str] | list[str]) -> list[list[str]]:
    """The words of each call of the harness, without its own name."""
    words = [shlex.split(line) for line in text]
    return [each[1:] for each in words if each and each[0].rpartition("/")[2] == "harness"]


def section() -> str:
    """The README's section on continuous integration."""
    return README[README.index("## A gate in CI") : README.index("## An upgrade")]


def short() -> Any:
    """The README's workflow."""
    (workflow,) = re.findall(r"```yaml\n(.*?)```", section(), re.DOTALL)
    return yaml.load(workflow, yamlcore.CoreLoader)  # noqa: S506 - it is safe


def documented() -> list[list[str]]:
    """The commands of docs/ci.md and of the README's section."""
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    blocks = [block for text in (page, section()) for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]
    steps = [step["run"] for step in short()["jobs"]["losses"]["steps"] if "run" in step]
    return commands([part for text in (*blocks, *steps) for line in text.splitlines() for part in line.split(" && ")])


def schema(name: str) -> Any:
    """A service's schema of its workflow files."""
    return json.loads((Path(__file__).parent / "vendored" / SCHEMAS[name]).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_workflow_is_what_its_service_takes(name: str) -> None:
    jsonschema.Draft7Validator(schema(name)).validate(parsed(name))


def test_the_readmes_workflow_is_one() -> None:
    jsonschema.Draft7Validator(schema(GITHUB)).validate(short())


ALL = [*commands(list(lines(GITHUB))), *commands(list(lines(GITLAB))), *documented()]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_call_of_the_harness_is_one_that_it_takes(words: list[str], tmp_path: Path) -> None:
    command: Any = typer.main.get_command(app)
    rest = words
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    given = command.make_context("harness", list(rest)).params
    if command.name == "run":
        options = config.resolve(given, {}, tmp_path)
        pipeline.wanted_reports(options)


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_installed_is_cached_by_what_pins_it(name: str) -> None:
    text = (WORKFLOWS / name).read_text(encoding="utf-8")
    assert "pip install -c constraints.txt -e ." in text
    keys = re.findall(r"key: .*hashFiles\((.*)\)|files: \[(.*)\]", text)
    assert len(keys) == 2
    for key in keys:
        named = [word.strip(" '") for word in "".join(key).split(",")]
        assert {"constraints.txt", "pyproject.toml"} <= set(named)
        assert all(any(ROOT.glob(word)) for word in named)


def uploaded(name: str) -> set[str]:
    """The files and folders that a service is told to keep of the gate's run."""
    found = parsed(name)
    if name == GITHUB:
        settings = [
            step.get("with", {}) for step in found["jobs"]["gate"]["steps"] if "cache" not in step.get("uses", "")
        ]
        return {value for each in settings for key, value in each.items() if key in ("sarif_file", "path")}
    artifacts = found["losses"]["artifacts"]
    return {*artifacts["paths"], artifacts["reports"]["junit"]}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_gates_own_command_writes_what_the_service_keeps(name: str, tmp_path: Path) -> None:
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "HARNESS_SUBJECT": "*:numpy.*",
        "HARNESS_KEYWORD": "documents/003",
        "CI": "true",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "page.md"),
    }

    def call(words: list[str]) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "harness", *words]
        return subprocess.run(line, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    for words in documented()[:2]:
        assert call(words).returncode == 0
    (gate,) = (words for words in commands(list(lines(name))) if words[0] == "run")
    done = call(gate)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "baseline: nothing differs" in done.stdout
    for path in uploaded(name):
        assert (tmp_path / path).exists(), path
    assert (tmp_path / "page.md").read_text(encoding="utf-8").startswith("## ✅ Passed")
