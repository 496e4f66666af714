"""JSON Schemas of case files and of the list of deviations, for editors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from harness.casefile import models
from harness.casefile.deviations import DeviationEntry, Deviations, FindingEntry
from harness.casefile.recipes import GENERATORS, Model
from harness.operations import OPERATIONS
from harness.operations.base import Operation, Parameter

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema of a case file, with the inputs and parameters of each operation."""
    entries = (models.CaseEntry, models.MisuseEntry, models.RelationEntry, models.ClaimEntry)
    parts: list[type[Model]] = [models.Document, *entries, models.Statement, *GENERATORS.values()]
    _, generated = models_json_schema([(part, "validation") for part in parts])
    definitions = generated["$defs"]
    document = definitions.pop("Document")
    document["properties"]["cases"]["items"] = _entry()
    generators = [{"$ref": f"#/$defs/{model.__name__}"} for model in GENERATORS.values()]
    for name in ("CaseEntry", "MisuseEntry", "RelatedCall"):
        inputs = definitions[name]["properties"]["inputs"]
        inputs["additionalProperties"] = {"anyOf": [models.NUMBERS, *generators]}
        definitions[name]["allOf"] = [_operation(operation) for operation in OPERATIONS.values()]
    for name in ("Expect", "RelationEntry"):
        per = definitions[name]["properties"]["per"]
        per["additionalProperties"] = {"anyOf": [{"$ref": "#/$defs/Statement"}, per["additionalProperties"]]}
    return {"$schema": DRAFT, **document, "title": "Case file", "$defs": definitions}


def deviations_schema() -> dict[str, Any]:
    """The schema of `cases/deviations.yaml`."""
    _, generated = models_json_schema([(part, "validation") for part in (Deviations, DeviationEntry, FindingEntry)])
    definitions = generated["$defs"]
    document = definitions.pop("Deviations")
    document["properties"]["deviations"]["items"] = {"$ref": "#/$defs/DeviationEntry"}
    document["properties"]["findings"]["items"] = {"$ref": "#/$defs/FindingEntry"}
    return {"$schema": DRAFT, **document, "title": "Known deviations", "$defs": definitions}


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {"cases": schema, "deviations": deviations_schema}
"""By the kind of file."""


def _entry() -> dict[str, Any]:
    """An entry is of the kind that its own key says."""
    found: dict[str, Any] = {"$ref": "#/$defs/CaseEntry"}
    for key, model in reversed(models.ENTRIES.items()):
        found = {"if": {"required": [key]}, "then": {"$ref": f"#/$defs/{model.__name__}"}, "else": found}
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    """What a call of this operation may have: editors complete its names."""
    required = [i.name for i in operation.inputs if not i.optional]
    return {
        "if": {"properties": {"operation": {"const": operation.name}}, "required": ["operation"]},
        "then": {
            "properties": {
                "inputs": {"propertyNames": {"enum": [i.name for i in operation.inputs]}, "required": required},
                "parameters": {
                    "properties": {p.name: {"description": _described(p)} for p in operation.parameters},
                    "additionalProperties": False,
                },
            }
        },
    }


def _described(parameter: Parameter) -> str:
    if parameter.choices:
        more = "any integer, " if parameter.integers else ""
        return f"{more}{', '.join(map(str, parameter.choices))}; default {parameter.default}"
    return f"in [{parameter.low:g}, {parameter.high:g}]; default {parameter.default}"
