"""What an operation lacks before anything can be proven of its bounds: said first, and by name."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.proofs import textbook
from benchmarks.proofs.samples import DEFINED, FACTORS, SAMPLINGS, values
from harness.operations.base import Operation

SAMPLES = "benchmarks/proofs/samples.py"


def lacking() -> list[str]:
    """What is missing of operations that are defined, and what is left of operations that aren't."""
    missing = [objection for operation in DEFINED.values() for objection in _objections(operation)]
    return [*missing, *(f"{name} is no operation: {SAMPLES}, SAMPLINGS" for name in SAMPLINGS.keys() - DEFINED.keys())]


def _objections(operation: Operation) -> Iterator[str]:
    name = operation.name
    if name not in textbook.ROWS:
        yield f"{name} has no textbook form: numpy.{name} in harness/adapters/numpy.py"
    if name not in SAMPLINGS:
        yield f"{name} has no row in {SAMPLES}, SAMPLINGS"
        return
    drawn = {operation.leading, *SAMPLINGS[name].others, *FACTORS}
    yield from (f"{name}: {i.name} is not drawn: {SAMPLES}, SAMPLINGS" for i in operation.inputs if i.name not in drawn)
    for parameter in operation.parameters:
        if not values(parameter):
            yield f"{name}: {parameter.name} has no values in {SAMPLES}, VALUES"
