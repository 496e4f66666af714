"""The examples do what their READMEs say, command by command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
PROJECT = EXAMPLES / "my_project"
BLOCKS = re.findall(r"```sh\n(.*?)```", (PROJECT / "README.md").read_text(), re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
SAID = {
    "harness check cases": (0, r"1 files, 4 entries, 0 deviations: no error"),
    "harness check-adapter losses_adapter.py": (1, r"my_losses\.naive .* label -1 is no class(?s:.*): 1 complaint"),
    "pytest --harness-cases cases": (0, r"my_losses 1\.0: 27 pass\n.*6 passed"),
    "pytest --harness-cases stock -n 2": (0, r"my_losses 1\.0: \d+ pass"),
    "HARNESS_SUBJECT='*:my_losses.naive@*' pytest --harness-cases cases": (
        1,
        r"infinity at \[0\](?s:.*)label -1 is no class of 0\.\.2(?s:.*)2 failed, 4 passed",
    ),
}
"""For each command its exit code, and what is found in what it prints."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example outside of the checkout."""
    return shutil.copytree(
        PROJECT, tmp_path / "my_project", ignore=shutil.ignore_patterns("__pycache__", ".*", "reports")
    )


def test_every_command_of_the_readme_is_known() -> None:
    assert list(SAID) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme(project: Path, installed: Path, command: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(project), "PYTHONPATH": str(installed)}
    done = subprocess.run(
        ["/bin/bash", "-c", command], capture_output=True, text=True, check=False, cwd=project, env=environment
    )
    code, said = SAID[command]
    assert done.returncode == code, done.stdout + done.stderr
    assert re.search(said, done.stdout), done.stdout
