"""Bounds are neither jumpy nor blind: a tenth of `benchmarks/bounds.py`, and what single steps may lose."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.proofs import documents, samples, textbook
from benchmarks.proofs.inside import ELEMENTS, inside
from benchmarks.proofs.lacking import lacking
from benchmarks.proofs.tightness import answers, questions
from harness.adapters.numpy import IMPLEMENTATIONS
from harness.model.case import Array, Case, Expectation, Source
from harness.operations import OPERATIONS
from harness.oracle import truth
from harness.oracle.formats import FORMATS

REFERENCE = {row.operation: row for row in IMPLEMENTATIONS if row.path.startswith(f"numpy.{row.operation}")}
SHARE = 0.1


def test_every_operation_has_its_row_in_the_proof() -> None:
    assert not lacking(), "\n".join(lacking())


@cache
def one_turn() -> list[Case]:
    """A small call of each kind."""
    return list(samples.calls("float32", 1))


@pytest.mark.parametrize("name", samples.DEFINED)
def test_samples_leave_no_input_and_no_value_out(name: str) -> None:
    operation = OPERATIONS[name]
    drawn = [case for case in one_turn() if case.operation == name]
    assert {i for case in drawn for i in case.inputs} == {i.name for i in operation.inputs}
    for parameter in operation.parameters:
        taken = {operation.complete(case.parameters)[parameter.name] for case in drawn}
        assert taken >= {*samples.values(parameter)}


@pytest.mark.parametrize("missing", ["form", "sampling", "input", "value"])
def test_what_an_operation_lacks_is_told_by_name(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "weighted_sigmoid_cross_entropy"
    if missing == "form":
        monkeypatch.delitem(textbook.ROWS, name)
    elif missing == "value":
        monkeypatch.setattr(samples, "VALUES", {"label_smoothing": (0.0,)})
    else:
        rows = {n: row for n, row in samples.SAMPLINGS.items() if n != name}
        if missing == "input":
            rows[name] = samples.Sampling(samples.LOGITS)
        monkeypatch.setattr("benchmarks.proofs.lacking.SAMPLINGS", rows)
    told = {
        "form": f"{name} has no textbook form: numpy.{name}",
        "sampling": f"{name} has no row in",
        "input": f"{name}: labels is not drawn",
        "value": f"{name}: pos_weight has no values",
    }
    assert any(objection.startswith(told[missing]) for objection in lacking())


@pytest.mark.parametrize("dtype", FORMATS)
def test_textbook_forms_stay_inside_their_bounds(dtype: str) -> None:
    wanted = round(SHARE * ELEMENTS[dtype])
    found = inside(dtype, wanted)
    assert not found.alarms, "\n".join(found.alarms[:10])
    assert found.bounded > 0.9 * wanted
    assert 0.5 < found.largest <= 1  # they come near it


def test_forms_of_the_documents_are_graded_as_they_deserve() -> None:
    found = [objection for row in documents.rows() for objection in row.objections]
    assert not found, "\n".join(found[:10])
    page = Path(__file__).parents[2] / "docs" / "numerics.md"
    assert documents.table() in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("dtype", FORMATS)
def test_bounds_are_near_what_textbook_forms_do_lose(dtype: str) -> None:
    found = [answer for question in questions(dtype, SHARE) for answer in answers(question)]
    assert not [str(answer) for answer in found if not answer.holds]
    assert len(found) > 20
    assert sum(answer.is_tight for answer in found) > len(found) / 2


def known(name: str, parameters: dict[str, Any], **inputs: Array) -> truth.Truth:
    dtype = next(iter(inputs.values())).dtype.name
    return truth.evaluate(Case("tests:case", name, inputs, parameters, dtype, Expectation(), Source("tests.yaml", 1)))


def lost_and_allowed(name: str, parameters: dict[str, Any], output: str, **inputs: Array) -> tuple[Array, Array]:
    """What the reference has lost of an output, and the bound on it."""
    found = known(name, parameters, **inputs)
    with np.errstate(all="ignore"):
        observed = REFERENCE[name].run(inputs, OPERATIONS[name].complete(parameters), ["value", output])[output]
    exact = found.outputs[output]
    return np.abs((observed.astype(np.float64) - exact.high) - exact.low), found.bounds[output].passing + exact.radius


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_rounded_epsilon_may_decide_a_clip(dtype: str) -> None:
    """P is epsilon as the dtype has it, which is less than epsilon: clipped by one, free by the other."""
    form = FORMATS[dtype]
    epsilon = 1e-3 * (1 + form.unit_roundoff / 4)
    while float(form.dtype.type(epsilon)) >= epsilon:
        epsilon *= 1 + form.unit_roundoff / 4
    p, z = np.array([epsilon], dtype), np.ones(1, dtype)
    given = {"probabilities": p, "labels": z}
    lost, allowed = lost_and_allowed("binary_cross_entropy", {"epsilon": epsilon}, "gradient:probabilities", **given)
    assert lost[0] > 100
    assert lost[0] <= allowed[0]


@pytest.mark.parametrize("output", ["value", "gradient:probabilities", "gradient:labels"])
@pytest.mark.parametrize("normalize", ["before", "after"])
def test_a_rounded_quotient_may_decide_a_clip(normalize: str, output: str) -> None:
    bits, unit = np.random.Generator(np.random.Philox(7)), FORMATS["float32"].unit_roundoff
    p = bits.uniform(0.1, 1, (500, 9)).astype(np.float32)
    share = 1e-2 / (1 - 1e-2) * (1 + 4 * unit * bits.standard_normal(500))
    p[:, 3] = share * (p.sum(axis=-1, dtype=np.float64) - p[:, 3])
    z = np.eye(9, dtype=np.float32)[np.full(500, 3)]
    parameters = {"epsilon": 1e-2, "normalize": normalize}
    lost, allowed = lost_and_allowed("categorical_cross_entropy", parameters, output, probabilities=p, labels=z)
    assert np.all(lost <= allowed)
    if normalize == "before" and output == "gradient:probabilities":
        assert np.max(lost) > 1  # rounding did decide some of them


def test_a_clip_from_above_costs_small_parts_nothing() -> None:
    """1 - epsilon has a rounding of the size of u, which a small q doesn't come near."""
    p = np.array([[1e-4, 1 - 1e-4]], np.float32)
    z = np.array([[1.0, 0.0]], np.float32)
    parameters = {"epsilon": 1e-7, "normalize": "before"}
    _, allowed = lost_and_allowed("categorical_cross_entropy", parameters, "value", probabilities=p, labels=z)
    assert allowed[0] < 1e-5


