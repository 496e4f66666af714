"""`harness coverage`: which pairs of parameters the suite asks together, in which dtypes, outputs and domains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any, NamedTuple

from harness import casefile, selection
from harness.commands.covering import choices, extends
from harness.config import Options
from harness.engine.plan import calls
from harness.model.case import Case, Domain
from harness.operations import OPERATIONS
from harness.operations.base import VALUE, Operation
from harness.oracle.formats import FORMATS


class Cell(NamedTuple):
    """A combination that some call should have.

    Attributes:
        operation: its name.
        pair: two of its parameters and optional inputs, each given and not at its default.
        dtype: of the floating inputs.
        output: the value, or a gradient.
        domain: where the inputs lie.
    """

    operation: str
    pair: tuple[str, str]
    dtype: str
    output: str
    domain: Domain


def table(options: Options) -> Counter[Cell]:
    """How many calls each cell has, those of selected operations and dtypes without any included.

    Raises:
        CaseFileErrors: with every problem of every file.
    """
    files = casefile.find(selection.paths(options), casefile.cases_folder())
    entries = casefile.load(files, casefile.cases_folder())
    units = (unit for entry in entries for unit in casefile.expand(entry, options.seed))
    found = Counter(dict.fromkeys(_possible(), 0))
    # A misused call may lie where an operation has no numbers: labels of another dtype are `extended`.
    found.update(cell for unit in units for call in calls(unit) for cell in _asked(call) if cell in found)
    wanted = selection.of_names(options)
    return Counter({cell: count for cell, count in found.items() if wanted(cell.operation, cell.dtype)})


def lines(found: Counter[Cell]) -> Iterator[str]:
    """A line for each operation, pair, output and domain, with its calls by dtype; then the sum."""
    dtypes = list(dict.fromkeys(cell.dtype for cell in found))
    for cell in dict.fromkeys(cell._replace(dtype="") for cell in found):
        counts = "  ".join(f"{dtype} {found[cell._replace(dtype=dtype)]}" for dtype in dtypes)
        yield f"{cell.operation}  {' x '.join(cell.pair)}  {cell.output}  {cell.domain}  {counts}"
    empty = sum(not count for count in found.values())
    yield f"{empty:,} of {len(found):,} cells are empty"


def rows(found: Counter[Cell]) -> Iterator[dict[str, Any]]:
    """The same for programs: a row for each cell."""
    for cell, count in found.items():
        yield cell._asdict() | {"calls": count}


def _possible() -> Iterator[Cell]:
    for operation in OPERATIONS.values():
        for pair in combinations(_factors(operation), 2):
            for output, domain in _judged(operation):
                yield from (Cell(operation.name, pair, dtype, output, domain) for dtype in FORMATS)


def _factors(operation: Operation) -> list[str]:
    """What a call may set: parameters that may be one thing or another, and inputs that it may leave out."""
    return [name for name, options in choices(operation).items() if len(options) > 1]


def _judged(operation: Operation) -> Iterator[tuple[str, Domain]]:
    """Outputs in the domains where something is asked of them: of undefined input only the value is."""
    for output in operation.outputs:
        yield output, Domain.INSIDE
        if extends(operation):
            yield output, Domain.EXTENDED
    if operation.outputs and operation.parameters:
        yield VALUE, Domain.UNDEFINED


def _asked(call: Case) -> Iterator[Cell]:
    """The cells of a call."""
    operation = OPERATIONS[call.operation]
    domain = operation.locate(call.inputs, call.parameters).domain
    outputs: Iterable[str] = [VALUE] if domain is Domain.UNDEFINED else operation.offered(call.inputs)
    defaults = {p.name: p.default for p in operation.parameters}
    given = {name for name, value in call.parameters.items() if value != defaults.get(name)}
    present = [name for name in _factors(operation) if name in given or name in call.inputs]
    for pair in combinations(present, 2):
        yield from (Cell(operation.name, pair, call.dtype, output, domain) for output in outputs)
