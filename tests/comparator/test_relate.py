from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from harness.comparator import relate
from harness.comparator.findings import Finding
from harness.comparator.relate import Observed, agreement, statement
from harness.model.case import Case, Domain, Relation, Source, View
from harness.model.observation import Observation
from harness.model.subject import DOCUMENT, Subject
from harness.model.verdict import Grade, Kind
from harness.operations.base import Region
from harness.oracle.truth import Truth
from tests.comparator.truths import enclosure

INF, NAN = float("inf"), float("nan")

Gave = Callable[..., Observation]
MakeSubject = Callable[..., Subject]
MakeRelation = Callable[..., Relation]
Judged = Callable[..., list[Finding]]


def array(values: Any) -> Any:
    return np.array(values, np.float32)


@pytest.fixture
def stated(case: Callable[..., Case]) -> MakeRelation:
    def relation(kind: str = "equal", dtype: str = "float32", **views: View) -> Relation:
        names = list(views) or ["a", "b"]
        calls = {name: case(dtype=dtype, id=f"relations/x:r/{name}") for name in names}
        seen = {name: views.get(name, View()) for name in names}
        return Relation("relations/x:r", kind, calls, seen, (), Source("cases/relations/x.yaml", 3))

    return relation


@pytest.fixture
def judged(stated: MakeRelation, subject: MakeSubject, gave: Gave) -> Judged:
    """Judge one subject that makes all calls and gives these values."""

    def findings(kind: str, *values: Any, dtype: str = "float32", views: tuple[View, ...] = ()) -> list[Finding]:
        names = "abcd"[: len(values)]
        shown = dict(zip(names, views or (View(),) * len(values), strict=True))
        observed: Mapping[str, Observed] = {
            name: {subject(): value if isinstance(value, Observation) else gave(np.array(value, dtype))}
            for name, value in zip(names, values, strict=True)
        }
        return [finding for _, finding in relate.relation(stated(kind, dtype, **shown), observed)]

    return findings


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0], True),
        ([1.0, 2.0], [1.0, 2.00001], True),
        ([1.0, 2.0], [1.0, 2.0001], False),
        ([NAN, INF, -INF], [NAN, INF, -INF], True),
        ([NAN], [1.0], False),
        ([1.0], [NAN], False),
        ([INF], [-INF], False),
        ([INF], [3e38], False),
        ([0.0], [-0.0], True),
        ([[1.0]], [1.0], False),
        ([], [], True),
    ],
)
def test_equal_and_differ_are_each_others_contrary(judged: Judged, a: Any, b: Any, *, same: bool) -> None:
    (equal,), (differ,) = judged("equal", a, b), judged("differ", a, b)
    assert equal.kind is (Kind.PASS if same else Kind.FAIL)
    assert differ.kind is (Kind.FAIL if same else Kind.PASS)
    assert "against current:torch.sigmoid_cross_entropy@eager (b)" in equal.reason


def test_a_difference_is_told_with_its_place_and_size(judged: Judged) -> None:
    (found,) = judged("equal", [[1.0, 2.0], [3.0, 4.5]], [[1.0, 2.0], [3.0, 4.0]])
    assert found.reason.startswith("4.5 instead of 4 at [1, 1], against ")
    assert (found.grade, found.max_ulp) == (Grade.INACCURATE, 0.5 / 2.0**-21)
    (found,) = judged("equal", [1.0], [1.0, 1.0])
    assert found.reason.startswith("shape [1] instead of [2], against ")
    assert judged("equal", [1.0 + 2.0**-23], [1.0])[0].max_ulp == 1.0


def test_a_difference_that_float64_cannot_hold_is_infinite(judged: Judged) -> None:
    (found,) = judged("equal", [1.7e308, 100.0], [-1.7e308, 0.0], dtype="float64")
    assert (found.kind, found.max_ulp) == (Kind.FAIL, INF)


@pytest.mark.parametrize(
    ("view", "value"),
    [
        (View(), [[1.0, 2.0], [3.0, 4.0]]),
        (View(axis=0), [4.0, 6.0]),
        (View(axis=1), [3.0, 7.0]),
        (View(axis=-1, index=0), [1.0, 3.0]),
        (View(axis=0, index=-1), [3.0, 4.0]),
    ],
)
def test_views(judged: Judged, view: View, value: Any) -> None:
    whole = [[1.0, 2.0], [3.0, 4.0]]
    assert judged("equal", whole, value, views=(view, View()))[0].kind is Kind.PASS
    assert judged("equal", value, whole, views=(View(), view))[0].kind is Kind.PASS
    wrong = np.add(value, 1.0)
    assert judged("equal", whole, wrong, views=(view, View()))[0].kind is Kind.FAIL


