from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.model.run import Results
from harness.model.verdict import Cause, Grade, Verdict
from harness.reporting import stability
from harness.reporting.stability import Stability, least_stable, view


def measured(one: Verdict, ulps: float, bounds: float | None, grade: Grade, name: str = "torch.f") -> Verdict:
    return replace(one, implementation=name, max_ulp=ulps, max_bound=bounds, grade=grade, dtype="float32")


@pytest.fixture
def one(results: Results) -> Verdict:
    return results.verdicts[0]


def test_every_grade_and_cause_is_explained() -> None:
    assert list(stability.MEANINGS) == list(Grade)
    assert list(stability.CAUSES) == list(Cause)


def test_lines_are_by_implementation_dtype_and_output(one: Verdict) -> None:
    verdicts = [one, replace(one, mode="graph"), replace(one, output="gradient:logits"), replace(one, dtype="float64")]
    lines = view([*verdicts, replace(one, grade=None), replace(one, dtype=None)])
    assert sorted(len(line.verdicts) for line in lines) == [1, 1, 2]


def test_a_line_has_the_worst_of_its_verdicts(one: Verdict) -> None:
    far = measured(one, -9.0, 0.5, Grade.STABLE)
    beyond = replace(measured(one, 5.0, 3.0, Grade.INACCURATE), cause=Cause.SHIFT, avoidable_bits=3.0)
    (line,) = view([replace(far, summation_length=7), beyond, measured(one, math.nan, math.nan, Grade.BROKEN)])
    assert line.farthest is not None
    assert line.farthest.max_ulp == -9.0
    assert line.beyond is beyond
    assert (line.cause, line.avoidable_bits, line.summation_length) == (Cause.SHIFT, 3.0, 7)
    assert line.grades == {Grade.STABLE: 1, Grade.INACCURATE: 1, Grade.BROKEN: 1}
    assert list(line.grades) == [Grade.STABLE, Grade.INACCURATE, Grade.BROKEN]
    assert line.finding == "3 B, -9 ulp, shift"


@pytest.mark.parametrize(
    ("ulps", "bits"),
    [(0.0, 0.0), (0.5, 0.0), (1.0, 1.0), (-8.0, 4.0), (2.0**30, 24.0), (math.inf, 24.0), (math.nan, 24.0)],
)
def test_bits_lost(one: Verdict, ulps: float, bits: float) -> None:
    assert view([measured(one, ulps, None, Grade.STABLE)])[0].bits_lost == bits


def test_what_was_not_measured_has_a_grade_alone(one: Verdict) -> None:
    (line,) = view([replace(one, max_ulp=None, grade=Grade.BROKEN)])
    assert (line.farthest, line.beyond, line.bits_lost, line.cause, line.finding) == (None, None, None, None, "")
    assert line.severity == (-1.0, 1)


def names(lines: list[Stability]) -> list[str]:
    return [line.implementation for line in lines]


def test_the_least_stable_come_first(one: Verdict) -> None:
    lines = view(
        [
            measured(one, 1.0, 3.0, Grade.INACCURATE, "b"),
            measured(one, 1.0, math.inf, Grade.UNDERFLOW, "a"),
            replace(measured(one, 1.0, 2.5, Grade.INACCURATE, "b"), output="gradient:logits"),
            measured(one, 1.0, 99.0, Grade.INACCURATE, "torch.by_hand.003_c_1"),
            measured(one, 1.0, 1.9, Grade.STABLE, "fine"),
        ]
    )
    assert names(lines) == ["a", "torch.by_hand.003_c_1", "b", "b", "fine"]
    assert names(least_stable(lines)) == ["a", "b"]
    assert names(least_stable(lines, 1)) == ["a"]


def test_an_empty_run_has_no_lines() -> None:
    assert view([]) == []
    assert least_stable([]) == []
