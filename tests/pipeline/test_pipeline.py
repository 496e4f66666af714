"""Whole runs: what is judged, stored, reported, resumed, and with which exit code."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from harness import pipeline
from harness.commands import baselines
from harness.config import ConfigError, Options
from harness.gate.policy import Rule
from harness.mistakes import NothingSelectedError
from harness.model.run import Results
from harness.model.verdict import ExitCode, Kind
from harness.session import unfinished
from harness.store.database import reading
from harness.store.folder import DATABASE, RunFolderError

Run = Callable[..., Results]
NUMPY = ("*:numpy.*",)


def kinds(found: Results) -> dict[tuple[str, str], Kind]:
    """Verdicts by case (without its path) and output, of the subject and of the document."""
    return {(f"{v.case.split(':')[1]} {v.subject.split(':')[-1]}", v.output): v.verdict for v in found.verdicts}


def test_every_kind_of_entry_gets_its_verdict(run: Run, here: Path) -> None:
    assert kinds(run(paths=[here / "suite.yaml"], subject=NUMPY)) == {
        ("right/float32 document", "value"): Kind.PASS,
        ("right/float32 numpy.sigmoid_cross_entropy@eager", "value"): Kind.PASS,
        ("right/float32 numpy.sigmoid_cross_entropy@eager", "gradient:logits"): Kind.PASS,
        ("right/float32 numpy.sigmoid_cross_entropy@eager", "gradient:labels"): Kind.PASS,
        ("misprint/float32 document", "value"): Kind.ERRATUM,
        ("misprint/float32 numpy.softmax_cross_entropy@eager", "value"): Kind.PASS,
        ("misprint/float32 numpy.softmax_cross_entropy@eager", "gradient:logits"): Kind.PASS,
        ("misprint/float32 numpy.softmax_cross_entropy@eager", "gradient:labels"): Kind.PASS,
        ("half/float32 numpy.by_hand.000_c_1@eager", "value"): Kind.DEVIATION,
        ("no-class/float32 numpy.sparse_softmax_cross_entropy@eager", "value"): Kind.PASS,
        ("identity/float32 document", "relation"): Kind.PASS,
        ("identity/float32 numpy.sigmoid@eager", "relation"): Kind.PASS,
        ("not-closed document", "value"): Kind.ERRATUM,
    }


def test_a_run_is_in_one_file_when_it_ends(run: Run, here: Path, tmp_path: Path) -> None:
    """What is left of its log has nothing in it."""
    found = run(paths=[here / "suite.yaml"], subject=NUMPY)
    (tmp_path / "copy").mkdir()
    shutil.copy(found.run.folder / DATABASE, tmp_path / "copy")
    with reading(tmp_path / "copy") as store:
        assert store.verdicts() == found.verdicts
        assert store.record(found.verdicts[0].case) is not None


def test_a_departure_that_is_gone_is_stale(run: Run, here: Path, tmp_path: Path) -> None:
    text = (here / "suite.yaml").read_text().replace("logits: [0.2], labels: [0]", "logits: [0.2], labels: [1]")
    (tmp_path / "stale.yaml").write_text(text)
    found = run(paths=[tmp_path / "stale.yaml"], keyword="half")
    assert [v.verdict for v in found.verdicts] == [Kind.STALE]


def test_results_do_not_depend_on_the_number_of_workers(run: Run, here: Path, tmp_path: Path) -> None:
    settings = {"paths": [here / "suite.yaml"], "subject": NUMPY}
    one = run(**settings, jobs=1, out=tmp_path / "one")
    two = run(**settings, jobs=2, out=tmp_path / "two")
    assert list(one.verdicts) == list(two.verdicts)


def test_a_missing_framework_is_unavailable_and_a_failure_if_it_is_required(
    run: Run, here: Path, tmp_path: Path
) -> None:
    adapter = tmp_path / "absent.py"
    adapter.write_text(
        "from harness.adapters import Implementation\n"
        'FRAMEWORK, PACKAGES = "absent", ("absent",)\n'
        'IMPLEMENTATIONS = (Implementation("absent.loss", "sigmoid_cross_entropy", None),)\n'
        "def start(threads): import absent\n"
        "def call(*_): raise AssertionError\n"
    )
    settings = {"paths": [here / "suite.yaml"], "adapter": [str(adapter)], "subject": ["*:absent.*"]}
    found = run(**settings, out=tmp_path / "without")
    assert {v.verdict for v in found.verdicts if v.framework == "absent"} == {Kind.UNAVAILABLE}
    required = run(**settings, require=["absent"], out=tmp_path / "with")
    failed = [v for v in required.verdicts if v.framework == "absent"]
    assert {v.verdict for v in failed} == {Kind.FAIL}
    assert "No module named 'absent'" in failed[0].reason


def test_exit_codes(here: Path, tmp_path: Path) -> None:
    suite, wrong = (here / "telling.yaml",), (str(here / "wrong.py"),)
    good = Options(paths=suite, adapter=wrong, subject=("*:wrong.right_softmax@*",), out=tmp_path / "good")
    bad = Options(paths=suite, adapter=wrong, subject=("*:wrong.wrong_axis@*",), out=tmp_path / "bad")
    assert pipeline.run(good) is ExitCode.OK
    assert pipeline.run(bad) is ExitCode.FAILED
    with pytest.raises(NothingSelectedError):
        pipeline.run(Options(paths=suite, keyword="nothing-has-this-name", out=tmp_path / "none"))
    with pytest.raises(ConfigError, match="--report word"):
        pipeline.run(good.model_copy(update={"report": ("word",), "out": tmp_path / "report"}))
    with pytest.raises(RunFolderError, match="already holds a run"):
        pipeline.run(good)


def test_gate_fails_on_new_failures_only_if_told_so(here: Path, tmp_path: Path) -> None:
    settings = {"paths": (here / "telling.yaml",), "adapter": (str(here / "wrong.py"),), "subject": ("*:wrong.*",)}
    assert pipeline.run(Options.model_validate({**settings, "out": tmp_path / "a"})) is ExitCode.FAILED
    known = {**settings, "baseline": tmp_path / "a", "fail_on": "new"}
    assert pipeline.run(Options.model_validate({**known, "out": tmp_path / "b"})) is ExitCode.OK
    assert pipeline.run(Options.model_validate({**known, "fail_on": "any", "out": tmp_path / "c"})) is ExitCode.FAILED


def test_max_failures_stops_the_run_and_fails(run: Run, here: Path) -> None:
    found = run(
        paths=[here / "telling.yaml"], adapter=[str(here / "wrong.py")], subject=["*:wrong.missing_term@*"],
        max_failures=1, report=["json"],
    )  # fmt: skip
    assert sum(v.verdict.failed for v in found.verdicts) == 1


def test_known_failures_do_not_count_where_only_new_ones_fail(here: Path, tmp_path: Path) -> None:
    settings = {"paths": (here / "telling.yaml",), "adapter": (str(here / "wrong.py"),), "subject": ("*:wrong.*",)}
    assert pipeline.run(Options.model_validate({**settings, "out": tmp_path / "a"})) is ExitCode.FAILED
    known = {**settings, "baseline": tmp_path / "a", "fail_on": "new", "max_failures": 1}
    assert pipeline.run(Options.model_validate({**known, "out": tmp_path / "b"})) is ExitCode.OK


def test_a_run_that_failures_stop_fails_and_says_what_was_left_out(
    run: Run, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(
        paths=[here / "telling.yaml"], adapter=[str(here / "wrong.py")], subject=["*:wrong.*"], max_failures=1, jobs=1,
    )  # fmt: skip
    assert found.run.left_out is not None
    assert found.run.left_out.failed
    said = capsys.readouterr().out
    assert said.startswith("Failed: stopped by 1 failure, ")
    assert "calls left out by 1 failure:" in said
    assert "gate: failed, as the run was stopped by 1 failure" in said


SLOW = """
import time
from harness.adapters import numpy as reference
FRAMEWORK, PACKAGES = "numpy", ("numpy",)
IMPLEMENTATIONS, start = reference.IMPLEMENTATIONS, reference.start
def call(*given):
    time.sleep(DELAY)
    return reference.call(*given)