def test_a_sum_of_both_infinities_is_nan_and_warns_nobody(judged: Judged) -> None:
    assert judged("equal", [[INF, -INF]], [NAN], views=(View(axis=1), View()))[0].kind is Kind.PASS


@pytest.mark.parametrize(
    ("value", "view", "reason"),
    [
        ([1.0, 2.0], View(axis=1), "gave shape [2], which has no axis 1"),
        (1.0, View(axis=0, index=0), "gave shape [], which has no axis 0"),
        ([1.0], View(axis=0, index=1), "gave shape [1]: no index 1 on axis 0"),
    ],
)
def test_a_shape_without_the_view_is_the_subjects_failure(judged: Judged, value: Any, view: View, reason: str) -> None:
    for values, views in (((value, 1.0), (view, View())), ((1.0, value), (View(), view))):
        (found,) = judged("equal", *values, views=views)
        assert (found.kind, found.grade, found.reason) == (Kind.FAIL, Grade.BROKEN, reason)


@pytest.mark.parametrize(
    ("other", "kind", "reason"),
    [
        ({"outcome": "error", "error": "E", "reason": "no"}, Kind.FAIL, "raised E: no"),
        ({"outcome": "crash", "reason": "signal 11"}, Kind.CRASH, "signal 11"),
        ({"outcome": "unsupported", "reason": "no axis"}, Kind.UNSUPPORTED, "no axis"),
        ({}, Kind.FAIL, "gave no value"),
    ],
)
def test_a_call_without_a_value_decides(judged: Judged, gave: Gave, other: Any, kind: Kind, reason: str) -> None:
    for values in ((gave(**other), [1.0]), ([1.0], gave(**other))):
        (found,) = judged("equal", *values)
        assert (found.kind, found.reason) == (kind, reason)


def test_a_failure_outweighs_what_could_not_be_compared(judged: Judged, gave: Gave) -> None:
    unsupported = gave(outcome="unsupported")
    assert judged("equal", [1.0], unsupported, [2.0])[0].kind is Kind.FAIL
    assert judged("equal", [1.0], [1.0], unsupported)[0].kind is Kind.UNSUPPORTED
    assert judged("equal", [1.0], [1.0], [1.0])[0].kind is Kind.PASS


# partners


@pytest.mark.parametrize("place", ["environment", "framework", "mode"])
def test_a_partner_is_of_the_same_place(stated: MakeRelation, subject: MakeSubject, gave: Gave, place: str) -> None:
    elsewhere = {
        "environment": subject("torch.b", environment="old"),
        "framework": subject("tensorflow.b"),
        "mode": subject("torch.b", mode="compiled"),
    }[place]
    observed = {"a": {subject("torch.a"): gave(array(1.0))}, "b": {elsewhere: gave(array(2.0))}}
    ((_, found),) = relate.relation(stated(), observed)
    assert (found.kind, found.reason) == (Kind.UNSUPPORTED, "nothing in this framework computes b")
    observed["b"][subject("torch.b")] = gave(array(1.0))
    ((who, found),) = relate.relation(stated(), observed)
    assert (who, found.kind) == (subject("torch.a"), Kind.PASS)
    assert "current:torch.b@eager (b)" in found.reason


def test_the_first_partner_with_a_value_is_taken(stated: MakeRelation, subject: MakeSubject, gave: Gave) -> None:
    others = {
        subject("torch.first"): gave(outcome="unsupported", reason="no weights"),
        subject("torch.second"): gave(array(1.0)),
        subject("torch.third"): gave(array(2.0)),
    }
    ((_, found),) = relate.relation(stated(), {"a": {subject("torch.a"): gave(array(1.0))}, "b": others})
    assert found.kind is Kind.PASS
    assert "torch.second" in found.reason
    del others[subject("torch.second")], others[subject("torch.third")]
    ((_, found),) = relate.relation(stated(), {"a": {subject("torch.a"): gave(array(1.0))}, "b": others})
    assert (found.kind, found.reason) == (Kind.UNSUPPORTED, "no weights")


