"""Scripts that show a failure: they are literal, and say by their exit code whether it is there."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from harness.reporting import repro
from harness.reporting.repro import Repro

HOSTILE = "'''\"\"\"); import os; os._exit(7)\n```\n<script>os._exit(7)</script>"


@pytest.fixture
def tail() -> Repro:
    """torch loses the whole tail of a confident right answer."""
    return Repro(
        title="a case",
        framework="torch",
        mode="eager",
        expression="torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction='none')",
        inputs={"logits": np.array([-22.18], np.float64), "labels": np.array([0.0])},
        dtypes={"logits": "float32", "labels": "float32"},
        output="value",
        index=(0,),
        high=2.33e-10,
        low=0.0,
        allowed=1e-16,
        seen="0.0",
        reason="the tail is lost",
        versions={"torch": "2.13.0"},
    )


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", "-"], input=script, capture_output=True, text=True, check=False)


def test_the_script_exits_1_while_the_defect_is_there_and_0_once_it_is_gone(tail: Repro) -> None:
    there = run(repro.script(tail))
    assert there.returncode == 1, there.stderr
    assert there.stdout.endswith("still there\n")
    gone = run(repro.script(replace(tail, high=0.0)))
    assert gone.returncode == 0, gone.stderr
    assert gone.stdout.endswith("gone\n")


def test_text_of_a_case_is_never_executed(tail: Repro) -> None:
    hostile = replace(tail, title=HOSTILE, reason=HOSTILE, seen=HOSTILE, versions={HOSTILE: HOSTILE})
    assert run(repro.script(hostile)).returncode == 1


def test_a_call_that_cannot_be_made_is_no_defect_unless_an_error_was_seen(tail: Repro) -> None:
    refused = replace(tail, expression="torch.no_such_function(logits)")
    assert run(repro.script(refused)).returncode == 2
    assert run(repro.script(replace(refused, raised=True))).returncode == 1


def test_numbers_are_exact(tail: Repro) -> None:
    numbers = [0.1, -0.0, 5e-324, 1.5, float("inf"), 2.0**70]
    script = repro.script(replace(tail, inputs={**tail.inputs, "logits": np.array(numbers)}))
    line = next(line for line in script.splitlines() if line.startswith("logits = "))
    seen = eval(line.partition("(")[2].partition("]")[0] + "]")  # noqa: S307 - what the script says
    assert [value.hex() for value in seen] == [value.hex() for value in numbers]


def test_an_error_that_is_right_is_no_defect(tail: Repro) -> None:
    asked = replace(tail, high=None, expression="torch.sigmoid(logits, labels, labels)")
    assert run(repro.script(asked)).returncode == 0
    assert run(repro.script(replace(asked, expression="torch.sigmoid(logits)"))).returncode == 1


def test_an_issue_has_the_script_in_a_fence_that_its_text_cannot_end(tail: Repro) -> None:
    text = repro.markdown(replace(tail, reason=HOSTILE, seen=HOSTILE))
    fences = [line for line in text.splitlines() if line.startswith("```")]
    assert fences == ["```python", "```"]
    assert "<script>" not in text.partition("```python")[0]
