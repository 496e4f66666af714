from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness.comparator import findings, judge
from harness.comparator.findings import digest
from harness.comparator.judge import Answer, Judge
from harness.model.case import Case, Domain, Expectation, Override
from harness.model.observation import Observation, Outcome
from harness.model.subject import DOCUMENT, Subject
from harness.model.verdict import Grade, Kind, Verdict
from harness.operations.base import Region
from harness.oracle.truth import Truth
from tests.comparator.truths import bounds, enclosure

INF, NAN = float("inf"), float("nan")
RTOL, ATOL = 1.3e-6, 1e-5
ULP = 2.0**-23

JudgeOne = Callable[..., Verdict]
Gave = Callable[..., Observation]
MakeOverride = Callable[..., Override]


def array(*values: float) -> Any:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("ulps", "grade"),
    [
        (0.0, Grade.EXACT),
        (0.5, Grade.EXACT),
        (-0.5, Grade.EXACT),
        (0.75, Grade.ACCURATE),
        (-4.0, Grade.ACCURATE),
        (4.25, Grade.STABLE),
        (-20.0, Grade.STABLE),
    ],
)
def test_grades_of_values_that_pass(judge_one: JudgeOne, ulps: float, grade: Grade | None) -> None:
    verdict = judge_one(array(8.0, 1.25), [8.0, 1.25 - ulps * ULP])
    assert (verdict.verdict, verdict.grade, verdict.max_ulp) == (Kind.PASS, grade, ulps)


@pytest.mark.parametrize(("share", "kind"), [(0.9999, Kind.PASS), (1.0001, Kind.FAIL)])
@pytest.mark.parametrize("observed", [1e-5, 1.0, -1.0, 1000.0])
def test_the_pass_line_of_float32(judge_one: JudgeOne, observed: float, share: float, kind: Kind) -> None:
    given = array(observed)
    size = (abs(float(given[0])) - share * ATOL) / (1 + share * RTOL)  # |y| - T = share * (atol + rtol T)
    assert judge_one(given, [size * np.sign(observed)]).verdict is kind


def test_a_value_outside_is_inaccurate_and_told_with_its_allowance(judge_one: JudgeOne) -> None:
    verdict = judge_one(array(0.0, 1.5, 2.0), [1e-6, 1.0, 2.001])
    assert (verdict.verdict, verdict.grade, verdict.index) == (Kind.FAIL, Grade.INACCURATE, (1,))
    assert (verdict.observed, verdict.truth) == ("1.5", "1.0")
    assert verdict.reason == "off by 0.5 (+4.19e+06 ulp) at [1]; 1.13e-05 is allowed"
    assert (verdict.max_absolute, verdict.max_relative) == (0.5, 1.0)


def test_the_worst_error_in_ulps_is_signed_and_placed(judge_one: JudgeOne) -> None:
    verdict = judge_one(np.array([[1.0, 1.0], [1.0, 1.0]], np.float32), [[1.0, 1 + ULP], [1 + 3 * ULP, 1 - ULP]])
    assert (verdict.max_ulp, verdict.index) == (-3.0, (1, 0))
    assert (verdict.verdict, verdict.grade) == (Kind.PASS, Grade.ACCURATE)


@pytest.mark.parametrize(
    ("observed", "truth", "reason", "index", "seen"),
    [
        (array(1, 2), [[1, 2]], "shape [2] instead of [1, 2]", None, None),
        (np.ones(2), [1, 1], "dtype float64 instead of float32", None, None),
        (array(1, NAN), [1, 2], "NaN at [1]", (1,), ("nan", "2.0")),
        (array(1, INF), [1, 2], "infinity at [1]", (1,), ("inf", "2.0")),
        (array(1, -INF), [1, INF], "infinity of the wrong sign at [1]", (1,), ("-inf", "inf")),
        (array(1, 0), [1, NAN], "a number instead of NaN at [1]", (1,), ("0.0", "nan")),
    ],
)
def test_what_is_of_the_wrong_class_is_broken(
    judge_one: JudgeOne, observed: Any, truth: Any, reason: str, index: Any, seen: Any
) -> None:
    verdict = judge_one(observed, truth)
    assert (verdict.verdict, verdict.grade, verdict.reason) == (Kind.FAIL, Grade.BROKEN, reason)
    assert verdict.index == index
    assert (verdict.observed, verdict.truth) == (seen or (None, None))
    assert verdict.max_ulp is verdict.max_relative is verdict.max_absolute is None
    assert verdict.tolerance is not None
    assert verdict.tolerance.passed is False


