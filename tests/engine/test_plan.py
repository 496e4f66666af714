from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from harness.adapters import ANY, LAST_AXIS, Implementation
from harness.engine import plan as planning
from harness.model.case import Case, Claim, Expectation, Relation, Source, Unit, View
from harness.model.plan import Item, Plan
from harness.model.subject import DOCUMENT, Adapter, Environment, Subject

SOURCE = Source("x.yaml", 1)
ENVIRONMENTS = {name: Environment(name, f"{name}/bin/python") for name in ("current", "old")}


def row(path: str, operation: str = "sigmoid_cross_entropy", **more: Any) -> Implementation:
    return Implementation(path, operation, run=lambda: None, **({"gradients": ("logits",)} | more))


TORCH = Adapter(
    "torch",
    "torch.py",
    ("torch",),
    (
        row("torch.nn.functional.bce", modes=("eager", "compiled"), parameters={"reduction": ("none", "mean")}),
        row("torch.by_hand.003_c_1", gradients=()),
        row("torch.by_hand.003_c_2", gradients=()),
        row("torch.softmax", "softmax", parameters={"axis": LAST_AXIS}),
    ),
)
NUMPY = Adapter("numpy", "numpy.py", ("numpy",), (row("numpy.bce", parameters={"reduction": ANY}),))


@pytest.fixture
def case() -> Callable[..., Case]:
    def made(name: str = "a", operation: str = "sigmoid_cross_entropy", **more: Any) -> Case:
        shape = more.pop("shape", (2,))
        inputs = {"logits": np.ones(shape, np.float32), "labels": np.ones(shape, np.float32)}
        if operation == "softmax":
            del inputs["labels"]
        usual: dict[str, Any] = {"inputs": inputs, "parameters": {}, "expect": Expectation()}
        return Case(f"x:{name}", operation, dtype="float32", source=SOURCE, **(usual | more))

    return made


@pytest.fixture
def make() -> Callable[..., Plan]:
    def made(
        *units: Unit,
        adapters: Sequence[Adapter] = (NUMPY, TORCH),
        environments: Sequence[str] = ("current",),
        wants: Callable[[Unit, Subject], bool] = lambda _unit, _subject: True,
    ) -> Plan:
        return planning.make(units, adapters, {name: ENVIRONMENTS[name] for name in environments}, wants)

    return made


def subjects(plan: Plan) -> list[str]:
    return [item.subject.id for item in plan.items]


def only(plan: Plan, path: str) -> list[Item]:
    return [item for item in plan.items if item.subject.implementation == path]


def test_every_environment_implementation_and_mode_is_asked(
    make: Callable[..., Plan], case: Callable[..., Case]
) -> None:
    plan = make(case(), environments=("current", "old"))
    assert subjects(plan) == [
        f"{environment}:{rest}"
        for environment in ("current", "old")
        for rest in ("numpy.bce@eager", "torch.nn.functional.bce@eager", "torch.nn.functional.bce@compiled")
    ]
    assert {(item.subject.framework, item.adapter) for item in plan.items} == {
        ("numpy", "numpy.py"),
        ("torch", "torch.py"),
    }
    assert plan.environments == ENVIRONMENTS


def test_an_environment_is_asked_for_its_frameworks_only(case: Callable[..., Case]) -> None:
    places = {"old": Environment("old", "python", ("torch",)), "current": Environment("current", "python")}
    plan = planning.make([case()], (NUMPY, TORCH), places, lambda _unit, _subject: True)
    assert {(item.subject.environment, item.subject.framework) for item in plan.items} == {
        ("old", "torch"),
        ("current", "numpy"),
        ("current", "torch"),
    }


def test_ranks_are_the_order_of_the_reports(make: Callable[..., Plan], case: Callable[..., Case]) -> None:
    plan = make(case("a"), Claim("x:claim", SOURCE), case("b"))
    assert list(plan.places) == [0, 4, 5]
    assert [item.rank for item in plan.items] == [1, 2, 3, 6, 7, 8]
    assert [unit.id for unit in plan.units] == ["x:a", "x:claim", "x:b"]
    assert all(item.unit is item.call for item in plan.items)


@pytest.mark.parametrize(
    ("glob", "asked"),
    [
        ("*", ["numpy.bce", "torch.nn.functional.bce"]),
        ("torch.*", ["torch.nn.functional.bce"]),
        ("numpy.bce", ["numpy.bce"]),
        ("*.by_hand.003_c_1", ["torch.by_hand.003_c_1"]),
        ("torch.by_hand.*", ["torch.by_hand.003_c_1", "torch.by_hand.003_c_2"]),
        ("tensorflow.*", []),
    ],
)
def test_formulas_written_by_hand_are_asked_only_where_a_case_names_them(
    make: Callable[..., Plan], case: Callable[..., Case], glob: str, asked: list[str]
) -> None:
    plan = make(case(implementations=glob))
    assert sorted({item.subject.implementation for item in plan.items}) == asked


@pytest.mark.parametrize(("glob", "asked"), [("*", []), ("old.*", ["old.name"]), ("torch.*", [])])
def test_another_name_is_asked_only_where_a_case_names_it(
    make: Callable[..., Plan], case: Callable[..., Case], glob: str, asked: list[str]
) -> None:
    old = Adapter("old", "old.py", ("old",), (row("old.name", alias=True),))
    plan = make(case(implementations=glob), adapters=(old,))
    assert [item.subject.implementation for item in plan.items] == asked


