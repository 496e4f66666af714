from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from harness.comparator import documents
from harness.comparator.findings import Finding
from harness.model.case import Case, Claim, Domain, Expectation, Interval, Printed, Source
from harness.model.verdict import Grade, Kind
from harness.operations.base import Region
from harness.oracle.truth import Truth
from tests.comparator.truths import bounds, enclosure

INF, NAN = float("inf"), float("nan")
DEFINED = Region(Domain.INSIDE)
UNDEFINED = Region(Domain.UNDEFINED, "label 3 is no class of 0..2")

Judged = Callable[..., Finding | None]


def interval(text: str) -> Interval:
    """What a printed decimal stands for: half a unit of its last digit to either side."""
    if text.lstrip("-") in ("nan", "inf"):
        return Interval(text, special=float(text))
    digits = text.partition("e")[0].partition(".")[2]
    exponent = int(text.partition("e")[2] or 0)
    return Interval(text, Fraction(text), Fraction(1, 2) * Fraction(10) ** (exponent - len(digits)))


@pytest.fixture
def judged(case: Callable[..., Case]) -> Judged:
    def finding(
        texts: Sequence[str] | None,
        truth: Any = None,
        *,
        shape: tuple[int, ...] | None = None,
        claimed: str = "",
        dtype: str = "float32",
    ) -> Finding | None:
        numbers = (
            None if texts is None else Printed((len(texts),) if shape is None else shape, tuple(map(interval, texts)))
        )
        made = case(Expectation(printed=numbers, claimed=claimed), dtype)
        known = Truth(UNDEFINED)
        if truth is not None:
            known = Truth(DEFINED, {"value": enclosure(truth)}, {"value": bounds(truth)})
        return documents.printed(made, known)

    return finding


@pytest.mark.parametrize(
    ("text", "truth", "kind"),
    [
        ("0.79813886", 0.798138886, Kind.PASS),
        ("0.79813886", 0.798150001, Kind.ERRATUM),
        ("1.3132617", 1.3132616875182228, Kind.PASS),
        ("2.137", 2.12692801104, Kind.ERRATUM),
        ("0.20", 0.5498, Kind.ERRATUM),
        ("2.13", 2.12692801104, Kind.PASS),  # 2.125 .. 2.135
        ("2.12", 2.12692801104, Kind.ERRATUM),
        ("1e-9", 1.4e-9, Kind.PASS),
        ("0", 0.4, Kind.PASS),
        ("0", 0.6, Kind.ERRATUM),
        ("-3", -3.5, Kind.PASS),
        ("inf", INF, Kind.PASS),
        ("-inf", INF, Kind.ERRATUM),
        ("nan", NAN, Kind.PASS),
        ("nan", 1.0, Kind.ERRATUM),
        ("1.0", NAN, Kind.ERRATUM),
        ("1.0", INF, Kind.ERRATUM),
        ("inf", 1.0, Kind.ERRATUM),
    ],
)
def test_printed_numbers_are_intervals(judged: Judged, text: str, truth: float, kind: Kind) -> None:
    found = judged([text], [truth])
    assert found is not None
    assert (found.kind, found.observed, found.index) == (kind, text, (0,))
    assert found.grade is (Grade.INACCURATE if kind is Kind.ERRATUM else None)


def test_an_erratum_says_what_is_printed_and_what_is_true(judged: Judged) -> None:
    found = judged(["1.000", "2.137"], [1.0, 2.12692801104])
    assert found is not None
    assert found.reason == "prints 2.137, the true value is 2.12692801104"
    assert (found.index, found.observed, found.truth) == ((1,), "2.137", "2.12692801104")
    distance = 2.1365 - 2.12692801104
    assert found.max_absolute == pytest.approx(distance, rel=1e-12)
    assert found.max_relative == pytest.approx(distance / 2.12692801104, rel=1e-12)
    assert found.max_ulp == pytest.approx(distance / 2.0**-22, rel=1e-12)


def test_too_small_a_number_has_a_negative_error(judged: Judged) -> None:
    found = judged(["0.20"], [0.5498])
    assert found is not None
    assert found.max_ulp is not None
    assert found.max_ulp == pytest.approx((0.205 - 0.5498) / 2.0**-24, rel=1e-12)


def test_a_number_within_its_digits_has_no_error(judged: Judged) -> None:
    found = judged(["0.80"], [0.798])
    assert found is not None
    assert (found.max_ulp, found.max_relative, found.max_absolute, found.reason) == (0.0, 0.0, 0.0, "")


