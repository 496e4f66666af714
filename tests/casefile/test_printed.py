"""Printed digits: the interval that each text stands for."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest

from harness.casefile import Entry, expand
from harness.casefile.literals import LiteralError, interval
from harness.casefile.scalars import resolve
from harness.casefile.tree import Scalar
from harness.model.case import Case, Interval

Load = Callable[[str], list[Entry]]


def read(text: str) -> Interval:
    return interval(Scalar(1, 1, text, resolve(text)))


@pytest.mark.parametrize(
    ("text", "center", "half_width"),
    [
        ("0.79813886", "0.79813886", "0.000000005"),
        ("2.137", "2.137", "0.0005"),
        ("0.10", "0.1", "0.005"),
        ("0.1", "0.1", "0.05"),
        ("2", "2", "0.5"),
        ("0.", "0", "0.5"),
        ("-0.", "0", "0.5"),
        ("0", "0", "0.5"),
        (".5", "0.5", "0.05"),
        ("-1.25", "-1.25", "0.005"),
        ("-.25", "-0.25", "0.005"),
        ("+3", "3", "0.5"),
        ("1e-5", "1e-5", "5e-6"),
        ("2.06e-09", "2.06e-9", "5e-12"),
        ("1.5E+3", "1500", "50"),
        ("2.697068691253662", "2.697068691253662", "5e-16"),
        ("010", "10", "0.5"),
    ],
)
def test_a_printed_number_is_half_a_unit_of_its_last_digit_wide(text: str, center: str, half_width: str) -> None:
    assert read(text) == Interval(text, Fraction(center), Fraction(half_width))


@pytest.mark.parametrize("text", ["nan", "NaN", ".nan", ".NAN"])
def test_a_printed_nan(text: str) -> None:
    special = read(text).special
    assert special is not None
    assert math.isnan(special)


@pytest.mark.parametrize(
    ("text", "value"), [("inf", math.inf), ("-inf", -math.inf), (".inf", math.inf), ("-.Inf", -math.inf)]
)
def test_a_printed_infinity(text: str, value: float) -> None:
    assert read(text).special == value
    assert read(text).half_width == 0


@pytest.mark.parametrize("text", ["", "x", ".", "1_000", "1.2.3", "0x10", "1e", "1e99999", "9" * 2000, "n.an"])
def test_what_is_no_printed_number(text: str) -> None:
    with pytest.raises(LiteralError):
        read(text)


def test_printed_numbers_keep_their_text_and_shape(load: Load) -> None:
    (entry,) = load(
        "cases:\n- id: a\n  operation: sigmoid\n  inputs: {logits: [[0.2, 0.2], [0, 1]]}\n"
        "  expect: {printed: [[0.10, '0.1'], [5e-1, .nan]]}\n"
    )
    (case,) = expand(entry, 0)
    assert isinstance(case, Case)
    printed = case.expect.printed
    assert printed is not None
    assert printed.shape == (2, 2)
    assert [i.text for i in printed.intervals] == ["0.10", "0.1", "5e-1", ".nan"]