"""


def test_the_time_budget_leaves_out_the_rest_and_a_resumed_run_measures_it(
    run: Run, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW.replace("DELAY", "1.5"))
    settings = {"paths": [here / "suite.yaml"], "adapter": [str(slow)], "subject": NUMPY}
    cut = run(**settings, time_budget=0.1)
    assert cut.run.left_out is not None
    assert (cut.run.left_out.why, cut.run.left_out.failed) == ("the time budget of 0.1 s", False)
    first = [v for v in cut.verdicts if v.framework == "numpy"]
    assert 0 < len(first) < 10
    assert capsys.readouterr().out.startswith("Passed: no failure")
    slow.write_text(SLOW.replace("DELAY", "0"))
    run(**settings, out=tmp_path / "after", baseline=tmp_path / "run")
    warning = (
        rf"harness: warning: {tmp_path}/run: the run was stopped by the time budget of 0.1 s: it has made \d of 6 calls"
    )
    assert re.match(warning, capsys.readouterr().err)
    whole = run(resume=True)
    assert not unfinished(tmp_path / "run")
    assert whole.run.left_out is None
    assert len(whole.verdicts) == 13


def test_what_a_time_budget_leaves_out_is_not_measured_and_the_policy_decides(
    run: Run, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"paths": [here / "suite.yaml"], "subject": NUMPY, "fail_on": "regression"}
    run(**settings, out=tmp_path / "whole")
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW.replace("DELAY", "1.5"))
    cut = {**settings, "adapter": (str(slow),), "time_budget": 0.1, "baseline": tmp_path / "whole"}
    assert pipeline.run(Options.model_validate({**cut, "out": tmp_path / "a"})) is ExitCode.OK
    assert " not measured" in capsys.readouterr().out.partition("baseline: ")[2]
    rule = Rule(("left out",), fail=True, reason="all of it counts", source="pyproject.toml:3")
    assert pipeline.run(Options.model_validate({**cut, "rules": (rule,), "out": tmp_path / "b"})) is ExitCode.FAILED
    assert "gate: failed by the rule at pyproject.toml:3 (all of it counts): " in capsys.readouterr().out


def test_a_baseline_that_can_not_be_read_is_told_before_anything_runs(here: Path, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("no baseline\n")
    for wrong in ("kept.txt", "gone.txt", "."):
        options = Options(paths=(here / "suite.yaml",), baseline=tmp_path / wrong, out=tmp_path / "never")
        with pytest.raises(RunFolderError):
            pipeline.run(options)
    assert not (tmp_path / "never").exists()


def test_crash_is_reported_and_the_rest_is_kept(run: Run, here: Path) -> None:
    unruly = here.parent / "engine" / "adapters" / "unruly.py"
    found = run(
        paths=[here / "suite.yaml"], keyword="right", adapter=[str(unruly)],
        subject=["*:unruly.killed@*", "*:unruly.wrong_shape@*", "*:unruly.wrong_dtype@*", "*:unruly.chatty@*"],
    )  # fmt: skip
    verdicts = {v.implementation: v for v in found.verdicts}
    assert verdicts["unruly.killed"].verdict is Kind.CRASH
    assert "SIGKILL" in verdicts["unruly.killed"].reason
    assert verdicts["unruly.wrong_shape"].reason == "shape [3] instead of [2]"
    assert verdicts["unruly.wrong_dtype"].reason == "dtype float64 instead of float32"
    assert verdicts["unruly.chatty"].verdict is Kind.PASS


def observed(folder: Path) -> int:
    """How many observations a run under way has kept so far."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/{DATABASE}?mode=ro", uri=True)) as store:
            (count,) = store.execute("SELECT COUNT(*) FROM observations").fetchone()
    except sqlite3.OperationalError:
        return 0
    return int(count)


