from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from harness.engine import order
from harness.engine import plan as planning
from harness.model.case import Array, Case, Expectation, Relation, Source, Unit, View
from harness.model.plan import Item
from harness.model.subject import Subject

SUBJECTS = [Subject("here", path, "eager") for path in ("torch.f", "tf.g")]


def case(name: str, logits: Sequence[float] = (1.0,), operation: str = "sigmoid", dtype: str = "float32") -> Case:
    inputs: dict[str, Array] = {"logits": np.array(logits, dtype)}
    return Case(name, operation, inputs, {}, dtype, Expectation(), Source("x.yaml", 1))


def items(*units: Unit) -> list[Item]:
    """Each unit's calls to two subjects, in the order of a plan."""
    calls = [(unit, call) for unit in units for call in planning.calls(unit)]
    made = [(unit, call, subject) for (unit, call), subject in product(calls, SUBJECTS)]
    return [Item(rank, unit, call, subject, "x.py", {}, ("value",)) for rank, (unit, call, subject) in enumerate(made)]


def names(ordered: Sequence[Item]) -> list[str]:
    """The units in their order."""
    return list(dict.fromkeys(item.unit.id for item in ordered))


def test_chosen_and_found_cases_come_before_generated_ones() -> None:
    made = items(case("operations/a:1"), case("found/b:1"), case("operations/a:2"), case("documents/1:x"))
    assert names(order.telling(made))[:2] == ["found/b:1", "documents/1:x"]


def test_what_departed_before_comes_first_for_the_subject_that_did() -> None:
    made = items(case("operations/a:1"), case("operations/a:2"), case("operations/a:3"))
    ordered = order.telling(made, {("operations/a:3", "here:tf.g@eager")})
    assert (ordered[0].unit.id, ordered[0].subject.implementation) == ("operations/a:3", "tf.g")
    assert [item.unit.id for item in ordered[1:]] == ["operations/a:1"] * 2 + ["operations/a:2"] * 2 + [
        "operations/a:3"
    ]


@pytest.mark.parametrize("edge", [np.nan, np.inf, -0.0, 1e-45, 3.4e38])
def test_edges_of_the_format_come_before_small_cases_before_large(edge: float) -> None:
    made = items(
        case("operations/a:large", range(9)), case("operations/a:small"), case("operations/a:edge", [1.0, edge])
    )
    assert names(order.telling(made)) == ["operations/a:edge", "operations/a:small", "operations/a:large"]


def test_operations_and_dtypes_take_turns() -> None:
    kinds = list(product(("sigmoid", "softmax"), ("float32", "float64")))
    made = items(*(case(f"operations/{o}:{n}/{d}", (1.0,), o, d) for o, d in kinds for n in range(5)))
    ordered = names(order.telling(made))
    for turn in range(5):
        assert {name.split(":")[1][0] for name in ordered[4 * turn : 4 * turn + 4]} == {str(turn)}


def test_calls_of_a_relation_and_subjects_of_a_case_stay_together() -> None:
    relation = Relation(
        "relations/r:1", "equal", {"one": case("r/one"), "two": case("r/two")}, {"one": View(), "two": View()}, (),
        Source("x.yaml", 1),
    )  # fmt: skip
    made = items(*(case(f"operations/a:{n}") for n in range(3)), relation)
    units = [item.unit.id for item in order.telling(made)]
    assert len(units) == len(made)
    assert [name for n, name in enumerate(units) if n == 0 or units[n - 1] != name] == names(order.telling(made))


def test_nothing_is_lost_or_doubled() -> None:
    made = items(*(case(f"operations/a:{n}") for n in range(5)))
    assert sorted(item.rank for item in order.telling(made[::-1])) == [item.rank for item in made]
