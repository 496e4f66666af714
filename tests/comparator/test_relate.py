from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.comparator import relate
from harness.comparator.findings import Finding
from harness.comparator.relate import Alone, Observed, agreement, statement
from harness.model.case import Against, Case, Domain, Relation, Source, View, Within
from harness.model.observation import Observation, Outcome
from harness.model.subject import DOCUMENT, Subject
from harness.model.verdict import Grade, Kind, Verdict
from harness.operations.base import Region
from harness.oracle.truth import Truth
from tests.comparator.truths import bounds, enclosure

INF, NAN = float("inf"), float("nan")

Gave = Callable[..., Observation]
MakeSubject = Callable[..., Subject]
MakeRelation = Callable[..., Relation]
Judged = Callable[..., list[Finding]]


UNKNOWN = Truth(Region(Domain.INSIDE))
"""Of a call that has no truth: the usual tolerance is what is allowed."""
UNKNOWNS = dict.fromkeys("abcd", UNKNOWN)
ULP = 2.0**-23


def array(values: Any) -> Any:
    return np.array(values, np.float32)


def alone(_name: str, subject: Subject, _observation: Observation) -> Verdict:
    """A call that fails by itself."""
    return about(subject, Kind.FAIL)


def about(subject: Subject, kind: Kind, deviation: str | None = None) -> Verdict:
    """What is found of a call by itself."""
    names = ("r:x/a", "sigmoid", subject.id, subject.implementation, subject.framework, subject.environment)
    return Verdict(*names, "eager", "cpu", "float32", "value", kind, "x.yaml:1", deviation=deviation, reason="known")


def known(values: Any, passing: Any, dtype: str = "float32", radius: float = 0.0) -> Truth:
    """A truth with the bound B of each element: it passes up to 2 B, or 4 ulp."""
    lost = {"value": bounds(values, dtype, passing=passing)}
    return Truth(Region(Domain.INSIDE), {"value": enclosure(values, radius)}, lost)


@pytest.fixture
def stated(case: Callable[..., Case]) -> MakeRelation:
    def relation(
        kind: str = "equal", dtype: str = "float32", within: Within = Within.BOUNDS, **views: View
    ) -> Relation:
        names = list(views) or ["a", "b"]
        calls = {name: case(dtype=dtype, id=f"relations/x:r/{name}") for name in names}
        seen = {name: views.get(name, View()) for name in names}
        return Relation("relations/x:r", kind, calls, seen, (), Source("cases/relations/x.yaml", 3), within=within)

    return relation


@pytest.fixture
def judged(stated: MakeRelation, subject: MakeSubject, gave: Gave) -> Judged:
    """Judge one subject that makes all calls and gives these values."""

    def findings(
        kind: str,
        *values: Any,
        dtype: str = "float32",
        views: tuple[View, ...] = (),
        within: str = "bounds",
        truths: tuple[Truth, ...] = (),
        judge: Alone = alone,
    ) -> list[Finding]:
        names = "abcd"[: len(values)]
        shown = dict(zip(names, views or (View(),) * len(values), strict=True))
        observed: Mapping[str, Observed] = {
            name: {subject(): value if isinstance(value, Observation) else gave(np.array(value, dtype))}
            for name, value in zip(names, values, strict=True)
        }
        right = dict(zip(names, truths or (UNKNOWN,) * len(values), strict=True))
        asked = stated(kind, dtype, Within(within), **shown)
        return [finding for _, finding in relate.relation(asked, observed, right, judge)]

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
    assert found.reason.startswith(
        "4.5 instead of 4 at [1, 1]: 0.5 apart, 1.52e-05 is allowed within the usual tolerance"
    )
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


