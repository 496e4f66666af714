"""What `explain` prints, from explanations made by hand."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness.model.case import Array, Case, Domain, Expectation, Source
from harness.model.explanation import Element, Explained, Explanation, Known, Reading, Survey
from harness.model.observation import Observation, Outcome
from harness.model.verdict import Cause, Grade, Kind, Verdict
from harness.reporting.explanation import LARGE, LISTED, SHOWN, lines
from harness.reporting.explanation_json import document
from tests.reporting.conftest import FAULTY, HOSTILE, NUMPY, TENSORFLOW, TORCH, make

GPU = "observed:gpu"


def known(high: float, **more: Any) -> Known:
    usual: dict[str, Any] = {"low": 0.0, "radius": 1e-17, "bits": 53, "bound": 2e-7, "ulp": 6e-8, "allowed": 4e-7}
    return Known(high, **(usual | more))


def explanation(given: dict[str, Array], survey: Survey, rows: list[Verdict], **more: Any) -> Explanation:
    shape = survey.shape
    logits, labels = np.full(shape, -22.18, np.float32), np.zeros(shape, np.float32)
    inputs = {"logits": logits, "labels": labels}
    call = Case("c:x", "sigmoid_cross_entropy", inputs, {}, "float32", Expectation(), Source("c.yaml", 3))
    observations = {name: Observation(Outcome.VALUE, {"value": array}) for name, array in given.items()}
    observations |= more.pop("silent", {})
    usual: dict[str, Any] = {"commands": ["harness run c.yaml -k x"]}
    return Explanation(
        "c:x   c.yaml:3",
        call,
        "certified",
        Domain.INSIDE,
        "",
        rows,
        observations,
        {"value": survey},
        **(usual | more),
    )


def printed(*explanations: Explanation, rows: tuple[Verdict, ...] = ()) -> list[str]:
    return list(lines(Explained(explanations, rows)))


def small() -> Explanation:
    """Two elements: torch and what was observed elsewhere gave 0 where TensorFlow has the digits."""
    right, wrong = np.array([0.25, 2.33e-10], np.float32), np.array([0.25, 0.0], np.float32)
    lost = Reading(np.float32(0), -8e6, 1e6, Grade.INACCURATE)
    near = Reading(np.float32(2.33e-10), 0.4, 0.05, Grade.EXACT)
    same = Reading(np.float32(0.25), 0.0, 0.0, Grade.EXACT)
    first = Element((1,), known(2.33e-10), {TORCH: lost, TENSORFLOW: near, GPU: lost})
    second = Element((0,), known(0.25, low=1e-20, bits=256), {TORCH: same, TENSORFLOW: same, GPU: same})
    errors: dict[str, Any] = {"grade": Grade.INACCURATE, "max_ulp": -8e6, "max_bound": 1e6, "cause": Cause.SHIFT}
    rows = [
        make("c:x", TENSORFLOW, Kind.PASS, grade=Grade.EXACT, max_ulp=0.4, max_bound=0.05, cause=Cause.ROUNDING),
        make("c:x", TORCH, Kind.DEVIATION, **errors, deviation="torch-tail", reason="the tail is lost"),
        make("c:x", GPU, Kind.FAIL, **errors, reason="off by 2e-10"),
    ]
    survey = Survey((2,), {}, [first, second])
    return explanation({TENSORFLOW: right, TORCH: wrong, GPU: wrong.copy()}, survey, rows)


def test_every_element_of_a_small_array_is_side_by_side_the_largest_error_first() -> None:
    shown = printed(small())
    heads = [line for line in shown if line.startswith("  [")]
    assert heads == ["  [1]  logits -22.18, labels 0", "  [0]  logits -22.18, labels 0"]
    at = shown.index(heads[0])
    assert shown[at + 1].startswith("    truth 2.33e-10 +- 1e-17  0x1.0")
    assert shown[at + 1].endswith("by float64; B 2e-07 (3.33 ulp), passes to 4e-07")
    assert "by Arb, 256 bits" in shown[shown.index(heads[1]) + 1]
    exact, lost = shown[at + 2 : at + 4]
    assert exact.split()[:3] == ["2.33e-10", float(np.float32(2.33e-10)).hex(), "0x2f8017d6"]
    assert "exact      nearest" in exact
    assert exact.endswith(TENSORFLOW)
    assert lost.split()[:3] == ["0", "0x0.0p+0", "0x00000000"]
    assert "-8e+06 ulp, 1e+06 B" in lost
    assert lost.endswith(f"inaccurate          {GPU} and 1 more")


def test_subjects_of_the_same_bits_are_one_group_what_was_observed_first() -> None:
    shown = printed(small())
    at = shown.index("value [2]: 3 subjects, in 2 bitwise groups, the nearest to the truth first")
    best, worst, reason = shown[at + 1 : at + 4]
    assert best.split() == ["pass", "exact", "+0.4", "ulp", "0.05", "B", "by", "rounding", TENSORFLOW]
    assert worst.split()[:2] == ["fail", "inaccurate"]
    assert worst.endswith(f"by shift          {GPU}")
    assert reason == "      off by 2e-10"


def test_subjects_of_the_same_bits_that_are_judged_otherwise_say_so() -> None:
    shown = printed(small())
    at = shown.index("      off by 2e-10")
    known, reason = shown[at + 1 : at + 3]
    assert known.split()[:2] == ["deviation", "inaccurate"]
    assert known.endswith(TORCH)
    assert reason == "      torch-tail: the tail is lost"


def test_nobody_is_nearest_where_all_are_alike() -> None:
    shown = printed(small())
    at = shown.index("  [0]  logits -22.18, labels 0")
    assert not any("nearest" in line for line in shown[at:])


def large(size: int) -> Explanation:
    """An array with errors of its own in each of the surveyed elements."""
    array = np.zeros(size, np.float32)
    elements = [
        Element((n,), known(0.5), {NUMPY: Reading(np.float32(0), -9.0 + n, 4.0, Grade.INACCURATE)})
        for n in range(SHOWN)
    ]
    rows = [make("c:x", NUMPY, Kind.FAIL, grade=Grade.INACCURATE, max_ulp=-9.0, max_bound=4.0, reason="off")]
    counts = {NUMPY: {Grade.INACCURATE: 1234, Grade.EXACT: size - 1234}}
    return explanation({NUMPY: array}, Survey((size,), counts, elements), rows)


@pytest.mark.parametrize(("size", "beside"), [(LARGE, 1), (LARGE + 1, 0), (1 << 20, 0)])
def test_a_large_array_has_a_summary_and_its_largest_errors(size: int, beside: int) -> None:
    shown = printed(large(size))
    assert any(line.endswith(f"{NUMPY}: 1,234 inaccurate, {size - 1234:,} exact") for line in shown)
    assert sum(line.startswith("  [") for line in shown) == beside
    listed = [line for line in shown if line.startswith("    [")]
    assert len(listed) == LISTED
    assert listed[0].startswith(f"    [{beside}]  logits -22.18, labels 0  truth 0.5  0  {-9 + beside:+} ulp, 4 B")
    assert listed[0].endswith(f"inaccurate  {NUMPY}")
    assert len(shown) < 25


def test_elements_without_an_error_are_not_listed() -> None:
    one = large(LARGE + 1)
    exact = [Element((0,), known(0.5), {NUMPY: Reading(np.float32(0.5), 0.0, 0.0, Grade.EXACT)})]
    shown = printed(explanation({NUMPY: np.zeros(LARGE + 1, np.float32)}, Survey((LARGE + 1,), {}, exact), []))
    assert "  largest errors:" in printed(one)
    assert "  largest errors:" not in shown


def test_subjects_that_gave_nothing_are_on_one_line_with_the_reason() -> None:
    silent = {
        "here:tf.x@eager": Observation(Outcome.UNSUPPORTED, reason="doesn't offer reduction=none"),
        "here:tf.x@graph": Observation(Outcome.UNSUPPORTED, reason="doesn't offer reduction=none"),
        FAULTY: Observation(Outcome.ERROR, error="RuntimeError", reason="boom\nbang"),
    }
    survey = Survey((2,), {}, [Element((0,), known(0.5), {})])
    rows = [make("c:x", FAULTY, Kind.FAIL, grade=Grade.BROKEN, reason="raised RuntimeError: boom")]
    shown = printed(explanation({}, survey, rows, silent=silent))
    assert "  unsupported: here:tf.x@eager,graph: doesn't offer reduction=none" in shown
    assert f"  fail, error: {FAULTY}: RuntimeError: boom bang" in shown
    assert any(line.startswith("    truth 0.5") for line in shown)


def test_a_call_without_the_output_that_was_asked_for_is_said() -> None:
    one = small()
    missing = make("c:x", TORCH, Kind.FAIL, output="gradient:logits", reason="gave no gradient:logits")
    shown = printed(explanation(one.arrays("value"), one.surveys["value"], [*one.rows, missing]))
    assert f"  fail      {TORCH}: gave no gradient:logits" in shown


def test_numbers_without_a_truth_are_told() -> None:
    values = np.array([1.5, math.nan], ml_dtypes.bfloat16)
    elements = [Element((n,), None, {NUMPY: Reading(values[n])}) for n in range(2)]
    shown = printed(explanation({NUMPY: values}, Survey((2,), {}, elements), []))
    assert any(line.split()[:3] == ["1.5", "0x1.8000000000000p+0", "0x3fc0"] for line in shown)
    assert not any("truth" in line for line in shown[3:])


def test_undefined_input_and_notes_are_said_at_the_top() -> None:
    one = small()
    told = Explanation(
        "t", one.call, "m", Domain.UNDEFINED, "label 9 is no class of 0..2", [], {}, {}, ["a.npy: uint16"], ()
    )
    shown = printed(told)
    assert "undefined input: label 9 is no class of 0..2" in shown
    assert "  note: a.npy: uint16" in shown
    assert "Next:" not in shown


def test_the_next_command_comes_last_and_relations_after_it() -> None:
    row = make("r:x", TORCH, Kind.FAIL, output="relation", reason="differs")
    shown = printed(small(), rows=(row,))
    assert shown[-4:] == ["Next:", "  harness run c.yaml -k x", "", f"fail  {TORCH}  differs"]


def test_foreign_text_can_not_move_the_cursor() -> None:
    silent = {FAULTY: Observation(Outcome.ERROR, error="Error", reason=HOSTILE)}
    row = make("r:x", TORCH, Kind.FAIL, output="relation", reason=HOSTILE)
    shown = "".join(printed(explanation({}, Survey((2,)), [], silent=silent), rows=(row,)))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_programs_get_the_same_as_numbers() -> None:
    row = make("r:x", TORCH, Kind.FAIL, output="relation", reason="differs")
    found = document(Explained([small()], [row]))
    (call,) = found["calls"]
    value = call["outputs"]["value"]
    assert [element["index"] for element in value["elements"]] == [[1], [0]]
    assert value["elements"][0]["truth"]["high"] == 2.33e-10
    assert value["elements"][0]["inputs"] == {"logits": "-22.18", "labels": "0"}
    assert value["elements"][0]["values"][TORCH] == {
        "value": 0.0,
        "hex": "0x0p+0",
        "ulps": -8e6,
        "in_bounds": 1e6,
        "grade": "inaccurate",
    }
    assert [verdict["subject"] for verdict in call["verdicts"]] == [TENSORFLOW, TORCH, GPU]
    assert call["next"] == ["harness run c.yaml -k x"]
    assert found["verdicts"][0]["reason"] == "differs"
