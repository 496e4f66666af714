"""The pytest plugin: what is collected, what becomes of each verdict, and that each framework starts once."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import (  # pytester forgets what a test run imports, and NumPy can't be imported twice
    pipeline,
    pytest_items,
)
from harness.store.folder import RunFolderError

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
assert pytest_items  # pytester forgets what its runs import, but NumPy can't be imported twice

ADAPTER = """
import numpy as np
from harness.adapters import Implementation, UnsupportedError

FRAMEWORK, PACKAGES = "kernels", ("numpy",)


def right(x, z):
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


def wrong(x, z):
    return right(x, z) + np.float32(1)


def refusing(x, z):
    raise UnsupportedError("not on Tuesdays")


def row(run, **more):
    return Implementation("kernels." + run.__name__, "sigmoid_cross_entropy", run, **more)


IMPLEMENTATIONS = (
    row(right),
    row(wrong),
    row(refusing),
    row(right, dtypes=("float64",))._replace(path="kernels.double"),
    row(right, since="99")._replace(path="kernels.young"),
)


def start(threads):
    with open("starts.txt", "a") as file:
        file.write("started ")


def call(implementation, mode, inputs, parameters, wanted):
    return {"value": implementation.run(inputs["logits"].data, inputs["labels"].data)}
"""
CASE = """cases:
- id: one
  operation: sigmoid_cross_entropy
  inputs: {logits: [1.0, -1.0], labels: [0.0, 1.0]}
"""
SETTINGS = """[tool.harness]
adapter = ["kernels.py"]
subject = ["*:kernels.*"]
[tool.pytest.ini_options]
filterwarnings = ["error"]
"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an adapter, settings, and a case of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for ci in ("CI", "BUILD_NUMBER"):  # where these are set, pytest's summary repeats each message in full
        monkeypatch.delenv(ci, raising=False)
    for name, text in {"kernels.py": ADAPTER, "pyproject.toml": SETTINGS, "mine/own.yaml": CASE}.items():
        (pytester.path / name).parent.mkdir(exist_ok=True)
        (pytester.path / name).write_text(text)
    return pytester.path


@pytest.fixture
def run(project: Path, pytester: pytest.Pytester) -> Run:
    """Run pytest in the project, with the plugin as an installed harness has it."""
    assert project.is_dir()
    return lambda *arguments: pytester.runpytest_inprocess("-p", "harness.pytest_plugin", *arguments)


def rewrite(file: Path, old: str, new: str) -> None:
    """Change a text in a file."""
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


# what is collected


def ids(result: pytest.RunResult) -> list[str]:
    """The node ids of a collection."""
    return [line for line in result.outlines if "::" in line]


@pytest.mark.parametrize("named", ["mine", "mine/own.yaml"])
def test_own_cases_are_an_item_for_each_subject(run: Run, named: str) -> None:
    found = ids(run("--harness-cases", named, "--collect-only", "-q", "-k", "one and right"))
    assert found == ["mine/own.yaml::one/float32/current:kernels.right@eager"]


def test_cases_are_added_to_the_projects_tests(run: Run, project: Path) -> None:
    (project / "test_own.py").write_text("def test_own(): pass\n")
    result = run("--harness-cases", "mine", "-k", "test_own or right", "-v")
    result.assert_outcomes(passed=2, deselected=3)


def test_nothing_is_collected_or_imported_unless_asked(project: Path, pytester: pytest.Pytester) -> None:
    (project / "test_imports.py").write_text(
        "import sys\n\ndef test_imports():\n"
        "    assert sorted(m for m in sys.modules if m.startswith('harness')) == ['harness', 'harness.pytest_plugin']\n"
        "    assert not {'numpy', 'pydantic', 'yaml'} & set(sys.modules)\n"
    )
    result = pytester.runpytest_subprocess("-p", "harness.pytest_plugin", ".", "mine")
    result.assert_outcomes(passed=1)


def test_other_yaml_files_are_let_be(run: Run, project: Path) -> None:
    (project / "compose.yaml").write_text("services: {}\n")
    (project / "mine" / "deviations.yaml").write_text("deviations: []\n")
    (project / "mine" / "notes.txt").write_text("nothing")
    found = ids(run(".", "--harness-cases", "mine", "--collect-only", "-q"))
    assert found
    assert all(name.startswith("mine/own.yaml::one/") for name in found)


