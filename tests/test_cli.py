"""The command line as a user meets it: what is printed, and the exit code."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness import cli as cli_module

ROOT = Path(__file__).parent.parent
SUITES = ROOT / "tests" / "pipeline"
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Call `harness` in a folder of the test's own."""

    def call(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "harness", *map(str, arguments)]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), **variables}
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
        )

    return call


NUMPY = ("--subject", "*:numpy.*")


def test_run_ends_with_a_summary_and_the_reports_path(cli: Cli, tmp_path: Path) -> None:
    done = cli("run", SUITES / "suite.yaml", *NUMPY)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) <= 30
    assert lines[0].startswith("Passed: no failure")
    report = tmp_path / lines[-1].partition(": ")[2]
    assert report.is_file()
    assert (tmp_path / "reports" / "latest" / "report.json").is_file()


def test_failures_come_first_and_the_exit_code_is_1(cli: Cli) -> None:
    done = cli("run", SUITES / "telling.yaml", "--adapter", SUITES / "wrong.py", "--subject", "*:wrong.wrong_axis@*")
    assert done.returncode == 1
    assert done.stdout.startswith("Failed: 2 of ")
    assert "telling:rows/float32" in done.stdout.splitlines()[1]


def test_a_projects_rules_decide_and_are_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.harness.gate]\nfail-on = "new"\n\n[[tool.harness.gate.rules]]\n'
        'changes = ["failure"]\noperations = ["sparse*"]\nfail = false\nreason = "a plan for it exists"\n'
    )
    wrong = ("--adapter", SUITES / "wrong.py", "--subject", "*:wrong.wrong_axis@*", "--report", "json")
    done = cli("run", SUITES / "telling.yaml", *wrong)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Passed: 2 of ")
    rule = "the rule at pyproject.toml:4 (a plan for it exists)"
    assert done.stdout.splitlines()[-1] == f"gate: let pass by {rule}: 2 failure"
    (tmp_path / "pyproject.toml").write_text("[tool.harness.gate]\nfail-om = 1\n")
    done = cli("run", SUITES / "telling.yaml")
    assert done.returncode == 4
    assert f"{tmp_path / 'pyproject.toml'}:2: [tool.harness.gate] fail_om: unknown setting" in done.stderr


def test_services_get_several_reports_at_once(cli: Cli, tmp_path: Path) -> None:
    wrong = ("--adapter", SUITES / "wrong.py", "--subject", "*:wrong.wrong_axis@*")
    asked = [("--report", name) for name in ("sarif:a/b.sarif", "junit", "github", "json")]
    done = cli("run", SUITES / "telling.yaml", *wrong, *sum(asked, ()), GITHUB_STEP_SUMMARY=str(tmp_path / "page.md"))
    assert done.returncode == 1, done.stderr
    *_, first, second, count = done.stdout.splitlines()
    assert first.startswith("::error ")
    assert second.startswith("::error ")
    assert count.startswith("::notice ")
    assert len(json.loads((tmp_path / "a" / "b.sarif").read_text())["runs"][0]["results"]) == 2
    assert (tmp_path / "reports" / "latest" / "junit.xml").is_file()
    assert not (tmp_path / "reports" / "latest" / "report.html").exists()
    assert "Failures (2)" in (tmp_path / "page.md").read_text()