def test_a_killed_run_resumes_and_loses_nothing(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import time\nfrom harness.adapters import numpy as reference\n"
        'FRAMEWORK, PACKAGES = "numpy", ("numpy",)\n'
        "IMPLEMENTATIONS, start = reference.IMPLEMENTATIONS, reference.start\n"
        "def call(*given):\n    time.sleep(0.4)\n    return reference.call(*given)\n"
    )
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "harness", "run", str(here / "suite.yaml"), "--subject", "*:numpy.*"]
    options = ["--adapter", str(slow), "--out", str(out), "-n", "1"]
    begun = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not observed(out):
        time.sleep(0.05)
    os.kill(begun.pid, signal.SIGKILL)
    begun.wait()
    assert 0 < baselines.save([out], tmp_path / "half.txt") < 13
    said = capsys.readouterr().err
    assert re.fullmatch(
        rf"harness: warning: {out}: the run was stopped before its end: it has made \d of 6 calls\n", said
    )
    resumed = subprocess.run(
        [sys.executable, "-m", "harness", "run", "--resume", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert resumed.returncode == 0, resumed.stderr
    rows = json.loads((out / "report.json").read_text())["verdicts"]
    assert len(rows) == 13
    assert baselines.save([out], tmp_path / "whole.txt") == 13
    assert not capsys.readouterr().err
    assert not [row for row in rows if row["verdict"] in ("crash", "error", "fail")]


def test_a_resumed_run_is_reported_as_asked_now_and_measures_nothing_else(run: Run, here: Path, tmp_path: Path) -> None:
    settings = {"paths": (here / "suite.yaml",), "subject": NUMPY, "seed": 3}
    run(**settings)
    (tmp_path / "run" / "report.json").unlink()
    table = tmp_path / "table.csv"
    again = Options.model_validate({**settings, "out": tmp_path / "run", "resume": True, "report": (f"csv:{table}",)})
    assert pipeline.run(again) is ExitCode.OK
    assert table.is_file()
    assert not (tmp_path / "run" / "report.json").exists()
    for name, other in (("paths", (here / "other.yaml",)), ("subject", ("*",)), ("seed", 4), ("rtol", 0.1)):
        with pytest.raises(ConfigError, match=f"--resume: (--)?{name}: the run in .* was started otherwise"):
            pipeline.run(again.model_copy(update={name: other}))


def test_a_run_of_other_cases_is_not_resumed(run: Run, here: Path, tmp_path: Path) -> None:
    copy = tmp_path / "suite.yaml"
    copy.write_text((here / "suite.yaml").read_text())
    run(paths=[copy], subject=NUMPY)
    copy.write_text(copy.read_text().replace("logits: [0.2]", "logits: [0.3]"))
    with pytest.raises(RunFolderError, match="changed since"):
        pipeline.run(Options(out=tmp_path / "run", resume=True))


OVERFLOWING = """cases:
- id: mean
  operation: sigmoid_cross_entropy
  dtypes: [float16]
  inputs: {logits: [60000, 60000, 60000, 60000], labels: [0, 0, 0, 0]}
  parameters: {reduction: mean}
"""
MEANS = """import numpy as np
from harness.adapters import ANY, Implementation
FRAMEWORK, PACKAGES = "means", ("numpy",)
OFFERED = {"reduction": ANY}


def overflowing(x):
    with np.errstate(all="ignore"):
        return x.sum() / x.dtype.type(x.size)


def scaled(x):
    return (x / x.dtype.type(x.size)).sum()


IMPLEMENTATIONS = tuple(
    Implementation("means." + row.__name__, "sigmoid_cross_entropy", row, dtypes=("float16",), parameters=OFFERED)
    for row in (overflowing, scaled)
)


def start(threads):
    pass


def call(implementation, mode, inputs, parameters, wanted):
    x = inputs["logits"].data
    return {"value": np.asarray(implementation.run(x), x.dtype)}
"""


@pytest.mark.parametrize(("subjects", "kind"), [("*:means.overflowing@*", Kind.PASS), ("*:means.*", Kind.FAIL)])
def test_an_overflow_on_the_way_passes_unless_another_subject_has_the_value(
    run: Run, tmp_path: Path, subjects: str, kind: Kind
) -> None:
    (tmp_path / "over.yaml").write_text(OVERFLOWING)
    (tmp_path / "means.py").write_text(MEANS)
    found = run(paths=[tmp_path / "over.yaml"], adapter=[str(tmp_path / "means.py")], subject=[subjects])
    rows = {row.implementation: row for row in found.verdicts if row.output == "value"}
    over = rows["means.overflowing"]
    assert (over.verdict, over.grade, over.cause) == (kind, "range", "range")
    assert over.reason.startswith("an intermediate of the reference algorithm leaves the range of float16")
    if kind is Kind.FAIL:
        assert over.reason.endswith("; current:means.scaled@eager has the value")
        assert rows["means.scaled"].verdict is Kind.PASS