def test_a_view_of_slopes_looks_at_them_only(stated: MakeRelation, subject: MakeSubject) -> None:
    slopes = View(axis=-1, output="gradient:logits")
    asked = stated(a=slopes, b=View(output="gradient:logits"))

    def found(first: Any, second: Any, **more: Any) -> Finding:
        observed = {
            name: {subject(): Observation(Outcome.VALUE, {"value": array(value), "gradient:logits": array(slope)})}
            for name, value, slope in (("a", 1.0, first), ("b", 2.0, second))
        }
        if more:
            observed["b"] = {subject(): Observation(Outcome.VALUE, {"value": array(1.0)}, **more)}
        ((_, finding),) = relate.relation(asked, observed, UNKNOWNS, alone)
        return finding

    assert found([[1.0, -1.0]], [0.0]).kind is Kind.PASS
    assert found([[1.0, -0.5]], [0.0]).kind is Kind.FAIL
    missing = found([[1.0, -1.0]], [0.0], unsupported={"gradient:logits": "new in 2.0"})
    assert (missing.kind, missing.reason) == (Kind.UNSUPPORTED, "new in 2.0")
    assert found([[1.0, -1.0]], [0.0], reason="").reason == "gave no gradient:logits"


def test_modes_are_held_against_one_another(stated: MakeRelation, subject: MakeSubject, gave: Gave) -> None:
    asked = replace(stated(), against=Against.ANOTHER_MODE)
    eager, traced, other = subject(), subject(mode="graph"), subject(implementation="torch.other")
    a = {eager: gave(array([1.0])), traced: gave(array([2.0])), other: gave(array([1.0]))}
    found = dict(relate.relation(asked, {"a": a, "b": a}, UNKNOWNS, alone))
    assert (found[eager].kind, found[traced].kind) == (Kind.FAIL, Kind.FAIL)
    assert f"against {traced.id} (b)" in found[eager].reason
    assert (found[other].kind, found[other].reason) == (Kind.UNSUPPORTED, "nothing in another mode computes b")


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


# within bounds


@pytest.mark.parametrize(("off", "kind"), [(3.99, Kind.PASS), (4.01, Kind.FAIL)])
def test_errors_may_differ_by_what_both_sides_may_lose(judged: Judged, off: float, kind: Kind) -> None:
    """Pass lines of 1e-3 and 3e-3, element by element; the other element is far within a wide one of its own."""
    truths = known([1.0, 5.0], [5e-4, 1.0]), known([1.0, 5.0], [1.5e-3, 1.0])
    (found,) = judged("equal", [1.0 + off * 5e-4, 5.5], [1.0 - off * 5e-4, 5.0], truths=truths)
    assert found.kind is kind
    within = "equal within bounds, against" if kind is Kind.PASS else "0.004 is allowed within bounds, against"
    assert within in found.reason


def test_what_the_truths_differ_by_is_neither_sides_fault(judged: Judged) -> None:
    truths = known([1.0], 1e-4), known([1.25], 1e-4)
    assert judged("equal", [1.0001], [1.2501], truths=truths)[0].kind is Kind.PASS
    (found,) = judged("equal", [1.0], [1.251], truths=truths)
    assert (found.kind, found.grade) == (Kind.FAIL, Grade.INACCURATE)
    assert "0.001 apart, 0.0004 is allowed" in found.reason
    assert judged("equal", [1.0], [1.0], truths=truths)[0].kind is Kind.PASS


@pytest.mark.parametrize(("value", "kind"), [(1.00039, Kind.FAIL), (1.00041, Kind.PASS)])
def test_calls_are_told_apart_beyond_what_both_may_lose(judged: Judged, value: float, kind: Kind) -> None:
    truths = known([1.0], 1e-4), known([value], 1e-4)
    assert judged("differ", [1.0], [value], truths=truths)[0].kind is kind


