"""`harness check-adapter`: every fault is found, and nobody is accused without reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.kit.check import Checked

Check = Callable[..., Checked]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FAULTY = HERE / "faulty.py"

FAULTS = {
    "right": [],
    "wrong_value": [
        "value: gave 1.0788897 at [1, 2], the truth is 0.0788897",
        "gradient:logits: gave 1.0758582 at [1, 2]",
    ],
    "opposite_sign": ["gradient:logits: gave -0.630797 at [0, 2], the truth is 0.630797*; it is of the opposite sign"],
    "forgets_smoothing": [
        "value with label_smoothing=0.25: *; it is right for label_smoothing=0.0",
        "gradient:logits with label_smoothing=0.25: *; it is right for label_smoothing=0.0",
    ],
    "sum_for_mean": [
        "value with reduction=sum: shape [3, 4] instead of []; it is right for reduction=none",
        "value with reduction=mean: *; it is right for reduction=sum",
        "gradient:logits with reduction=mean: *; it is right for reduction=none",
        "value with reduction=no-such-choice: gave a number; error or nan is right, as reduction is 'no-such-choice'",
    ],
    "ignores_upstream": ["gradient:logits with upstream: *; it is right without upstream"],
    "ignores_weights": [
        "value with weights: *; it is right without weights",
        "gradient:logits with weights: *; it is right without weights",
    ],
    "swapped": [
        "value: *; it is right with logits and labels in each other's place",
        "gradient:logits: *; it is right with logits and labels in each other's place",
    ],
    "doubled": [
        "value: *; it is 2 times the truth everywhere",
        "gradient:logits: *; it is 2 times the truth everywhere",
    ],
    "upcast": [
        "value: dtype float64 instead of float32; results have the dtype of the logits or probabilities",
        "gradient:logits: dtype float64 instead of float32",
    ],
    "wrong_shape": ["value: shape [12] instead of [3, 4]", "gradient:logits: shape [12] instead of [3, 4]"],
    "returns_none": ["call: raised TypeError: call returned NoneType, no dict of output names to arrays"],
    "no_gradient": ["gradient:logits: gave no gradient:logits; its table says that it is offered"],
    "misnamed": [
        "gradient:logits: gave no gradient:logits",
        "output 'gradients:logits': there is none of this name, did you mean 'gradient:logits'?",
    ],
    "object_array": ["call: raised FrameError: an array of dtype object can't be sent; call returns NumPy arrays"],
    "refuses": ["call with reduction=sum: its table offers this, but call says that it is unsupported: no sums here"],
    "raises": ["call: raised KeyError: 'logit'"],
    "accepts_everything": ["value with labels of another shape: gave a number; error or nan is right, as labels have"],
    "writes": ["input logits: call writes to it: make a copy first, np.array(tensor.data)"],
    "needs_writable": ["call: raised ValueError: buffer source array is read-only; it doesn't with inputs that may be"],
    "by_chance": ["call: the same call gave other bits the second time: it depends on chance"],
    "remembers": ["call: the same call gave other bits after other calls: it depends on the calls before it"],
    "crashes": ["call: crash: killed by SIGSEGV"],
    "hangs": ["call: timeout: no answer within 2 s"],
}
"""What is to be found about each row of the faulty adapter; * stands for numbers."""

FINE = """
import numpy as np
from harness.adapters import Implementation
FRAMEWORK, PACKAGES = "fine", ("numpy",)
def start(threads):
    pass
def call(implementation, mode, inputs, parameters, wanted):
    x = inputs["logits"].data
    return {"value": x.dtype.type(1) / (1 + np.exp(-x))}
