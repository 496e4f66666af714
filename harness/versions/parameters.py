"""How the parameters of public calls changed, by their signatures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.model.subject import Parameter, Signatures


def changes(before: Signatures, after: Signatures) -> dict[str, list[str]]:
    """What changed in each signature that both sides know, as sentences, by path."""
    found = {path: list(_compared(before[path], after[path])) for path in sorted(before.keys() & after.keys())}
    return {path: sentences for path, sentences in found.items() if sentences}


def _compared(before: tuple[Parameter, ...], after: tuple[Parameter, ...]) -> Iterator[str]:
    old, new = _by_name(before), _by_name(after)
    renamed = {a.name: b.name for a, b in zip(before, after, strict=False) if _called_otherwise(a, b, old, new)}
    for name, now in renamed.items():
        yield f"parameter {name} is called {now} now"
    for name in [name for name in old if name not in new and name not in renamed]:
        yield f"parameter {name} is gone"
    for name in [name for name in new if name not in old and name not in renamed.values()]:
        yield f"new parameter {_declared(new[name])}"
    for name in [name for name in old if name in new]:
        yield from _of_one(old[name], new[name])
    if _order(old, new) != _order(new, old):
        yield f"positional parameters are in another order: {', '.join(_order(new, old))}"


def _called_otherwise(a: Parameter, b: Parameter, old: Mapping[str, Parameter], new: Mapping[str, Parameter]) -> bool:
    """Whether two parameters at one place differ in their name alone."""
    return a.name not in new and b.name not in old and (a.kind, a.default) == (b.kind, b.default)


def _of_one(old: Parameter, new: Parameter) -> Iterator[str]:
    if old.default != new.default:
        yield f"default of {old.name}: {_default(old)} -> {_default(new)}"
    if old.kind != new.kind:
        yield f"parameter {old.name} is {_kind(new)} now, was {_kind(old)}"


def _by_name(parameters: tuple[Parameter, ...]) -> dict[str, Parameter]:
    return {parameter.name: parameter for parameter in parameters}


def _order(mine: Mapping[str, Parameter], other: Mapping[str, Parameter]) -> list[str]:
    """The parameters that both have and that can be given by their place, in my order."""
    return [name for name, parameter in mine.items() if name in other and parameter.kind != "KEYWORD_ONLY"]


def _declared(parameter: Parameter) -> str:
    return parameter.name if parameter.default is None else f"{parameter.name}={parameter.default}"


def _default(parameter: Parameter) -> str:
    return "required" if parameter.default is None else parameter.default


def _kind(parameter: Parameter) -> str:
    return parameter.kind.lower().replace("_", " ")