def test_the_pass_line_is_never_less_than_4_ulp_a_side_and_knows_the_truths_radius(judged: Judged) -> None:
    exact = known([1.0], 0.0), known([1.0], 0.0)
    assert judged("equal", [1.0 + 4 * ULP], [1.0 - 4 * ULP], truths=exact)[0].kind is Kind.PASS
    assert judged("equal", [1.0 + 5 * ULP], [1.0 - 4 * ULP], truths=exact)[0].kind is Kind.FAIL
    wide = known([1.0], 0.0, radius=ULP), known([1.0], 0.0)
    assert judged("equal", [1.0 + 5 * ULP], [1.0 - 4 * ULP], truths=wide)[0].kind is Kind.PASS


@pytest.mark.parametrize(("off", "kind"), [(0.0039, Kind.PASS), (0.0041, Kind.FAIL)])
def test_a_sum_may_lose_what_its_terms_may_together(judged: Judged, off: float, kind: Kind) -> None:
    truths = known([[1.0, 2.0], [3.0, 4.0]], [[5e-4, 1e-3], [0.1, 0.2]]), known([3.0, 7.0], [5e-4, 0.1])
    (found,) = judged("equal", [[1.0 + off, 2.0], [3.0, 4.0]], [3.0, 7.0], views=(View(axis=1), View()), truths=truths)
    assert found.kind is kind


def test_an_index_has_the_bound_of_its_own_element(judged: Judged) -> None:
    truths = known([1.0, 2.0], [0.1, 1e-4]), known(2.0, 1e-4)
    for index, kind in ((0, Kind.PASS), (1, Kind.FAIL)):
        right = (truths[0], known(index + 1.0, 1e-4))
        views = (View(axis=0, index=index), View())
        assert judged("equal", [1.1, 2.1], index + 1.0, views=views, truths=right)[0].kind is kind


def test_elements_without_a_truth_have_the_usual_tolerance(judged: Judged) -> None:
    truths = known([NAN, 1.0, INF], 0.1), known([NAN, 1.0, INF], 0.1)
    (found,) = judged("equal", [NAN, 1.2, INF], [NAN, 1.0, INF], truths=truths)
    assert found.kind is Kind.PASS
    assert found.reason.startswith("equal within bounds (2 without a truth within the usual tolerance), against")
    assert judged("equal", [NAN, 1.2, INF], [0.0, 1.0, INF], truths=truths)[0].kind is Kind.FAIL
    assert judged("equal", [NAN, 1.2, INF], [NAN, 1.0, 1.0], truths=truths)[0].kind is Kind.FAIL
    (found,) = judged("equal", [1.0], [1.0])
    assert found.reason.startswith("equal within the usual tolerance, as there is no truth, against")


def test_where_an_intermediate_overflows_nothing_is_compared(judged: Judged) -> None:
    truths = known([3e4, 1.0], [INF, 1e-3], "float16"), known([3e4, 1.0], [1.0, 1e-3], "float16")
    (found,) = judged("equal", [INF, 1.0], [3e4, 1.0], truths=truths, dtype="float16")
    assert found.kind is Kind.PASS
    assert found.reason.startswith("equal within bounds (1 beyond the range), against")
    assert judged("equal", [INF, 1.5], [3e4, 1.0], truths=truths, dtype="float16")[0].kind is Kind.FAIL


def test_a_number_lost_is_no_error_within_bounds(judged: Judged) -> None:
    truths = known([1.0], 0.1), known([1.0], 0.1)
    (found,) = judged("equal", [NAN], [1.0], truths=truths)
    assert (found.kind, found.reason.partition(":")[0]) == (Kind.FAIL, "nan instead of 1 at [0]")