@pytest.mark.parametrize(("share", "kind"), [(0.99, Kind.PASS), (1.01, Kind.ERRATUM)])
def test_the_pass_line_is_that_of_the_subjects(judged: Judged, share: float, kind: Kind) -> None:
    found = judged(["1.00000000000"], [1.0 + share * 1.13e-5])
    assert found is not None
    assert found.kind is kind


def test_a_false_number_for_a_truth_of_0_warns_nobody(judged: Judged) -> None:
    found = judged(["2.0"], [0.0], dtype="float64")
    assert found is not None
    assert (found.kind, found.max_ulp, found.max_relative) == (Kind.ERRATUM, INF, None)


def test_the_index_is_in_the_printed_shape(judged: Judged) -> None:
    found = judged(["1.0", "2.0", "3.0", "9.0"], [[1.0, 2.0], [3.0, 4.0]], shape=(2, 2))
    assert found is not None
    assert found.index == (1, 1)
    found = judged(["9.0"], 4.0, shape=())
    assert found is not None
    assert found.index == ()


@pytest.mark.parametrize(("shape", "truth"), [((2,), [[1.0, 1.0]]), ((2,), 1.0), ((2, 1), [1.0, 1.0])])
def test_another_shape_is_an_erratum(judged: Judged, shape: tuple[int, ...], truth: Any) -> None:
    found = judged(["1.0", "1.0"], truth, shape=shape)
    assert found is not None
    assert (found.kind, found.grade) == (Kind.ERRATUM, Grade.BROKEN)
    assert found.reason == f"prints shape {list(shape)}, the value has {list(np.shape(truth))}"


@pytest.mark.parametrize("texts", [["nan"], ["inf"], ["1.0"]])
def test_numbers_for_undefined_input_are_an_erratum(judged: Judged, texts: list[str]) -> None:
    found = judged(texts)
    assert found is not None
    assert found.kind is Kind.ERRATUM
    assert found.reason == "prints numbers for undefined input: label 3 is no class of 0..2"


@pytest.mark.parametrize(
    ("claimed", "truth", "kind", "reason"),
    [
        ("error", None, Kind.PASS, "an error, as said: label 3 is no class of 0..2"),
        ("value", None, Kind.ERRATUM, "said to give a value for undefined input: label 3 is no class of 0..2"),
        ("error", [1.0], Kind.ERRATUM, "said to be an error, but the input is defined"),
        ("value", [1.0], Kind.PASS, "said to give a value"),
    ],
)
def test_what_is_said_to_happen(judged: Judged, claimed: str, truth: Any, kind: Kind, reason: str) -> None:
    found = judged(None, truth, claimed=claimed)
    assert found == Finding(kind, reason=reason)


@pytest.mark.parametrize("truth", [None, [1.0]])
def test_a_case_that_prints_and_says_nothing_is_no_row(judged: Judged, truth: Any) -> None:
    assert judged(None, truth) is None


def test_printed_numbers_need_a_definition(case: Callable[..., Case]) -> None:
    made = case(Expectation(printed=Printed((1,), (interval("1.0"),))))
    found = documents.printed(made, Truth(DEFINED))
    assert found is not None
    assert found.kind is Kind.ERROR
    assert "has no definition" in found.reason


# a document's own text


def claimed(**more: Any) -> Finding:
    return documents.claim(Claim("documents/1:x", Source("cases/documents/1.yaml", 3), **more))


@pytest.mark.parametrize("expression", ["f(x)", "-tf.reduce_mean(y * tf.log(p), axis=1)", "(1 - z) * x"])
def test_a_well_formed_expression(expression: str) -> None:
    assert claimed(parses=expression).kind is Kind.PASS


@pytest.mark.parametrize(
    "expression", ["tf.reduce_mean(x", "a b", "x = 1", "", "\x00", "(" * 5000, "import os"], ids=range(7)
)
def test_a_malformed_expression_is_an_erratum(expression: str) -> None:
    found = claimed(parses=expression)
    assert (found.kind, found.observed) == (Kind.ERRATUM, expression)
    assert found.reason.startswith("is no well-formed expression: ")


def test_expressions_are_never_run(tmp_path: Any) -> None:
    assert claimed(parses=f"open({str(tmp_path / 'made')!r}, 'w')").kind is Kind.PASS
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("defines", "uses", "reason"),
    [
        (("x", "y"), ("x",), ""),
        ((), (), ""),
        (("x",), ("x", "cost", "y_"), "uses cost, y_, which it never defines"),
    ],
)
def test_names_must_be_defined_where_they_are_used(
    defines: tuple[str, ...], uses: tuple[str, ...], reason: str
) -> None:
    found = claimed(defines=defines, uses=uses)
    assert (found.kind, found.reason) == (Kind.ERRATUM if reason else Kind.PASS, reason)