def test_one_case_can_be_selected_by_its_node_id(run: Run, project: Path) -> None:
    (project / "mine" / "more.yaml").write_text(CASE)
    name = "mine/own.yaml::one/float32/current:kernels.right@eager"
    result = run("--harness-cases", "mine", name, "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"{name} PASSED*"])


def test_a_setting_says_where_case_files_lie(run: Run, project: Path) -> None:
    rewrite(
        project / "pyproject.toml", "[tool.pytest.ini_options]", '[tool.pytest.ini_options]\nharness_cases = ["mine"]'
    )
    (project / "inner").mkdir()
    (project / "inner" / "foreign.yaml").write_text("a: b\n")
    (project / "inner" / "test_own.py").write_text("def test_own(): pass\n")
    run("inner").assert_outcomes(passed=1)
    run("-k", "right").assert_outcomes(passed=1, deselected=4)


def test_settings_and_paths_are_the_projects_wherever_pytest_is_started(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "mine")
    result = run("--harness-cases", ".", "-v", "-k", "right")
    result.assert_outcomes(passed=1, deselected=3)
    result.stdout.fnmatch_lines(["own.yaml::one/float32/current:kernels.right@eager PASSED*"])


def test_a_generators_cases_are_one_item(run: Run, project: Path) -> None:
    generated = CASE.replace("[1.0, -1.0]", "{generate: uniform, low: -1, high: 1, shape: [2]}")
    (project / "mine" / "own.yaml").write_text(generated + "  count: 3\n")
    found = ids(run("--harness-cases", "mine", "--collect-only", "-q", "-k", "right"))
    assert found == ["mine/own.yaml::one/current:kernels.right@eager"]


def test_the_suite_itself_is_stock(run: Run, project: Path) -> None:
    rewrite(project / "pyproject.toml", "*:kernels.*", "*:numpy.sig*")
    result = run("--harness-cases", "stock", "-k", "003-a or 004-b-2", "-v", "-rx")
    result.stdout.fnmatch_lines(
        [
            "stock/documents/003.yaml::003-a/float32/current:numpy.sigmoid_cross_entropy@eager PASSED*",
            "XFAIL *004-b-2/float32/document - erratum: prints 2.137, the true value is 2.126928*",
        ]
    )
    assert result.ret == 0


def test_a_tier_leaves_folders_of_the_suite_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TIER", "quick")
    monkeypatch.setenv("HARNESS_SUBJECT", "*:numpy.sigmoid@*")
    found = ids(run("--harness-cases", "stock", "--collect-only", "-q"))
    assert {name.split("/")[1] for name in found} == {"documents", "operations"}


def test_pytest_cases_collects_the_suite_of_a_checkout() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "cases", "--collect-only", "-q"]
    environment = {"PATH": "/usr/bin:/bin", "HARNESS_SUBJECT": "*:numpy.*"}
    command += ["-k", "003-a and sigmoid"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout
    assert "cases/documents/003.yaml::003-a/float32/current:numpy.sigmoid_cross_entropy@eager" in done.stdout
    assert "deviations.yaml" not in done.stdout


# what is wrong


@pytest.mark.parametrize(
    ("paths", "message"),
    [(["nowhere"], "*nowhere: no such file or folder*"), (["mine", "empty"], "*empty: no case file is in it*")],
)
def test_a_path_without_cases_is_a_usage_error(run: Run, project: Path, paths: list[str], message: str) -> None:
    (project / "empty").mkdir()
    result = run(*(word for path in paths for word in ("--harness-cases", path)))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_a_wrong_setting_is_a_usage_error(run: Run, project: Path) -> None:
    rewrite(project / "pyproject.toml", "adapter =", "adaptor =")
    result = run("--harness-cases", "mine")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*pyproject.toml: [[]tool.harness[]] adaptor: unknown setting, did you mean 'adapter'?"]
    )


def test_a_wrong_case_file_is_a_collection_error_with_its_place(run: Run, project: Path) -> None:
    rewrite(project / "mine" / "own.yaml", "logits:", "logitz:")
    result = run("--harness-cases", "mine")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["mine/own.yaml:4:*did you mean 'logits'?"])


def test_an_id_that_two_files_share_is_a_collection_error(run: Run, project: Path) -> None:
    (project / "mine" / "deeper").mkdir()
    (project / "mine" / "deeper" / "own.yaml").write_text(CASE)
    result = run("--harness-cases", "mine")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*id 'own:one' again; it is at mine/own.yaml:2 already*"])


def test_what_stops_the_run_is_told_by_every_item(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def full(*_given: object) -> None:
        opened.append(1)
        raise RunFolderError("no space left")

    monkeypatch.setattr(pipeline, "open_session", full)
    result = run("--harness-cases", "mine")
    result.assert_outcomes(failed=4)
    assert len(opened) == 1
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines(["no space left"])


# what becomes of verdicts


def test_each_verdict_has_its_outcome(run: Run) -> None:
    result = run("--harness-cases", "mine", "-rs")
    result.assert_outcomes(passed=1, failed=1, skipped=2)
    result.stdout.fnmatch_lines_random(
        [
            "SKIPPED * mine/own.yaml:2: unsupported: not on Tuesdays",
            "SKIPPED * mine/own.yaml:2: unavailable: kernels * is not asked for it, only 99 and later",
            "UNAVAILABLE  kernels.young in current: 1 verdict missing: kernels * is not asked for it, only*",
            "current: kernels *: 1 fail, 1 unavailable, 1 pass, 1 unsupported",
            "unsupported, so no item: 1 call",
        ]
    )


def test_a_failure_shows_the_comparators_message_and_a_command_that_works(run: Run, project: Path) -> None:
    result = run("--harness-cases", "mine", "-k", "wrong")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["*subject   current:kernels.wrong@eager  value", "*case      mine/own.yaml:2", "*next      harness explain*"]
    )
    assert "Traceback" not in result.stdout.str()
    (command,) = re.findall(r"next      harness (.*)", result.stdout.str())
    done = subprocess.run(
        [sys.executable, "-m", "harness", *shlex.split(command)],
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
    )
    assert done.returncode == 0, done.stderr
    assert "current:kernels.wrong@eager" in done.stdout