@pytest.mark.parametrize(("dtype", "most"), [("float16", 3), ("bfloat16", 8), ("float32", 3), ("float64", 3)])
def test_values_are_shown_in_few_digits_that_identify_them(judge_one: JudgeOne, dtype: str, most: int) -> None:
    observed = np.array(0.1).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    verdict = judge_one(observed, 0.5, dtype)
    assert verdict.observed is not None
    assert np.array(float(verdict.observed)).astype(observed.dtype) == observed
    assert len(verdict.observed) <= most
    assert (verdict.truth, verdict.index) == ("0.5", ())
    assert " at " not in verdict.reason


@pytest.mark.parametrize("output", ["value", "gradient:logits"])
def test_without_elements_everything_is_exact(judge_one: JudgeOne, output: str) -> None:
    verdict = judge_one(np.zeros((0, 2), np.float32), np.zeros((0, 2)), output=output)
    assert (verdict.verdict, verdict.grade, verdict.max_ulp, verdict.output) == (Kind.PASS, Grade.EXACT, None, output)


def test_a_negative_zero_is_right_and_told(judge_one: JudgeOne) -> None:
    told = judge_one(array(0.0, 1.0, -0.0), [0.0, 1.0, 0.0])
    assert (told.verdict, told.grade, told.reason) == (Kind.PASS, Grade.EXACT, "-0.0 where the truth is 0 at [2]")
    for observed, truth in ((0.0, 0.0), (-0.0, -1e-60), (-1.0, -1.0)):
        assert judge_one(array(observed), [truth]).reason == ""


@pytest.mark.parametrize("outcome", ["unsupported", "unavailable", "crash", "timeout", "out-of-memory"])
@pytest.mark.parametrize("truth", [[1.0], None])
def test_what_ended_otherwise_is_told_as_it_ended(judge_one: JudgeOne, gave: Gave, outcome: str, truth: Any) -> None:
    verdict = judge_one(gave(outcome=outcome, reason="why"), truth)
    assert (verdict.verdict, verdict.reason, verdict.grade) == (Kind(outcome), "why", None)


def test_an_error_for_defined_input_is_broken(judge_one: JudgeOne, gave: Gave) -> None:
    verdict = judge_one(gave(outcome="error", error="ValueError", reason="no"), [1.0])
    assert (verdict.verdict, verdict.grade, verdict.reason) == (Kind.FAIL, Grade.BROKEN, "raised ValueError: no")


def test_an_output_that_is_missing_is_broken(judge_one: JudgeOne, gave: Gave) -> None:
    verdict = judge_one(gave(array(1.0)), [1.0], output="gradient:logits")
    assert (verdict.verdict, verdict.grade, verdict.reason) == (Kind.FAIL, Grade.BROKEN, "gave no gradient:logits")


def test_an_output_that_came_in_a_later_version_is_unsupported(judge_one: JudgeOne) -> None:
    seen = Observation(Outcome.VALUE, {"value": array(1.0)}, unsupported={"gradient:logits": "new in 2.0"})
    verdict = judge_one(seen, [1.0], output="gradient:logits")
    assert (verdict.verdict, verdict.grade, verdict.reason) == (Kind.UNSUPPORTED, None, "new in 2.0")
    assert judge_one(seen, [1.0]).verdict is Kind.PASS


