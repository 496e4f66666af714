"""A change is found with few probes, whatever can't be had in between."""

import math

import pytest

from harness.versions.bisection import UndecidedError, bisect

VERSIONS = [f"2.{minor}" for minor in range(40)]


@pytest.mark.parametrize("at", [1, 7, 20, 39])
def test_finds_the_first_version_that_does_otherwise(at: int) -> None:
    asked: list[str] = []

    def probe(version: str) -> str:
        asked.append(version)
        return "old" if VERSIONS.index(version) < at else "new"

    found = bisect(VERSIONS, probe)
    assert (found.last, found.first) == (VERSIONS[at - 1], VERSIONS[at])
    assert len(asked) == len(set(asked)) <= 2 + math.ceil(math.log2(len(VERSIONS)))
    assert list(found.seen) == sorted(asked, key=VERSIONS.index)


def test_says_that_nothing_changed_after_two_probes() -> None:
    found = bisect(VERSIONS, lambda _version: "same")
    assert (found.last, found.first, list(found.seen)) == ("2.39", "", ["2.0", "2.39"])


def test_goes_round_what_cannot_be_had() -> None:
    missing = {"2.18", "2.19", "2.20", "2.21"}

    def probe(version: str) -> str | None:
        return None if version in missing else "old" if VERSIONS.index(version) < 19 else "new"

    found = bisect(VERSIONS, probe)
    assert (found.last, found.first) == ("2.17", "2.22")
    assert set(found.between) == missing
    assert all(found.seen[version] is None for version in missing)


@pytest.mark.parametrize("at", range(1, 40))
def test_asks_what_is_installed_first(at: int) -> None:
    installed = {"2.0", "2.9", "2.15", "2.39"}
    made: list[str] = []

    def probe(version: str) -> str:
        if version not in installed:
            made.append(version)
        return "old" if VERSIONS.index(version) < at else "new"

    found = bisect(VERSIONS, probe, installed.__contains__)
    assert (found.last, found.first) == (VERSIONS[at - 1], VERSIONS[at])
    gap = next(b - a for a, b in ((0, 9), (9, 15), (15, 39)) if a < at <= b)
    assert len(made) <= math.ceil(math.log2(gap))


@pytest.mark.parametrize("end", ["2.0", "2.39"])
def test_the_ends_must_be_there(end: str) -> None:
    with pytest.raises(UndecidedError, match=f"{end} can't be had"):
        bisect(VERSIONS, lambda version: None if version == end else "same")