def test_a_report_that_can_not_be_written_costs_no_other(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    asked = ("--report", "json:file/report.json", "--report", "csv:report.csv")
    done = cli("run", SUITES / "suite.yaml", *NUMPY, *asked, GITHUB_STEP_SUMMARY=str(tmp_path))
    assert done.returncode == 4
    assert done.stdout.startswith("Passed: ")
    first, second = done.stderr.splitlines()[-2:]
    assert first == "harness: --report json: file can't be written: File exists"
    assert second == f"GITHUB_STEP_SUMMARY: {tmp_path} can't be written: Is a directory"
    assert (tmp_path / "report.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--bogus"], "No such option: --bogus"),
        (["run", "--tier", "fast"], "--tier: Input should be 'quick', 'stock' or 'nightly', not 'fast'"),
        (["run", "--threads", "many"], "Invalid value for '--threads'"),
        (["run", "/nowhere/case.yaml"], "/nowhere/case.yaml"),
        (["run", "--env", "tf1.51"], "environment tf1.51: no such environment, did you mean 'tf1.15'?"),
        (["upgrade", "/etc/hosts", "jax"], "/etc/hosts: a file of requirements is named *.txt, *.in or *.lock"),
        (["env", "create"], "env: which environments?"),
        (["env", "create", "--relock", "jax"], "--relock jax: its lock file comes with the harness"),
        (["env", "create", "current"], "environment current: it is the one that the harness runs in"),
        (["env", "create", "--relock", "numpy==9.9", "--cache", "/dev/null/x"], "--cache /dev/null/x: it can't be"),
        (["env", "remove", "jax", "--cache", "/dev/null/x"], "--cache /dev/null/x: it can't be changed: "),
        (["env", "remove", "nothing"], "environment nothing: no such environment"),
        (["env", "doctor", "nothing"], "environment nothing: no such environment"),
        (["run", "--python", "/nowhere/python"], "/nowhere/python is no Python interpreter"),
        (["run", "--python", "/bin/false"], "/bin/false is no Python interpreter: it doesn't tell its version"),
        (["run", "--dtype", "flaot32"], "--dtype flaot32: unknown dtype 'flaot32', did you mean 'float32'?"),
        (["run", "--operation", "sigmod"], "--operation sigmod: unknown operation 'sigmod', did you mean 'sigmoid'?"),
        (["run", "--require", "tensorflaw"], "--require tensorflaw: neither a framework nor an environment"),
        (["run", "--report", "pdf"], "--report pdf: no such format"),
        (["run", "--adapter", "/nowhere/mine.py"], "/nowhere/mine.py: no such adapter file"),
        (["run", "-k", "a and"], "a word is missing at the end"),
        (["run", "--resume"], "reports/latest holds no run"),
        (["list", "cups"], "list cups: there is no such list"),
        (["schema", "cups"], "schema cups: there is no such schema"),
        (["explain", "no-such-case"], "no case has this id"),
        (["explain"], "CASE, or --operation NAME with --input NAME=FILE.npy"),
        (["explain", "003-a", "--input", "logits=a.npy"], "CASE, or --operation NAME"),
        (["explain", "--operation", "sigmoid"], "sigmoid needs logits: --input logits=FILE.npy"),
        (["explain", "--operation", "sigmoid", "--input", "logits=/no/a.npy"], "/no/a.npy: can't be read"),
        (["explain", "--operation", "sigmod", "--input", "logits=a.npy"], "did you mean 'sigmoid'?"),
        (["baseline", "diff", "/nowhere/a", "/nowhere/b"], "/nowhere/a: can't be read"),
    ],
)
def test_wrong_usage_gets_one_message_and_exit_code_4(arguments: list[str], message: str, cli: Cli) -> None:
    done = cli(*arguments)
    assert done.returncode == 4, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("command", ["run", "list"])
def test_a_malformed_adapter_gets_one_message_and_exit_code_4(cli: Cli, tmp_path: Path, command: str) -> None:
    adapter = tmp_path / "mine.py"
    adapter.write_text("FRAMEWORK, PACKAGES, IMPLEMENTATIONS = 'x', ('numpy',), 'abc'\nstart = call = print\n")
    words = [SUITES / "suite.yaml"] if command == "run" else ["implementations"]
    done = cli(command, *words, "--adapter", adapter)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert f"{adapter}: IMPLEMENTATIONS is 'abc': a tuple of harness.adapters.Implementation is meant" in done.stderr


def test_an_interrupted_run_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "hang.py").write_text(
        "import time\nfrom harness.adapters import Implementation\nFRAMEWORK = 'hang'\nPACKAGES = ('numpy',)\n"
        "IMPLEMENTATIONS = (Implementation('hang.sigmoid', 'sigmoid', None),)\n"
        "def start(threads): pass\n"
        "def call(*_): open('begun', 'w').close(); time.sleep(60)\n"
    )
    (tmp_path / "a.yaml").write_text("cases:\n- {id: a, operation: sigmoid, inputs: {logits: [1.0]}}\n")
    given = ["a.yaml", "--adapter", "hang.py", "--subject", "*:hang.*", "--out", "one"]
    command = [sys.executable, "-m", "harness", "run", *given]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 60
    while not [*tmp_path.rglob("begun")] and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    told = "a.yaml --adapter hang.py --subject '*:hang.*' --out one"
    assert (run.returncode, said) == (2, f"interrupted: go on with `harness run --resume {told}`\n")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["run", "--resume", "--out", "a b"], ": go on with `harness run --resume --out 'a b'`"),
        (["upgrade", "a", "b"], ": go on with `harness upgrade --resume a b`"),
        (["matrix", "a", "--out", "m"], ": go on with `harness matrix a --out m`"),
        (["bisect", "003-a"], ": go on with `harness bisect 003-a`"),
        (["env", "create", "jax"], ": go on with `harness env create jax`"),
        (["env", "remove", "jax"], ""),
        (["audit", "torch.sigmoid"], ""),
        ([], ""),
    ],
)
def test_what_goes_on_after_an_interruption_is_told(
    given: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_module, "app", interrupted)
    monkeypatch.setattr(sys, "argv", ["harness", *given])
    assert cli_module._exit_code() == 2
    assert capsys.readouterr().err == f"interrupted{told}\n"