def test_an_output_without_a_definition_is_the_harnesss_own_error(
    gave: Gave, case: Callable[..., Case], subject: Callable[..., Subject]
) -> None:
    truth = Truth(Region(Domain.INSIDE))
    ((verdict,),) = Judge(None, None, {}).verdicts([Answer(case(), subject(), ("value",), gave(array(1.0)), truth)])
    assert (verdict.verdict, verdict.grade) == (Kind.ERROR, None)
    assert verdict.reason == "sigmoid_cross_entropy has no definition of its value to judge by"


# undefined input


@pytest.mark.parametrize(
    ("undefined", "observed", "kind", "reason"),
    [
        ([], "error", Kind.PASS, "raised E: no"),
        (["error"], "error", Kind.PASS, "raised E: no"),
        (["nan", "error"], "error", Kind.PASS, "raised E: no"),
        (["nan"], "error", Kind.FAIL, "raised E: no; nan is right, as label 3 is no class of 0..2"),
        ([], NAN, Kind.FAIL, "gave NaN; error is right, as label 3 is no class of 0..2"),
        (["nan"], NAN, Kind.PASS, "gave NaN"),
        (["nan", "error"], 0.0, Kind.FAIL, "gave a number; error or nan is right, as label 3 is no class of 0..2"),
        (["nan"], INF, Kind.FAIL, "gave a number; nan is right, as label 3 is no class of 0..2"),
    ],
)
def test_undefined_input(
    judge_one: JudgeOne, gave: Gave, undefined: list[str], observed: Any, kind: Kind, reason: str
) -> None:
    seen = gave(outcome="error", error="E", reason="no") if observed == "error" else gave(array(1.0, observed))
    verdict = judge_one(seen, None, undefined=frozenset(undefined))
    assert (verdict.verdict, verdict.reason) == (kind, reason)
    assert verdict.grade is (Grade.BROKEN if kind is Kind.FAIL else None)
    assert (verdict.domain, verdict.tolerance) == ("undefined", None)


@pytest.mark.parametrize(
    ("stated", "observed", "kind", "reason"),
    [
        ({"nan"}, NAN, Kind.PASS, "known"),
        ({"nan"}, 1.0, Kind.FAIL, "gave a number; nan is right, as label 3 is no class of 0..2"),
        ({"nan"}, "error", Kind.FAIL, "raised E: no; nan is right, as label 3 is no class of 0..2"),
        ({"error", "nan"}, "error", Kind.PASS, "known"),
    ],
)
def test_undefined_input_of_a_subject_with_an_answer_of_its_own(
    judge_one: JudgeOne,
    gave: Gave,
    override: MakeOverride,
    stated: set[str],
    observed: Any,
    kind: Kind,
    reason: str,
) -> None:
    seen = gave(outcome="error", error="E", reason="no") if observed == "error" else gave(array(observed))
    verdict = judge_one(seen, None, per=(override(undefined=frozenset(stated)),))
    assert (verdict.verdict, verdict.reason) == (kind, reason)


# what a case states of a subject


@pytest.mark.parametrize(
    ("departs", "observed"),
    [
        ("inaccurate", array(1.5)),
        ("broken", array(NAN)),
        ("broken", array(1.0, 1.0)),
        ("error", "error"),
    ],
)
def test_a_departure_as_stated_is_a_deviation(
    judge_one: JudgeOne, gave: Gave, override: MakeOverride, departs: str, observed: Any
) -> None:
    seen = gave(outcome="error", error="E") if isinstance(observed, str) else gave(observed)
    verdict = judge_one(seen, [1.0], per=(override(departs=departs),))
    assert (verdict.verdict, verdict.reason) == (Kind.DEVIATION, "known")
    assert verdict.deviation == "cases/found/x.yaml:12"
    assert verdict.grade is (Grade.BROKEN if departs == "error" else Grade(departs))


@pytest.mark.parametrize(("given", "observed"), [([0.25], 0.25), ([0.25], 0.250001), ([NAN], NAN), ([-INF], -INF)])
def test_a_value_as_stated_is_a_deviation(
    judge_one: JudgeOne, override: MakeOverride, given: list[float], observed: float
) -> None:
    verdict = judge_one(array(observed), [1.0], per=(override(departs="value", value=np.array(given)),))
    assert (verdict.verdict, verdict.deviation) == (Kind.DEVIATION, "cases/found/x.yaml:12")