def test_only_some_failures_of_a_generator_are_told_in_full(run: Run, project: Path) -> None:
    generated = CASE.replace("[1.0, -1.0]", "{generate: uniform, low: -1, high: 1, shape: [2]}")
    (project / "mine" / "own.yaml").write_text(generated + "  count: 9\n")
    result = run("--harness-cases", "mine", "-k", "wrong")
    assert result.stdout.str().count("next      harness explain") == 5
    result.stdout.fnmatch_lines(["and 4 more verdicts of this item"])


def test_a_stated_deviation_is_xfailed_with_its_reason(run: Run, project: Path) -> None:
    with (project / "mine" / "own.yaml").open("a") as file:
        file.write('  expect: {per: {"*:kernels.wrong@*": {fails: inaccurate, reason: adds one}}}\n')
    run("--harness-cases", "mine", "-k", "wrong", "-rx").stdout.fnmatch_lines(
        ["XFAIL *wrong@eager - *deviation: adds one"]
    )


def test_what_is_required_fails_where_it_is_unavailable(run: Run, project: Path) -> None:
    rewrite(project / "kernels.py", "def start(threads):", "def start(threads):\n    import no_such_kernels\n")
    run("--harness-cases", "mine", "-k", "right").assert_outcomes(skipped=1, deselected=3)
    rewrite(project / "pyproject.toml", "[tool.harness]", '[tool.harness]\nrequire = ["kernels"]')
    result = run("--harness-cases", "mine", "-k", "right")
    result.assert_outcomes(failed=1, deselected=3)
    result.stdout.fnmatch_lines(["*required, but unavailable: ModuleNotFoundError: No module named 'no_such_kernels'"])


def test_a_plain_tolerance_is_summed_up_beside_the_verdicts(run: Run, project: Path) -> None:
    rewrite(project / "pyproject.toml", "[tool.harness]", "[tool.harness]\nrtol = 1e-30\natol = 0")
    result = run("--harness-cases", "mine", "-k", "right or wrong")
    result.stdout.fnmatch_lines(["rtol/atol, a judge of its own: 2 of 2 verdicts outside"])


def test_the_worst_error_is_a_property_of_the_item(run: Run, project: Path) -> None:
    run("--harness-cases", "mine", "-k", "wrong", "--junitxml", "out.xml")
    xml = (project / "out.xml").read_text()
    assert re.search(r'<property name="max_ulp" value="[\d.]+e?\+?\d*"', xml)
    assert '<property name="grade" value="inaccurate"' in xml


@pytest.mark.parametrize("dist", ["load", "loadfile", "loadgroup"])
def test_under_xdist_each_framework_starts_once(project: Path, pytester: pytest.Pytester, dist: str) -> None:
    (project / "mine" / "more.yaml").write_text(CASE)
    (project / "test_own.py").write_text("def test_own(): pass\ndef test_other(): pass\n")
    result = pytester.runpytest_subprocess(
        "-p", "harness.pytest_plugin", "--harness-cases", "mine", "-n", "2", "--dist", dist
    )
    result.assert_outcomes(passed=4, failed=2, skipped=4)
    assert (project / "starts.txt").read_text() == "started "
    result.stdout.fnmatch_lines(["current: kernels *: 2 fail, 2 unavailable, 2 pass, 2 unsupported"])


RELATION = """cases:
- id: same
  relation: equal
  calls:
    one: {operation: sigmoid_cross_entropy, inputs: {logits: [1.0], labels: [0.0]}}
    two: {operation: sigmoid_cross_entropy, inputs: {logits: [-1.0], labels: [1.0]}}
"""


def test_a_relations_item_asks_its_own_framework_only(run: Run, project: Path) -> None:
    (project / "mine" / "own.yaml").write_text(RELATION)
    rewrite(project / "pyproject.toml", '["*:kernels.*"]', '["*:kernels.right@*", "*:numpy.*"]')
    run("--harness-cases", "mine", "-k", "numpy").assert_outcomes(passed=1)
    assert not (project / "starts.txt").exists()
    run("--harness-cases", "mine", "-k", "kernels").assert_outcomes(passed=1)
    assert (project / "starts.txt").exists()
