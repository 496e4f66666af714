"""Small runs made by hand, with every kind of verdict and text that nobody should trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness.model.case import Array
from harness.model.observation import Observation, Outcome
from harness.model.run import Record, Results, Run
from harness.model.subject import Fingerprint
from harness.model.verdict import Cause, Grade, Kind, Tolerance, Verdict

TORCH = "here:torch.nn.functional.binary_cross_entropy_with_logits@eager"
TENSORFLOW = "here:tf.nn.sigmoid_cross_entropy_with_logits@eager"
NUMPY = "here:numpy.sigmoid_cross_entropy@eager"
GONE = "old:tf.contrib.losses.sigmoid_cross_entropy@session"

FAULTY = "here:torch.nn.BCEWithLogitsLoss@eager"

HOSTILE = "<script>alert(1)</script> ]]> [red]x[/red] \x1b[31m\x00 `|` a|b &amp; \u202eevil \udc80 @here"

PLOTTED = f"found/{HOSTILE}:plotted"

FRAMEWORKS = {TORCH: ("torch", "2.13.0"), TENSORFLOW: ("tensorflow", "2.21.0"), NUMPY: ("numpy", "2.4.6")}


def make(case: str, subject: str, kind: Kind, **more: Any) -> Verdict:
    """A verdict of a subject, the rest as usual."""
    environment, _, rest = subject.partition(":")
    implementation, _, mode = rest.partition("@")
    framework, version = FRAMEWORKS.get(subject, ("tensorflow", None))
    usual: dict[str, Any] = {
        "operation": "sigmoid_cross_entropy",
        "implementation": implementation,
        "framework": framework,
        "version": version,
        "environment": environment,
        "mode": mode,
        "device": "cpu",
        "dtype": "float32",
        "output": "value",
        "domain": "inside",
        "source": "cases/documents/003.yaml:12",
    }
    return Verdict(case=case, subject=subject, verdict=kind, **(usual | more))


def about(**more: Any) -> Run:
    """What is known of the run."""
    run = Run(
        id="20260101T120000-abc123",
        folder=Path("reports/x"),
        started="2026-01-01T12:00:00Z",
        command="harness run cases --report html",
        seed=7,
        tier="quick",
        threads=1,
        cpu="A CPU with AVX2",
        truth="a float64 evaluation (not certified)",
        environments={
            "here": Fingerprint("3.11.2", {"torch": "2.13.0", "tensorflow": "2.21.0", "numpy": "2.4.6"}),
            "old": Fingerprint("3.7.9", {}),
        },
        seconds=12.34,
    )
    return replace(run, **more)


def record(case: str, dtype: Any, logits: list[float], truth: list[float], **outputs: list[float]) -> Record:
    """What was observed of a case: `outputs` by framework."""

    def array(values: list[float]) -> Array:
        return np.array(values, dtype)

    subjects = {"torch": TORCH, "tensorflow": TENSORFLOW, "numpy": NUMPY}
    return Record(
        case=case,
        operation="sigmoid_cross_entropy",
        dtype=np.dtype(dtype).name,
        parameters={"reduction": "none"},
        source="cases/documents/003.yaml:12",
        inputs={"logits": array(logits), "labels": array([0.0] * len(logits)), "index": np.array([255, -1])},
        truth={"value": np.array(truth)},
        observations={subjects[n]: Observation(Outcome.VALUE, {"value": array(v)}) for n, v in outputs.items()}
        | {FAULTY: Observation(Outcome.ERROR, error="ValueError", reason=HOSTILE)}
        | {GONE: Observation(Outcome.UNAVAILABLE, reason="No module named 'tensorflow'")},
    )


def judged(case: str) -> list[Verdict]:
    """A failure, a pass by atol alone, a known deviation and an absence."""
    atol = Tolerance(1.3e-6, 1e-5, passed=True, remark="passes by atol alone, 24 bits lost")
    return [
        make(case, TENSORFLOW, Kind.PASS, grade=Grade.EXACT, max_ulp=0.25, max_relative=1e-8, max_absolute=1e-18),
        make(
            *(case, TORCH, Kind.FAIL),
            grade=Grade.INACCURATE,
            max_ulp=-1.2e7,
            max_relative=1.0,
            max_absolute=2.33e-10,
            index=(1,),
            observed="0",
            truth="2.33e-10",
            tolerance=atol,
            reason="every digit of the truth is lost",
            bits="0123abcd",
        ),
        make(
            *(case, NUMPY, Kind.DEVIATION),
            grade=Grade.INACCURATE,
            max_ulp=17.0,
            deviation="cases/deviations.yaml:3",
            reason="known since 2.0",
        ),
        make(case, GONE, Kind.UNAVAILABLE, reason="No module named 'tensorflow'"),
    ]


def every_kind() -> list[Verdict]:
    """One verdict of each kind, in the reverse of their severity."""
    return [make(f"documents/all:{kind}", TORCH, kind, reason=f"because {kind}") for kind in reversed(Kind)]


def hostile() -> list[Verdict]:
    """Verdicts all of whose texts are traps."""
    traps = {"reason": HOSTILE, "observed": "=cmd()", "truth": "-inf", "deviation": "javascript:alert(1)"}
    infinite = {"max_ulp": float("inf"), "max_relative": float("nan"), "max_absolute": float("-inf")}
    graded: dict[str, Any] = {"grade": Grade.INACCURATE, "max_ulp": 9.0, "max_bound": 3.0, "cause": Cause.NONE}
    return [
        make(
            f"found/{HOSTILE}:x", TORCH, Kind.FAIL, operation=HOSTILE, source=f"{HOSTILE}.yaml:3", **traps, **infinite
        ),
        make("found/y:y", f"here:{HOSTILE}@eager", Kind.ERROR, output=HOSTILE, framework=HOSTILE, **traps),
        make("found/y:y", NUMPY, Kind.PASS, max_ulp=0.0, dtype="float64"),
        make("found/z:z", "document", Kind.ERRATUM, mode=None, device=None, **traps),
        make(PLOTTED, TORCH, Kind.FAIL, implementation=HOSTILE, index=(0,), **graded),
    ]


@pytest.fixture
def results() -> Results:
    """A run with every kind of verdict, hostile text, NaN, infinities and bfloat16."""
    nan, inf = float("nan"), float("inf")
    tiny, exact, short = [-22.18, 3.0, nan], [2.33e-10, 3.0485873, nan], ml_dtypes.bfloat16
    answers = {"torch": [0.0, 3.0485873, nan], "tensorflow": exact, "numpy": [2.33e-10, inf, nan]}
    records = [
        record("documents/003:a/float32", np.float32, tiny, exact, **answers),
        record("documents/003:a/bfloat16", short, [0.1, 1e30, -0.0], [0.1, 1.0, 0.0], torch=[0.1, 1.0, 0.0]),
        record("found/y:y", np.float64, list(np.arange(1000.0)), list(np.arange(1000.0)), numpy=list(np.ones(1000))),
    ]
    plotted = record(PLOTTED, np.float32, tiny, exact, torch=[0.0, 3.0485873, nan])
    records.append(replace(plotted, inputs={name: plotted.inputs[name] for name in ("logits", "labels")}))
    known = {found.case: found for found in records}
    verdicts = [*judged(records[0].case), *judged(records[1].case), *every_kind(), *hostile()]
    return Results(about(), verdicts, known.get)


@pytest.fixture
def many() -> Callable[..., Results]:
    """A run of so many verdicts of one kind, each of its own case."""

    def made(count: int, kind: Kind) -> Results:
        verdicts = [
            make(f"operations/sigmoid:generated-case-{i}/float32", TORCH, kind, max_ulp=9.0) for i in range(count)
        ]
        return Results(about(), verdicts, lambda _: None)

    return made
