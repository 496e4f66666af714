"""JAX's compilations are kept in the harness's cache: a later run takes them from there, with the same bits."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from harness import pipeline
from harness.config import Options
from harness.model.verdict import ExitCode

CASE = """
cases:
  - id: kept
    operation: softmax_cross_entropy
    dtypes: [float32]
    inputs: {logits: [[1.5, -2.0, 0.25]], labels: [[0.25, 0.5, 0.25]]}
"""


def run(folder: Path, name: str) -> list[Any]:
    """Bits and subjects of a run of optax with the folder's cache."""
    report = folder / f"{name}.json"
    options = Options(
        paths=(folder / "kept.yaml",),
        subject=("*:optax.*",),
        out=folder / name,
        cache=folder / "cache",
        report=(f"json:{report}",),
    )
    assert pipeline.run(options) == ExitCode.OK
    rows = json.loads(report.read_text())["verdicts"]
    return [[row["subject"], row["output"], row["bits"]] for row in rows]


@pytest.mark.skipif(importlib.util.find_spec("optax") is None, reason="optax isn't installed")
def test_a_second_run_compiles_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept.yaml").write_text(CASE)
    first = run(tmp_path, "first")
    kept = sorted((tmp_path / "cache" / "compiled").rglob("*-cache"))
    assert kept
    before = [file.stat().st_mtime_ns for file in kept]
    assert run(tmp_path, "second") == first
    assert sorted((tmp_path / "cache" / "compiled").rglob("*-cache")) == kept
    assert [file.stat().st_mtime_ns for file in kept] == before
