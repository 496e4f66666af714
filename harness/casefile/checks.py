"""What can be known of an entry before anything runs: that its numbers fit its dtypes and its operation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from harness.casefile import arrays, generators, recipes
from harness.casefile.entries import CallText, CaseText, Content, MisuseText, Recipe, RelationText, StatementText
from harness.casefile.errors import unknown
from harness.casefile.literals import LiteralError, Nested, Numbers, nested, real, unheld
from harness.casefile.places import Place, Report
from harness.casefile.tree import Scalar, Table
from harness.model.case import Array, Domain, View, Within
from harness.model.case import Scalar as Value
from harness.operations import OPERATIONS, misuse
from harness.operations.base import UPSTREAM, Parameter
from harness.oracle.formats import FORMATS

DEFAULT_DTYPE = "float32"
NO_CLASS = re.compile(r"label (-?[0-9]+) is no class of 0\.\.([0-9]+)")
SAY_SO = " (say expect: {undefined: error} if that is the point)"


def check(place: Place, content: Content, dtypes: list[str], report: Report) -> None:
    """Check an entry for every dtype that it is expanded for."""
    if isinstance(content, CaseText):
        _check_case(place, content, dtypes, report)
    elif isinstance(content, MisuseText):
        _check_misuse(place, content, dtypes, report)
    elif isinstance(content, RelationText):
        _check_relation(place, content, dtypes, report)


def check_numbers(place: Place, report: Report) -> None:
    """Check what can be said of an entry that something else is wrong with: whether its dtypes hold its numbers."""
    listed = place.child("dtypes")
    named = [at.text() for at in listed.items()] if listed is not None else [DEFAULT_DTYPE]
    for dtype in (name for name in named if name in FORMATS):
        for numbers in _written(place):
            for spot, message in unheld(numbers, dtype):
                report.add(spot, message)


def _written(place: Place) -> Iterator[Numbers]:
    """The real inputs of an entry's calls that are numbers in the shape of an array."""
    related = place.child("calls")
    for call in (place, *(at for _, at in (related.table() if related is not None else ()))):
        operation = OPERATIONS.get(call.nearest("operation").text() or "")
        wanted = {i.name for i in operation.inputs if i.kind == "real"} if operation is not None else set()
        inputs = call.child("inputs")
        for name, at in inputs.table() if inputs is not None else ():
            numbers = nested(at, _number, Report("")) if name in wanted and not isinstance(at.node, Table) else None
            if numbers is not None:
                yield numbers


def _number(scalar: Scalar) -> float:
    """A number; 0 where there is none, which is told elsewhere."""
    try:
        return real(scalar)
    except LiteralError:
        return 0.0


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
        for reason, offender in _objections(place, call, made) if made is not None else ():
            report.add(offender, f"{reason} (a call is right before it is spoilt)")


def _check_relation(place: Place, relation: RelationText, dtypes: list[str], report: Report) -> None:
    for dtype in dtypes:
        for name, call in relation.calls.items():
            at = place.nearest("calls", name)
            made = _made(at, call, dtype, report)
            if made is None:
                continue
            objections = _objections(at, call, made)
            for reason, offender in objections:
                report.add(offender, f"{reason} (a relation needs defined input)")
            if not objections:
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
        shaped = name == call.operation.leading or call.operation.leading in made
        try:
            if len(report) == before and shaped:
                made[name] = arrays.several(call, name, dtype, made, generators.CHECK, first)
        except generators.RecipeError as error:
            report.add(at, str(error))
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


def _objections(place: Place, call: CallText, made: Mapping[str, Array]) -> list[tuple[str, Place]]:
    """Why a call is undefined, and what in it is to blame: all parameters that are, or else its inputs."""
    found = [
        (_reason(parameter, value, objection), place.nearest("parameters", parameter.name))
        for parameter in call.operation.parameters
        if (value := call.parameters.get(parameter.name)) is not None and (objection := parameter.objection(value))
    ]
    if found:
        return found
    with np.errstate(all="ignore"):
        region = call.operation.locate(made, call.parameters)
    if region.domain is not Domain.UNDEFINED:
        return []
    return _no_classes(call, region.reason) or [(region.reason, _offender(place, call, region.reason))]


def _no_classes(call: CallText, reason: str) -> list[tuple[str, Place]]:
    """Every label that is no class, where a reason speaks of one."""
    found, labels = NO_CLASS.match(reason), call.inputs.get("labels")
    if found is None or not isinstance(labels, Nested):
        return []
    known = {*range(int(found[2]) + 1), call.parameters.get("ignore_index")}
    return [
        (reason.replace(found[0], f"label {label} is no class of 0..{found[2]}"), labels.place(at))
        for at, label in enumerate(labels.leaves)
        if label not in known
    ]


def _reason(parameter: Parameter, value: Value, objection: str) -> str:
    """Why a parameter is wrong; of a misspelt choice what was meant."""
    misspelt = parameter.choices and isinstance(value, str) and value not in parameter.choices
    return unknown(parameter.name, str(value), map(str, parameter.choices)) if misspelt else objection


def _offender(place: Place, call: CallText, reason: str) -> Place:
    """The labels if a reason speaks of one, or the parameter, else the input that it names first."""
    words = ["labels"] if NO_CLASS.match(reason) else re.findall(r"\w+", reason)
    for key, names in (("parameters", call.parameters), ("inputs", call.inputs)):
        if named := next((word for word in words if word in names), None):
            return place.nearest(key, named)
    return place.nearest("operation")


def _check_domain(place: Place, case: CaseText, made: Mapping[str, Array], report: Report) -> bool:
    """Whether the input is defined where a value is expected, and only there."""
    objections = _objections(place, case.call, made)
    for reason, offender in () if case.undefined else objections:
        report.add(offender, reason + SAY_SO)
    defined = not objections
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
