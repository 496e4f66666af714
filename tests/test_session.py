"""Runs fed by hand: what one subject's answer means in the light of another's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config import Options
from harness.model.case import Case, Departure, Expectation, Override, Relation, Source, View
from harness.model.deviation import Deviation, DeviationKind, Requirement
from harness.model.observation import Observation, Outcome
from harness.model.plan import Item, Plan
from harness.model.subject import Subject
from harness.model.verdict import Grade, Kind, Verdict
from harness.session import Session
from harness.store.database import Store

INF = float("inf")
MEAN = Case(
    "found/x:mean/float16",
    "sigmoid_cross_entropy",
    {"logits": np.full(4, 6e4, np.float16), "labels": np.zeros(4, np.float16)},
    {"reduction": "mean"},
    "float16",
    Expectation(),
    Source("cases/found/x.yaml", 1),
)
KNOWN = Deviation(
    id="half-mean",
    subjects=("*:first.*",),
    versions="",
    operations=("sigmoid_cross_entropy",),
    outputs=("value",),
    kind=DeviationKind.RANGE,
    reason="sums in half precision",
    link="unreported",
    date="2026-11-23",
    shown_by=(),
    source=Source("cases/deviations.yaml", 3),
)


class Runs:
    """Runs of two subjects on one case, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subjects = [Subject("current", f"{name}.loss", "eager", framework=name) for name in ("first", "second")]
        self._subjects = subjects
        self._stores: list[Store] = []

    def judged(
        self,
        values: Sequence[float],
        deviations: Sequence[Deviation] = (),
        *,
        per: tuple[Override, ...] = (),
        resumed: bool = False,
    ) -> list[Verdict]:
        """The verdicts of the subjects that give these values, in their order."""
        facts: dict[str, Any] = {"options": Options().model_dump(mode="json"), "started": "", "command": ""}
        self._stores.append(store := Store(self.folder, fresh=not resumed))
        case = replace(MEAN, expect=Expectation(per=per))
        items = [Item(n, case, case, s, "x.py", case.parameters, ("value",)) for n, s in enumerate(self._subjects)]
        plan = Plan([case], [2], items, {})
        session = Session(plan, store, self.folder, Options(), facts, deviations)
        for item, value in zip(session.left(), values, strict=True):
            session.take(item, Observation(Outcome.VALUE, {"value": np.array(value, np.float16)}))
        session.save()
        session.judge_units()
        return list(session.results().verdicts)

    def close(self) -> None:
        """Close what is open."""
        for store in self._stores:
            store.close()


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    found = Runs(tmp_path)
    yield found
    found.close()


def test_an_overflow_that_nobody_avoids_passes(runs: Runs) -> None:
    assert [(v.verdict, v.grade) for v in runs.judged([INF, INF])] == [(Kind.PASS, Grade.RANGE)] * 2


@pytest.mark.parametrize("values", [[INF, 6e4], [6e4, INF]])
def test_an_overflow_that_another_subject_avoids_fails(runs: Runs, values: list[float]) -> None:
    rows = {v.observed: v for v in runs.judged(values)}
    assert (rows["6e+04"].verdict, rows["6e+04"].grade) == (Kind.PASS, Grade.EXACT)
    assert (rows["inf"].verdict, rows["inf"].grade) == (Kind.FAIL, Grade.RANGE)
    assert rows["inf"].reason.endswith(f"{rows['6e+04'].subject} has the value")


def test_a_wrong_number_is_no_value_to_have(runs: Runs) -> None:
    first, second = runs.judged([INF, 3.0])
    assert (first.verdict, second.verdict) == (Kind.PASS, Kind.PASS)
    assert first.grade is second.grade is Grade.RANGE


def test_an_avoidable_overflow_that_is_known_is_a_deviation(runs: Runs) -> None:
    first, _ = runs.judged([INF, 6e4], [KNOWN])
    assert (first.verdict, first.deviation, first.reason) == (Kind.DEVIATION, "half-mean", "sums in half precision")


def test_an_avoidable_overflow_that_its_case_states_is_a_deviation(runs: Runs) -> None:
    stated = Override("*:first.*", departs=Departure.BROKEN, reason="half sums", source=Source("x.yaml", 9))
    first, _ = runs.judged([INF, 6e4], per=(stated,))
    assert (first.verdict, first.deviation, first.reason) == (Kind.DEVIATION, "x.yaml:9", "half sums")


def test_an_overflow_that_its_case_states_is_not_stale_where_nobody_avoids_it(runs: Runs) -> None:
    stated = Override("*:first.*", departs=Departure.BROKEN, reason="half sums", source=Source("x.yaml", 9))
    first, _ = runs.judged([INF, INF], per=(stated,))
    assert (first.verdict, first.grade) == (Kind.PASS, Grade.RANGE)


def test_a_resumed_run_says_it_once(runs: Runs) -> None:
    before = runs.judged([INF, 6e4])
    assert runs.judged([], resumed=True) == before


TAIL = np.array([-22.18, 1.0], np.float32)
LOST = replace(
    KNOWN, id="tail", kind=DeviationKind.ACCURACY, inputs={"logits": (Requirement("<", 0.0),)}, subjects=("*:first.*",)
)


@pytest.mark.parametrize(
    ("lost", "other", "kind"),
    [
        ((0.0, 1.3132616), (2.329959e-10, 1.3132616), Kind.DEVIATION),
        ((0.0, 1.3132616), (0.0, 1.4), Kind.FAIL),
        ((2.329959e-10, 1.4), (2.329959e-10, 1.3132616), Kind.FAIL),
        ((2.329959e-10, 1.3132616), (2.329959e-10, 1.3132618), Kind.PASS),
    ],
)
def test_a_relation_fails_unless_all_that_is_wrong_with_its_calls_is_known(
    tmp_path: Path, lost: tuple[float, float], other: tuple[float, float], kind: Kind
) -> None:
    inputs = {"logits": TAIL, "labels": np.zeros(2, np.float32)}
    call = replace(MEAN, id="found/x:r/float32/a", inputs=inputs, parameters={}, dtype="float32")
    calls = {"a": call, "b": replace(call, id="found/x:r/float32/b")}
    relation = Relation("found/x:r/float32", "equal", calls, dict.fromkeys("ab", View()), (), call.source)
    subject = Subject("current", "first.loss", "eager", framework="first")
    items = [Item(n, relation, c, subject, "x.py", {}, ("value",)) for n, c in enumerate(calls.values(), 1)]
    store = Store(tmp_path, fresh=True)
    facts: dict[str, Any] = {"options": Options().model_dump(mode="json"), "started": "", "command": ""}
    session = Session(Plan([relation], [0], items, {}), store, tmp_path, Options(), facts, [LOST])
    for item, values in zip(session.left(), (lost, other), strict=True):
        session.take(item, Observation(Outcome.VALUE, {"value": np.array(values, np.float32)}))
    session.save()
    session.judge_units()
    document, row = session.results().verdicts
    assert (document.subject, document.verdict) == ("document", Kind.PASS)
    assert (row.output, row.verdict) == ("relation", kind)
    assert row.deviation == ("tail" if kind is Kind.DEVIATION else None)
    store.close()
