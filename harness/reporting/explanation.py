"""`harness explain` as lines: inputs, truth, and each subject's values down to their bits."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness.model.agreement import groups
from harness.model.case import Array
from harness.model.observation import Observation, Outcome
from harness.model.run import Record, Results
from harness.model.verdict import Verdict
from harness.oracle.formats import FORMATS, Format
from harness.oracle.truth import FLOAT64_BITS, Bounds, Enclosure, Truth
from harness.reporting.text import visible

SHOWN = 8
"""Elements of each output that are shown; of a larger one those with the largest errors."""

Index = tuple[int, ...]


def lines(results: Results, case: str, truth: Truth) -> Iterator[str]:
    """One case with all its subjects, and its truth with what decided it."""
    record = results.record(case)
    if record is None:
        return
    rows = [v for v in results.verdicts if v.case == case]
    yield from _head(results, record)
    for output in dict.fromkeys([*record.truth, *(v.output for v in rows)]):
        yield from _output(record, output, {v.subject: v for v in rows if v.output == output}, truth)
    yield from _documents(rows)
    yield ""
    yield "Next:"
    file = record.source.rpartition(":")[0]
    yield f"  harness run {shlex.quote(file)} -k {shlex.quote(case.partition(':')[2])}"


def relation(results: Results, unit: str) -> Iterator[str]:
    """The verdicts of a relation; nothing for a case."""
    for verdict in results.verdicts:
        if verdict.case == unit and verdict.output == "relation":
            yield f"{verdict.verdict}  {verdict.subject}  {visible(verdict.reason)}"


def _head(results: Results, record: Record) -> Iterator[str]:
    parameters = ", ".join(f"{name}={value}" for name, value in record.parameters.items())
    yield f"{record.case}   {record.source}"
    yield f"{record.operation}({', '.join(record.inputs)}{'; ' + parameters if parameters else ''})  {record.dtype}"
    yield f"truth: {results.run.truth}"
    for name, array in record.inputs.items():
        flat = array.reshape(-1)
        shown = ", ".join(_short(x) for x in flat[:SHOWN])
        more = f", ... {flat.size - SHOWN} more" if flat.size > SHOWN else ""
        yield f"  {name} {list(array.shape)}: {shown}{more}"


def _output(record: Record, output: str, rows: Mapping[str, Verdict], known: Truth) -> Iterator[str]:
    truth = record.truth.get(output)
    values = _values(record, output, truth)
    yield ""
    yield f"{output}:"
    for index in _indices(truth, values):
        yield from _element(record.dtype, index, truth, values, rows)
        if output in known.outputs:
            yield _enclosed(known.outputs[output], known.bounds[output], index, FORMATS[record.dtype])
    for subject, row in rows.items():
        seen = record.observations.get(subject)
        if subject not in values and seen is not None:
            yield f"  {row.verdict:<11} {subject}  {_ending(seen, row)}"
    if values:
        yield from _agreement(values, rows)


def _values(record: Record, output: str, truth: Array | None) -> dict[str, Array]:
    """Subjects' arrays that can be shown element by element."""
    return {
        subject: seen.outputs[output]
        for subject, seen in record.observations.items()
        if output in seen.outputs and (truth is None or seen.outputs[output].shape == truth.shape)
    }


def _indices(truth: Array | None, values: Mapping[str, Array]) -> list[Index]:
    """The elements to show: all of a small array, else those with the largest errors."""
    first = truth if truth is not None else next(iter(values.values()), None)
    if first is None:
        return []
    order = np.arange(first.size)
    if truth is not None and first.size > SHOWN:
        with np.errstate(all="ignore"):
            errors = [np.abs(v.astype(np.float64) - truth) / np.maximum(np.abs(truth), 1e-300) for v in values.values()]
            worst = np.nan_to_num(np.max(errors, axis=0), nan=np.inf) if errors else np.zeros(truth.shape)
        order = np.argsort(-worst, axis=None, kind="stable")
    return [tuple(int(i) for i in np.unravel_index(int(flat), first.shape)) for flat in order[:SHOWN]]


def _element(
    dtype: str, index: Index, truth: Array | None, values: Mapping[str, Array], rows: Mapping[str, Verdict]
) -> Iterator[str]:
    form = FORMATS[dtype]
    place = str(list(index)) if index else ""
    exact = None if truth is None else float(truth[index])
    if exact is not None:
        yield f"  {place} truth {exact!r}  {exact.hex()}"
    errors = {s: _ulps(v, index, exact, form) for s, v in values.items() if v.dtype == form.dtype}
    best = min((abs(e) for e in errors.values() if not np.isnan(e)), default=None)
    for subject, value in values.items():
        error = errors.get(subject, np.nan)
        nearest = " nearest" if best is not None and abs(error) == best else ""
        wrong = "" if np.isnan(error) else f"{error:+.4g} ulp{nearest}"
        verdict = rows[subject].verdict if subject in rows else ""
        x = value[index]
        yield f"    {_short(x):<16} {float(x).hex():<24} 0x{_bits(x)}  {wrong:<20} {verdict:<10} {subject}"


def _enclosed(truth: Enclosure, bounds: Bounds, index: Index, form: Format) -> str:
    """The tier that decided an element, its enclosure, and what may be lost there."""
    bits = int(truth.bits[index])
    tier = "float64" if bits == FLOAT64_BITS else f"Arb, {bits} bits"
    low = f" {truth.low[index]:+.3g}" if truth.low[index] else ""
    bound, ulp = float(bounds.passing[index]), float(form.ulp(truth.high[index]))
    line = max(2.0 * bound, 4.0 * ulp)
    return (
        f"    by {tier}: {float(truth.high[index])!r}{low} +- {truth.radius[index]:.2g}; "
        f"B {bound:.3g} ({bound / ulp:.3g} ulp), passes to {line:.3g}"
    )


def _ulps(value: Array, index: Index, exact: float | None, form: Format) -> float:
    """Signed error of an element; NaN where there is nothing to measure."""
    if exact is None:
        return float("nan")
    x = float(value[index])
    if x == exact or (np.isnan(x) and np.isnan(exact)):
        return 0.0
    if not (np.isfinite(x) and np.isfinite(exact)):
        return float("nan")
    return (x - exact) / float(form.ulp(np.asarray(exact)))


def _agreement(values: Mapping[str, Array], rows: Mapping[str, Verdict]) -> Iterator[str]:
    same = groups(values)
    yield f"  bitwise: {len(same)} group{'s' if len(same) != 1 else ''} of {len(values)} subjects"
    for group in same:
        worst = [rows[s].max_ulp for s in group if s in rows and rows[s].max_ulp is not None]
        error = f"worst {worst[0]:+.4g} ulp" if worst else ""
        yield f"    {len(group):3d}  {error:<18} {', '.join(group)}"


def _documents(rows: Sequence[Verdict]) -> Iterator[str]:
    for row in rows:
        if row.subject == "document":
            yield ""
            yield f"document: {row.verdict}  prints {row.observed}, truth {row.truth}  {visible(row.reason)}"


def _ending(seen: Observation, row: Verdict) -> str:
    if seen.outcome is Outcome.VALUE:
        return visible(row.reason)
    return visible(f"{seen.error}: {seen.reason}" if seen.error else seen.reason).replace("\n", " ")


def _short(x: np.generic) -> str:
    return str(x)


def _bits(x: np.generic) -> str:
    return x.tobytes()[::-1].hex()