IMPLEMENTATIONS = (Implementation("fine.sigmoid", "sigmoid", None),)
"""


@pytest.fixture(scope="module")
def faults(checked: Check) -> dict[str, list[str]]:
    """The complaints about each row of the faulty adapter."""
    found: dict[str, list[str]] = {name: [] for name in FAULTS}
    for line in checked(FAULTY, timeout=2.0).complaints:
        name, complaint = re.fullmatch(r"faulty\.(\w+) \(sigmoid_cross_entropy; .*?\): (.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
        found[name].append(complaint)
    return found


def test_every_row_of_the_faulty_adapter_has_its_complaints(faults: dict[str, list[str]]) -> None:
    for name, expected in FAULTS.items():
        assert len(faults[name]) == len(expected), (name, faults[name])
        for complaint, pattern in zip(faults[name], expected, strict=True):
            assert re.match(".*".join(map(re.escape, pattern.split("*"))), complaint), (name, complaint)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_built_in_adapters_have_no_complaint(checked: Check, name: str) -> None:
    found = checked(ROOT / "harness" / "adapters" / f"{name}.py")
    assert found.complaints == []
    assert found.calls > 250


BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adapters.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS)
def test_documented_adapters_have_no_complaint(checked: Check, text: str) -> None:
    found = checked(text)
    assert found.complaints == []
    assert found.calls


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("import numpy as np", "def broken(:", "can't be loaded: SyntaxError: invalid syntax on line 2"),
        (
            "import numpy as np",
            "import no_such_module",
            "can't be loaded: ModuleNotFoundError: No module named 'no_such",
        ),
        ("import numpy as np", "raise SystemExit(3)", "can't be loaded: SystemExit: 3"),
        ("import numpy as np", "import os; os._exit(3)", "can't be loaded: its process ended with exit code 3"),
        ("import numpy as np", "import sqlite3, numpy as np", "its top level imports sqlite3: import it in start()"),
        ("    pass", "    import no_such_module", "start() fails: ModuleNotFoundError: No module named 'no_such"),
        ("    pass", "    import os; os._exit(3)", "start() fails: while importing fine: ended with exit code 3"),
        ('("numpy",)', '("numpi",)', "PACKAGES names 'numpi', but start() imports no module of that name"),
    ],
)
def test_what_is_wrong_before_any_call(checked: Check, old: str, new: str, complaint: str) -> None:
    text = FINE.replace(old, new, 1)
    if "sqlite3" in new:
        text = text.replace('("numpy",)', '("sqlite3",)')
    assert checked(text).complaints[0].startswith(complaint)


def test_what_is_not_checked_is_remarked(checked: Check) -> None:
    found = checked(
        FINE + 'row = IMPLEMENTATIONS[0]\nIMPLEMENTATIONS += (row._replace(path="fine.young", since="99"),)\n'
    )
    assert found.complaints == []
    assert re.match(r"fine.young is not checked: fine \S+ is not asked for it, only 99 and later", found.remarks[0])


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def call(text: str, *flags: str) -> subprocess.CompletedProcess[str]:
        if text:
            (tmp_path / "mine.py").write_text(text)
        words = [sys.executable, "-m", "harness", "check-adapter", "mine.py", *flags]
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
        return subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)

    return call


def test_the_command_says_what_it_found_and_exits_so(command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    fine = command(FINE)
    assert (fine.returncode, fine.stdout) == (0, "mine.py: 1 implementation, 2 calls: no complaint\n")
    wrong = command(FINE.replace("1 + np", "2 + np"))
    assert wrong.returncode == 1
    assert re.match(r"mine.py: fine.sigmoid \(sigmoid; float32, float64; eager\): value: gave 0\.", wrong.stdout)
    assert wrong.stdout.endswith("mine.py: 1 implementation, 2 calls: 1 complaint\n")


def test_the_command_answers_programs(command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    (row,) = json.loads(command(FINE, "--json").stdout)
    assert row == {"environment": "current", "complaints": [], "remarks": [], "implementations": 1, "calls": 2}


def test_a_file_that_is_not_there_is_wrong_usage(command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = command("")
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "harness: mine.py: no such adapter file\n")