def test_what_weights_were_broadcast_along_is_one_sum() -> None:
    """However many axes it has: some add them up one after another."""
    x, z = np.random.Generator(np.random.Philox(2)).normal(0, 3, (2, 20, 15)).astype(np.float32)
    one, three = (
        known("sigmoid_cross_entropy", {}, logits=x.reshape(shape), labels=z.reshape(shape), weights=np.ones(w, "f4"))
        for shape, w in (((300,), (1,)), ((20, 15), (1, 1)))
    )
    bounds = [found.bounds["gradient:weights"].passing.item() for found in (one, three)]
    assert bounds[0] == pytest.approx(bounds[1], rel=1e-12)


def test_a_mean_divides_by_a_count_that_half_formats_round() -> None:
    """257 is 256 in bfloat16."""
    x, z = np.zeros(257, FORMATS["bfloat16"].dtype), np.ones(257, FORMATS["bfloat16"].dtype)
    found = known("sigmoid_cross_entropy", {"reduction": "mean"}, logits=x, labels=z)
    exact, bound = found.outputs["gradient:logits"].high[0], found.bounds["gradient:logits"].passing[0]
    assert abs(-0.5 / 256 - exact) <= bound


@pytest.mark.parametrize("operation", ["softmax_focal_cross_entropy", "categorical_focal_cross_entropy"])
def test_what_small_shares_leave_of_1_costs_a_rounding_and_not_two_sums(operation: str) -> None:
    """1 - q is 0.999 here, and a sum of 1,000 numbers may lose 999 u: two of them, squared, would be 4,000."""
    z = np.zeros((1, 1000), np.float32)
    z[0, 3] = 1
    leading = {"logits": np.zeros_like(z)} if operation.startswith("softmax") else {"probabilities": z * 0 + 0.001}
    parameters: dict[str, Any] = {} if "logits" in leading else {"normalize": "before"}
    found = known(operation, parameters, **leading, labels=z)
    relative = found.bounds["value"].passing[0] / found.outputs["value"].high[0]
    assert 999 / np.log(1000) * 2.0**-24 < relative < 200 * 2.0**-24  # the sum of log q


def test_what_a_prediction_misses_counts_once_in_its_power() -> None:
    """m**2 / m would count what m has lost three times, and come to 24 u; it is one m."""
    found = known("sigmoid_focal_cross_entropy", {}, logits=np.array([3.0], "f4"), labels=np.array([0.125], "f4"))
    relative = found.bounds["gradient:labels"].passing[0] / abs(found.outputs["gradient:labels"].high[0])
    assert 8 * 2.0**-24 < relative < 18 * 2.0**-24


def test_slopes_that_nobody_computes_so_allow_nothing() -> None:
    """By differences from the first upstream number, which is all too large here."""
    x, u = np.array([[-20.0, 3.0, 2.0]], np.float32), np.array([[1e6, 1.0, 2.0]], np.float32)
    found = known("softmax", {}, logits=x, upstream=u).bounds["gradient:logits"]
    assert found.named["rounding"][0, 1] > 100 * found.passing[0, 1]


@pytest.mark.parametrize("normalize", ["before", "after"])
def test_one_computed_sum_of_probabilities_is_counted_once(normalize: str) -> None:
    """In -z / (p / s) / s it is in three places, and cancels in two."""
    p, labels = np.full((1, 1000), 2.0**-10, np.float32), np.array([7])
    found = known("sparse_categorical_cross_entropy", {"normalize": normalize}, probabilities=p, labels=labels)
    exact = np.abs(found.outputs["gradient:probabilities"].high)
    relative = found.bounds["gradient:probabilities"].passing / exact
    assert 999 * 2.0**-24 < relative[0, 0] < 1015 * 2.0**-24
    assert relative[0, 7] < 20 * 2.0**-24