def test_nothing_selected_is_exit_code_5(cli: Cli) -> None:
    done = cli("run", SUITES / "suite.yaml", "-k", "no-case-has-this-name")
    assert (done.returncode, done.stderr) == (5, "harness: no case is selected\n")


def test_a_folder_without_case_files_is_not_found_right(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    done = cli("check", "none")
    assert (done.returncode, done.stdout, done.stderr) == (5, "", "harness: no case file is there\n")


def test_every_mistake_of_a_case_file_is_told_with_its_place(cli: Cli, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("cases:\n- id: a\n  operation: sigmoid_cross_entropi\n  inputs: {logits: [1.0]}\n  expct: {}\n")
    done = cli("check", bad)
    assert done.returncode == 4
    assert f"{bad.name}:3:14" in done.stderr
    assert "did you mean 'sigmoid_cross_entropy'?" in done.stderr
    assert f"{bad.name}:5:3" in done.stderr
    assert cli("run", bad).stderr == done.stderr
    done = cli("check", bad, "--json")
    assert (done.returncode, done.stderr) == (4, "")
    problems = json.loads(done.stdout)["problems"]
    assert [(problem["line"], problem["column"]) for problem in problems] == [(3, 14), (5, 3)]
    assert problems[0]["message"].endswith("did you mean 'sigmoid_cross_entropy'?")


def test_settings_come_from_the_environment_and_unknown_ones_are_refused(cli: Cli) -> None:
    assert cli("run", SUITES / "suite.yaml", HARNESS_SUBJECT="*:numpy.*").returncode == 0
    done = cli("run", SUITES / "suite.yaml", HARNESS_SUBJCT="*:numpy.*")
    assert done.returncode == 4
    assert "HARNESS_SUBJCT: unknown setting, did you mean 'subject'?" in done.stderr


@pytest.mark.parametrize(
    ("what", "key"),
    [
        ("operations", "operation"),
        ("implementations", "implementation"),
        ("subjects", "subject"),
        ("cases", "case"),
        ("deviations", "deviation"),
        ("environments", "environment"),
    ],
)
def test_lists_are_for_people_and_for_programs(what: str, key: str, cli: Cli) -> None:
    rows = json.loads(cli("list", what, "--json").stdout)
    lines = cli("list", what).stdout.splitlines()
    assert rows
    assert [line.partition("  ")[0] for line in lines] == [row[key] for row in rows]


def test_implementations_tell_what_they_offer(cli: Cli) -> None:
    rows = json.loads(cli("list", "implementations", "--json").stdout)
    row = next(r for r in rows if r["implementation"] == "torch.nn.functional.cross_entropy")
    assert set(row) == {"implementation", "framework", "operation", "modes", "dtypes", "parameters"}


def test_explain_shows_values_bits_and_who_is_nearer(cli: Cli) -> None:
    done = cli("explain", "003-a", *NUMPY, "--subject", "*:torch.nn.*")
    assert done.returncode == 0, done.stderr
    assert "truth 1.3132616875182228 " in done.stdout
    assert "0x3fa818f6" in done.stdout
    assert "nearest  current:" in done.stdout
    assert "\n  harness run " in done.stdout


def test_arrays_are_explained_saved_and_run(cli: Cli, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([1.5, -22.18], np.float32))
    np.save(tmp_path / "out.npy", np.array([0.8175745, 0.0], np.float32))
    given = ("--operation", "sigmoid", "--input", "logits=x.npy", "--observed", "gpu=out.npy")
    done = cli("explain", *given, "--save", "found.yaml", *NUMPY)
    assert done.returncode == 0, done.stderr
    assert "inaccurate          observed:gpu" in done.stdout
    assert done.stdout.endswith("Next:\n  harness run found.yaml\n")
    assert cli("check", "found.yaml").stdout == "1 files, 1 entries, 0 deviations: no error\n"
    told = {"files": 1, "entries": 1, "deviations": 0, "problems": []}
    assert json.loads(cli("check", "found.yaml", "--json").stdout) == told
    assert cli("run", "found.yaml", *NUMPY).returncode == 0
    again = cli("explain", *given, "--save", "found.yaml", *NUMPY)
    assert (again.returncode, again.stdout) == (4, "")
    assert again.stderr == "harness: --save found.yaml: there is such a file, and none is overwritten\n"
    (call,) = json.loads(cli("explain", *given, "--json", "--subject", "observed:*").stdout)["calls"]
    assert call["outputs"]["value"]["grades"] == {"observed:gpu": {"inaccurate": 1, "exact": 1}}


def test_explain_of_an_ambiguous_name_lists_the_candidates(cli: Cli) -> None:
    done = cli("explain", "003-b", *NUMPY)
    assert done.returncode == 4
    assert "cases begin so: documents/003:003-b" in done.stderr


def test_baseline_is_saved_and_an_equal_run_does_not_differ(cli: Cli, tmp_path: Path) -> None:
    for name in ("a", "b"):
        cli("run", SUITES / "suite.yaml", *NUMPY, "--out", name)
    saved = cli("baseline", "save", "a", "--to", "kept.txt")
    assert (saved.returncode, saved.stdout) == (0, "13 verdicts in kept.txt\n")
    same = cli("baseline", "diff", "kept.txt", "b")
    assert (same.returncode, same.stdout) == (0, "baseline: nothing differs\n")
    kept = tmp_path / "kept.txt"
    kept.write_text(kept.read_text().replace("\tpass\texact\t", "\tfail\tinaccurate\t", 1))
    changed = cli("baseline", "diff", "kept.txt", "b")
    assert changed.returncode == 1
    assert changed.stdout.startswith("baseline: 1 fixed\nfixed: ")
    kept.write_text(kept.read_text().replace("# seed\t0", "# seed\t\x1b[2J"))
    assert "\nrun: seed \\x1b[2J -> 0\n" in cli("baseline", "diff", "kept.txt", "b").stdout
    unasked = cli("baseline", "update", "kept.txt", "--from", "b")
    assert (unasked.returncode, unasked.stderr) == (
        4,
        "harness: --yes is needed where nobody answers: nothing was written\n",
    )
    assert cli("baseline", "update", "kept.txt", "--from", "b", "--yes").returncode == 0


@pytest.mark.parametrize(("what", "title"), [((), "Case file"), (("deviations",), "Known deviations")])
def test_schema_is_a_json_schema(cli: Cli, tmp_path: Path, what: tuple[str, ...], title: str) -> None:
    cli("schema", *what, "--out", "schema.json")
    schema = json.loads((tmp_path / "schema.json").read_text())
    assert schema == json.loads(cli("schema", *what).stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["title"] == title


def test_the_list_of_deviations_is_checked_with_the_cases(cli: Cli, tmp_path: Path) -> None:
    assert re.fullmatch(r"\d+ files, \d+ entries, [1-9]\d* deviations: no error\n", cli("check").stdout)
    wrong = tmp_path / "deviations.yaml"
    wrong.write_text("deviations:\n- {id: a, kind: accurate}\n")
    done = cli("check", wrong)
    assert done.returncode == 4
    assert f"{wrong}:2:17  $.deviations[0].kind  unknown choice 'accurate'" in done.stderr
    assert "key 'reason' is missing" in done.stderr
    done = cli("run", wrong)
    assert (done.returncode, "it lists deviations and has no cases" in done.stderr) == (4, True)


def test_deviations_of_the_list_and_of_cases_are_told_apart(cli: Cli) -> None:
    rows = json.loads(cli("list", "deviations", "--json").stdout)
    assert {row["stated"] for row in rows} == {"in the list", "in a case"}
    tail = next(row for row in rows if row["deviation"] == "torch-bce-logits-tail")
    assert tail["inputs"] == {"logits": "< 0.0"}
    assert {"link", "date", "shown_by", "versions"} <= set(tail)


def test_doctor_tells_what_each_framework_has(cli: Cli) -> None:
    rows = {row["framework"]: row for row in json.loads(cli("env", "doctor", "--json").stdout)}
    assert rows["numpy"]["available"]
    assert set(rows) >= {"numpy", "tensorflow", "torch"}


def test_the_interpreter_of_another_environment_is_used_as_it_is(cli: Cli, tmp_path: Path) -> None:
    venv = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    done = cli("run", SUITES / "suite.yaml", *("--python", venv), "--subject", "bare:numpy.*")
    assert "of numpy in bare: " in done.stdout
    required = cli("run", SUITES / "suite.yaml", "--python", venv, "--subject", "bare:numpy.*", "--require", "numpy")
    assert required.returncode == 1


def test_environments_are_listed_made_examined_and_removed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.harness.env.none]\npython = '3.2'\nrequirements = ['numpy']\n")
    states = {row["environment"]: row["state"] for row in json.loads(cli("env", "list", "--json").stdout)}
    assert states.pop("current") == "here"
    assert {"tf1.15", "none"} <= states.keys()
    assert set(states.values()) == {"not made"}
    made = cli("env", "create", "none")
    assert made.returncode == 1
    complaint = "no Python 3.2 here: none on the path, nor one of pyenv's"
    assert made.stdout == f"none  UNAVAILABLE  Python 3.2  numpy  {complaint}\n"
    assert made.stderr.endswith(f"UNAVAILABLE: environment none: {complaint}\n")
    examined = cli("env", "doctor", "none")
    assert examined.returncode == 1
    assert "none: numpy  UNAVAILABLE: it isn't made: `harness env create none`" in examined.stdout
    assert cli("env", "remove", "none").stdout.endswith(": 0 MB freed\n")
    assert cli("env", "remove", "--all").returncode == 0
