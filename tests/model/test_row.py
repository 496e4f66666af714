from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from harness.model import row
from harness.model.verdict import Cause, Grade, Kind, Tolerance, Verdict

NAMES = ("case", "operation", "subject", "implementation", "framework", "environment", "mode", "device", "dtype")


def verdict(**more: Any) -> Verdict:
    """A verdict about which little is known."""
    usual: dict[str, Any] = dict.fromkeys(NAMES, "x")
    return Verdict(**usual, output="value", verdict=Kind.PASS, source="x.yaml:1", **more)


ALL: dict[str, Any] = {
    "version": "2.13.0",
    "grade": Grade.INACCURATE,
    "max_ulp": -1.2e7,
    "max_relative": 1e-300,
    "max_absolute": 0.1,
    "max_bound": 1e16,
    "cause": Cause.SHIFT,
    "avoidable_bits": 24.0,
    "summation_length": 7,
    "index": (0, 12),
    "observed": 'a "quoted" \\ back\nslash \ud800 \u2028',
    "truth": "é",
    "reason": "a\tb",
    "tolerance": Tolerance(1.3e-6, 0.0, passed=None, remark="passes by atol alone"),
    "group": "g",
    "seconds": 1e-5,
}


@pytest.mark.parametrize(
    "more", [{}, ALL, {"max_ulp": float("inf"), "index": ()}, {"tolerance": Tolerance(0, 0, passed=True)}]
)
def test_a_verdict_comes_back_whole(more: dict[str, Any]) -> None:
    given = verdict(**more)
    assert row.verdict(json.loads(row.whole(given))) == given


def test_what_is_kept_has_every_field_of_a_verdict() -> None:
    assert json.loads(row.whole(verdict())).keys() == {field.name for field in fields(Verdict)}


def test_a_line_is_strict_json_in_ascii() -> None:
    line = row.text(verdict(**ALL | {"max_ulp": float("nan"), "max_bound": float("-inf")}))
    assert line.isascii()
    assert "\n" not in line
    found = json.loads(line, parse_constant=pytest.fail)
    assert tuple(found) == row.KEYS
    assert (found["max_ulp"], found["max_bound"]) == ("nan", "-inf")


def test_a_line_is_what_json_would_write() -> None:
    given = verdict(**ALL)
    assert row.text(given) == json.dumps(row.row(given))


def test_numbers_of_numpy_are_written_as_numbers() -> None:
    found = row.row(verdict(max_ulp=np.float64(0.1), max_bound=np.float64("inf"), index=(np.int64(3),)))
    assert (found["max_ulp"], found["max_bound"], found["index"]) == (0.1, "inf", [3])
