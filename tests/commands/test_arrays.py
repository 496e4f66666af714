"""`harness explain --operation`: one's own arrays through real workers, and what was observed elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from harness import casefile
from harness.casefile import ArrayFileError, saving
from harness.casefile.own import Asked
from harness.commands import arrays
from harness.config import Options
from harness.mistakes import NothingSelectedError
from harness.model.case import Case
from harness.model.explanation import Explanation
from harness.model.verdict import Grade, Kind
from harness.oracle import blocks, truth

NUMPY = Options(subject=("*:numpy.*",))
NOBODY = Options(subject=("observed:*",))
SUBJECT = "current:numpy.sigmoid_cross_entropy@eager"
GIVEN = ["logits=x.npy", "labels=z.npy"]
X = np.array([1.5, -22.18, 0.0], np.float32)


@pytest.fixture(autouse=True)
def _saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three logits with labels 0, 0 and 1; a device that lost the second loss, and its gradient of the third."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.save("z.npy", np.array([0, 0, 1], np.float32))
    np.save("gpu.npy", np.array([1.7014133, 0.0, 0.6931472], np.float32))
    np.save("gradient.npy", np.array([0.81757445, 2.3299588e-10, np.nan], np.float32))


def explained(
    operation: str = "sigmoid_cross_entropy",
    inputs: list[str] = GIVEN,
    observed: tuple[str, ...] = (),
    parameters: tuple[str, ...] = (),
    dtype: str | None = None,
    at: str | None = None,
    save: Path | None = None,
    options: Options = NUMPY,
) -> Explanation:
    (found,) = arrays.explain(Asked(operation, inputs, parameters, observed, dtype), at, save, options).calls
    return found


def test_what_was_observed_is_judged_beside_the_subjects() -> None:
    found = explained(observed=("gpu=gpu.npy", "gpu:gradient:logits=gradient.npy"))
    rows = {(row.subject, row.output): row for row in found.rows}
    lost = rows["observed:gpu", "value"]
    assert (lost.verdict, lost.grade, lost.index) == (Kind.FAIL, Grade.INACCURATE, (1,))
    assert (lost.environment, lost.implementation, lost.mode, lost.device) == ("observed", "gpu", None, None)
    broken = rows["observed:gpu", "gradient:logits"]
    assert (broken.grade, broken.reason) == (Grade.BROKEN, "NaN at [2]")
    assert rows[SUBJECT, "value"].verdict is Kind.PASS
    assert rows[SUBJECT, "value"].version == np.__version__
    assert ("observed:gpu", "gradient:labels") not in rows
    worst = found.surveys["value"].elements[0]
    assert (worst.index, set(worst.readings)) == ((1,), {"observed:gpu", SUBJECT})


def test_nobody_need_be_asked() -> None:
    found = explained(observed=("gpu=gpu.npy",), options=NOBODY)
    assert list(found.observations) == ["observed:gpu"]
    with pytest.raises(NothingSelectedError):
        explained(options=NOBODY)


def test_the_case_that_is_saved_is_the_one_that_was_explained(tmp_path: Path) -> None:
    found = explained(observed=("gpu=gpu.npy",), parameters=("label_smoothing=0",), save=Path("found.yaml"))
    assert found.commands == ["harness run found.yaml"]
    (entry,) = casefile.load([Path("found.yaml")], tmp_path / "cases")
    (case,) = casefile.expand(entry, 0)
    assert isinstance(case, Case)
    np.testing.assert_array_equal(case.inputs["logits"], X)
    assert case.parameters == {"label_smoothing": 0.0}
    text = Path("found.yaml").read_text(encoding="utf-8")
    assert "from logits=x.npy, labels=z.npy; observed: gpu value inaccurate (-8.39e+06 ulp)" in " ".join(text.split())


def test_what_can_not_be_saved_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "Pool", None)
    Path("found.yaml").write_text("mine")
    with pytest.raises(ArrayFileError, match="there is such a file"):
        explained(save=Path("found.yaml"))


def test_a_small_call_is_to_be_saved_next() -> None:
    (command,) = explained(parameters=("label_smoothing=0.1",), at="1").commands
    assert shlex.split(command) == [
        *("harness", "explain", "--operation", "sigmoid_cross_entropy"),
        *("--input", "logits=x.npy", "--input", "labels=z.npy", "--param", "label_smoothing=0.1"),
        *("--at", "1", "--save", "sigmoid_cross_entropy.yaml"),
    ]


def test_of_a_large_call_the_worst_element_is_to_be_looked_at_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "LIMIT", 4)
    (command,) = explained(observed=("gpu=gpu.npy",)).commands
    assert command.endswith("--observed gpu=gpu.npy --at 1")
    np.save("mean.npy", np.float32(0.798187))
    (command,) = explained(observed=("gpu=mean.npy",), parameters=("reduction=mean",)).commands
    assert command.endswith("--input logits=x.npy --input labels=z.npy")


def test_one_element_is_looked_at_alone() -> None:
    found = explained(observed=("gpu=gpu.npy",), at="1")
    assert found.call.inputs["logits"].tolist() == [X[1]]
    assert [(row.subject, row.index) for row in found.rows if row.verdict is Kind.FAIL] == [("observed:gpu", (0,))]
    assert "only [1]" in found.notes


def test_bits_of_bfloat16_are_judged_in_bfloat16() -> None:
    logits = np.array([1.5, -3.0], ml_dtypes.bfloat16)
    np.save("bits.npy", logits.view(np.uint16))
    np.save("half.npy", np.array([0.81640625, 0.04736328125], np.float32))
    found = explained("sigmoid", ["logits=bits.npy"], ("tpu=half.npy",), dtype="bfloat16")
    row = next(row for row in found.rows if row.subject == "observed:tpu")
    assert (row.dtype, row.grade) == ("bfloat16", Grade.EXACT)


def test_undefined_input_is_asked_and_judged_as_such() -> None:
    np.save("rows.npy", np.zeros((2, 3), np.float32))
    np.save("labels.npy", np.array([0, 3]))
    given = ["logits=rows.npy", "labels=labels.npy"]
    np.save("loss.npy", np.array([1.0986123, 0.0], np.float32))
    found = explained("sparse_softmax_cross_entropy", given, ("gpu=loss.npy",))
    rows = {row.subject: row for row in found.rows}
    assert found.why == "label 3 is no class of 0..2"
    assert rows["observed:gpu"].reason == "gave a number; error is right, as label 3 is no class of 0..2"
    assert rows["observed:gpu"].grade is Grade.BROKEN


def test_an_overflow_passes_only_where_nobody_has_the_value() -> None:
    np.save("x16.npy", np.full(3, 3e4, np.float16))
    np.save("z16.npy", np.zeros(3, np.float16))
    np.save("loss.npy", np.array(np.inf, np.float16))
    asked = ["logits=x16.npy", "labels=z16.npy"]
    (alone,) = explained(inputs=asked, observed=("gpu=loss.npy",), parameters=("reduction=mean",), options=NOBODY).rows
    assert (alone.grade, alone.verdict) == (Grade.RANGE, Kind.PASS)
    beside = explained(inputs=asked, observed=("gpu=loss.npy",), parameters=("reduction=mean",))
    row = next(row for row in beside.rows if row.subject == "observed:gpu")
    assert (row.grade, row.verdict) == (Grade.RANGE, Kind.FAIL)
    assert row.reason.endswith(f"{SUBJECT} has the value")


def test_a_call_in_blocks_is_explained_as_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = explained(observed=("gpu=gpu.npy",))
    monkeypatch.setattr(truth, "LARGE", 1)
    monkeypatch.setattr(blocks, "BLOCK", 1)
    monkeypatch.setattr(arrays, "SPOOLED_BYTES", 1)
    found = explained(observed=("gpu=gpu.npy",))
    assert [(r.subject, r.output, r.grade, r.max_ulp, r.bits) for r in found.rows] == [
        (r.subject, r.output, r.grade, r.max_ulp, r.bits) for r in at_once.rows
    ]
    assert {o: s.counts for o, s in found.surveys.items()} == {o: s.counts for o, s in at_once.surveys.items()}
    np.testing.assert_array_equal(found.arrays("value")[SUBJECT], at_once.arrays("value")[SUBJECT])