@pytest.mark.parametrize(
    ("sides", "kind"),
    [
        ({"a": Kind.DEVIATION, "b": Kind.PASS}, Kind.DEVIATION),
        ({"a": Kind.DEVIATION, "b": Kind.DEVIATION}, Kind.DEVIATION),
        ({"a": Kind.DEVIATION, "b": Kind.FAIL}, Kind.FAIL),
        ({"a": Kind.PASS, "b": Kind.PASS}, Kind.FAIL),
    ],
)
def test_a_relation_departs_where_all_that_is_wrong_with_its_calls_is_known(
    judged: Judged, sides: dict[str, Kind], kind: Kind
) -> None:
    def judge(name: str, subject: Subject, _observation: Observation) -> Verdict:
        return about(subject, sides[name], f"lost-{name}" if sides[name] is Kind.DEVIATION else None)

    truths = known([1.0], 1e-6), known([1.0], 1e-6)
    (found,) = judged("equal", [1.0], [1.5], truths=truths, judge=judge)
    assert found.kind is kind
    if kind is Kind.DEVIATION:
        assert found.deviation == ", ".join(f"lost-{name}" for name, side in sides.items() if side is kind)
        assert found.reason.startswith("known: 1 instead of 1.5 at [0]")
    assert judged("equal", [1.0], [1.5], within="bitwise", judge=judge)[0].kind is Kind.FAIL
    assert judged("equal", [1.5], [1.5], truths=truths, judge=judge)[0].kind is Kind.PASS


# bitwise, and the usual tolerance


@pytest.mark.parametrize(
    ("b", "same"),
    [(1.0, True), (1.0 + ULP, False), (1.0 - ULP / 2, False)],
)
def test_bitwise_one_ulp_is_too_much(judged: Judged, b: float, *, same: bool) -> None:
    truths = known([2.0, 1.0], 0.1), known([2.0, 1.0], 0.1)
    (found,) = judged("equal", [2.0, 1.0], [2.0, b], within="bitwise", truths=truths)
    assert found.kind is (Kind.PASS if same else Kind.FAIL)
    said = "equal bitwise, against" if same else f"1 instead of {b:.9g} at [1]: not the same bits, against"
    assert found.reason.startswith(said)
    assert judged("differ", [2.0, 1.0], [2.0, b], within="bitwise")[0].kind is (Kind.FAIL if same else Kind.PASS)


def test_bitwise_signs_of_zero_and_payloads_count(judged: Judged) -> None:
    assert judged("equal", [0.0], [-0.0], within="bitwise")[0].kind is Kind.FAIL
    assert judged("equal", [NAN, INF], [NAN, INF], within="bitwise")[0].kind is Kind.PASS
    payload = np.array([0x7FC00001], np.uint32).view(np.float32)
    assert judged("equal", [NAN], payload, within="bitwise")[0].kind is Kind.FAIL


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_bitwise_views_are_of_one_element(judged: Judged, dtype: str) -> None:
    views = (View(axis=-1, index=1), View())
    assert judged("equal", [[0.5, 2.0]], [2.0], dtype=dtype, views=views, within="bitwise")[0].kind is Kind.PASS
    assert judged("equal", [[2.0, 0.5]], [2.0], dtype=dtype, views=views, within="bitwise")[0].kind is Kind.FAIL


def test_a_bitwise_statement_holds_if_the_truths_are_one(stated: MakeRelation) -> None:
    bitwise = stated(within=Within.BITWISE)
    for b, kind in ((1.0, Kind.PASS), (1.0 + 1e-13, Kind.PASS), (1.0 + 1e-10, Kind.ERRATUM)):
        truths = {"a": known([1.0], 0.1, radius=1e-13), "b": known([b], 0.1, radius=1e-13)}
        assert statement(bitwise, truths)[1].kind is kind


@pytest.mark.parametrize(("b", "kind"), [(1.00001, Kind.PASS), (1.0001, Kind.FAIL)])
def test_the_usual_tolerance_can_be_asked_for(judged: Judged, b: float, kind: Kind) -> None:
    truths = known([1.0], 1.0), known([1.0], 1.0)
    (found,) = judged("equal", [1.0], [b], within="tolerance", truths=truths)
    assert found.kind is kind
    assert "within the usual tolerance, against" in found.reason


# partners


