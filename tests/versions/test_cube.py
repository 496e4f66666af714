"""How implementations stand in each version, and since when a deviation is there."""

import pytest

from harness.model.case import Source
from harness.model.deviation import Deviation, DeviationKind
from harness.model.verdict import Kind
from harness.store.entries import Entry
from harness.versions.cube import Cell, Place, Presence, Since, moved, outputs, since, table

CASE = "operations/sigmoid_cross_entropy:boundaries/float32"
SUBJECT = "torch.nn.functional.bce@eager"


def entry(verdict: Kind, grade: str = "exact") -> Entry:
    return Entry("value", verdict, grade, 0.0, 0.0, "-")


def version(name: str, *entries: Entry, case: str = CASE) -> dict[tuple[str, str, str], Entry]:
    return {(f"{case}/{n}", f"{name}:{SUBJECT}", "value"): each for n, each in enumerate(entries)}


KNOWN = entry(Kind.DEVIATION, "inaccurate")
RIGHT = entry(Kind.PASS)
TAIL = Deviation(
    "tail", ("*:torch.*@*",), "", ("sigmoid_cross_entropy",), ("value",), DeviationKind.ACCURACY, "why", "unreported",
    "2026-11-25", (f"{CASE}/*",), Source("d", 1),
)  # fmt: skip


def test_a_cell_counts_what_departs_known_or_not() -> None:
    found = table({"a": version("a", KNOWN, RIGHT, entry(Kind.FAIL, "broken"), entry(Kind.UNSUPPORTED))})
    assert found == {SUBJECT: {"a": Cell(3, 2, "broken")}}


def test_the_cube_has_each_output_in_each_version_and_tells_which_moved() -> None:
    found = outputs({"a": version("a", RIGHT, KNOWN), "b": version("b", KNOWN, KNOWN, entry(Kind.UNSUPPORTED))})
    place = Place(SUBJECT, f"{CASE}/0", "value")
    assert list(found) == [place, place._replace(case=f"{CASE}/1")]
    assert found[place] == {"a": RIGHT, "b": KNOWN}
    assert list(moved(found)) == [place]


def test_what_no_version_has_measured_is_no_row() -> None:
    assert table({"a": version("a", entry(Kind.UNAVAILABLE, "-"))}) == {}


@pytest.mark.parametrize(
    ("standings", "said"),
    [
        ([RIGHT, KNOWN, KNOWN], "since b, not in a"),
        ([KNOWN, KNOWN, KNOWN], "in all that were measured"),
        ([KNOWN, RIGHT, KNOWN], "in a, c"),
        ([RIGHT, RIGHT, RIGHT], "in none that was measured"),
        ([KNOWN, RIGHT, RIGHT], "until a, not in b"),
        ([entry(Kind.DEVIATION, "underflow"), RIGHT, KNOWN], "since c, not in b"),
        ([entry(Kind.DEVIATION, "broken"), KNOWN, RIGHT], "until b, not in c"),
        ([entry(Kind.UNAVAILABLE, "-"), entry(Kind.UNSUPPORTED, "-"), KNOWN], "in c, the only one that was measured"),
        ([entry(Kind.UNAVAILABLE, "-")] * 3, "not measured"),
    ],
)
def test_since_when(standings: list[Entry], said: str) -> None:
    versions = {name: version(name, each) for name, each in zip("abc", standings, strict=True)}
    (found,) = since(versions, [TAIL])
    assert str(found) == said


def test_only_cases_that_show_a_deviation_count() -> None:
    (found,) = since({"a": version("a", KNOWN, case="elsewhere:x")}, [TAIL])
    assert found == Since("tail", {"a": Presence.NOT_MEASURED})
