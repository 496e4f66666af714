"""Arrays of a user's own as a case, and what was observed of it elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.casefile import npy
from harness.casefile.calls import typed
from harness.casefile.errors import ArrayFileError, unknown
from harness.casefile.scalars import resolve
from harness.model.case import Array, Case, Domain, Expectation, Inputs, Parameters, Scalar, Source
from harness.operations import OPERATIONS
from harness.operations.base import UPSTREAM, VALUE, Operation, Region
from harness.oracle.formats import FORMATS

NAME = re.compile(r"[A-Za-z0-9_.-]+")
HARMLESS = 0.5
"""A number that every operation has a value for, as a logit, a probability, a label or a weight."""


class Asked(NamedTuple):
    """Arrays of a user's own, as the command line has them.

    Attributes:
        operation: its name.
        inputs: `NAME=FILE.npy` each.
        parameters: `NAME=VALUE` each, the value as in a case file.
        observed: `NAME=FILE.npy` or `NAME:OUTPUT=FILE.npy` each.
        dtype: of the floating inputs; that of the leading input's array if it is None.
    """

    operation: str
    inputs: Sequence[str]
    parameters: Sequence[str] = ()
    observed: Sequence[str] = ()
    dtype: str | None = None


class Own(NamedTuple):
    """A case made of arrays.

    Attributes:
        case: it.
        region: where its input lies.
        observed: what was observed elsewhere: by name, then by output.
        notes: how the arrays were taken.
    """

    case: Case
    region: Region
    observed: Mapping[str, Mapping[str, Array]]
    notes: Sequence[str]


def read(asked: Asked) -> Own:
    """Read arrays, and see that they make a call of the operation.

    Raises:
        ArrayFileError: a name is unknown, a file can't be used, or the arrays don't fit.
    """
    operation = OPERATIONS.get(asked.operation)
    if operation is None:
        known = [name for name, each in OPERATIONS.items() if each.outputs]
        raise ArrayFileError(f"--operation {asked.operation}: {unknown('operation', asked.operation, known)}")
    parameters = _parameters(operation, asked.parameters)
    notes: list[str] = []
    files = _files("--input", asked.inputs)
    inputs, dtype = _inputs(operation, files, asked.dtype, notes)
    found = region(operation, inputs, parameters)
    observed = _observed(operation, inputs, parameters, found, asked.observed, dtype, notes)
    source = Source(str(files[operation.leading]), 1)
    case = Case(
        f"arrays:{operation.name}/{dtype}",
        operation.name,
        inputs,
        parameters,
        dtype,
        expectation(found),
        source,
        f"arrays:{operation.name}",
    )
    return Own(case, found, observed, notes)


def _parameters(operation: Operation, given: Sequence[str]) -> Parameters:
    known = {parameter.name: parameter for parameter in operation.parameters}
    found: dict[str, Scalar] = {}
    for text in given:
        name, value = _split("--param", text, "VALUE")
        if name not in known:
            raise ArrayFileError(f"--param {text}: {unknown('parameter', name, known)}")
        if name in found:
            raise ArrayFileError(f"--param {text}: {name} is given twice")
        scalar = resolve(value)
        if scalar is None:
            raise ArrayFileError(f"--param {text}: a number, text, true or false is needed")
        found[name] = scalar
        choices = [] if known[name].integers else [str(choice) for choice in known[name].choices]
        objection = known[name].objection(typed(operation, found)[name])
        if objection:
            raise ArrayFileError(f"--param {text}: {unknown(name, value, choices) if choices else objection}")
    return typed(operation, found)


def _files(flag: str, given: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in given:
        name, file = _split(flag, text, "FILE.npy")
        if name in found:
            raise ArrayFileError(f"{flag} {text}: {name} is given twice")
        found[name] = Path(file)
    return found


def _split(flag: str, text: str, meant: str) -> tuple[str, str]:
    name, equals, rest = text.partition("=")
    if not (name and equals and rest):
        raise ArrayFileError(f"{flag} {text}: NAME={meant} is needed")
    return name, rest


def _inputs(
    operation: Operation, files: Mapping[str, Path], asked: str | None, notes: list[str]
) -> tuple[dict[str, Array], str]:
    """The inputs in the operation's order, the real ones in one dtype."""
    kinds = {given.name: given.kind for given in operation.inputs}
    for name in files:
        if name not in kinds:
            raise ArrayFileError(f"--input {name}={files[name]}: {unknown('input', name, kinds)}")
    missing = [given.name for given in operation.inputs if not given.optional and given.name not in files]
    if missing:
        needed = " ".join(f"--input {name}=FILE.npy" for name in missing)
        raise ArrayFileError(f"{operation.name} needs {' and '.join(missing)}: {needed}")
    arrays = {name: npy.read(files[name]) for name in kinds if name in files}
    dtype = asked or _dtype(arrays[operation.leading], f"--input {operation.leading}={files[operation.leading]}")
    if dtype not in FORMATS:
        raise ArrayFileError(f"--dtype {dtype}: {unknown('dtype', dtype, FORMATS)}")
    hint = "" if asked else f"; --dtype {dtype} would round them"
    found = {}
    for name, array in arrays.items():
        flag = f"--input {name}={files[name]}"
        if kinds[name] == "index":
            found[name] = _indices(array, flag)
        else:
            found[name] = _real(array, dtype, flag, notes, rounding=asked is not None, otherwise=hint)
    return found, dtype


