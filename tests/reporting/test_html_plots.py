from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from harness.model.case import Array, Domain
from harness.model.run import Results
from harness.model.verdict import Kind
from harness.operations.base import Region
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Truth
from harness.reporting import html_plots
from harness.reporting.curves import Call, Panel, Part
from harness.reporting.html_plots import BOTTOM, LEFT, RIGHT, TOP, WRONG, columns, heights, plot, plots, rank, series

F32 = FORMATS["float32"]
PANEL = Panel("sigmoid", "float32", "value")


def part(logits: Sequence[float], errors: Sequence[float], line: float = 4.0) -> Part:
    x = np.array(logits)
    call = Call("a:b", x.shape, np.arange(x.size), {"logits": x.astype(np.float32)}, x, Truth(Region(Domain.INSIDE)))
    return Part(call, np.array(errors), np.full(x.size, line))


def test_the_axis_is_symmetric_and_holds_every_logit() -> None:
    x = np.array([-np.inf, -F32.largest, -1.0, -1e-45, -0.0, 0.0, 1e-45, 1.0, F32.largest, np.inf, np.nan])
    found = columns(x, F32)
    assert found[-1] == -1
    assert (np.diff(found[:-1]) >= 0).all()
    assert (found[0], found[-2]) == (LEFT, RIGHT)
    np.testing.assert_array_equal(found[:5] - LEFT, RIGHT - found[-2:4:-1])


@pytest.mark.parametrize("dtype", FORMATS)
def test_ticks_have_room_in_every_format(dtype: str) -> None:
    across, upward = list(html_plots.across(FORMATS[dtype])), list(html_plots.upward(FORMATS[dtype]))
    assert min(np.diff([tick.at for tick in across])) >= 30
    assert max(np.diff([tick.at for tick in upward])) <= -15


def test_heights_are_logarithmic_and_the_wrong_class_stands_above() -> None:
    found = heights(np.array([0.0, 0.1, 1.0, 10.0, 1e8, 1e30, np.inf]), F32)
    assert found[0] == found[1] == BOTTOM
    assert found[4] == found[5] == TOP
    assert found[6] == WRONG
    assert found[1] - found[2] == found[2] - found[3]


def test_a_column_shows_its_worst_element_failing_ones_first() -> None:
    (dot,) = dots([part([1.0, 1.0], [-2.0, 1.0])])
    assert dot[1] == int(heights(np.array(2.0), F32))
    narrow, wide = part([1.0], [5.0], 4.0), part([1.0], [90.0], 100.0)
    (dot,) = dots([wide, narrow])
    assert dot[1] == int(heights(np.array(5.0), F32))


def dots(parts: Sequence[Part]) -> list[tuple[int, int]]:
    path = series("f", parts, F32).path
    return [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h0", path)]


def test_elements_outside_are_counted_and_some_say_what_they_are() -> None:
    x: Array = np.linspace(0.01, 100.0, 50)
    found = series("f", [part([0.0], [0.0]), part(x.tolist(), [*[5.0] * 48, np.nan, -7.0])], F32)
    assert found.outside == 50
    assert html_plots.MARKS <= len(found.marks) <= html_plots.MARKS + 1
    assert found.marks[0].title == "f: +5 ulp, 4 pass; logits 0.01; a:b [0]"
    assert any(mark.y == WRONG and "of the wrong class" in mark.title for mark in found.marks)


def test_what_has_no_place_is_left_out() -> None:
    found = series("f", [part([np.nan, 1.0], [9.0, 1.0])], F32)
    assert (found.outside, found.marks, found.path.count("M")) == (0, [], 1)


def test_an_overflow_that_no_bound_forbids_is_no_failure() -> None:
    assert series("f", [part([1.0], [np.inf], np.inf)], F32).outside == 0


def test_the_same_dots_share_a_name_and_the_worst_come_first() -> None:
    fine, bad = [part([1.0], [1.0])], [part([1.0], [9.0])]
    found = plot(PANEL, {"a": fine, "b": bad, "c": fine}, by_hand=False)
    assert [one.names for one in found.series] == [["b"], ["a", "c"]]
    assert found.more == 0


def test_there_are_not_too_many_series() -> None:
    names = {f"f{i}": [part([10.0 ** (i / 4 - 2)], [1.0])] for i in range(html_plots.SERIES + 3)}
    found = plot(PANEL, names, by_hand=False)
    assert (len(found.series), found.more) == (html_plots.SERIES, 3)


def test_the_band_lies_between_the_lowest_and_the_highest_pass_line() -> None:
    low, high = part([1.0, 10.0], [0.0, 0.0], 4.0), part([1.0], [0.0], np.inf)
    found = html_plots.line([low, high], F32)
    at, beside = columns(np.array([1.0, 10.0]), F32)
    bottom = int(heights(np.array(4.0), F32))
    assert found == f"M{at} {TOP}L{beside} {bottom}L{beside} {bottom}L{at} {bottom}Z"
    assert html_plots.line([part([np.nan], [0.0])], F32) == ""


def test_values_and_the_usual_dtypes_come_first() -> None:
    panels = [Panel("a", dtype, output) for dtype in ("bfloat16", "float32") for output in ("gradient:x", "value")]
    assert sorted(panels, key=rank) == [panels[3], panels[2], panels[1], panels[0]]


def test_an_empty_run_has_no_plots(many: Callable[..., Results]) -> None:
    assert plots(many(0, Kind.PASS)) == {}
