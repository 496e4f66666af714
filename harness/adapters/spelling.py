"""What an adapter calls, as text: the public call that a person would type.

An implementation's `run` is handed its framework and its tensors wrapped, each with the expression that
stands for it. Everything is computed as ever; attributes, calls and operators write down what they are.
So the text is what was called, not what a table says of it.

A `run` is spelled if the framework's module is among its arguments: that is what is wrapped, with the
tensors, which come as a mapping. Others run as they are, and give no text.
"""

from __future__ import annotations

import inspect
import json
import operator
import types
from types import MappingProxyType
from typing import Any, Callable, Dict, List, Mapping, Tuple

import numpy as np

from harness.adapters import Tensor, UnsupportedError

SPELLED = "spelled"
"""The output, text as UTF-8 bytes, that a spelled call has more: JSON, see `Log`."""

UNTRACED = MappingProxyType({"compile": "eager"})
"""Modes whose compiler can't follow what writes calls down, and the mode with the same calls."""

PLAIN = (str, bool, int, float, complex, tuple, list, dict, type(None))


class Log:
    """The calls of one `run`, in their order.

    Attributes:
        text: the expression of what it returned, or of the call that raised; "" if that can't be told.
        calls: [{"function": text, "arguments": {name: text}, "defaults": {name: text}}]: arguments as they
            were given, in the signature's order, and the defaults that the signature has.
    """

    def __init__(self) -> None:
        self.text = ""
        self.last: Tuple[str, Any] = ("", None)
        self.calls: List[Dict[str, Any]] = []

    def note(self, function: Spelled, positional: Any, named: Mapping[str, Any]) -> None:
        """Write a call down, its arguments by the names that the signature has for them."""
        arguments, defaults = _bound(function.spelled_value, positional, named)
        self.calls.append({"function": function.spelled_text, "arguments": arguments, "defaults": defaults})

    def tensor(self) -> Tensor:
        """The log as an output."""
        text = json.dumps({"text": self.text, "calls": self.calls})
        return Tensor.of(np.frombuffer(text.encode("utf-8"), np.uint8))


