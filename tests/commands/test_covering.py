"""Covering arrays, and the case file that is made of them."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

from harness import casefile
from harness.commands import covering

FACTORS: dict[str, list[Any]] = {"a": [0, 1], "b": ["x", "y", "z"], "c": [False, True], "d": [1.0, 2.0]}


def test_every_two_choices_of_two_factors_occur() -> None:
    rows = covering.covering(FACTORS)
    for one, other in combinations(FACTORS, 2):
        assert {(row[one], row[other]) for row in rows} == set(product(FACTORS[one], FACTORS[other]))
    assert len(rows) < 2 * 3 * 2


def test_the_first_row_has_nothing_at_its_default_and_all_are_the_same_again() -> None:
    rows = covering.covering(FACTORS)
    assert rows[0] == {"a": 1, "b": "z", "c": True, "d": 2.0}
    assert rows == covering.covering(FACTORS)


def test_the_shipped_cases_are_what_is_made() -> None:
    file = casefile.cases_folder() / "exhaustive" / "pairs.yaml"
    assert file.read_text(encoding="utf-8") == covering.text()
