"""What can be known of an entry before anything runs: that its numbers fit its dtypes and its operation."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from harness.casefile import arrays, generators, recipes
from harness.casefile.entries import CallText, CaseText, Content, MisuseText, Recipe, RelationText, StatementText
from harness.casefile.errors import unknown
from harness.casefile.literals import Nested, unheld
from harness.casefile.places import Place, Report
from harness.model.case import Array, Domain, View, Within
from harness.operations import misuse
from harness.operations.base import UPSTREAM
from harness.oracle.formats import FORMATS

NO_CLASS = re.compile(r"label (-?[0-9]+) is no class")
SAY_SO = " (say expect: {undefined: error} if that is the point)"


def check(place: Place, content: Content, dtypes: list[str], report: Report) -> None:
    """Check an entry for every dtype that it is expanded for."""
    if isinstance(content, CaseText):
        _check_case(place, content, dtypes, report)
    elif isinstance(content, MisuseText):
        _check_misuse(place, content, dtypes, report)
    elif isinstance(content, RelationText):
        _check_relation(place, content, dtypes, report)


def _check_case(place: Place, case: CaseText, dtypes: list[str], report: Report) -> None:
    for number, dtype in enumerate(dtypes):
        if number and _alike(case.call):
            _check_all_held(place, case.call, dtype, report)
            continue
        made = _made(place, case.call, dtype, report)
        if made is not None and _check_domain(place, case, made, report):
            _check_shapes(place, case, made, report)


def _check_misuse(place: Place, content: MisuseText, dtypes: list[str], report: Report) -> None:
    """Whether the call is right before anything in it is spoilt, and each kind of misuse is one of its operation."""
    call, known = content.call, misuse.kinds(content.call.operation)
    for kind in content.kinds:
        if kind not in known:
            report.add(place.nearest("misuse"), unknown(f"misuse of {call.operation.name}", kind, known))
    for dtype in dtypes:
        made = _made(place, call, dtype, report)
        domain, reason, offender = _located(place, call, made) if made is not None else (Domain.INSIDE, "", place)
        if domain is Domain.UNDEFINED:
            report.add(offender, f"{reason} (a call is right before it is spoilt)")


def _check_relation(place: Place, relation: RelationText, dtypes: list[str], report: Report) -> None:
    for dtype in dtypes:
        for name, call in relation.calls.items():
            at = place.nearest("calls", name)
            made = _made(at, call, dtype, report)
            if made is None:
                continue
            domain, reason, offender = _located(at, call, made)
            if domain is Domain.UNDEFINED:
                report.add(offender, f"{reason} (a relation needs defined input)")
            else:
                _check_view(at, call, made, report)
            if relation.within is Within.BITWISE and call.view.axis is not None and call.view.index is None:
                report.add(
                    at.nearest("view"), "nobody gave the bits of a sum: within bitwise needs an index, or no view"
                )


def _alike(call: CallText) -> bool:
    """Whether what is found for one dtype holds for all: numbers that are drawn or spaced between limits."""
    return not any(isinstance(recipe, Nested | recipes.Boundaries | recipes.Every) for recipe in call.inputs.values())


def _check_all_held(place: Place, call: CallText, dtype: str, report: Report) -> None:
    for name, recipe in call.inputs.items():
        _check_held(place.nearest("inputs", name), recipe, arrays.input_dtype(call, name, dtype), report)


def _made(place: Place, call: CallText, dtype: str, report: Report) -> dict[str, Array] | None:
    """The arrays of the first expansion; None if one of them can't be made."""
    made: dict[str, Array] = {}
    first = range(1)
    for name, recipe in call.inputs.items():
        at = place.nearest("inputs", name)
        before = len(report)
        _check_held(at, recipe, arrays.input_dtype(call, name, dtype), report)
        try:
            if len(report) == before:
                made[name] = arrays.several(call, name, dtype, made, generators.CHECK, first)
        except generators.RecipeError as error:
            report.add(at, str(error))
        if call.operation.leading not in made:
            break
    return {name: array[0, ...] for name, array in made.items()} if len(made) == len(call.inputs) else None


def _check_held(place: Place, recipe: Recipe, dtype: str, report: Report) -> None:
    """Whether a dtype holds the numbers that are written."""
    if isinstance(recipe, Nested):
        for at, message in unheld(recipe, dtype):
            report.add(at, message)
        return
    for name, number in generators.bounds(recipe):
        if dtype in FORMATS and np.isfinite(number) and abs(number) >= FORMATS[dtype].overflow:
            report.add(place.nearest(name), f"{number:g} is more than {dtype} holds")
        if dtype not in FORMATS and not _is_index(number, dtype):
            report.add(place.nearest(name), f"{number:g} is no number of {dtype}")


def _is_index(number: float, dtype: str) -> bool:
    limits = np.iinfo(dtype)
    return limits.min <= number <= limits.max and number == int(number)