def test_every_subject_of_the_first_call_is_judged(stated: MakeRelation, subject: MakeSubject, gave: Gave) -> None:
    firsts = {subject("torch.a"): gave(array(1.0)), subject("tensorflow.a"): gave(array(2.0))}
    others = {subject("torch.b"): gave(array(1.0)), subject("tensorflow.b"): gave(array(1.0))}
    found = dict(relate.relation(stated(), {"a": firsts, "b": others}))
    assert {who.framework: finding.kind for who, finding in found.items()} == {
        "torch": Kind.PASS,
        "tensorflow": Kind.FAIL,
    }


# the statement itself


@pytest.mark.parametrize(
    ("kind", "b", "holds", "reason"),
    [
        ("equal", [1.0], True, "holds in truth"),
        ("equal", [1.5], False, "does not hold: 1 instead of 1.5 at [0]"),
        ("differ", [1.5], True, "holds in truth"),
        ("differ", [1.0], False, "does not hold: a and b are equal"),
    ],
)
def test_a_statement_that_truth_violates_is_an_erratum(
    stated: MakeRelation, kind: str, b: list[float], reason: str, *, holds: bool
) -> None:
    truths = {name: Truth(Region(Domain.INSIDE), {"value": enclosure(v)}) for name, v in (("a", [1.0]), ("b", b))}
    who, found = statement(stated(kind), truths)
    assert (who, found.kind, found.reason) == (DOCUMENT, Kind.PASS if holds else Kind.ERRATUM, reason)


def test_a_statement_is_about_its_views(stated: MakeRelation) -> None:
    truths = {
        "a": Truth(Region(Domain.INSIDE), {"value": enclosure([1.0, 2.0])}),
        "b": Truth(Region(Domain.INSIDE), {"value": enclosure(3.0)}),
    }
    assert statement(stated(a=View(axis=0), b=View()), truths)[1].kind is Kind.PASS
    assert statement(stated(a=View(axis=0, index=1), b=View()), truths)[1].kind is Kind.ERRATUM


# agreement


def test_outliers_of_the_largest_group_fail(subject: MakeSubject, gave: Gave) -> None:
    values = {"a": [1.0, NAN], "b": [9.0, NAN], "c": [1.000001, NAN], "d": [1.0, 1.0], "e": [1.0, NAN]}
    observed = {subject(f"torch.{name}"): gave(array(value)) for name, value in values.items()}
    found = {who.implementation[-1]: finding for who, finding in agreement(observed, "float32")}
    assert {name: finding.kind for name, finding in found.items()} == {
        "a": Kind.PASS,
        "b": Kind.FAIL,
        "c": Kind.PASS,
        "d": Kind.FAIL,
        "e": Kind.PASS,
    }
    assert (found["a"].reason, found["b"].reason) == ("agrees with 2 others", "differs from 3 that agree")


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 1.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
def test_without_a_largest_group_nobody_is_right_by_his_place(
    subject: MakeSubject, gave: Gave, values: list[float]
) -> None:
    observed = {subject(f"torch.{n}"): gave(array(value)) for n, value in enumerate(values)}
    assert {finding.kind for _, finding in agreement(observed, "float32")} == {Kind.FAIL}


def test_who_has_no_value_takes_no_part(subject: MakeSubject, gave: Gave) -> None:
    observed = {
        subject("torch.a"): gave(outcome="error", error="E", reason="no"),
        subject("torch.b"): gave(outcome="unavailable", reason="not installed"),
        subject("torch.c"): gave(),
        subject("torch.d"): gave(array(2.0)),
    }
    kinds = [(finding.kind, finding.reason) for _, finding in agreement(observed, "float32")]
    assert kinds == [
        (Kind.FAIL, "raised E: no"),
        (Kind.UNAVAILABLE, "not installed"),
        (Kind.FAIL, "gave no value"),
        (Kind.PASS, "agrees with 0 others"),
    ]
    assert list(agreement({}, "float32")) == []


def test_a_bug_of_the_comparator_never_looks_like_a_mismatch(
    judged: Judged, subject: MakeSubject, gave: Gave, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(relate, "_compare", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        judged("equal", [1.0], [1.0])
    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(agreement({subject(): gave(array(1.0))}, "float32"))
