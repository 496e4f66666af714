"""Rows of `harness list` as lines."""

from __future__ import annotations

from harness.commands import environments, listing
from harness.config import Options


def test_environments_are_told_as_by_env_list() -> None:
    rows = list(listing.environments(Options()))
    assert [listing.line(row) for row in rows] == [environments.line(row) for row in rows]
    assert listing.line(rows[0]).startswith("current  here  Python 3.")


def test_other_rows_are_their_values() -> None:
    row = {"case": "a:b", "none": "", "list": ["x", "y"], "tuple": ("z",), "table": {"k": 1}}
    assert listing.line(row) == "a:b  x, y  z  k: 1"
