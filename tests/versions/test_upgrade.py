"""An upgrade finds every change that was planted between two releases, and no other."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.commands import upgrading
from harness.config import resolve
from harness.versions import lines
from harness.versions.changes import Effect
from harness.versions.upgrade import Upgrade
from tests.versions.conftest import PLANTED

BROKEN = (
    *("value", "sign", "nan", "infinity", "zero", "shape", "dtype", "last_element", "reduction", "raises", "gradient"),
    *("compiled", "narrow", "crashes", "silent"),
)
EFFECTS = {
    **{f"planted.{name}": Effect.BROKEN for name in BROKEN},
    "planted.error_type": Effect.SEMANTICS,
    "planted.worse": Effect.WORSE,
    "planted.removed": Effect.REMOVED,
    "planted.better": Effect.BETTER,
    "planted.answers": Effect.BETTER,
    "planted.added": Effect.NEW,
}
"""What is to be found of each implementation; of the others, nothing that is as grave."""


def given(sides: tuple[Path, Path], out: Path) -> dict[str, object]:
    files = {"paths": (PLANTED / "suite.yaml",), "adapter": (str(PLANTED / "adapter.py"),), "out": out}
    return {**files, "python": tuple(map(str, sides)), "subject": ("*:planted.*",)}


@pytest.fixture(scope="module")
def found(sides: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Upgrade:
    return upgrading.upgrade(resolve(given(sides, tmp_path_factory.mktemp("upgrade") / "run"), {}))


def test_each_planted_change_has_its_effect(found: Upgrade) -> None:
    effects = {api.implementation: api.effect for api in found.apis}
    assert {name: effects.get(name) for name in EFFECTS} == EFFECTS


def test_what_is_the_same_is_not_named(found: Upgrade) -> None:
    unchanged = {f"planted.{name}" for name in ("same", "default", "parameter", "renamed", "reordered", "deprecated")}
    assert not unchanged & {api.implementation for api in found.apis}


def test_only_the_mode_and_dtype_and_output_that_changed_are_told(found: Upgrade) -> None:
    places = {api.implementation: lines.where(api) for api in found.apis}
    assert places["planted.compiled"] == [["float32", "float64"], ["compiled"], ["value"]]
    assert places["planted.narrow"] == [["float64"], ["eager"], ["value"]]
    assert places["planted.gradient"] == [["float32", "float64"], ["eager"], ["gradient:logits"]]


def test_the_smallest_case_is_the_example(found: Upgrade) -> None:
    sign = next(api for api in found.apis if api.implementation == "planted.sign")
    assert sign.example.either.case == "suite:mean/float32"
    assert sign.farther > sign.nearer == 0


def test_signatures_errors_deprecations_and_times_are_told(found: Upgrade) -> None:
    assert found.parameters == {
        "planted.default": ["default of epsilon: 1e-07 -> 1e-12"],
        "planted.parameter": ["new parameter weight=None"],
        "planted.renamed": ["parameter logits is called input now", "parameter labels is called target now"],
        "planted.reordered": ["positional parameters are in another order: x, z, reduction, name, axis"],
    }
    assert found.errors["planted.error_type"] == ["raises TypeError, was ValueError"]
    assert found.deprecations == {"planted.deprecated": ["DeprecationWarning: deprecated() is deprecated: call same()"]}
    assert found.times["planted.slower@eager"].low > 2


def test_the_first_screen_begins_with_both_versions_and_the_counts(found: Upgrade) -> None:
    first, second, *rest = lines.lines(found)
    assert first == "planted 1.0 -> 2.0"
    assert f"{found.count(Effect.BROKEN)} newly broken" in second
    assert rest[0].startswith("  newly broken  planted.")


def test_command_writes_its_reports_and_fails(sides: tuple[Path, Path], tmp_path: Path) -> None:
    options = given(sides, tmp_path / "run")
    before, after = sides
    command = ["upgrade", "--python", str(before), "--python", str(after), "--adapter", str(PLANTED / "adapter.py")]
    command += ["--cases", str(PLANTED / "suite.yaml"), "--subject", "*:planted.sign@*", "--out", str(options["out"])]
    command += ["--report", f"json:{tmp_path}/u.json", "--report", f"html:{tmp_path}/u.html"]
    command += ["--report", f"markdown:{tmp_path}/u.md"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1, result.output
    report = json.loads((tmp_path / "u.json").read_text())
    assert report["counts"]["newly broken"] == 1
    assert report["before"]["packages"]["planted"] == "1.0"
    assert [(api["implementation"], api["effect"]) for api in report["apis"]] == [("planted.sign", "newly broken")]
    page = (tmp_path / "u.html").read_text()
    assert "planted 1.0 -&gt; 2.0" in page
    assert "<script" not in page
    assert (tmp_path / "u.md").read_text().startswith("## planted 1.0 -&gt; 2.0")


@pytest.mark.parametrize(("fail_on", "code"), [("new", 0), ("regression", 1), ("any", 0)])
def test_the_gate_fails_what_it_is_told_to(sides: tuple[Path, Path], tmp_path: Path, fail_on: str, code: int) -> None:
    options = resolve({**given(sides, tmp_path / "run"), "subject": ("*:planted.worse@*", "*:planted.bits@*")}, {})
    assert upgrading.exit_code(upgrading.upgrade(options), fail_on) == code


def test_a_killed_upgrade_goes_on_and_loses_nothing(found: Upgrade, sides: tuple[Path, Path], tmp_path: Path) -> None:
    out, (before, after) = tmp_path / "run", sides
    command = [sys.executable, "-m", "harness", "upgrade", "--python", str(before), "--python", str(after)]
    command += ["--adapter", str(PLANTED / "adapter.py"), "--cases", str(PLANTED / "suite.yaml"), "--out", str(out)]
    process = subprocess.Popen(
        [*command, "--subject", "*:planted.*"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and observed(out) < 100:
        time.sleep(0.05)
    process.kill()
    process.wait()
    kept = observed(out)
    resumed = upgrading.upgrade(resolve({"out": out, "resume": True}, {}))
    assert {api.implementation: api.effect for api in resumed.apis} == {a.implementation: a.effect for a in found.apis}
    assert resumed.compared == found.compared
    assert observed(out) > kept


def observed(folder: Path) -> int:
    """Observations that a run has kept so far."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/run.sqlite?mode=ro", uri=True)) as store:
            return int(store.execute("SELECT count(*) FROM observations").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_the_same_environment_twice_changes_nothing(sides: tuple[Path, Path], tmp_path: Path) -> None:
    before, _ = sides
    same = upgrading.upgrade(resolve({**given((before, before), tmp_path), "subject": ("*:planted.s*",)}, {}))
    assert (same.changed, list(same.apis), dict(same.parameters)) == ([], [], {})
    assert list(lines.lines(same))[1].startswith("no API changed: none newly broken")