@pytest.mark.parametrize(("observed", "kind"), [(0.2500110, Kind.DEVIATION), (0.2500116, Kind.FAIL)])
def test_a_value_is_as_stated_within_the_pass_line(
    judge_one: JudgeOne, override: MakeOverride, observed: float, kind: Kind
) -> None:
    """The truth is 1, its pass line 1.13e-5; the usual tolerance of 0.25 would be 1.03e-5."""
    stated = override(departs="value", value=np.array([0.25]))
    assert judge_one(array(observed), [1.0], per=(stated,)).verdict is kind


@pytest.mark.parametrize(("observed", "kind"), [(0.2500102, Kind.DEVIATION), (0.2500105, Kind.FAIL)])
def test_without_a_truth_it_is_so_within_the_usual_tolerance(
    judge_one: JudgeOne, override: MakeOverride, observed: float, kind: Kind
) -> None:
    assert judge_one(array(observed), None, per=(override(departs="value", value=np.array([0.25])),)).verdict is kind


@pytest.mark.parametrize(
    ("versions", "kind"),
    [(">=2.13", Kind.DEVIATION), ("<2.13", Kind.FAIL), ("torch>2", Kind.DEVIATION), ("jax>0", Kind.FAIL)],
)
def test_a_departure_of_other_versions_is_none(
    judge_one: JudgeOne, override: MakeOverride, versions: str, kind: Kind
) -> None:
    assert judge_one(array(1.5), [1.0], per=(override(departs="inaccurate", versions=versions),)).verdict is kind


def test_a_number_for_undefined_input_as_stated_is_a_deviation(judge_one: JudgeOne, override: MakeOverride) -> None:
    verdict = judge_one(array(0.0), None, per=(override(departs="value", value=np.zeros(1)),))
    assert (verdict.verdict, verdict.grade) == (Kind.DEVIATION, Grade.BROKEN)


@pytest.mark.parametrize(
    "stated", [{"departs": "inaccurate"}, {"departs": "error"}, {"departs": "value", "value": np.array([1.0])}]
)
def test_a_departure_that_is_no_longer_met_is_stale(
    judge_one: JudgeOne, override: MakeOverride, stated: dict[str, Any]
) -> None:
    verdict = judge_one(array(1.0), [1.0], per=(override(**stated),))
    assert (verdict.verdict, verdict.deviation) == (Kind.STALE, None)
    assert verdict.reason == "stated to differ (known), but it does not"
    assert verdict.verdict.failed


@pytest.mark.parametrize(
    ("stated", "observed"),
    [
        ({"departs": "inaccurate"}, array(NAN)),
        ({"departs": "inaccurate"}, "error"),
        ({"departs": "broken"}, array(1.5)),
        ({"departs": "error"}, array(1.5)),
        ({"departs": "value", "value": np.array([0.25])}, array(0.26)),
        ({"departs": "value", "value": np.array([0.25])}, array(NAN)),
        ({"departs": "value", "value": np.array([0.25, 0.25])}, array(0.25)),
        ({"departs": "value", "value": np.array([0.25])}, "error"),
    ],
)
def test_a_statement_hides_no_other_failure(
    judge_one: JudgeOne, gave: Gave, override: MakeOverride, stated: dict[str, Any], observed: Any
) -> None:
    seen = gave(outcome="error", error="E") if isinstance(observed, str) else gave(observed)
    verdict = judge_one(seen, [1.0], per=(override(**stated),))
    assert (verdict.verdict, verdict.deviation) == (Kind.FAIL, None)
    assert verdict.reason.startswith("differs otherwise than stated: ")


