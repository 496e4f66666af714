"""`harness repro` on the shipped cases: the script runs as printed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def harness(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "harness", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)


@pytest.mark.parametrize(
    ("case", "subject"),
    [
        (
            "operations/sigmoid_cross_entropy:hard/float32/0",
            "*:torch.nn.functional.binary_cross_entropy_with_logits@eager",
        ),
        ("operations/softmax_cross_entropy:outside/float32", "*:tf.nn.softmax_cross_entropy_with_logits@graph"),
        ("operations/binary_cross_entropy:add-float64/float64", "*:tf.compat.v1.losses.log_loss@session"),
    ],
)
def test_a_printed_script_shows_the_defect_without_the_harness(tmp_path: Path, case: str, subject: str) -> None:
    written = harness(tmp_path, "repro", case, subject)
    assert written.returncode == 0, written.stderr
    assert "harness" not in written.stdout
    shown = subprocess.run(
        [sys.executable, "-I", "-"], input=written.stdout, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 1, shown.stderr
    assert shown.stdout.endswith("still there\n")


@pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="onnx isn't installed")
def test_a_batch_of_none_has_a_script_too(tmp_path: Path) -> None:
    written = harness(
        tmp_path, "repro", "operations/nll_loss:no-rows/float32", "*:onnx.NegativeLogLikelihoodLoss@eager"
    )
    assert written.returncode == 0, written.stderr
    shown = subprocess.run(
        [sys.executable, "-I", "-"], input=written.stdout, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 1, shown.stderr


def test_what_is_right_has_no_script(tmp_path: Path) -> None:
    done = harness(tmp_path, "repro", "operations/sigmoid:scalar/float32", "*:torch.sigmoid@eager")
    assert (done.returncode, done.stdout) == (4, "")
    assert "nothing is wrong" in done.stderr