@pytest.mark.parametrize("place", ["environment", "framework", "mode"])
def test_a_partner_is_of_the_same_place(stated: MakeRelation, subject: MakeSubject, gave: Gave, place: str) -> None:
    elsewhere = {
        "environment": subject("torch.b", environment="old"),
        "framework": subject("tensorflow.b"),
        "mode": subject("torch.b", mode="compiled"),
    }[place]
    observed = {"a": {subject("torch.a"): gave(array(1.0))}, "b": {elsewhere: gave(array(2.0))}}
    ((_, found),) = relate.relation(stated(), observed, UNKNOWNS, alone)
    assert (found.kind, found.reason) == (Kind.UNSUPPORTED, "nothing in this framework computes b")
    observed["b"][subject("torch.b")] = gave(array(1.0))
    ((who, found),) = relate.relation(stated(), observed, UNKNOWNS, alone)
    assert (who, found.kind) == (subject("torch.a"), Kind.PASS)
    assert "current:torch.b@eager (b)" in found.reason


def test_the_first_partner_with_a_value_is_taken(stated: MakeRelation, subject: MakeSubject, gave: Gave) -> None:
    others = {
        subject("torch.first"): gave(outcome="unsupported", reason="no weights"),
        subject("torch.second"): gave(array(1.0)),
        subject("torch.third"): gave(array(2.0)),
    }
    ((_, found),) = relate.relation(
        stated(), {"a": {subject("torch.a"): gave(array(1.0))}, "b": others}, UNKNOWNS, alone
    )
    assert found.kind is Kind.PASS
    assert "torch.second" in found.reason
    del others[subject("torch.second")], others[subject("torch.third")]
    ((_, found),) = relate.relation(
        stated(), {"a": {subject("torch.a"): gave(array(1.0))}, "b": others}, UNKNOWNS, alone
    )
    assert (found.kind, found.reason) == (Kind.UNSUPPORTED, "no weights")


def test_who_makes_both_calls_is_held_against_itself(stated: MakeRelation, subject: MakeSubject, gave: Gave) -> None:
    others = {subject("torch.first"): gave(array(2.0)), subject("torch.a"): gave(array(1.0))}
    observed = {"a": {subject("torch.a"): gave(array(1.0))}, "b": others}
    ((_, found),) = relate.relation(stated(), observed, UNKNOWNS, alone)
    assert found.kind is Kind.PASS
    others[subject("torch.a")] = gave(outcome="error", error="ValueError", reason="no")
    ((_, found),) = relate.relation(stated(), observed, UNKNOWNS, alone)
    assert found.kind is Kind.FAIL
    others[subject("torch.a")] = gave(outcome="unsupported", reason="no weights")
    ((_, found),) = relate.relation(stated(), observed, UNKNOWNS, alone)
    assert "torch.first" in found.reason


def test_every_subject_of_the_first_call_is_judged(stated: MakeRelation, subject: MakeSubject, gave: Gave) -> None:
    firsts = {subject("torch.a"): gave(array(1.0)), subject("tensorflow.a"): gave(array(2.0))}
    others = {subject("torch.b"): gave(array(1.0)), subject("tensorflow.b"): gave(array(1.0))}
    found = dict(relate.relation(stated(), {"a": firsts, "b": others}, UNKNOWNS, alone))
    assert {who.framework: finding.kind for who, finding in found.items()} == {
        "torch": Kind.PASS,
        "tensorflow": Kind.FAIL,
    }


# the statement itself