@pytest.mark.parametrize("outcome", ["crash", "timeout", "out-of-memory", "unsupported", "unavailable"])
def test_a_statement_hides_no_crash(judge_one: JudgeOne, gave: Gave, override: MakeOverride, outcome: str) -> None:
    verdict = judge_one(gave(outcome=outcome), [1.0], per=(override(departs="error"),))
    assert verdict.verdict == outcome


@pytest.mark.parametrize(
    ("stated", "counts"),
    [
        ({"subjects": "current:torch.*@eager"}, True),
        ({"subjects": "*@compiled"}, False),
        ({"subjects": "torch*"}, False),
        ({"output": "value"}, True),
        ({"output": "gradient:logits"}, False),
    ],
)
def test_statements_are_of_subjects_and_outputs(
    judge_one: JudgeOne, override: MakeOverride, stated: dict[str, str], *, counts: bool
) -> None:
    verdict = judge_one(array(1.5), [1.0], per=(override(departs="inaccurate", **stated),))
    assert verdict.verdict is (Kind.DEVIATION if counts else Kind.FAIL)


def test_the_first_statement_that_matches_counts(judge_one: JudgeOne, override: MakeOverride) -> None:
    per = (override(departs="broken"), override(departs="inaccurate"))
    assert judge_one(array(1.5), [1.0], per=per).verdict is Kind.FAIL
    assert judge_one(array(1.5), [1.0], per=per[::-1]).verdict is Kind.DEVIATION


# rows


def test_there_is_a_row_for_each_wanted_output(
    gave: Gave, case: Callable[..., Case], subject: Callable[..., Subject]
) -> None:
    outputs = {"value": enclosure([1.0]), "gradient:logits": enclosure([2.0])}
    seen = gave(array(1.0), **{"gradient:logits": array(5.0)})
    made = case(Expectation())
    truth = Truth(Region(Domain.EXTENDED, "odd"), outputs, {name: bounds([1.0]) for name in outputs})
    answer = Answer(made, subject(), ("value", "gradient:logits"), seen, truth)
    (rows,) = Judge(None, None, {("current", "torch"): {"torch": "2.13.0"}}).verdicts([answer])
    assert [(row.output, row.verdict) for row in rows] == [("value", Kind.PASS), ("gradient:logits", Kind.FAIL)]
    row = rows[0]
    assert (row.case, row.group, row.operation, row.dtype) == (made.id, made.group, made.operation, "float32")
    assert (row.subject, row.implementation) == (subject().id, "torch.sigmoid_cross_entropy")
    assert (row.environment, row.framework, row.version) == ("current", "torch", "2.13.0")
    assert (row.mode, row.device, row.domain) == ("eager", "cpu", "extended")
    assert row.source == "cases/found/x.yaml:7"
    assert row.bits == digest(array(1.0))


def test_a_documents_row_has_neither_mode_nor_device(case: Callable[..., Case]) -> None:
    row = Judge(None, None, {}).row(case(), DOCUMENT, "value", findings.Finding(Kind.PASS), None)
    assert (row.subject, row.implementation, row.framework) == ("document", "document", "document")
    assert row.mode is row.device is row.version is row.domain is None


def test_a_digest_tells_bits_shapes_and_dtypes_apart() -> None:
    quiet, other = (np.array([bits], np.uint32).view(np.float32) for bits in (0x7FC00000, 0x7FC00001))
    arrays = [
        array(0.0, 1.0),
        array(-0.0, 1.0),
        array(0.0, 1.0).reshape(1, 2),
        np.array([0.0, 1.0]),
        array(0.0, 1.0).view(np.int32),
        quiet,
        other,
    ]
    assert len({digest(a) for a in arrays}) == len(arrays)
    assert digest(array(1.0, 2.0, 3.0)[::2]) == digest(array(1.0, 3.0))


def test_a_bug_of_the_comparator_never_looks_like_a_mismatch(
    judge_one: JudgeOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    for module, name in ((judge, "measure"), (judge, "of_measurement"), (findings, "digest")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, broken)
            with pytest.raises(ZeroDivisionError, match="a bug"):
                judge_one(array(1.0), [1.0])
