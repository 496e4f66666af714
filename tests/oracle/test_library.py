"""The one assumption on the mathematical library is checked, and its breach is told."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from harness.model.case import Array, Case, Expectation, Source
from harness.oracle import library, truth


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    """Each test has the check before it."""
    library.check.cache_clear()
    yield
    library.check.cache_clear()


def off_by(ulps: float, monkeypatch: pytest.MonkeyPatch, name: str = "exp") -> None:
    right = getattr(np, name)

    def wrong(x: Array) -> Array:
        found: Array = right(x)
        return np.asarray(found + ulps * np.spacing(np.abs(found)))

    monkeypatch.setattr(np, name, wrong)


def test_this_machine_is_as_assumed() -> None:
    found = library.check()
    assert set(found) == {"exp", "log", "log1p"}
    assert all(0.4 < ulps < 10 for ulps in found.values())


@pytest.mark.parametrize("name", ["exp", "log", "log1p"])
def test_a_function_that_is_off_is_named_with_its_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    off_by(5000, monkeypatch, name)
    with pytest.raises(library.LibraryError, match=rf"NumPy's {name} is off by 5e\+03 ulp .* assumes 1000"):
        library.check()


def test_an_error_within_the_assumption_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    off_by(900, monkeypatch)
    assert 890 < library.check()["exp"] < 910


def test_a_result_that_is_no_number_is_a_breach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "exp", lambda x: np.full_like(x, np.nan))
    with pytest.raises(library.LibraryError):
        library.check()


def test_it_is_checked_once_before_the_first_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case("x", "sigmoid", {"logits": np.zeros(1, np.float32)}, {}, "float32", Expectation(), Source("x", 1))
    truth.evaluate(case)
    truth.evaluate(case)
    assert library.check.cache_info().misses == 1
    library.check.cache_clear()
    off_by(5000, monkeypatch)
    with pytest.raises(library.LibraryError):
        truth.evaluate(case)
