"""What changed in a signature is said in words that tell what a caller must do."""

import pytest

from harness.model.subject import Parameter
from harness.versions.parameters import changes

EITHER = "POSITIONAL_OR_KEYWORD"


def signature(*names: str, kind: str = EITHER) -> tuple[Parameter, ...]:
    """Parameters written as `name` or `name=default`."""
    parts = [name.partition("=") for name in names]
    return tuple(Parameter(name, kind, default or None) for name, _, default in parts)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (signature("x"), signature("x", "axis=-1"), "new parameter axis=-1"),
        (signature("x", "dim=None"), signature("x"), "parameter dim is gone"),
        (signature("x", "axis=-1"), signature("x", "axis=None"), "default of axis: -1 -> None"),
        (signature("x", "y=0"), signature("x", "y"), "default of y: 0 -> required"),
        (signature("a", "b"), signature("b", "a"), "positional parameters are in another order: b, a"),
        (
            signature("x", kind=EITHER),
            signature("x", kind="KEYWORD_ONLY"),
            "parameter x is keyword only now, was positional or keyword",
        ),
    ],
)
def test_change_is_said(before: tuple[Parameter, ...], after: tuple[Parameter, ...], said: str) -> None:
    assert changes({"f": before}, {"f": after})["f"][0] == said


def test_equal_signatures_and_those_of_one_side_only_are_no_change() -> None:
    assert changes({"f": signature("x"), "gone": signature("y")}, {"f": signature("x"), "new": signature("z")}) == {}


def test_another_name_at_the_same_place_is_a_renaming() -> None:
    found = changes({"f": signature("logits", "labels")}, {"f": signature("input", "labels")})
    assert found == {"f": ["parameter logits is called input now"]}


def test_a_new_parameter_in_the_middle_is_no_other_order() -> None:
    assert changes({"f": signature("a", "b")}, {"f": signature("a", "new", "b")}) == {"f": ["new parameter new"]}
