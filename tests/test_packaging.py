"""The wheel carries the cases: `harness` works after an install from anywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_installed_harness_has_all_cases_and_runs_without_paths(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed), "HARNESS_SUBJECT": "*:numpy.*"}

    def harness(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "harness", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)

    cases = {row["case"] for row in json.loads(harness("list", "cases", "--json").stdout)}
    assert {"documents/003:003-a/float32", "operations/sigmoid:grid/float32"} <= cases
    done = harness("run", "-k", "003-a or 004-b")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "reports" / "latest" / "report.json").read_text())["verdicts"]
    assert {"erratum", "pass"} == {row["verdict"] for row in rows}


@pytest.mark.parametrize("conftest", ["", 'pytest_plugins = ["harness.pytest_plugin"]\n'])
def test_installed_harness_is_a_pytest_plugin_however_often_it_is_named(
    installed: Path, tmp_path: Path, conftest: str
) -> None:
    (tmp_path / "conftest.py").write_text(conftest)
    environment = {**os.environ, "PYTHONPATH": str(installed), "HARNESS_SUBJECT": "*:numpy.*", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-P", "-m", "pytest", "--harness-cases", "stock", "-k", "003-a and numpy", "-v"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    name = "stock/documents/003.yaml::003-a/float32/current:numpy.sigmoid_cross_entropy@eager"
    assert f"{name} PASSED" in done.stdout
