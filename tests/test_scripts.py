"""A run's report has scripts, one for each group of what is wrong, that run as they are shown."""

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import pipeline
from harness.config import Options
from harness.model.verdict import ExitCode

SUITE = """
cases:
- id: long
  operation: log_sigmoid
  inputs: {logits: [-100.0, -101.0, -102.0]}
  dtypes: [float32]
- id: short
  operation: log_sigmoid
  inputs: {logits: -100.0}
  dtypes: [float32]
"""
ADAPTER = """
from harness.adapters import Implementation, Tensor

FRAMEWORK, PACKAGES, ALIASES = "scipy", ("numpy",), {}

def start(threads):
    pass

def _wrong(numpy, tensors, parameters):
    return numpy.log(1.0 / (1.0 + numpy.exp(-tensors["logits"])))

IMPLEMENTATIONS = [Implementation("numpy.log", "log_sigmoid", _wrong)]

def call(implementation, mode, inputs, parameters, wanted):
    import numpy
    arrays = {name: tensor.data for name, tensor in inputs.items()}
    return {"value": Tensor.of(numpy.asarray(implementation.run(numpy, arrays, parameters)))}
"""


def test_a_report_has_the_script_of_the_smallest_case_of_a_group(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    suite, adapter, out = tmp_path / "suite.yaml", tmp_path / "wrong.py", tmp_path / "run"
    suite.write_text(SUITE, encoding="utf-8")
    adapter.write_text(ADAPTER, encoding="utf-8")
    asked = Options(paths=(suite,), adapter=(str(adapter),), subject=("*:numpy.log@*",), report=("html",), out=out)
    assert pipeline.run(asked) is ExitCode.FAILED
    text = (out / "report.html").read_text(encoding="utf-8")
    (script,) = map(html.unescape, re.findall(r'<pre tabindex="0">(.*?)</pre>', text, re.DOTALL))
    assert "suite:short/float32" in script
    shown = subprocess.run([sys.executable, "-I", "-"], input=script, capture_output=True, text=True, check=False)
    assert "numpy.log" in script
    assert shown.stdout.endswith("still there\n"), shown.stderr
    assert shown.returncode == 1