@pytest.mark.parametrize(
    ("glob", "asked"),
    [
        ("*", ["eager"]),
        ("slow.*", ["eager"]),
        ("slow.*@compile", ["compile"]),
        ("*@*", ["eager", "compile"]),
        ("*@x", []),
    ],
)
def test_a_seldom_mode_is_asked_only_where_a_case_names_it(
    make: Callable[..., Plan], case: Callable[..., Case], glob: str, asked: list[str]
) -> None:
    slow = Adapter("slow", "slow.py", ("slow",), (row("slow.bce", modes=("eager", "compile"), seldom=("compile",)),))
    plan = make(case(implementations=glob), adapters=(slow,))
    assert [item.subject.mode for item in plan.items] == asked


def test_the_selection_decides(make: Callable[..., Plan], case: Callable[..., Case]) -> None:
    plan = make(case("a"), case("b"), wants=lambda unit, subject: unit.id == "x:b" and subject.mode == "compiled")
    assert [(item.unit.id, item.subject.mode) for item in plan.items] == [("x:b", "compiled")]
    assert ([unit.id for unit in plan.units], list(plan.places), plan.items[0].rank) == (["x:b"], [0], 1)


def test_a_unit_without_calls_stays_if_its_document_is_wanted(
    make: Callable[..., Plan], case: Callable[..., Case]
) -> None:
    units = (case("a"), Claim("x:claim", SOURCE))
    plan = make(*units, wants=lambda _unit, subject: subject is DOCUMENT)
    assert ([unit.id for unit in plan.units], list(plan.items)) == (["x:a", "x:claim"], [])
    plan = make(*units, wants=lambda _unit, _subject: False)
    assert (list(plan.units), list(plan.places)) == ([], [])


def test_parameters_are_completed(make: Callable[..., Plan], case: Callable[..., Case]) -> None:
    plan = make(case(parameters={"reduction": "mean"}))
    complete = {"reduction": "mean", "label_smoothing": 0.0, "empty_mean": "undefined"}
    assert all(item.parameters == complete for item in plan.items)


def test_what_an_api_cannot_express_is_planned_with_its_reason(
    make: Callable[..., Plan], case: Callable[..., Case]
) -> None:
    plan = make(case(parameters={"reduction": "sum"}))
    assert {item.subject.implementation: item.refusal for item in plan.items} == {
        "numpy.bce": "",
        "torch.nn.functional.bce": "doesn't offer reduction=sum",
    }


def test_calls_that_differ_in_parameters_or_shape_are_each_looked_at(
    make: Callable[..., Plan], case: Callable[..., Case]
) -> None:
    plan = make(case("a", parameters={"reduction": "sum"}), case("b", parameters={"reduction": "mean"}))
    assert [item.refusal for item in only(plan, "torch.nn.functional.bce")][::2] == ["doesn't offer reduction=sum", ""]
    softmax = [case(str(n), "softmax", shape=(2,) * n, parameters={"axis": 1}) for n in (2, 3)]
    assert [item.refusal for item in make(*softmax).items] == ["", "doesn't offer axis=1"]
    values: list[Any] = [1, 1.0, True]
    alike = [case(str(n), "softmax", shape=(2, 2), parameters={"axis": v}) for n, v in enumerate(values)]
    assert [item.refusal for item in make(*alike).items] == ["", "doesn't offer axis=1.0", "doesn't offer axis=True"]


def test_wanted_outputs(make: Callable[..., Plan], case: Callable[..., Case]) -> None:
    both, value = ("value", "gradient:logits"), ("value",)
    assert {item.wanted for item in make(case()).items} == {both}
    assert {item.wanted for item in make(case(implementations="*by_hand*")).items} == {value}
    undefined = case(parameters={"reduction": "avg"}, expect=Expectation(undefined=frozenset({"error"})))
    assert {item.wanted for item in make(undefined).items} == {value}
    assert {item.wanted for item in make(case("d"), undefined).items if item.unit is undefined} == {value}


def test_a_relation_is_all_its_calls(make: Callable[..., Plan], case: Callable[..., Case]) -> None:
    calls = {"left": case("r/left"), "right": case("r/right", "softmax", parameters={"axis": -1})}
    relation = Relation("x:r", "equal", calls, dict.fromkeys(calls, View()), (), SOURCE)
    plan = make(relation)
    assert [(item.call.id, item.subject.implementation) for item in plan.items] == [
        ("x:r/left", "numpy.bce"),
        ("x:r/left", "torch.nn.functional.bce"),
        ("x:r/left", "torch.nn.functional.bce"),
        ("x:r/right", "torch.softmax"),
    ]
    assert all(item.unit is relation and item.wanted == ("value",) for item in plan.items)
    assert [item.rank for item in plan.items] == [1, 2, 3, 4]
    assert planning.calls(relation) == tuple(calls.values())


def test_a_relation_of_slopes_asks_who_gives_them(make: Callable[..., Plan], case: Callable[..., Case]) -> None:
    calls = {
        "left": case("r/left", implementations="torch.*"),
        "right": case("r/right", implementations="torch.by_hand*"),
    }
    views = {"left": View(0, 0, "gradient:logits"), "right": View(0, 0, "gradient:logits")}
    plan = make(Relation("x:r", "equal", calls, views, (), SOURCE))
    assert [(item.call.id, item.subject.mode) for item in plan.items] == [
        ("x:r/left", "eager"),
        ("x:r/left", "compiled"),
    ]
    assert {item.wanted for item in plan.items} == {("value", "gradient:logits")}


def test_a_claim_has_no_calls(make: Callable[..., Plan]) -> None:
    plan = make(Claim("x:claim", SOURCE))
    assert (list(plan.places), list(plan.items)) == ([0], [])
