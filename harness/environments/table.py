"""What is wrong with an adapter's table, as `harness.worker.tables` describes it."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from harness.adapters import ANY, GRADIENT, INDICES, LAST_AXIS, SECOND_AXIS, Implementation
from harness.operations import OPERATIONS
from harness.operations.base import UPSTREAM, VALUE, Operation, Parameter
from harness.oracle.formats import FORMATS

REQUIRED = ("FRAMEWORK", "PACKAGES", "IMPLEMENTATIONS", "start", "call")
CALLED = {
    "start": "it is called with (threads)",
    "call": "it is called with (implementation, mode, inputs, parameters, wanted)",
}
NAME = re.compile(r"[A-Za-z0-9_-]+")
PATH = re.compile(r"[A-Za-z_][\w.+-]*")
VERSION = re.compile(r"\d+(\.\d+)*")
LISTS = ("inputs", "gradients", "dtypes", "modes", "indices", "seldom")
TEXTS = ("path", "operation", "since", "until", "absent")
MAPPINGS = ("parameters", "gradients_since", "narrowed")
AXES = (LAST_AXIS, SECOND_AXIS)

Described = Mapping[str, Any]


def complaints(described: Described) -> list[str]:
    """Everything that is wrong with a table, one line each; nothing if it can be used."""
    if "error" in described:
        return [f"can't be loaded: {described['error']}"]
    lacking = list(_lacking(described["names"]))
    return lacking or [*_module(described), *_rows(described["rows"])]


def implementations(described: Described) -> tuple[Implementation, ...]:
    """The rows of a table that nothing is wrong with, without what only the adapter itself needs."""
    return tuple(Implementation(**{**row, "run": None}) for row in map(_usable, described["rows"]))


def _usable(row: Described) -> dict[str, Any]:
    narrowed = {mode: _values(parameters) for mode, parameters in row["narrowed"].items()}
    lists = {name: tuple(row[name]) for name in LISTS}
    return {**row, **lists, "parameters": _values(row["parameters"]), "narrowed": narrowed}


def _values(parameters: Described) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in parameters.items()}


def _lacking(names: Sequence[str]) -> Iterator[str]:
    for name in REQUIRED:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            yield f"lacks {name}" + (f": is {near[0]} meant for it?" if near else "")


def _module(described: Described) -> Iterator[str]:
    values = described["values"]
    framework, packages = values["FRAMEWORK"], values["PACKAGES"]
    if not isinstance(framework, str) or not NAME.fullmatch(framework):
        yield f"FRAMEWORK is {framework!r}: a name of letters, digits, _ and - is meant"
    if complaint := _not_a_list(packages):
        yield f"PACKAGES {complaint}"
    elif not packages:
        yield "PACKAGES is empty: the first package is the one whose version tells what is there"
    for name in described["imported"]:
        yield f"its top level imports {name}: import it in start(), since the host reads the table without it"
    for name, complaint in described["calls"].items():
        if complaint:
            yield f"{name} {complaint}: {CALLED[name]}"


def _rows(rows: Any) -> Iterator[str]:
    if not isinstance(rows, list):
        yield f"IMPLEMENTATIONS is {rows['other']}: a tuple of harness.adapters.Implementation is meant"
        return
    if not rows:
        yield "IMPLEMENTATIONS is empty: a row for each public call is meant"
    for number, row in enumerate(rows):
        if "other" in row:
            yield f"IMPLEMENTATIONS[{number}] is a {row['other']}: a harness.adapters.Implementation is meant"
        else:
            name = row["path"] if isinstance(row["path"], str) else f"IMPLEMENTATIONS[{number}]"
            yield from (f"{name}: {complaint}" for complaint in _row(row))
    named = [(r["path"], r["operation"]) for r in rows if "path" in r and not any(_types(r))]
    for (path, operation), count in Counter(named).items():
        if count > 1:
            yield f"{path}: {count} rows of {operation}; only the last can be asked"


def _row(row: Described) -> list[str]:
    """What is wrong with a row: its types first, since the rest speaks of their values."""
    found = list(_types(row))
    if found:
        return found
    operation = OPERATIONS.get(row["operation"])
    if operation is None:
        return [f"operation {row['operation']!r} is none{_meant(row['operation'], OPERATIONS)}"]
    return [
        *_texts(row),
        *_dtypes(row),
        *_inputs(row, operation),
        *_gradients(row, operation),
        *_offers(row["parameters"], operation),
        *_narrowed(row, operation),
    ]


def _types(row: Described) -> Iterator[str]:
    for name in TEXTS:
        if not isinstance(row[name], str):
            yield f"{name} is {_shown(row[name])}: text is meant"
    for name in LISTS:
        if complaint := _not_a_list(row[name]):
            yield f"{name} {complaint}"
    for name in MAPPINGS:
        if not isinstance(row[name], Mapping) or "other" in row[name]:
            yield f"{name} is {_shown(row[name])}: a dict is meant"


def _texts(row: Described) -> Iterator[str]:
    if not PATH.fullmatch(row["path"]):
        yield "its path is no import path: letters, digits, _ and . are meant, as in torch.nn.functional.cross_entropy"
    for name in ("since", "until"):
        if row[name] and not VERSION.match(row[name]):
            yield f"{name} is {row[name]!r}: a version is meant, as in '2.1'"
    for mode in row["modes"]:
        if not NAME.fullmatch(mode):
            yield f"mode {mode!r}: a name of letters, digits, _ and - is meant"
    if not row["modes"]:
        yield "modes is empty: it can't be run"
    for mode in row["seldom"]:
        if mode not in row["modes"]:
            yield f"seldom speaks of mode {mode!r}, which modes doesn't list"


def _dtypes(row: Described) -> Iterator[str]:
    for dtype in row["dtypes"]:
        if dtype not in FORMATS:
            yield f"dtype {dtype!r} is none{_meant(dtype, FORMATS)}"
    for dtype in row["indices"]:
        if dtype not in INDICES:
            yield f"indices lists {dtype!r}, no dtype of indices{_meant(dtype, INDICES)}"
    if not row["dtypes"]:
        yield "dtypes is empty: it takes nothing"


def _inputs(row: Described, operation: Operation) -> Iterator[str]:
    optional = [i.name for i in operation.inputs if i.optional and i.name != UPSTREAM]
    always = [i.name for i in operation.inputs if i.name not in optional]
    for name in row["inputs"]:
        if name in always:
            yield f"inputs lists {name}, which is no optional input: leave it out"
        elif name not in optional:
            yield f"inputs lists {name!r}, no input of {operation.name}{_meant(name, optional)}"


def _gradients(row: Described, operation: Operation) -> Iterator[str]:
    known = [name.removeprefix(GRADIENT) for name in operation.outputs if name != VALUE]
    for name in row["gradients"] if known else ():
        if name.startswith(GRADIENT):
            yield f"gradients lists {name!r}: the input's name alone is meant, {name.removeprefix(GRADIENT)!r}"
        elif name not in known:
            yield f"gradients lists {name!r}: {operation.name} has none with respect to it{_meant(name, known)}"
        elif name == "weights" and name not in row["inputs"]:
            yield "gradients lists weights, but inputs doesn't: it is never given any"
    for name in row["gradients_since"]:
        if name not in row["gradients"]:
            yield f"gradients_since speaks of {name!r}, which gradients doesn't list"


def _narrowed(row: Described, operation: Operation) -> Iterator[str]:
    for mode, parameters in row["narrowed"].items():
        if mode not in row["modes"]:
            yield f"narrowed speaks of mode {mode!r}, which modes doesn't list"
        elif not isinstance(parameters, Mapping) or "other" in parameters:
            yield f"narrowed for {mode} is {_shown(parameters)}: a dict is meant"
        else:
            yield from (f"narrowed for {mode}: {complaint}" for complaint in _offers(parameters, operation))


def _offers(parameters: Described, operation: Operation) -> Iterator[str]:
    known = {parameter.name: parameter for parameter in operation.parameters}
    for name, offered in parameters.items():
        if name not in known:
            yield f"parameter {name!r} is none of {operation.name}{_meant(name, known)}"
        else:
            yield from _offer(known[name], offered)


def _offer(parameter: Parameter, offered: Any) -> Iterator[str]:
    if isinstance(offered, str):
        if offered != ANY and not (offered in AXES and parameter.name == "axis"):
            yield f"parameter {parameter.name} is {offered!r}: ANY or a tuple of values is meant, as in ({offered!r},)"
    elif not isinstance(offered, list):
        yield f"parameter {parameter.name} is {_shown(offered)}: ANY or a tuple of values is meant"
    elif not offered:
        yield f"parameter {parameter.name} has no value that it takes: leave it out if only the default is offered"
    else:
        for value in offered:
            if objection := "is no value" if isinstance(value, list | dict) else parameter.objection(value):
                yield f"parameter {parameter.name} offers {_shown(value)}: {objection}"


def _not_a_list(value: Any) -> str:
    """Why a value is no tuple of texts; "" if it is one."""
    if isinstance(value, str):
        return f"is the text {value!r}: a tuple is meant, ({value!r},)"
    if not isinstance(value, list):
        return f"is {_shown(value)}: a tuple of texts is meant"
    wrong = [each for each in value if not isinstance(each, str)]
    return f"holds {_shown(wrong[0])}: texts are meant" if wrong else ""


def _shown(value: Any) -> str:
    return str(value["other"]) if isinstance(value, Mapping) and "other" in value else repr(value)


def _meant(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f", did you mean {near[0]!r}?"
    return f": known are {', '.join(known)}" if known else ": it has none"