@pytest.mark.parametrize(
    ("kind", "b", "holds", "reason"),
    [
        ("equal", [1.0], True, "holds in truth"),
        ("equal", [1.000002], True, "holds in truth"),
        ("equal", [1.5], False, "does not hold: 1 instead of 1.5 at [0]: 0.5 apart, 4e-06 is allowed within bounds"),
        ("differ", [1.000002], False, "does not hold: a and b are equal within bounds"),
        ("differ", [1.5], True, "holds in truth"),
        ("differ", [1.0], False, "does not hold: a and b are equal within bounds"),
    ],
)
def test_a_statement_that_truth_violates_is_an_erratum(
    stated: MakeRelation, kind: str, b: list[float], reason: str, *, holds: bool
) -> None:
    truths = {"a": known([1.0], 1e-6), "b": known(b, 1e-6)}
    who, found = statement(stated(kind), truths)
    assert (who, found.kind, found.reason) == (DOCUMENT, Kind.PASS if holds else Kind.ERRATUM, reason)


def test_a_statement_is_about_its_views(stated: MakeRelation) -> None:
    truths = {
        "a": known([1.0, 2.0], 1e-6),
        "b": known(3.0, 1e-6),
    }
    assert statement(stated(a=View(axis=0), b=View()), truths)[1].kind is Kind.PASS
    assert statement(stated(a=View(axis=0, index=1), b=View()), truths)[1].kind is Kind.ERRATUM


# agreement


def test_outliers_of_the_largest_group_fail(subject: MakeSubject, gave: Gave) -> None:
    values = {"a": [1.0, NAN], "b": [9.0, NAN], "c": [1.000001, NAN], "d": [1.0, 1.0], "e": [1.0, NAN]}
    observed = {subject(f"torch.{name}"): gave(array(value)) for name, value in values.items()}
    found = {who.implementation[-1]: finding for who, finding in agreement(observed, "float32", UNKNOWN)}
    assert {name: finding.kind for name, finding in found.items()} == {
        "a": Kind.PASS,
        "b": Kind.FAIL,
        "c": Kind.PASS,
        "d": Kind.FAIL,
        "e": Kind.PASS,
    }
    assert (found["a"].reason, found["b"].reason) == ("agrees with 2 others", "differs from 3 that agree")


def test_those_agree_whose_errors_both_may_have(subject: MakeSubject, gave: Gave) -> None:
    values = {"a": 1.0, "b": 1.19, "c": 1.45, "d": 1.0}
    observed = {subject(f"torch.{name}"): gave(array(value)) for name, value in values.items()}
    found = {who.implementation[-1]: f.kind for who, f in agreement(observed, "float32", known(1.0, 0.05))}
    assert found == {"a": Kind.PASS, "b": Kind.PASS, "c": Kind.FAIL, "d": Kind.PASS}


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 1.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
def test_without_a_largest_group_nobody_is_right_by_his_place(
    subject: MakeSubject, gave: Gave, values: list[float]
) -> None:
    observed = {subject(f"torch.{n}"): gave(array(value)) for n, value in enumerate(values)}
    assert {finding.kind for _, finding in agreement(observed, "float32", UNKNOWN)} == {Kind.FAIL}


def test_who_has_no_value_takes_no_part(subject: MakeSubject, gave: Gave) -> None:
    observed = {
        subject("torch.a"): gave(outcome="error", error="E", reason="no"),
        subject("torch.b"): gave(outcome="unavailable", reason="not installed"),
        subject("torch.c"): gave(),
        subject("torch.d"): gave(array(2.0)),
    }
    kinds = [(finding.kind, finding.reason) for _, finding in agreement(observed, "float32", UNKNOWN)]
    assert kinds == [
        (Kind.FAIL, "raised E: no"),
        (Kind.UNAVAILABLE, "not installed"),
        (Kind.FAIL, "gave no value"),
        (Kind.PASS, "agrees with 0 others"),
    ]
    assert list(agreement({}, "float32", UNKNOWN)) == []


def test_a_bug_of_the_comparator_never_looks_like_a_mismatch(
    judged: Judged, subject: MakeSubject, gave: Gave, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(relate, "_compare", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        judged("equal", [1.0], [1.0])
    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(agreement({subject(): gave(array(1.0))}, "float32", UNKNOWN))
