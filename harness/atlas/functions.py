"""What a public call takes, and what it computes where nothing is said: learnt from calls that were made."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.adapters import LAST_AXIS, Implementation
from harness.engine.spellings import Spelling
from harness.model.case import Scalar
from harness.operations import OPERATIONS
from harness.operations.base import Operation
from harness.operations.reductions import EMPTY_MEAN, IGNORE_INDEX, NOTHING

LAST_UNLESS_TOLD = frozenset(
    {
        "tf.nn.softmax",
        "tf.nn.log_softmax",
        "tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2",
        "onnx.Softmax",
        "onnx.LogSoftmax",
        "onnxruntime.Softmax",
        "onnxruntime.LogSoftmax",
    }
)
"""Whose class axis is the last one by default, as no signature says: TensorFlow's None, ONNX's -1 since opset 13."""
IGNORING = ("ignore_index", "ignore_class")
"""What APIs call the label that they leave out."""
SILENT = (IGNORE_INDEX.name, EMPTY_MEAN.name)
"""Parameters that change no call with inputs only: a label that is left out by default is no class, and no mean is of
nothing."""


@dataclass(frozen=True, slots=True)
class Told:
    """How an API is told a parameter of the operation.

    Attributes:
        argument: the API's name for it; "" if no argument is it: the value is fixed, or said by a shape.
        texts: what was passed, by the operation's value.
        default: the operation's value that holds where it is left out; None if it must be given, or means
            something that the operation has no word for.
        api_default: the API's default as text; "" if there is none.
    """

    argument: str
    texts: Mapping[Scalar, str]
    default: Scalar | None
    api_default: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """An implementation of an operation, as the atlas knows it.

    Attributes:
        inputs: the API's argument for each input, in the order of its signature.
        told: by the operation's parameters.
        further: the API's other arguments with their defaults.
        text: the plain call as it was made; "" if it wasn't.
    """

    row: Implementation
    framework: str
    inputs: Mapping[str, str]
    told: Mapping[str, Told]
    further: Mapping[str, str]
    text: str = ""

    @property
    def path(self) -> str:
        """What users type."""
        return self.row.path

    @property
    def operation(self) -> Operation:
        """What it computes."""
        return OPERATIONS[self.row.operation]

    def defaults(self) -> dict[str, Scalar]:
        """The operation's parameters that hold where only inputs are given.

        What must be given, or can't be told, is as the operation has it, or as the API can.
        """
        return {p.name: self._default(p.name, p.default) for p in self.operation.parameters}

    def _default(self, name: str, usual: Scalar) -> Scalar:
        told = self.told[name]
        if name in SILENT:
            return usual
        if told.default is not None:
            return told.default
        return next(iter(told.texts)) if told.texts and usual not in told.texts else usual


def learn(row: Implementation, framework: str, spellings: Sequence[Spelling]) -> Function:
    """What calls tell of an implementation: the first is the plain one, each other differs from it in one thing."""
    operation = OPERATIONS[row.operation]
    if not spellings:
        unknown = {p.name: _untold(row, p.name, p.default, {}) for p in operation.parameters}
        return Function(row, framework, {}, unknown, {})
    inputs = {i.name: argument for i in operation.inputs if (argument := _argument_of(i.name, spellings))}
    told = {p.name: _told(row, p.name, p.default, spellings) for p in operation.parameters}
    fullest = max(spellings, key=lambda each: len(each.arguments))
    places = {name: place for place, name in enumerate(fullest.arguments)}
    ordered = dict(sorted(inputs.items(), key=lambda pair: places.get(pair[1], len(places))))
    used = {*inputs.values(), *(each.argument for each in told.values())}
    further = {name: text for name, text in fullest.defaults.items() if name not in used and not name.startswith("_")}
    return Function(row, framework, ordered, told, further, spellings[0].text)


def _argument_of(name: str, spellings: Sequence[Spelling]) -> str:
    """The argument that was given an input."""
    given = (argument for each in spellings for argument, text in each.arguments.items() if text == name)
    return next(given, "")


def _told(row: Implementation, name: str, usual: Scalar, spellings: Sequence[Spelling]) -> Told:
    own = _own(row, name, usual, spellings)
    return replace(own, default=-1) if name == "axis" and own.default is None and row.path in LAST_UNLESS_TOLD else own


def _own(row: Implementation, name: str, usual: Scalar, spellings: Sequence[Spelling]) -> Told:
    base = spellings[0]
    varied = {each.parameters[name]: each for each in reversed(spellings) if _differs_only(each, base, name)}
    changed = [a for a in base.arguments if len({each.arguments.get(a) for each in varied.values()}) > 1]
    if len(changed) != 1:
        return _untold(row, name, usual, base.defaults)
    default = base.defaults.get(changed[0], "")
    texts = {value: each.arguments.get(changed[0], default) for value, each in varied.items()}
    return Told(changed[0], texts, meant(texts, default), default)


def _differs_only(one: Spelling, other: Spelling, name: str) -> bool:
    same = (key for key in one.parameters if key != name)
    return all(one.parameters[key] == other.parameters[key] for key in same)


def _untold(row: Implementation, name: str, usual: Scalar, defaults: Mapping[str, str]) -> Told:
    """Of what no argument was seen to say: the only value there is, or as the signature or the shape has it."""
    offered = row.parameters.get(name, (usual,))
    if offered == LAST_AXIS:
        return Told("", {}, -1)
    if name == IGNORE_INDEX.name and (argument := next((a for a in IGNORING if a in defaults), "")):
        return Told(argument, {}, _ignored(defaults[argument]), defaults[argument])
    if name == EMPTY_MEAN.name and not isinstance(offered, str):
        return Told("", {}, offered[-1])  # what it answers, after "undefined"
    return Told("", {}, offered[0] if len(offered) == 1 and not isinstance(offered, str) else None)


def _ignored(default: str) -> Scalar | None:
    return NOTHING if default == "None" else _literal(default)


def meant(texts: Mapping[Scalar, str], default: str) -> Scalar | None:
    """The value that is told by the API's default; None if that says nothing in the operation's words."""
    if not default:
        return None
    for value, text in texts.items():
        if _same(text, default):
            return value
    literal = _literal(default)
    plainly = all(_same(text, repr(value)) for value, text in texts.items())
    return literal if plainly and isinstance(literal, int | float) and not isinstance(literal, bool) else None


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    a, b = _literal(one), _literal(other)
    return a is not None and type(a) is not bool and type(b) is not bool and a == b


def _literal(text: str) -> Scalar | None:
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return found if isinstance(found, str | int | float) else None


def shown(parameters: Mapping[str, Scalar], operation: Operation) -> Iterator[str]:
    """The parameters that are not the operation's defaults: `reduction=mean`."""
    for p in operation.parameters:
        if parameters[p.name] != p.default:
            yield f"{p.name}={parameters[p.name]}"
