"""`harness explain --json`: what is explained, for programs."""

from __future__ import annotations

from typing import Any

from harness.model.explanation import Element, Explained, Explanation, Known, Reading, Survey
from harness.model.row import number, row
from harness.reporting.values import hexadecimal
from harness.reporting.where import inputs_at

Row = dict[str, Any]


def document(explained: Explained) -> Row:
    """Numbers, texts, lists and mappings only; docs/reports.md has the keys."""
    return {"calls": [_call(call) for call in explained.calls], "verdicts": [row(each) for each in explained.rows]}


def _call(explained: Explanation) -> Row:
    call = explained.call
    return {
        "case": call.id,
        "operation": call.operation,
        "dtype": call.dtype,
        "parameters": dict(call.parameters),
        "inputs": {name: list(array.shape) for name, array in call.inputs.items()},
        "domain": str(explained.domain),
        "why": explained.why,
        "notes": list(explained.notes),
        "outcomes": {name: {"outcome": s.outcome, "reason": s.reason} for name, s in explained.observations.items()},
        "verdicts": [row(each) for each in explained.rows],
        "outputs": {name: _survey(explained, survey) for name, survey in explained.surveys.items()},
        "next": list(explained.commands),
    }


def _survey(explained: Explanation, survey: Survey) -> Row:
    counts = {name: {str(grade): count for grade, count in each.items()} for name, each in survey.counts.items()}
    return {
        "shape": list(survey.shape),
        "grades": counts,
        "elements": [_element(explained, element) for element in survey.elements],
    }


def _element(explained: Explanation, element: Element) -> Row:
    held = {} if element.truth is None else dict(inputs_at(explained.call, element.index))
    return {
        "index": list(element.index),
        "inputs": held,
        "truth": None if element.truth is None else _known(element.truth),
        "values": {name: _reading(reading) for name, reading in element.readings.items()},
    }


def _known(truth: Known) -> Row:
    figures = {name: number(getattr(truth, name)) for name in ("high", "low", "radius", "bound", "ulp", "allowed")}
    return {**figures, "bits": truth.bits}


def _reading(reading: Reading) -> Row:
    return {
        "value": number(float(reading.value)),
        "hex": hexadecimal(reading.value),
        "ulps": number(reading.ulps),
        "in_bounds": number(reading.in_bounds),
        "grade": reading.grade,
    }
