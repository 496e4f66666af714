"""Calls as they are written: do names, numbers and recipes fit the operation?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.casefile import models
from harness.casefile.entries import CallText, Recipe
from harness.casefile.errors import unknown
from harness.casefile.literals import index, nested, real
from harness.casefile.messages import validated
from harness.casefile.places import Place, Report, described
from harness.casefile.recipes import GENERATORS, Generator
from harness.casefile.tree import Table, plain
from harness.model.case import Parameters, View
from harness.operations import OPERATIONS
from harness.operations.base import Input, Operation

INDEX_GENERATORS = ("indices", "cycle", "hard")
WHOLE = View()


def read(place: Place, model: models.Call | None, report: Report) -> CallText | None:
    """Check a call; None if anything in it is wrong.

    Args:
        place: the mapping that has `operation` and `inputs`.
        model: what pydantic made of it; None if pydantic found something wrong, and said so.
    """
    operation = OPERATIONS.get(place.nearest("operation").text() or "")
    if operation is None:
        return None
    before = len(report)
    inputs = place.child("inputs")
    if inputs is not None:
        _check_inputs(inputs, operation, report)
    parameters = place.child("parameters")
    if parameters is not None:
        _check_names(parameters, "parameter", [p.name for p in operation.parameters], report)
    recipes = _recipes(inputs, operation, report) if inputs is not None else {}
    if model is None or len(report) > before:
        return None
    ordered = {i.name: recipes[i.name] for i in operation.inputs if i.name in recipes}
    given = typed(operation, model.parameters)
    how = (model.index_dtype, model.implementations, model.layout or "", model.threads)
    return CallText(operation, ordered, given, *how, _view(model))


def _check_inputs(place: Place, operation: Operation, report: Report) -> None:
    _check_names(place, "input", [i.name for i in operation.inputs], report)
    present = dict(place.table())
    missing = [i.name for i in operation.inputs if not i.optional and i.name not in present]
    if missing and isinstance(place.node, Table):
        report.add(place, f"{operation.name} needs {' and '.join(missing)}")


def _check_names(place: Place, noun: str, known: Sequence[str], report: Report) -> None:
    for name, _ in place.table():
        if name not in known:
            report.add(place.key(name), unknown(noun, name, known))


def _recipes(place: Place, operation: Operation, report: Report) -> dict[str, Recipe]:
    """What each input is made of: numbers that are written out, or a generator."""
    kinds = {i.name: i for i in operation.inputs}
    found: dict[str, Recipe] = {}
    for name, at in place.table():
        recipe = _recipe(at, kinds.get(name, Input(name)), report)
        if recipe is not None:
            found[name] = recipe
    return found


def _recipe(place: Place, given: Input, report: Report) -> Recipe | None:
    if isinstance(place.node, Table):
        return _generator(place, given, report)
    return nested(place, index, report) if given.kind == "index" else nested(place, real, report)


def _generator(place: Place, given: Input, report: Report) -> Generator | None:
    at = place.child("generate")
    name = at.text() if at is not None else None
    if at is None:
        report.add(place, "a mapping here is a generator: key 'generate' is missing")
    elif name is None:
        report.add(at, f"a generator's name is text, not {described(at.node)}")
    elif name not in GENERATORS:
        report.add(at, unknown("generator", name, GENERATORS))
    elif given.kind == "index" and name not in INDEX_GENERATORS:
        report.add(place, f"{given.name} are class indices: generate {', '.join(INDEX_GENERATORS)}")
    elif given.kind != "index" and name == "indices":
        report.add(place, f"{given.name} are no class indices: generate one_hot gives rows for them")
    else:
        return validated(GENERATORS[name], plain(place.node), place, report)
    return None


def typed(operation: Operation, given: Parameters) -> Parameters:
    """Whole numbers as floats, where the parameter is a float."""
    floats = {p.name for p in operation.parameters if isinstance(p.default, float)}
    return {
        name: float(value) if name in floats and isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in given.items()
    }


def _view(model: models.Call) -> View:
    view = model.view if isinstance(model, models.RelatedCall) else None
    if view is None:
        return WHOLE
    axis = view.axis if view.sum is None else view.sum
    return View(axis, view.index, view.output)


def related(place: Place, model: models.RelationEntry | None, report: Report) -> Mapping[str, CallText] | None:
    """The calls of a relation; None if anything in them is wrong."""
    at = place.child("calls")
    given = dict(at.table()) if at is not None else {}
    calls = {name: read(call, model.calls[name] if model else None, report) for name, call in given.items()}
    checked = {name: call for name, call in calls.items() if call is not None}
    return checked if len(checked) == len(calls) else None
