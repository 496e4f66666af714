"""What there is: rows for `harness list`, as plain values that print as lines or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import casefile, selection
from harness.config import Options
from harness.model.case import Case, Relation
from harness.model.subject import Adapter
from harness.operations import OPERATIONS

Row = Mapping[str, Any]


def operations(_options: Options) -> Iterator[Row]:
    """Operations with their signature and formula."""
    for operation in OPERATIONS.values():
        yield {
            "operation": operation.name,
            "inputs": [i.name for i in operation.inputs],
            "parameters": {p.name: p.default for p in operation.parameters},
            "formula": operation.formula,
        }


def implementations(options: Options) -> Iterator[Row]:
    """Implementations with what their tables say they offer."""
    for adapter in _adapters(options):
        for row in adapter.implementations:
            yield {
                "implementation": row.path,
                "framework": adapter.framework,
                "operation": row.operation,
                "modes": list(row.modes),
                "dtypes": list(row.dtypes),
                "parameters": dict(row.parameters),
            }


def subjects(options: Options) -> Iterator[Row]:
    """Subjects: each implementation in each environment and mode."""
    seen = set()
    from harness import provision  # noqa: PLC0415 - `list cases` needs no environment

    for environment in provision.environments(options, _adapters(options)).values():
        for row in implementations(options):
            asked = not environment.frameworks or row["framework"] in environment.frameworks
            for mode in row["modes"] if asked else ():
                name = f"{environment.name}:{row['implementation']}@{mode}"
                if name not in seen:
                    seen.add(name)
                    yield {"subject": name, "framework": row["framework"]}


def cases(options: Options) -> Iterator[Row]:
    """Case ids; generators are not expanded."""
    for heading in casefile.headings(_files(options), casefile.cases_folder()):
        for name in casefile.case_ids(heading):
            yield {"case": name, "kind": heading.kind, "source": str(heading.source)}


def deviations(options: Options) -> Iterator[Row]:
    """Known departures from the truth: those of the list, then those that cases state of single subjects."""
    for known in casefile.load_deviations(casefile.cases_folder()):
        yield {
            "deviation": known.id,
            "stated": "in the list",
            "kind": str(known.kind),
            "subjects": list(known.subjects),
            "versions": known.versions,
            "operations": list(known.operations),
            "outputs": list(known.outputs),
            "dtypes": list(known.dtypes),
            "parameters": dict(known.parameters),
            "inputs": {name: " and ".join(map(str, tests)) for name, tests in known.inputs.items()},
            "misuse": list(known.misuse),
            "reason": known.reason,
            "link": known.link,
            "date": known.date,
            "shown_by": list(known.shown_by),
            "finding": known.finding,
            "source": str(known.source),
        }
    for entry in casefile.load(_files(options), casefile.cases_folder()):
        unit = next(iter(casefile.expand(entry, options.seed)), None)
        per = unit.expect.per if isinstance(unit, Case) else unit.per if isinstance(unit, Relation) else ()
        for override in per:
            if override.departs is not None:
                yield {
                    "deviation": entry.id,
                    "stated": "in a case",
                    "kind": str(override.departs),
                    "subjects": [override.subjects],
                    "outputs": [override.output],
                    "reason": override.reason,
                    "source": str(override.source),
                }


def environments(options: Options) -> Iterator[Row]:
    """Environments, with what is in them."""
    from harness.commands.environments import rows  # noqa: PLC0415 - as above

    return rows(options)


LISTS: Mapping[str, Callable[[Options], Iterator[Row]]] = {
    "operations": operations,
    "implementations": implementations,
    "subjects": subjects,
    "cases": cases,
    "deviations": deviations,
    "environments": environments,
}


def line(row: Row) -> str:
    """A row for people: its first value, then what else is in it; of an environment as `harness env list` has it."""
    if "environment" in row:
        from harness.commands import environments as own  # noqa: PLC0415 - as above

        return own.line(row)
    return "  ".join(text for text in map(_text, row.values()) if text)


def _adapters(options: Options) -> list[Adapter]:
    from harness.environments.adapters import adapters  # noqa: PLC0415 - as above

    return adapters(options.adapter)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {own}" for key, own in value.items())
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


def _files(options: Options) -> list[Path]:
    return casefile.find(selection.paths(options), casefile.cases_folder())