class Spelled:
    """A value with the expression that gives it; its own attributes are named so that they hide no framework's."""

    def __init__(self, value: Any, text: str, log: Log) -> None:
        self.spelled_value = value
        self.spelled_text = text
        self.spelled_log = log

    def __getattr__(self, name: str) -> Any:
        return self._found(getattr(self.spelled_value, name), f"{self.spelled_text}.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Set it on the value: what an option is set to is not written down."""
        if name.startswith("spelled_"):
            object.__setattr__(self, name, value)
        else:
            setattr(self.spelled_value, name, bare(value))

    @property
    def __signature__(self) -> inspect.Signature:
        """So that who asks which arguments a function has is told of the function's own."""
        return inspect.signature(self.spelled_value)

    def __getitem__(self, key: Any) -> Any:
        return self._found(self.spelled_value[bare(key)], f"{self.spelled_text}[{_key(key)}]")

    def __call__(self, *positional: Any, **named: Any) -> Any:
        """Call it with bare arguments, and write the call down."""
        given = [spelled(each) for each in positional] + [f"{name}={spelled(each)}" for name, each in named.items()]
        text = f"{self.spelled_text}({', '.join(given)})"
        self.spelled_log.note(self, positional, named)
        self.spelled_log.last = (text, None)
        value = self.spelled_value(*map(bare, positional), **{name: bare(each) for name, each in named.items()})
        self.spelled_log.last = (text, value)
        return self._found(value, text)

    def __len__(self) -> int:
        return len(self.spelled_value)

    def __bool__(self) -> bool:
        return bool(self.spelled_value)

    def __iter__(self) -> Any:
        return (self._found(each, f"{self.spelled_text}[{n}]") for n, each in enumerate(self.spelled_value))

    def __neg__(self) -> Any:
        return self._found(-self.spelled_value, f"(-{self.spelled_text})")

    def __eq__(self, other: object) -> Any:
        return self.spelled_value == bare(other)

    def __ne__(self, other: object) -> Any:
        return self._found(self.spelled_value != bare(other), f"({self.spelled_text} != {spelled(other)})")

    def __hash__(self) -> int:
        return hash(self.spelled_value)

    def _found(self, value: Any, text: str) -> Any:
        plain = isinstance(value, PLAIN) and not hasattr(value, "_fields")  # a kernel's outputs are a named tuple
        return value if plain else Spelled(value, text, self.spelled_log)


def _operator(symbol: str, name: str) -> None:
    """Give `Spelled` a binary operator, from the left and from the right."""
    apply = getattr(operator, name)

    def left(self: Spelled, other: Any) -> Any:
        return self._found(apply(self.spelled_value, bare(other)), f"({self.spelled_text} {symbol} {spelled(other)})")

    def right(self: Spelled, other: Any) -> Any:
        return self._found(apply(bare(other), self.spelled_value), f"({spelled(other)} {symbol} {self.spelled_text})")

    setattr(Spelled, f"__{name}__", left)
    setattr(Spelled, f"__r{name}__", right)


for _symbol, _name in (("+", "add"), ("-", "sub"), ("*", "mul"), ("/", "truediv"), ("**", "pow"), ("@", "matmul")):
    _operator(_symbol, _name)


def bare(value: Any) -> Any:
    """A value without its expression, inside containers too."""
    if isinstance(value, Spelled):
        return value.spelled_value
    if type(value) in (list, tuple):
        return type(value)(map(bare, value))
    if type(value) is dict:
        return {key: bare(each) for key, each in value.items()}
    return value


def spelled(value: Any) -> str:
    """A value's expression; its repr if it has none."""
    if isinstance(value, Spelled):
        return value.spelled_text
    if type(value) is list:
        return "[" + ", ".join(map(spelled, value)) + "]"
    if type(value) is tuple:
        return "(" + ", ".join(map(spelled, value)) + ("," if len(value) == 1 else "") + ")"
    if type(value) is dict:
        return "{" + ", ".join(f"{key!r}: {spelled(each)}" for key, each in value.items()) + "}"
    return repr(value)


def spelling(call: Callable[..., Any], aliases: Mapping[str, str]) -> Callable[..., Dict[str, Any]]:
    """An adapter's `call` that also says what it called.

    Args:
        aliases: as the adapter's ALIASES: what modules are called in the text.
    """
    names = {module: alias for alias, module in aliases.items()}

    def made(implementation: Any, mode: str, inputs: Any, parameters: Any, wanted: Any) -> Dict[str, Any]:
        log = Log()
        run = _logged(implementation.run, names, log)
        path = f"{implementation.path} {id(log)}"  # by which adapters keep what they compiled, with its log
        try:
            outputs = call(
                implementation._replace(run=run, path=path), UNTRACED.get(mode, mode), inputs, parameters, wanted
            )
        except UnsupportedError:
            raise
        except Exception:  # noqa: BLE001 - whatever the framework raises: what was called can be told all the same
            log.text = log.last[0]
            return {SPELLED: log.tensor()}
        return dict(outputs, **{SPELLED: log.tensor()})

    return made


def _logged(run: Callable[..., Any], names: Mapping[str, str], log: Log) -> Callable[..., Any]:
    def logged(*arguments: Any) -> Any:
        if not any(isinstance(each, types.ModuleType) for each in arguments):
            return run(*arguments)
        found = run(*[_wrapped(each, names, log) for each in arguments])
        text, value = log.last
        plain = text if found is value else ""  # a number or a list, as the last call gave it
        log.text = _outermost(spelled(found)) if isinstance(found, Spelled) else plain
        return bare(found)

    return logged


def _wrapped(argument: Any, names: Mapping[str, str], log: Log) -> Any:
    """A module, or a mapping of names to tensors, spelled; parameters and whatever else as they are."""
    if isinstance(argument, types.ModuleType):
        return Spelled(argument, names.get(argument.__name__, argument.__name__), log)
    if isinstance(argument, Mapping) and argument and not any(isinstance(each, PLAIN) for each in argument.values()):
        return {name: Spelled(each, name, log) for name, each in argument.items()}
    return argument


def _outermost(text: str) -> str:
    """Without brackets around the whole: `(a + b)`, but not `(a) + (b)`."""
    if not text.startswith("("):
        return text
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text


def _bound(function: Any, positional: Any, named: Mapping[str, Any]) -> Tuple[Dict[str, str], Dict[str, str]]:
    """Arguments by their names, and the signature's defaults; arguments by place where there is no signature."""
    try:
        signature = inspect.signature(function)
        given = dict(signature.bind(*positional, **named).arguments)
    except (TypeError, ValueError):
        return {**{str(n): spelled(each) for n, each in enumerate(positional)}, **_texts(named)}, {}
    defaults = {p.name: p.default for p in signature.parameters.values() if p.default is not inspect.Parameter.empty}
    return _texts(given), {name: _default(value) for name, value in defaults.items()}


def _default(value: Any) -> str:
    """A default as text: of a function its name, as its repr has an address."""
    return getattr(value, "__name__", "") or spelled(value) if callable(value) else spelled(value)


def _texts(values: Mapping[str, Any]) -> Dict[str, str]:
    return {name: spelled(value) for name, value in values.items()}


def _key(key: Any) -> str:
    if isinstance(key, slice):
        parts = ["" if part is None else spelled(part) for part in (key.start, key.stop)]
        return ":".join(parts) + ("" if key.step is None else ":" + spelled(key.step))
    return ", ".join(map(_key, key)) if type(key) is tuple else spelled(key)
