"""Entries -> cases, relations and claims of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.casefile import arrays
from harness.casefile.checks import output_shape, value_shape
from harness.casefile.entries import (
    CallText,
    CaseText,
    ClaimText,
    Entry,
    MisuseText,
    RelationText,
    StatementText,
    expansion_id,
)
from harness.model.case import Array, Case, Claim, Domain, Expectation, Override, Relation, Unit
from harness.operations import misuse


def expand(entry: Entry, seed: int) -> Iterator[Unit]:
    """What an entry stands for, one unit for each dtype and number.

    Args:
        seed: the run's seed, which generated inputs depend on.
    """
    content = entry.content
    if isinstance(content, ClaimText):
        yield Claim(entry.id, entry.source, entry.id, content.parses, content.defines, content.uses)
        return
    for dtype in entry.dtypes:
        if isinstance(content, CaseText):
            yield from _cases(entry, content, dtype, seed)
        elif isinstance(content, MisuseText):
            yield from _misuses(entry, content, dtype, seed)
        else:
            yield from _relations(entry, content, dtype, seed)


def _cases(entry: Entry, content: CaseText, dtype: str, seed: int) -> Iterator[Case]:
    for index, inputs in enumerate(arrays.make(content.call, dtype, (seed, entry.id), entry.count)):
        expectation = Expectation(
            content.undefined,
            content.agree,
            content.printed,
            content.claimed,
            _overrides(content.per, content.call, inputs),
            content.tolerance,
        )
        yield _call(entry, expansion_id(entry, dtype, index), content.call, inputs, dtype, expectation)


def _misuses(entry: Entry, content: MisuseText, dtype: str, seed: int) -> Iterator[Case]:
    call = content.call
    for kind in content.kinds:
        for index, right in enumerate(arrays.make(call, dtype, (seed, entry.id), entry.count)):
            spoilt = misuse.spoilt(kind, call.operation, right, call.parameters)
            expectation = Expectation(misuse.expected(kind, call.operation, spoilt))
            text, name = call._replace(parameters=spoilt.parameters), expansion_id(entry, dtype, index, kind)
            yield replace(_call(entry, name, text, spoilt.inputs, dtype, expectation), misuse=kind)


def _call(
    entry: Entry, name: str, call: CallText, inputs: Mapping[str, Array], dtype: str, expectation: Expectation
) -> Case:
    return Case(
        name,
        call.operation.name,
        inputs,
        call.parameters,
        dtype,
        expectation,
        entry.source,
        entry.id,
        call.implementations,
        call.layout,
        call.threads,
    )


def _relations(entry: Entry, content: RelationText, dtype: str, seed: int) -> Iterator[Relation]:
    made = [arrays.make(call, dtype, (seed, entry.id), entry.count) for call in content.calls.values()]
    views = {name: call.view for name, call in content.calls.items()}
    per = _overrides(content.per, None, {})
    for index, inputs in enumerate(zip(*made, strict=True)):
        own = expansion_id(entry, dtype, index)
        calls = {
            name: _call(entry, f"{own}/{name}", call, given, dtype, Expectation())
            for (name, call), given in zip(content.calls.items(), inputs, strict=True)
        }
        yield Relation(own, content.kind, calls, views, per, entry.source, entry.id, content.within, content.against)


def _overrides(
    statements: Sequence[StatementText], call: CallText | None, inputs: Mapping[str, Array]
) -> tuple[Override, ...]:
    return tuple(
        Override(s.subjects, s.output, s.undefined, s.departs, _given(s, call, inputs), s.reason, s.source, s.versions)
        for s in statements
    )


def _given(statement: StatementText, call: CallText | None, inputs: Mapping[str, Array]) -> Array | None:
    """What a subject is said to give (float64), spread over the output's shape where that is known."""
    if statement.gives is None:
        return None
    value = np.array(statement.gives.leaves, np.float64).reshape(statement.gives.shape)
    if call is None or call.operation.locate(inputs, call.parameters).domain is Domain.UNDEFINED:
        return value
    shape = value_shape(call, inputs)
    return value if shape is None else np.broadcast_to(value, output_shape(statement.output, shape, inputs)).copy()
