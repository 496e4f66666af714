"""Scripts of what is wrong: measured already, but for the public call, which is made once more to be written down."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from harness.adapters import SECOND_AXIS, Implementation
from harness.engine.pool import Limits
from harness.engine.shelf import texts
from harness.engine.spellings import Asked
from harness.model.case import Array, Case, Expectation, Source
from harness.model.run import Place, Record, Results
from harness.model.subject import Adapter, Environment
from harness.model.verdict import Kind, Verdict
from harness.oracle.formats import FORMATS
from harness.oracle.truth import Truth, evaluate
from harness.reporting.overview import departures
from harness.reporting.repro import Repro, command, script

LOOKED_AT = 8
"""Cases of a group that the smallest is sought among: to read all would take longer than it is worth."""

ELEMENTS = 2048
"""Of a case whose script somebody would read."""


def scripts(
    results: Results, tables: Sequence[Adapter], environments: Mapping[str, Environment], limits: Limits
) -> dict[Place, str]:
    """A script for a small case of each group of failures and of deviations.

    Args:
        tables: the adapters that the run had.
        environments: those of the run, by name.
    """
    rows = {asked: row for group in groups(results.verdicts) for asked, row in _smallest(group, results, tables)}
    found: dict[Place, str] = {}
    for name, place in environments.items():
        own = [asked for asked, row in rows.items() if row.environment == name]
        packages = results.run.environments[name].packages if own else {}
        with tempfile.TemporaryDirectory() as work:
            for asked, text in texts(own, place, packages, limits, Path(work)) if own else ():
                row = rows[asked]
                made = repro(asked.case, row, asked.row, text, packages)
                found[row.case, row.subject, row.output] = script(made)
    return found


def groups(verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """The verdicts that have a script: failures by subject and output, deviations by subject and reason."""
    failures: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.verdict is Kind.FAIL:
            failures.setdefault((verdict.subject, verdict.output), []).append(verdict)
    every = [*failures.values(), *(departure.verdicts for departure in departures(verdicts))]
    return [found for group in every if (found := [verdict for verdict in group if command(verdict)])]


def _smallest(group: Sequence[Verdict], results: Results, tables: Sequence[Adapter]) -> Iterator[tuple[Asked, Verdict]]:
    """The call and verdict of the smallest case; none where all are too large to be read."""
    records = [(verdict, record) for verdict in group[:LOOKED_AT] if (record := results.record(verdict.case))]
    for verdict, record in sorted(records, key=lambda pair: _size(pair[1]))[:1]:
        adapter = next(table for table in tables if table.framework == verdict.framework)
        row = offered(adapter, verdict.implementation, record.operation)
        if _size(record) <= ELEMENTS:
            yield Asked(adapter, row, _case(record, row.path), verdict.mode or ""), verdict


def _size(record: Record) -> int:
    return sum(array.size for array in record.inputs.values())


def offered(adapter: Adapter, path: str, operation: str) -> Implementation:
    """An adapter's row."""
    return next(row for row in adapter.implementations if (row.path, row.operation) == (path, operation))


def _case(record: Record, path: str) -> Case:
    """A case of a run that one implementation alone is asked."""
    given, source = (record.operation, record.inputs, record.parameters, record.dtype), Source(record.source, 0)
    return Case(
        record.case, *given, Expectation(), source, implementations=path, layout=record.layout, misuse=record.misuse
    )


def repro(case: Case, row: Verdict, offered: Implementation, expression: str, versions: Mapping[str, str]) -> Repro:
    """What a script of a verdict is made of.

    Args:
        row: a failure or deviation.
        offered: the adapter's row that was asked.
        expression: the public call as it is typed.
        versions: of the environment's packages.
    """
    truth = evaluate(case)
    formed = row.output in truth.outputs and _of_its_form(row, truth.outputs[row.output].high)
    high, low, allowed = (0.0, 0.0, 0.0) if formed else _expected(truth, case, row)
    return Repro(
        title=f"{case.id} {row.subject} {row.output}",
        framework=row.framework,
        mode=row.mode or "",
        expression=expression,
        inputs={name: _plain(case, array) for name, array in case.inputs.items()},
        dtypes={name: case.dtype if _is_real(case, array) else array.dtype.name for name, array in case.inputs.items()},
        output=row.output,
        index=row.index or (),
        high=high,
        low=low,
        allowed=allowed,
        seen=row.observed or row.reason,
        reason=row.reason,
        raised=row.outcome not in ("", "value"),
        form=(case.dtype, truth.outputs[row.output].high.shape) if formed else None,
        versions=versions,
        layout=case.layout,
        batch_of_one=row.mode == "vmap" and offered.parameters.get("axis") == SECOND_AXIS,
    )


def _of_its_form(row: Verdict, truth: Array) -> bool:
    """Whether dtype and shape are what a script looks at: they are what is wrong, or there is no number."""
    return not truth.size or (row.index is None and row.outcome == "value")


def _expected(truth: Truth, case: Case, row: Verdict) -> tuple[float | None, float, float]:
    """The enclosure of the number, and by how much it may be missed."""
    if row.output not in truth.outputs:
        return None, 0.0, 0.0
    at, form = row.index or (0,) * truth.outputs[row.output].high.ndim, FORMATS[case.dtype]
    found, bound = truth.outputs[row.output], truth.bounds[row.output].passing
    high, radius = found.high[at], float(found.radius[at])
    ulps = 4 * float(np.abs(form.ulp(np.asarray(high))))
    allowed = max(2 * float(bound[at]) if np.isfinite(bound[at]) else 0.0, ulps) + radius
    return float(high), float(found.low[at]), allowed if np.isfinite(high) else 0.0


def _is_real(case: Case, array: Array) -> bool:
    return array.dtype == FORMATS[case.dtype].dtype


def _plain(case: Case, array: Array) -> Array:
    """Real numbers as float64, which holds each of them."""
    return array.astype(np.float64) if _is_real(case, array) else array
