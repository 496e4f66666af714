"""What to mind where one public call takes the place of another of the same operation."""

from __future__ import annotations

from collections.abc import Iterator

from harness.adapters import LAST_AXIS, SECOND_AXIS
from harness.atlas.evidence import Evidence
from harness.atlas.functions import Function, Told
from harness.model.case import Scalar


def differences(one: Function, other: Function) -> Iterator[str]:
    """How the other differs in what it takes, and in what it computes where nothing is said."""
    yield from _of_inputs(one, other)
    for parameter in one.operation.parameters:
        mine, its = one.told[parameter.name], other.told[parameter.name]
        if parameter.name == "axis":
            if (place := _class_axis(other)) != _class_axis(one):
                yield f"its class axis is {place}"
        elif (a := _default(mine)) != (b := _default(its)):
            yield _of_default(parameter.name, a, b) + _passing(its, mine.default)
    if missing := sorted(set(one.row.gradients) - set(other.row.gradients)):
        yield f"it has no gradient by {', '.join(missing)}"
    if missing := sorted(set(one.row.dtypes) - set(other.row.dtypes)):
        yield f"it doesn't take {', '.join(missing)}"


def _of_inputs(one: Function, other: Function) -> Iterator[str]:
    mine = [name for name in one.inputs if name in other.inputs]
    its = [name for name in other.inputs if name in one.inputs]
    if mine != its and mine:
        names = ", ".join(other.inputs[name] for name in its)
        yield f"its arguments come in another order: {names} for {', '.join(its)}"
    for name in one.row.inputs:
        if name not in other.row.inputs:
            yield f"it has no {name}"


def _class_axis(function: Function) -> str:
    """Where an API has the class axis if nothing is said."""
    default = function.told["axis"].default
    if function.row.parameters.get("axis") == SECOND_AXIS:
        return "axis 1"
    if function.row.parameters.get("axis") == LAST_AXIS or default == -1:
        return "the last axis"
    if default is not None:
        return f"axis {default}"
    return "to be given" if function.told["axis"].argument else "not known to the atlas"


def _of_default(name: str, mine: str, its: str) -> str:
    if not its:
        return f"its default of {name} isn't known to the atlas"
    return f"{name} is {its} by default" + (f", not {mine}" if mine else "")


def _default(told: Told) -> str:
    """In words; "" if it isn't known."""
    if told.default is not None:
        return str(told.default)
    return f"{told.api_default} (its own)" if told.api_default else "to be given" if told.argument else ""


def _passing(told: Told, value: Scalar | None) -> str:
    """How to tell it the value that the other has."""
    return f": pass {told.argument}={told.texts[value]}" if value is not None and value in told.texts else ""


def outcomes(one: Evidence, other: Evidence) -> Iterator[str]:
    """Calls without a value that end otherwise, of those that both were asked: the first, and how many more."""
    found = [
        (case, how, other.undefined[case])
        for case, how in one.undefined.items()
        if case in other.undefined and other.undefined[case].split(" ")[0] != how.split(" ")[0]
    ]
    if found:
        case, mine, its = found[0]
        rest = f", and {len(found) - 1} more such calls" if len(found) > 1 else ""
        yield f"where the first {mine}, it {its} ({case}){rest}"
