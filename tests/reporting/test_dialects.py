"""Every framework in every mode: a script makes the call, and gives the number that the harness would see."""

import importlib.util
import subprocess
import sys
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from harness.reporting import repro
from harness.reporting.dialects import DIALECTS
from harness.reporting.repro import Repro

LOGITS = np.array([[1.5, -0.5, 0.25], [-2.0, 3.0, 0.75]])
LABELS = np.array([[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]])
UPSTREAM = np.array([1.0, 2.0])
SHARES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
SLOPE = (UPSTREAM[:, None] * (SHARES - LABELS))[1, 0]
LOG_SHARE = np.log(SHARES)[1, 0]


class Asked(NamedTuple):
    """A call of a framework, and where Python finds it."""

    package: str
    expression: str
    gradient: bool = True


SOFTMAX = "keras.losses.CategoricalCrossentropy(from_logits=True, reduction='none'{})(labels, logits)"
ONNX = (
    "onnx.helper.make_model(onnx.helper.make_graph([onnx.helper.make_node('LogSoftmax', ['logits'], ['value'])], 'g', "
    "[onnx.helper.make_tensor_value_info('logits', 1, [None, None])], "
    "[onnx.helper.make_tensor_value_info('value', 1, None)]), opset_imports=[onnx.helper.make_opsetid('', 17)], "
    "ir_version=8)"
)
CALLS = {
    "torch": Asked("torch", "torch.nn.functional.cross_entropy(logits, labels, reduction='none')"),
    "keras-torch": Asked("keras", SOFTMAX.format("")),
    "tensorflow": Asked("tensorflow", "tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)"),
    "keras-tensorflow": Asked("keras", SOFTMAX.format("")),
    "jax": Asked("jax", "-(labels * jax.nn.log_softmax(logits, axis=-1)).sum(axis=-1)"),
    "optax": Asked("optax", "optax.softmax_cross_entropy(logits, labels)"),
    "keras-jax": Asked("keras", SOFTMAX.format("")),
    "onnx": Asked("onnx", f"onnx.reference.ReferenceEvaluator({ONNX}).run(None, {{'logits': logits}})", gradient=False),
    "onnxruntime": Asked(
        "onnxruntime",
        f"onnxruntime.InferenceSession({ONNX}.SerializeToString()).run(None, {{'logits': logits}})",
        gradient=False,
    ),
    "scipy": Asked("scipy", "scipy.special.log_softmax(logits, axis=-1)", gradient=False),
    "sklearn": Asked("sklearn", "sklearn.metrics.log_loss([0, 1], labels[:, 0], labels=[0, 1])", gradient=False),
}


def asked(framework: str, mode: str) -> Repro:
    call = CALLS[framework]
    inputs = {"logits": LOGITS, "labels": LABELS, **({"upstream": UPSTREAM} if call.gradient else {})}
    return Repro(
        title="a case",
        framework=framework,
        mode=mode,
        expression=call.expression,
        inputs=inputs,
        dtypes=dict.fromkeys(inputs, "float32"),
        output="gradient:logits" if call.gradient else "value",
        index=() if framework == "sklearn" else (1, 0),
        high=0.0,
        low=0.0,
        allowed=0.0,
        seen="another",
        reason="a reason",
        versions={},
        batch_of_one=framework == "torch",
    )


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", "-"], input=script, capture_output=True, text=True, check=False)


def skip_where_absent(framework: str) -> None:
    """Keras may be there without what it computes with."""
    for package in {CALLS[framework].package, framework.removeprefix("keras-")}:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"no {package} here")


def test_every_dialect_is_asked() -> None:
    assert set(CALLS) == set(DIALECTS)


@pytest.mark.parametrize(("framework", "mode"), [(name, mode) for name in DIALECTS for mode in DIALECTS[name].modes])
def test_a_script_gives_the_number_of_the_call(framework: str, mode: str) -> None:
    skip_where_absent(framework)
    script = repro.script(asked(framework, mode))
    done = run(script)
    assert done.returncode == 1, done.stdout + done.stderr
    seen = float(next(line for line in done.stdout.splitlines() if line.startswith("got ")).split()[1])
    expected = -np.log(0.5) / 2 if framework == "sklearn" else SLOPE if CALLS[framework].gradient else LOG_SHARE
    assert seen == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax", "onnx"])
def test_another_dtype_than_the_truth_has_is_the_defect_until_it_is_gone(framework: str) -> None:
    skip_where_absent(framework)
    shape = (2, 3)
    half = replace(asked(framework, "eager"), dtypes=dict.fromkeys(("logits", "labels", "upstream"), "bfloat16"))
    if framework == "onnx":
        half = replace(half, expression=half.expression.replace("1, [None", "16, [None"))
    assert run(repro.script(replace(half, form=("float32", shape)))).returncode == 1
    there = run(repro.script(replace(half, form=("bfloat16", shape))))
    assert there.returncode == 0, there.stdout + there.stderr
