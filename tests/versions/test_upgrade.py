"""An upgrade finds every change that was planted between two releases, and no other."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.commands import upgrading
from harness.config import ConfigError, resolve
from harness.gate.policy import Policy, Rule
from harness.model.verdict import ExitCode
from harness.versions import lines
from harness.versions.changes import Effect
from harness.versions.gating import decided
from harness.versions.upgrade import Upgrade
from tests.versions.conftest import PLANTED

ROOT = Path(__file__).parents[2]
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
    "planted.bits": Effect.BITS,
}
"""What is to be found of each implementation; of the others, nothing that is as grave."""


def given(sides: tuple[Path, Path], out: Path) -> dict[str, object]:
    files = {"paths": (PLANTED / "suite.yaml",), "adapter": (str(PLANTED / "adapter.py"),), "out": out}
    return {**files, "python": tuple(map(str, sides)), "subject": ("*:planted.*",)}


@pytest.fixture(scope="module")
def found(sides: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Upgrade:
    return upgrading.upgrade(
        resolve(given(sides, tmp_path_factory.mktemp("upgrade") / "run"), {}, defaults=upgrading.DEFAULTS)
    )


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
    assert second == (
        f"21 APIs changed: 1 worse, 2 better, {len(BROKEN)} newly broken, 1 with other semantics, 1 removed, 1 new "
        f"({found.compared:,} outputs compared)"
    )
    assert "1 API with other bits that are as good: planted.bits" in rest
    told = [line.split(": ")[0] for line in rest[:21]]
    assert told == [f"  {api.effect:<12}  {api.implementation}" for api in found.changed]
    (sign,) = (line for line in rest[:21] if "planted.sign:" in line)
    assert "  planted.sign: suite:mean/float32: exact " in sign
    assert " -> inaccurate " in sign
    assert "(float32, float64 eager value; of 59 outputs 29 farther from the truth)" in sign
    assert found.decision is not None
    assert rest[-1] == f"gate: failed by --fail-on new: {len(found.decision.failing)} new failure"


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
    assert report["schema"] == 2
    assert report["counts"]["newly broken"] == 1
    assert report["gate"]["exit_code"] == 1
    assert report["before"]["packages"]["planted"] == "1.0"
    assert [(api["implementation"], api["effect"]) for api in report["apis"]] == [("planted.sign", "newly broken")]
    page = (tmp_path / "u.html").read_text()
    assert "planted 1.0 -&gt; 2.0" in page
    assert "<script" not in page
    assert (tmp_path / "u.md").read_text().startswith("## planted 1.0 -&gt; 2.0")


def passes(found: Upgrade, fail_on: str, *rules: Rule) -> bool:
    return decided(found, Policy(fail_on, rules)).exit_code is ExitCode.OK


def only(found: Upgrade, *names: str) -> Upgrade:
    """What changes of some implementations."""
    before, after = ([v for v in side if v.implementation in names] for side in found.verdicts)
    return replace(found, apis=[a for a in found.apis if a.implementation in names], verdicts=(before, after))


@pytest.mark.parametrize(
    ("name", "failed_by"),
    [
        ("worse", {"regression"}),
        ("error_type", {"regression", "any"}),
        ("removed", {"regression"}),
        ("sign", {"new", "regression", "any"}),
        ("better", set()),
        ("bits", set()),
        ("added", set()),
    ],
)
def test_the_gate_fails_what_it_is_told_to(found: Upgrade, name: str, failed_by: set[str]) -> None:
    one = only(found, f"planted.{name}")
    assert {word for word in ("new", "regression", "any") if not passes(one, word)} == failed_by


@pytest.mark.parametrize(
    ("name", "fail_on", "speaks", "code"),
    [
        ("sign", "new", {"changes": ("new failure",), "operations": ("sigmoid*",), "fail": False}, 0),
        ("sign", "new", {"changes": ("new failure",), "dtypes": ("float64",), "fail": False}, 1),
        ("narrow", "new", {"changes": ("new failure",), "dtypes": ("float64",), "fail": False}, 0),
        ("compiled", "new", {"changes": ("new failure",), "modes": ("compiled",), "fail": False}, 0),
        ("compiled", "new", {"changes": ("new failure",), "modes": ("eager",), "fail": False}, 1),
        ("worse", "new", {"changes": ("worse",), "subjects": ("after:planted.w*",), "fail": True}, 1),
        ("removed", "new", {"changes": ("removed",), "operations": ("sigmoid_cross_entropy",), "fail": True}, 1),
    ],
)
def test_rules_of_the_gate_decide_first(
    found: Upgrade, name: str, fail_on: str, speaks: dict[str, Any], code: int
) -> None:
    rule = Rule(reason="as we agreed", source="pyproject.toml:7", **speaks)
    assert passes(only(found, f"planted.{name}"), fail_on, rule) is (code == 0)


def test_the_command_reads_the_policy_of_the_project(
    sides: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.harness.gate]\nfail-on = "regression"\n[[tool.harness.gate.rules]]\n'
        'changes = ["worse"]\ndtypes = ["float64"]\nfail = false\nreason = "ours"\n'
    )
    monkeypatch.chdir(tmp_path)
    before, after = sides
    command = ["upgrade", "--python", str(before), "--python", str(after), "--adapter", str(PLANTED / "adapter.py")]
    command += [
        "--cases",
        str(PLANTED / "suite.yaml"),
        "--subject",
        "*:planted.worse@*",
        "--out",
        str(tmp_path / "run"),
    ]
    every = CliRunner().invoke(app, command)
    assert every.exit_code == 1, every.output
    assert "gate: failed by --fail-on regression: " in every.output
    assert "gate: let pass by the rule at pyproject.toml:3 (ours): " in every.output
    command[-1] = str(tmp_path / "narrow")
    assert CliRunner().invoke(app, [*command, "--dtype", "float64"]).exit_code == 0


def test_a_resumed_upgrade_asks_the_gate_anew_and_refuses_another_selection(
    sides: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.harness]\nenv = ["current"]\n')
    before, after = map(str, sides)

    def upgrade(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "harness", "upgrade", "--out", "u", *arguments]
        variables = {"PYTHONPATH": str(ROOT), "HARNESS_PYTHON": "nowhere,elsewhere"}
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=variables)

    chosen = ("--cases", str(PLANTED / "suite.yaml"), "--subject", "*:planted.worse@*")
    first = upgrade("--python", before, "--python", after, "--adapter", str(PLANTED / "adapter.py"), *chosen)
    assert first.returncode == 0, first.stderr
    judged = upgrade("--resume", "--fail-on", "regression")
    assert judged.returncode == 1, judged.stderr
    assert "gate: failed by --fail-on regression: " in judged.stdout
    assert upgrade("--resume").stdout == first.stdout
    turned = ("--python", after, "--python", before)
    for flag, other in (("--operation", ("--operation", "sigmoid")), ("--python", turned), ("--env", ("a", "b"))):
        refused = upgrade("--resume", *other)
        assert refused.returncode == 4
        assert f"--resume: {flag}: the run in u was started otherwise" in refused.stderr


def test_an_environment_is_not_compared_with_itself() -> None:
    with pytest.raises(ConfigError, match="upgrade: both sides are current: nothing can have changed"):
        CliRunner().invoke(app, ["upgrade", "current", "current"], catch_exceptions=False)


def test_the_same_environment_twice_changes_nothing(sides: tuple[Path, Path], tmp_path: Path) -> None:
    before, _ = sides
    same = upgrading.upgrade(resolve({**given((before, before), tmp_path), "subject": ("*:planted.s*",)}, {}))
    assert (same.changed, list(same.apis), dict(same.parameters)) == ([], [], {})
    assert list(lines.lines(same))[1].startswith("0 APIs changed: 0 worse, 0 better, none newly broken (")