def _dtype(array: Array, flag: str) -> str:
    """The dtype of the leading input, where nobody says another."""
    own = npy.own_dtype(array)
    if own is None:
        hint = "bits of bfloat16 need --dtype bfloat16" if array.dtype in npy.BITS else "--dtype says which"
        raise ArrayFileError(f"{flag}: is {array.dtype}, and a case is in {', '.join(FORMATS)}; {hint}")
    return own


def _indices(array: Array, flag: str) -> Array:
    if array.dtype.kind not in "iu":
        raise ArrayFileError(f"{flag}: class indices are whole numbers, and not {array.dtype}")
    return array


def _real(array: Array, dtype: str, flag: str, notes: list[str], *, rounding: bool, otherwise: str) -> Array:
    """An array in the case's dtype; a note says what was done to it.

    Args:
        otherwise: what to say where it would have to be rounded, and may not be.
    """
    try:
        found = npy.numbers(array, dtype, rounding=rounding)
    except ArrayFileError as error:
        raise ArrayFileError(f"{flag}: {error}{otherwise}") from error
    if found.note:
        notes.append(f"{flag.partition(' ')[2]}: {found.note}")
    return found.array


def expectation(found: Region) -> Expectation:
    """What is expected of a call that lies there: an error, where it has no value."""
    return Expectation(frozenset({"error"} if found.domain is Domain.UNDEFINED else ()))


def region(operation: Operation, inputs: Inputs, parameters: Parameters) -> Region:
    """Where a call lies.

    Raises:
        ArrayFileError: whatever its numbers, its shapes don't fit.
    """
    with np.errstate(all="ignore"):
        found = operation.locate(inputs, parameters)
        harmless = {n: np.full_like(a, 0 if a.dtype.kind in "iu" else HARMLESS) for n, a in inputs.items()}
        if found.domain is Domain.UNDEFINED and operation.locate(harmless, parameters).domain is Domain.UNDEFINED:
            raise ArrayFileError(f"{operation.name}: {found.reason}")
    upstream = inputs.get(UPSTREAM)
    if upstream is not None and found.domain is not Domain.UNDEFINED:
        shape = operation.shape_of(VALUE, inputs, operation.complete(parameters))
        if upstream.shape != shape:
            raise ArrayFileError(f"{UPSTREAM} has shape {list(upstream.shape)}, the value has {list(shape)}")
    return found


def _observed(
    operation: Operation,
    inputs: Inputs,
    parameters: Parameters,
    place: Region,
    given: Sequence[str],
    dtype: str,
    notes: list[str],
) -> dict[str, dict[str, Array]]:
    """What was observed elsewhere, in the shape and dtype that it must have."""
    found: dict[str, dict[str, Array]] = {}
    outputs = operation.offered(inputs)
    for key, file in _files("--observed", given).items():
        flag = f"--observed {key}={file}"
        name, _, output = key.partition(":")
        output = output or VALUE
        if not NAME.fullmatch(name):
            raise ArrayFileError(f"{flag}: a name is letters, digits, '_', '.' and '-'")
        if output not in outputs:
            raise ArrayFileError(f"{flag}: {unknown('output', output, outputs)}")
        if output in found.get(name, {}):
            raise ArrayFileError(f"{flag}: the {output} of {name} is given twice")
        kept = f"; the case is in {dtype}, and what was observed is never rounded"
        array = _real(npy.read(file), dtype, flag, notes, rounding=False, otherwise=kept)
        if place.domain is not Domain.UNDEFINED:
            shape = operation.shape_of(output, inputs, operation.complete(parameters))
            if array.shape != shape:
                raise ArrayFileError(f"{flag}: has shape {list(array.shape)}, the {output} has {list(shape)}")
        found.setdefault(name, {})[output] = array
    return found
