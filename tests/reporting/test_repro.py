"""Scripts that show a failure: they are literal, and say by their exit code whether it is there."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.reporting import repro
from harness.reporting.repro import Repro
from harness.worker.layouts import LAYOUTS, laid_out

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


def test_a_call_that_is_refused_is_no_defect_unless_an_error_was_seen(tail: Repro) -> None:
    refused = replace(tail, expression="torch.sigmoid(logits, labels, labels)")
    assert run(repro.script(refused)).returncode == 2
    assert run(repro.script(replace(refused, raised=True))).returncode == 1


@pytest.mark.parametrize("raised", [False, True])
@pytest.mark.parametrize("high", [2.33e-10, None])
def test_a_framework_or_a_function_that_is_not_there_is_told_in_a_line(
    tail: Repro, high: float | None, *, raised: bool
) -> None:
    asked = replace(tail, high=high, raised=raised)
    for script, told in (
        (repro.script(replace(asked, expression="torch.no_such_function(logits)")), "AttributeError"),
        (repro.script(asked).replace("import torch", "import torch_that_is_not_there"), "ModuleNotFoundError"),
        (repro.script(replace(asked, dtypes={"logits": "float3", "labels": "float32"})), "AttributeError"),
    ):
        seen = run(script)
        assert (seen.returncode, seen.stderr) == (2, "")
        assert seen.stdout.splitlines()[-1].startswith(f"can't be tried here: {told}")


ROWS = {"mixed": np.arange(6, dtype=np.float64).reshape(2, 3), "alike": np.ones((2, 3)), "row": np.arange(3.0)}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("given", ROWS.values(), ids=list(ROWS))
def test_arrays_lie_as_they_were_observed(tail: Repro, layout: str, given: np.ndarray) -> None:
    wanted = laid_out(given.astype(np.float32), layout)
    laid = replace(tail, inputs={"logits": given, "labels": given}, layout=layout)
    for framework, expression in (("torch", "torch.sigmoid(logits)"), ("scipy", "scipy.special.expit(logits)")):
        pytest.importorskip(framework)
        names: dict[str, Any] = {}
        script = repro.script(replace(laid, framework=framework, expression=expression))
        exec(script.partition("print('this is'")[0], names)  # noqa: S102 - as it is run
        made = names["logits"]
        assert np.array_equal(np.asarray(made), wanted)
        strides = made.stride() if framework == "torch" else [stride // 4 for stride in made.strides]
        lengths = [n for n, size in enumerate(wanted.shape) if size > 1]
        assert [strides[n] for n in lengths] == [wanted.strides[n] // 4 for n in lengths]
        if framework == "torch" and layout == "unaligned":
            assert made.storage_offset() == 1


def test_a_framework_that_copies_has_a_line_that_says_why_no_layout_is_built(tail: Repro) -> None:
    script = repro.script(replace(tail, framework="jax", expression="jax.nn.sigmoid(logits)", layout="strided"))
    assert "# strided when observed, but jax copies what it is given: no layout is built here" in script


def test_numbers_are_exact(tail: Repro) -> None:
    numbers = [0.1, -0.0, 5e-324, 1.5, float("inf"), 2.0**70]
    script = repro.script(replace(tail, inputs={**tail.inputs, "logits": np.array(numbers)}))
    line = next(line for line in script.splitlines() if line.startswith("    logits = "))
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
