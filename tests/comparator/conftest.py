"""Doctored observations: nothing here runs a framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness.comparator.judge import Answer, Judge
from harness.model.case import Array, Case, Departure, Domain, Expectation, Override, Source
from harness.model.observation import Observation, Outcome
from harness.model.subject import Subject
from harness.model.verdict import Verdict
from harness.operations.base import Region
from harness.oracle.truth import Truth
from tests.comparator.truths import bounds, enclosure

SUBJECT = Subject("current", "torch.sigmoid_cross_entropy", "eager", framework="torch")
INSIDE = Region(Domain.INSIDE)
UNDEFINED = Region(Domain.UNDEFINED, "label 3 is no class of 0..2")

JudgeOne = Callable[..., Verdict]
MakeCase = Callable[..., Case]
MakeOverride = Callable[..., Override]


def make_case(expect: Expectation | None = None, dtype: str = "float32", **more: Any) -> Case:
    """A case whose inputs don't matter."""
    usual: dict[str, Any] = {
        "id": "found/x:case/float32",
        "operation": "sigmoid_cross_entropy",
        "inputs": {},
        "parameters": {},
        "source": Source("cases/found/x.yaml", 7),
        "group": "found/x:case",
    }
    return Case(**(usual | more), dtype=dtype, expect=expect or Expectation())


def make_override(**stated: Any) -> Override:
    """What a case states of a subject."""
    usual: dict[str, Any] = {"subjects": "*torch*", "reason": "known", "source": Source("cases/found/x.yaml", 12)}
    if "departs" in stated:
        stated["departs"] = Departure(stated["departs"])
    return Override(**(usual | stated))


@pytest.fixture(scope="session")
def case() -> MakeCase:
    return make_case


@pytest.fixture(scope="session")
def override() -> MakeOverride:
    return make_override


@pytest.fixture(scope="session")
def subject() -> Callable[..., Subject]:
    """A subject; the usual one is torch's."""

    def made(
        implementation: str = SUBJECT.implementation, environment: str = "current", mode: str = "eager"
    ) -> Subject:
        return Subject(environment, implementation, mode, framework=implementation.partition(".")[0])

    return made


@pytest.fixture(scope="session")
def gave() -> Callable[..., Observation]:
    """An observation: outputs by name, or what else happened."""

    def observation(value: Any = None, outcome: str = "value", **more: Any) -> Observation:
        outputs = {} if value is None else {"value": value}
        texts = {key: more.pop(key) for key in ("error", "reason") if key in more}
        return Observation(Outcome(outcome), outputs | more, **texts)

    return observation


@pytest.fixture(scope="session")
def judge_one() -> JudgeOne:
    """Judge one output (an array, or a whole observation) against the truth (None: undefined input)."""

    def judged(
        observed: Array | Observation,
        truth: Sequence[Any] | Array | None,
        dtype: str = "float32",
        *,
        per: tuple[Override, ...] = (),
        undefined: frozenset[str] = frozenset(),
        asked: tuple[float | None, float | None] = (None, None),
        output: str = "value",
        region: Region | None = None,
    ) -> Verdict:
        seen = observed if isinstance(observed, Observation) else Observation(Outcome.VALUE, {output: observed})
        where = region or (UNDEFINED if truth is None else INSIDE)
        known = Truth(where)
        if truth is not None:
            known.outputs[output], known.bounds[output] = enclosure(truth), bounds(truth, dtype)
        case = make_case(Expectation(undefined=undefined, per=per), dtype)
        judge = Judge(*asked, {("current", "torch"): {"torch": "2.13.0"}})
        ((verdict,),) = judge.verdicts([Answer(case, SUBJECT, (output,), seen, known)])
        return verdict

    return judged
