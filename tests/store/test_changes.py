"""Each class of change, what explains it, and the merge of two sorted baselines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.model.change import Change
from harness.model.verdict import FAILED, Kind
from harness.store.baseline import Baseline, Facts
from harness.store.changes import Diff, classified, diff, summary
from harness.store.entries import Entry, Key, line_of

KEY = ("documents/1:a/float32", "current:numpy.sigmoid@eager", "value")
VALUE, ERROR = "float32[3]", "error ValueError"


def entry(
    kind: Kind = Kind.PASS,
    grade: str = "exact",
    max_ulp: float | None = 0.25,
    bits: str = "00ff",
    outcome: str = VALUE,
    spread: float = 0.0,
    max_bound: float | None = None,
) -> Entry:
    """What is kept of an output; its error in units of the bound is a quarter of that in ulps unless it is given."""
    bound = abs(max_ulp) / 4 if max_bound is None and max_ulp is not None else max_bound
    return Entry(outcome, kind, grade, max_ulp, bound, bits, spread, spread / 4)


def raised(kind: Kind = Kind.PASS, outcome: str = ERROR) -> Entry:
    return entry(kind, "broken" if kind is Kind.FAIL else "-", None, "-", outcome)


def absent() -> Entry:
    return entry(Kind.UNAVAILABLE, "-", None, "-", "absent")


def unavailable() -> Entry:
    return entry(Kind.UNAVAILABLE, "-", None, "-", "unavailable")


def unsupported() -> Entry:
    return entry(Kind.UNSUPPORTED, "-", None, "-", "unsupported")


def bad(kind: Kind = Kind.FAIL, max_ulp: float = 900.0, bits: str = "ff") -> Entry:
    return entry(kind, "inaccurate", max_ulp, bits)


def stable(max_ulp: float, max_bound: float) -> Entry:
    return entry(grade="stable", max_ulp=max_ulp, max_bound=max_bound, bits="01")


def broken(outcome: str, kind: Kind = Kind.FAIL, bits: str = "00ff") -> Entry:
    return entry(kind, "broken", None, bits, outcome)


def baseline(facts: Facts | None = None, **entries: Entry) -> Baseline:
    lines = sorted(line_of((case, "current:f@eager", "value"), each) for case, each in entries.items())
    return Baseline(facts or {}, lines)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (entry(), bad(), Change.NEW_FAILURE),
        (unavailable(), entry(Kind.CRASH, "-", None), Change.NEW_FAILURE),
        (None, bad(), Change.NEW_FAILURE),
        (bad(Kind.DEVIATION), bad(), Change.NEW_FAILURE),
        (bad(Kind.DEVIATION), entry(Kind.STALE), Change.NEW_FAILURE),
        (raised(), raised(Kind.FAIL, "error TypeError"), Change.NEW_FAILURE),
        (bad(), entry(), Change.FIXED),
        (bad(Kind.DEVIATION), entry(), Change.FIXED),
        (bad(), bad(Kind.DEVIATION), Change.FIXED),
        (entry(Kind.STALE), bad(Kind.DEVIATION), Change.FIXED),
        (raised(), raised(outcome="error TypeError"), Change.SEMANTICS),
        (raised(), entry(grade="-", max_ulp=None), Change.SEMANTICS),
        (entry(grade="-", max_ulp=None), raised(), Change.SEMANTICS),
        (raised(Kind.DEVIATION), bad(Kind.DEVIATION), Change.SEMANTICS),
        (entry(), entry(grade="accurate", max_ulp=0.75, bits="01"), Change.WORSE),
        (entry(), bad(Kind.DEVIATION), Change.WORSE),
        (entry(grade="accurate", max_ulp=1.0), entry(grade="accurate", max_ulp=-1.5, bits="01"), Change.WORSE),
        (bad(), bad(max_ulp=1000.0, bits="01"), Change.WORSE),
        (entry(grade="accurate", max_ulp=1.5), entry(grade="accurate", max_ulp=1.0, bits="01"), Change.BETTER),
        (entry(grade="stable", max_ulp=8.0), entry(bits="01"), Change.BETTER),
        (entry(), entry(bits="0100"), Change.BITS),
        (entry(), entry(max_ulp=0.5, bits="01"), Change.BITS),
        (entry(grade="accurate", max_ulp=1.0), entry(grade="accurate", max_ulp=-1.0, bits="01"), Change.BITS),
        (bad(), bad(bits="0100"), Change.BITS),
        (entry(), entry(grade="accurate", max_ulp=0.75, max_bound=0.0625, bits="01"), Change.BITS),
        (entry(grade="stable", max_ulp=13.0, max_bound=0.3), stable(14.0, 0.3), Change.BITS),
        (entry(grade="stable", max_ulp=13.0, max_bound=0.3), stable(12.0, 0.4), Change.WORSE),
        (entry(grade="stable", max_ulp=13.0, max_bound=0.3), stable(14.0, 0.2), Change.BETTER),
        (
            entry(grade="stable", max_ulp=13.0, max_bound=0.3),
            entry(grade="range", max_ulp=1.0, bits="01"),
            Change.WORSE,
        ),
        (bad(), broken("float32[3] nan"), Change.SEMANTICS),
        (bad(Kind.DEVIATION), broken("float32[3] inf", Kind.DEVIATION), Change.SEMANTICS),
        (broken("float32[3] nan"), bad(), Change.SEMANTICS),
        (broken("float32[3,1]"), broken("float64[3,1]", bits="01"), Change.SEMANTICS),
        (broken("float32[3] nan"), broken("float32[3] nan", bits="01"), Change.BITS),
        (entry(grade="range", outcome="float32[3] inf"), entry(grade="exact", bits="01"), Change.BETTER),
        (None, entry(), Change.NEW),
        (unsupported(), entry(), Change.NEW),
        (absent(), entry(), Change.NEW),
        (entry(), None, Change.NOT_MEASURED),
        (bad(), None, Change.NOT_MEASURED),
        (entry(), unavailable(), Change.NOT_MEASURED),
        (entry(), absent(), Change.REMOVED),
        (bad(), unsupported(), Change.REMOVED),
        (entry(max_ulp=0.5), entry(grade="accurate", max_ulp=0.75), Change.JUDGED),
        (None, unavailable(), Change.NOT_MEASURED),
        (unsupported(), unavailable(), Change.NOT_MEASURED),
        (unsupported(), None, Change.NOT_MEASURED),
        (unavailable(), absent(), None),
        (unsupported(), absent(), None),
        (None, absent(), None),
        (None, unsupported(), None),
    ],
)
def test_each_class_of_change(before: Entry | None, after: Entry | None, change: Change | None) -> None:
    assert classified(before, after) is change


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (1.0, 1.4, None),
        (1.0, 1.6, Change.WORSE),
        (1.6, 1.0, Change.BETTER),
        (1.4, 1.0, None),
    ],
)
def test_what_repeated_runs_differ_by_is_no_change(before: float, after: float, change: Change | None) -> None:
    old = entry(grade="accurate", max_ulp=before, bits="~", spread=0.5)
    assert classified(old, entry(grade="accurate", max_ulp=after, bits="12")) is change


def test_six_digits_are_all_that_is_kept_of_an_error() -> None:
    old, new = (entry(grade="stable", max_ulp=ulps) for ulps in (123.456, 123.4561))
    assert classified(old, replace(new, bits="01")) is Change.BITS


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (entry(outcome="value"), entry(), None),
        (entry(outcome="value", grade="stable", max_ulp=9.0), entry(bits="01"), Change.BETTER),
        (entry(outcome="value", grade="stable", max_ulp=9.0), stable(10.0, 0.1), Change.WORSE),
        (broken("value"), broken("float32[3] nan", bits="01"), Change.BITS),
        (entry(outcome="value"), raised(Kind.DEVIATION), Change.SEMANTICS),
    ],
)
def test_what_schema_2_did_not_know_is_not_compared(before: Entry, after: Entry, change: Change | None) -> None:
    assert classified(replace(before, max_bound=None), after) is change


def test_what_was_kept_without_an_outcome_has_no_other_semantics() -> None:
    assert classified(entry(outcome="-", grade="-", max_ulp=None), raised()) is not Change.SEMANTICS


@pytest.mark.parametrize("kind", Kind)
def test_nothing_differs_from_itself(kind: Kind) -> None:
    same = baseline(a=entry(kind))
    assert diff(same, same) == Diff([], {})


@pytest.mark.parametrize("before", [None, *Kind])
@pytest.mark.parametrize("after", sorted(FAILED))
def test_every_failure_that_was_none_is_a_new_one(before: Kind | None, after: Kind) -> None:
    new = classified(None if before is None else entry(before), entry(after)) is Change.NEW_FAILURE
    assert new is (before not in FAILED)


def test_the_gravest_come_first_then_cases_in_order() -> None:
    before = baseline(a=entry(), c=entry(), d=bad(), e=entry(), f=entry())
    after = baseline(a=entry(bits="01"), b=bad(), c=bad(), d=entry(), f=entry())
    found = diff(before, after).differences
    assert [(d.change, d.key[0]) for d in found] == [
        (Change.NEW_FAILURE, "b"),
        (Change.NEW_FAILURE, "c"),
        (Change.NOT_MEASURED, "e"),
        (Change.FIXED, "d"),
        (Change.BITS, "a"),
    ]
    assert str(found[1]) == "new failure: c current:f@eager value: pass (+0.25 ulp, 0.0625 B) -> fail (+900 ulp, 225 B)"
    assert str(found[2]) == "not measured: e current:f@eager value: pass (+0.25 ulp, 0.0625 B) -> nothing"


def test_keys_are_merged_as_text() -> None:
    def kept(*cases: str) -> Baseline:
        keys: list[Key] = [(case, "s", "value") for case in cases]
        return Baseline({}, sorted(line_of(key, entry()) for key in keys))

    found = diff(kept("a", "a/1", "a b"), kept("a/1", "a/10", "a"))
    assert [(d.change, d.key[0]) for d in found.differences] == [(Change.NOT_MEASURED, "a b"), (Change.NEW, "a/10")]


OLD = {"current": {"python": "3.11", "package torch": "2.13", "cpu": "A"}}


@pytest.mark.parametrize(
    ("facts", "moved", "why"),
    [
        ({"package torch": "2.14"}, ["torch 2.13 -> 2.14"], "another version"),
        ({"cpu": "B"}, ["cpu A -> B"], "another machine or setting"),
        (
            {"cpu": "B", "python": "3.12"},
            ["cpu A -> B", "python 3.11 -> 3.12"],
            "another version and another machine or",
        ),
        ({"flag X": "1"}, ["flag X none -> 1"], "another machine or setting"),
        ({}, [], "same versions and machine: not reproducible"),
    ],
)
def test_a_change_says_what_may_explain_it(facts: dict[str, str], moved: list[str], why: str) -> None:
    new = {"current": {**OLD["current"], **facts}}
    found = diff(baseline(OLD, a=entry()), baseline(new, a=entry(bits="01")))
    assert found.moved == ({"current": moved} if moved else {})
    assert found.differences[0].why.startswith(why)
    assert f"({why}" in str(found.differences[0])


def test_the_same_bits_are_judged_otherwise_by_the_judge() -> None:
    (found,) = diff(baseline(OLD, a=entry()), baseline(OLD, a=entry(max_bound=0.5))).differences
    assert found.change is Change.JUDGED
    assert found.why == "same bits: the truth, the bounds or the list of deviations changed"


def test_a_side_says_what_came_of_the_call_where_that_is_news() -> None:
    (found,) = diff(baseline(a=bad()), baseline(a=broken("float32[3] nan"))).differences
    assert found.found == "fail [float32[3]] (+900 ulp, 225 B) -> fail [float32[3] nan]"
    (error,) = diff(baseline(a=raised()), baseline(a=entry(grade="-", max_ulp=None))).differences
    assert error.found == "pass [error ValueError] -> pass"


def test_other_inputs_are_said_before_all_else() -> None:
    old, new = ({"": {"seed": seed, "tier": "quick"}, **OLD} for seed in "01")
    found = diff(baseline(old, a=entry()), baseline(new, a=entry(bits="01")))
    assert found.differences[0].why == "other cases or inputs"
    assert summary(found, 0)[1:3] == [
        "the seeds differ: generated inputs are others, and their results can't be compared",
        "run: seed 0 -> 1",
    ]
    assert diff(baseline(OLD, a=entry()), baseline(new, a=entry(bits="01"))).differences[0].why.startswith("same")


def test_the_summary_counts_and_names_the_first() -> None:
    assert summary(Diff([], {})) == ["baseline: nothing differs"]
    cases = {f"c{n}": bad() if n < 2 else entry() for n in range(5)}
    found = diff(baseline(OLD), baseline({"current": {**OLD["current"], "cpu": "B"}}, **cases))
    lines = summary(found, most=3)
    assert lines[:2] == ["baseline: 2 new failure, 3 newly supported", "current: cpu A -> B"]
    assert lines[2:] == [*(str(d) for d in found.differences[:3]), "and 2 more"]


def test_what_was_not_there_before_is_not_called_irreproducible() -> None:
    facts = {"current": {"python": "3.11"}}
    (new,) = diff(baseline(facts), baseline(facts, a=bad())).differences
    assert (new.change, new.why) == (Change.NEW_FAILURE, "")
    other = entry(grade="stable", max_ulp=9.0, bits="01")
    (worse,) = diff(baseline(facts, a=entry()), baseline(facts, a=other)).differences
    assert worse.why == "same versions and machine: not reproducible"
