"""`pytest cases`: what is collected, what becomes of each verdict, and that each framework starts once."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
Pytest = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_pytest() -> Pytest:
    """Run pytest on the project's cases in a process of its own, with the NumPy subjects only."""

    def call(
        *arguments: str, subjects: str = "*:numpy.*", root: Path = ROOT, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        environment = {"PATH": "/usr/bin:/bin", "HARNESS_SUBJECT": subjects, **variables}
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, env=environment)

    return call


def test_ids_name_case_and_subject_and_can_be_selected(run_pytest: Pytest) -> None:
    done = run_pytest("cases/documents", "--collect-only", "-q", "-k", "003-a and sigmoid")
    ids = [line for line in done.stdout.splitlines() if "::" in line]
    assert ids == ["cases/documents/003.yaml::003-a/float32/current:numpy.sigmoid_cross_entropy@eager"]


def test_the_list_of_deviations_is_not_collected(run_pytest: Pytest) -> None:
    done = run_pytest("cases", "--collect-only", "-q", "-k", "003-a and sigmoid")
    assert done.returncode == 0, done.stdout
    assert "deviations.yaml" not in done.stdout
    assert "003.yaml::003-a/float32/current:numpy.sigmoid_cross_entropy@eager" in done.stdout


def test_document_is_an_item_and_its_erratum_xfails_with_the_reason(run_pytest: Pytest) -> None:
    done = run_pytest("cases/documents/004.yaml", "-rx", "-k", "004-b")
    assert done.returncode == 0, done.stdout
    assert re.search(
        r"XFAIL .*004-b-2/float32/document - erratum: prints 2.137, the true value is 2.126928", done.stdout
    )


def test_failure_shows_the_comparators_message_and_no_traceback(run_pytest: Pytest, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from harness.adapters import numpy as reference\n"
        'FRAMEWORK, PACKAGES = "numpy", ("numpy",)\n'
        "IMPLEMENTATIONS, start = reference.IMPLEMENTATIONS, reference.start\n"
        "def call(*given):\n"
        "    return {name: t._replace(data=t.data + 1) for name, t in reference.call(*given).items()}\n"
    )
    done = run_pytest("cases/documents/003.yaml", "-k", "003-a and value or 003-a", HARNESS_ADAPTER=str(wrong))
    assert done.returncode == 1
    assert "subject   current:numpy.sigmoid_cross_entropy@eager  value" in done.stdout
    assert "next      harness explain documents/003:003-a/float32" in done.stdout
    assert "Traceback" not in done.stdout


def test_unavailable_is_skipped_with_the_reason(run_pytest: Pytest) -> None:
    venv_without_frameworks = "/nowhere"
    assert run_pytest("cases/documents/003.yaml", HARNESS_PYTHON=venv_without_frameworks).returncode != 0
    done = run_pytest("cases/documents/002.yaml", "-rs", "-k", "contrib", subjects="*:tf.contrib.*@eager")
    assert re.search(r"SKIPPED .*tensorflow 2\.\S+ no longer has it", done.stdout), done.stdout


def test_wrong_case_file_is_a_collection_error_with_its_place(run_pytest: Pytest, tmp_path: Path) -> None:
    # A checkout of its own: other tests read the cases of this one at the same time.
    for shared in ("harness", "conftest.py"):
        (tmp_path / shared).symlink_to(ROOT / shared)
    found = tmp_path / "cases" / "found"
    found.mkdir(parents=True)
    (found / "bad.yaml").write_text("cases:\n- id: a\n  operation: sigmoid\n  inputs: {logitz: [1.0]}\n")
    done = run_pytest("cases/found", root=tmp_path)
    assert done.returncode == 2
    assert "cases/found/bad.yaml:4:12" in done.stdout
    assert "did you mean 'logits'?" in done.stdout


def test_under_xdist_each_framework_starts_once(run_pytest: Pytest, tmp_path: Path) -> None:
    counting = tmp_path / "counting.py"
    counting.write_text(
        "import pathlib\nfrom harness.adapters import numpy as reference\n"
        'FRAMEWORK, PACKAGES = "numpy", ("numpy",)\n'
        "IMPLEMENTATIONS, call = reference.IMPLEMENTATIONS, reference.call\n"
        f"def start(threads):\n    open({str(tmp_path / 'starts')!r}, 'a').write('started ')\n"
    )
    done = run_pytest("cases/documents/003.yaml", "-n", "2", "-q", HARNESS_ADAPTER=str(counting))
    assert "passed" in done.stdout, done.stdout
    assert (tmp_path / "starts").read_text() == "started "