def _located(place: Place, call: CallText, made: Mapping[str, Array]) -> tuple[Domain, str, Place]:
    """Where a call lies; if it is undefined, why, and what in it is to blame."""
    with np.errstate(all="ignore"):
        region = call.operation.locate(made, call.parameters)
    if region.domain is not Domain.UNDEFINED:
        return region.domain, "", place
    return region.domain, _reason(call, region.reason), _offender(place, call, region.reason)


def _reason(call: CallText, reason: str) -> str:
    """The operation's reason; for a misspelt choice with what was meant."""
    for parameter in call.operation.parameters:
        value = call.parameters.get(parameter.name, parameter.default)
        if parameter.choices and isinstance(value, str) and value not in parameter.choices:
            return unknown(parameter.name, value, map(str, parameter.choices))
    return reason


def _offender(place: Place, call: CallText, reason: str) -> Place:
    """The label that a reason speaks of, or the parameter, else the input that it names first."""
    no_class = NO_CLASS.match(reason)
    labels = call.inputs.get("labels")
    if no_class and isinstance(labels, Nested) and int(no_class[1]) in labels.leaves:
        return labels.place(labels.leaves.index(int(no_class[1])))
    words = ["labels"] if no_class else re.findall(r"\w+", reason)
    for key, names in (("parameters", call.parameters), ("inputs", call.inputs)):
        if named := next((word for word in words if word in names), None):
            return place.nearest(key, named)
    return place.nearest("operation")


def _check_domain(place: Place, case: CaseText, made: Mapping[str, Array], report: Report) -> bool:
    """Whether the input is defined where a value is expected, and only there."""
    domain, reason, offender = _located(place, case.call, made)
    defined = domain is not Domain.UNDEFINED
    if not defined and not case.undefined:
        report.add(offender, reason + SAY_SO)
    if defined:
        for at in _undefined_places(place, case):
            report.add(at, f"the input is defined here, {case.call.operation.name} has a value: nothing is undefined")
    return defined


def _undefined_places(place: Place, case: CaseText) -> list[Place]:
    expect = place.nearest("expect")
    own = [expect.key("undefined")] if case.undefined else []
    return own + [_statement_place(expect, s) for s in case.per if s.undefined]


def _statement_place(place: Place, statement: StatementText) -> Place:
    at = place.nearest("per").key(statement.subjects)
    items = place.nearest("per", statement.subjects).items()
    return next((item for item in items if item.node.line == statement.source.line), at)


def _check_shapes(place: Place, case: CaseText, made: Mapping[str, Array], report: Report) -> None:
    """What must have the value's shape: printed numbers, what subjects give, the upstream gradient."""
    stated = [s for s in case.per if s.gives is not None]
    if case.printed is None and not stated and UPSTREAM not in made:
        return
    shape = value_shape(case.call, made)
    if shape is None:
        return
    expect = place.nearest("expect")
    if case.printed is not None and case.printed.shape != shape:
        report.add(expect.nearest("printed"), _misfit("printed numbers", case.printed.shape, shape))
    if UPSTREAM in made and made[UPSTREAM].shape != shape:
        report.add(place.nearest("inputs", UPSTREAM), _misfit(UPSTREAM, made[UPSTREAM].shape, shape))
    for statement in stated:
        given = statement.gives.shape if statement.gives is not None else ()
        wanted = output_shape(statement.output, shape, made)
        if not _broadcasts(given, wanted):
            report.add(_statement_place(expect, statement), _misfit("gives", given, wanted))


def value_shape(call: CallText, made: Mapping[str, Array]) -> tuple[int, ...] | None:
    """Shape of the call's value; None where the operation has no definition."""
    operation = call.operation
    return operation.shape(made, operation.complete(call.parameters)) if operation.shape else None


def output_shape(output: str, value: tuple[int, ...], made: Mapping[str, Array]) -> tuple[int, ...]:
    """Shape of an output: a gradient has that of its input."""
    name = output.partition(":")[2]
    return made[name].shape if name in made else value


def _misfit(what: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    return f"{what}: shape {list(shape)}, but the value has {list(wanted)}"


def _broadcasts(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False


def _check_view(place: Place, call: CallText, made: Mapping[str, Array], report: Report) -> None:
    view: View = call.view
    offered = list(call.operation.offered(made))
    if view.output not in offered:
        report.add(place.nearest("view", "output"), unknown("output", view.output, offered))
        return
    value = value_shape(call, made) if view.axis is not None else None
    if view.axis is None or value is None:
        return
    shape, what = output_shape(view.output, value, made), view.output.replace(":", " of ")
    if not -len(shape) <= view.axis < len(shape):
        report.add(place.nearest("view"), f"no axis {view.axis}: the {what} has shape {list(shape)}")
    elif view.index is not None and not -shape[view.axis] <= view.index < shape[view.axis]:
        report.add(place.nearest("view"), f"no index {view.index} on axis {view.axis}: the shape is {list(shape)}")
