from __future__ import annotations

from dataclasses import fields
from typing import Any

import ml_dtypes  # noqa: F401 - gives NumPy the name bfloat16
import numpy as np
import pytest

from harness.model.case import Array, Case, Domain, Expectation, Source
from harness.operations import OPERATIONS
from harness.oracle import blocks, truth
from harness.oracle.formats import FORMATS
from harness.oracle.truth import FIRST_BITS, FLOAT64_BITS, Enclosure, Truth
from tests.oracle.enclosing import compared

INF = float("inf")
DTYPES = ("float16", "bfloat16", "float32", "float64")


def case(operation: str, parameters: dict[str, Any], dtype: str = "float32", /, **inputs: Any) -> Case:
    arrays = {n: np.asarray(v) if isinstance(v, np.ndarray) else np.asarray(v, dtype) for n, v in inputs.items()}
    return Case("tests:case", operation, arrays, parameters, dtype, Expectation(), Source("tests.yaml", 1))


def evaluate(operation: str, parameters: dict[str, Any], dtype: str = "float32", /, **inputs: Any) -> Truth:
    return truth.evaluate(case(operation, parameters, dtype, **inputs))


def normal(shape: tuple[int, ...], dtype: str = "float32") -> Array:
    return np.random.Generator(np.random.Philox(1)).normal(0, 6, shape).astype(dtype)


# What is evaluated.


def test_truth_is_for_the_inputs_as_rounded() -> None:
    found = evaluate("sigmoid_cross_entropy", {}, logits=[0.1], labels=[1.0])
    assert found.region.domain is Domain.INSIDE
    assert found.outputs["value"].high.dtype == np.float64
    assert found.outputs["value"].high[0] == pytest.approx(np.log1p(np.exp(-float(np.float32(0.1)))), rel=1e-15)
    assert found.outputs["value"].high[0] != pytest.approx(np.log1p(np.exp(-0.1)), rel=1e-10)


def test_there_is_a_gradient_for_each_input_that_a_call_has() -> None:
    given: dict[str, Any] = {"logits": [0.5], "labels": [1.0]}
    plain = evaluate("sigmoid_cross_entropy", {}, **given)
    assert set(plain.outputs) == {"value", "gradient:logits", "gradient:labels"}
    weighted = evaluate("sigmoid_cross_entropy", {}, **given, weights=[2.0], upstream=[1.0])
    assert set(weighted.outputs) == set(weighted.bounds) == {*plain.outputs, "gradient:weights"}
    sparse = evaluate("sparse_softmax_cross_entropy", {}, logits=np.eye(2), labels=np.array([0, 1]))
    assert set(sparse.outputs) == {"value", "gradient:logits"}
    found = evaluate("binary_cross_entropy", {}, probabilities=[0.5], labels=[1.0])
    np.testing.assert_array_equal(found.outputs["gradient:probabilities"].high, [-2.0])


def test_upstream_defaults_to_ones_of_the_values_shape() -> None:
    given = {"logits": [[1.0, 2.0]], "labels": [[0.5, 0.0]]}
    ones = evaluate("softmax_cross_entropy", {}, **given).outputs["gradient:logits"]
    said = evaluate("softmax_cross_entropy", {}, **given, upstream=[1.0]).outputs["gradient:logits"]
    np.testing.assert_array_equal(ones.high, said.high)


@pytest.mark.parametrize(
    ("parameters", "labels", "reason"),
    [
        ({}, np.array([0, 5]), "label 5 is no class of 0..1"),
        ({"reduction": "avg"}, np.array([0, 1]), "reduction is 'avg', not one of"),
        ({"axis": 3}, np.array([0, 1]), "no axis 3"),
    ],
)
def test_there_is_no_truth_for_undefined_input(parameters: dict[str, Any], labels: Any, reason: str) -> None:
    found = evaluate("sparse_softmax_cross_entropy", parameters, logits=np.eye(2), labels=labels)
    assert found.region.domain is Domain.UNDEFINED
    assert reason in found.region.reason
    assert dict(found.outputs) == {}


def test_extended_input_has_a_truth() -> None:
    found = evaluate("sigmoid_cross_entropy", {}, logits=[0.0], labels=[2.0])
    assert found.region.domain is Domain.EXTENDED
    assert found.outputs["value"].high[0] == pytest.approx(np.log(2), rel=1e-15)


@pytest.mark.parametrize("normalize", ["none", "before"])
def test_infinities_and_nan_warn_nobody(normalize: str) -> None:
    found = evaluate("softmax_cross_entropy", {}, logits=[[INF, INF], [-INF, 0.0]], labels=np.eye(2))
    assert np.isnan(found.outputs["value"].high[0])
    assert found.outputs["value"].high[1] == 0.0
    given = {"probabilities": [[0.0, 0.0]], "labels": [[1.0, 0.0]]}
    found = evaluate("categorical_cross_entropy", {"normalize": normalize}, **given)
    assert not np.isfinite(found.outputs["value"].high).any()
    assert not found.outputs["value"].radius.any()


def test_reports_can_say_what_truth_was() -> None:
    assert truth.METHOD.startswith("certified")


# Tiers.


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("operation", ["sigmoid_cross_entropy", "softmax_cross_entropy"])
def test_float64_decides_what_narrower_dtypes_ask(operation: str, dtype: str) -> None:
    given = {"logits": normal((20, 5), dtype), "labels": np.repeat(np.eye(5, dtype=dtype), 4, axis=0)}
    for enclosure in evaluate(operation, {}, dtype, **given).outputs.values():
        assert (enclosure.bits == FLOAT64_BITS).all()
        assert not enclosure.low.any()


@pytest.mark.parametrize("operation", ["sigmoid_cross_entropy", "softmax_cross_entropy"])
def test_float64_subjects_are_decided_in_balls(operation: str) -> None:
    given = {"logits": normal((20, 5), "float64"), "labels": np.repeat(np.eye(5), 4, axis=0)}
    found = evaluate(operation, {}, "float64", **given).outputs["value"]
    assert (found.bits == FIRST_BITS).all()
    assert (found.radius <= np.abs(found.high) * 2.0**-100).all()
    assert found.low.any()


def test_what_is_exact_in_float64_needs_no_ball() -> None:
    given: dict[str, Any] = {"logits": [1.5, -0.25], "labels": [0.5, 1.0]}
    found = evaluate("sigmoid_cross_entropy", {}, "float64", **given).outputs["gradient:labels"]
    np.testing.assert_array_equal(found.high, [-1.5, 0.25])
    np.testing.assert_array_equal(found.radius, 0.0)
    assert (found.bits == FLOAT64_BITS).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_cancellation_alone_goes_to_balls(dtype: str) -> None:
    """Sigma(x) (1 - z) - sigma(-x) z with x as near to logit(z) as the dtype has it."""
    x = np.array([0.5, 2.0**-12, 8.0]).astype(dtype)
    z = np.array([0.25, 0.5, 0.5]).astype(dtype)
    found = evaluate("sigmoid_cross_entropy", {}, dtype, logits=x, labels=z).outputs["gradient:logits"]
    assert found.high[1] == pytest.approx(2.0**-14, rel=1e-6)
    whole = case("sigmoid_cross_entropy", {}, dtype, logits=x, labels=z)
    assert not compared(whole, truth.evaluate(whole).outputs)


def test_more_bits_where_fewer_do_not_do() -> None:
    """Weighted losses that cancel, of logits whose difference float64 holds in full."""
    given = {"logits": [40.0, 40.0], "labels": [1.0, 1.0], "weights": [1.0, -1.0 + 2.0**-53]}
    found = evaluate("sigmoid_cross_entropy", {"reduction": "sum"}, "float64", **given).outputs["value"]
    assert found.bits >= FIRST_BITS
    assert found.high == pytest.approx(np.exp(-40.0) * 2.0**-53, rel=1e-15)
    near = {"logits": [0.0, 2.0**-1000], "labels": [0.5, 0.5], "weights": [1.0, -1.0]}
    found = evaluate("sigmoid_cross_entropy", {"reduction": "sum"}, "float64", **near).outputs["value"]
    assert found.bits > FIRST_BITS


@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_zeros_are_exact(dtype: str) -> None:
    least = FORMATS[dtype].smallest_subnormal

    def zero(enclosure: Enclosure) -> bool:
        allowed = 0.0 if dtype == "float64" else least / 64
        return not (enclosure.high.any() or enclosure.low.any()) and bool((enclosure.radius <= allowed).all())

    half = evaluate("sigmoid_cross_entropy", {}, dtype, logits=[0.0, -0.0], labels=[0.5, 0.5])
    assert zero(half.outputs["gradient:logits"])
    uniform = {"logits": [[2.5] * 4], "labels": [[0.25] * 4]}
    assert zero(evaluate("softmax_cross_entropy", {}, dtype, **uniform).outputs["gradient:logits"])
    assert zero(evaluate("softmax", {}, dtype, logits=normal((3, 4), dtype)).outputs["gradient:logits"])
    one_class = {"logits": [[2.5], [-3.0]], "labels": [[1.0], [1.0]]}
    assert all(
        zero(enclosure) for enclosure in evaluate("softmax_cross_entropy", {}, dtype, **one_class).outputs.values()
    )


@pytest.mark.parametrize("operation", ["sparse_categorical_cross_entropy", "categorical_cross_entropy"])
def test_the_slope_at_either_zero_is_the_limit_from_inside(operation: str) -> None:
    labels = np.array([0, 0]) if operation.startswith("sparse") else [[1.0, 0.0], [1.0, 0.0]]
    given = {"probabilities": [[0.0, 1.0], [-0.0, 1.0]], "labels": labels}
    found = evaluate(operation, {}, "float32", **given)
    assert found.outputs["gradient:probabilities"].high[:, 0].tolist() == [-INF, -INF]


def test_a_share_that_underflows_leaves_the_others_slopes() -> None:
    row, labels = [[0.0, 0.88, 5e-324, 0.22, 0.99]], [[0.5, 1.0, 0.36, 1.0, 1.0]]
    given = {"probabilities": row, "labels": labels}
    found = evaluate("categorical_focal_cross_entropy", {"normalize": "before"}, "float64", **given)
    assert found.outputs["gradient:probabilities"].high[0, 0] == -INF


def test_a_truth_beyond_float64_is_an_infinity_without_radius() -> None:
    given = {"logits": [-1.5e308], "labels": [1.0], "weights": [2.0]}
    found = evaluate("sigmoid_cross_entropy", {}, "float64", **given)
    assert found.outputs["value"].high[0] == INF
    assert found.outputs["value"].radius[0] == 0.0
    assert found.outputs["gradient:weights"].high[0] == 1.5e308
    nothing = evaluate("sigmoid", {}, "float64", logits=[-1e300]).outputs["value"]
    assert (nothing.high[0], nothing.low[0], nothing.radius[0]) == (0.0, 0.0, 2.0**-1074)


# Blocks.


PARTS = [
    ("sigmoid_cross_entropy", {}, (30, 7)),
    ("sigmoid_cross_entropy", {"label_smoothing": 0.1}, (210,)),
    ("softmax_cross_entropy", {}, (30, 7)),
    ("softmax_cross_entropy", {"axis": 0}, (7, 5, 6)),
    ("sparse_softmax_cross_entropy", {"axis": 1}, (5, 7, 6)),
    ("log_softmax", {"axis": 1}, (5, 7, 6)),
    ("logsumexp", {"axis": 0}, (7, 5, 6)),
]


def large(operation: str, parameters: dict[str, Any], shape: tuple[int, ...]) -> Case:
    axis = parameters.get("axis", -1)
    losses = np.delete(shape, axis) if "softmax" in operation else shape
    given = {"logits": normal(shape)}
    if operation.startswith("sparse"):
        given["labels"] = np.arange(np.prod(losses)).reshape(losses) % shape[axis]
    elif operation.endswith("entropy"):
        given["labels"] = np.abs(np.cos(np.arange(np.prod(shape)))).reshape(shape).astype(np.float32)
    if operation.endswith("entropy"):
        given["weights"] = normal(tuple(losses))
    return case(operation, parameters, **given)


@pytest.mark.parametrize(("operation", "parameters", "shape"), PARTS)
def test_blocks_joined_are_the_whole(
    monkeypatch: pytest.MonkeyPatch, operation: str, parameters: dict[str, Any], shape: tuple[int, ...]
) -> None:
    call = large(operation, parameters, shape)
    whole = truth.evaluate(call)
    monkeypatch.setattr(blocks, "BLOCK", 20)
    named = OPERATIONS[operation]
    assert len(list(blocks.blocks(call, whole.region, tuple(named.offered(call.inputs))))) > 1
    joined = truth.evaluate(call)
    assert joined.outputs.keys() == whole.outputs.keys() == joined.bounds.keys()
    for name, enclosure in whole.outputs.items():
        for part in fields(Enclosure):
            a, b = getattr(enclosure, part.name), getattr(joined.outputs[name], part.name)
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=0)
        bounds, parts = whole.bounds[name], joined.bounds[name]
        np.testing.assert_allclose(bounds.passing, parts.passing, rtol=1e-12)
        np.testing.assert_allclose(bounds.pairwise, parts.pairwise, rtol=1e-12)
        np.testing.assert_allclose(bounds.attainable, parts.attainable, rtol=1e-12)
        assert list(bounds.named) == list(parts.named)
        assert bounds.terms == parts.terms


def test_a_reduced_call_is_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 20)
    call = case(
        "sigmoid_cross_entropy", {"reduction": "mean"}, logits=normal((9, 9)), labels=np.ones((9, 9), np.float32)
    )
    assert len(list(blocks.blocks(call, truth.evaluate(call).region, ("value",)))) == 1
    assert truth.evaluate(call).outputs["value"].high.shape == ()


def test_large_calls_are_left_to_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    call = large("softmax_cross_entropy", {}, (30, 7))
    whole = truth.evaluate(call)
    monkeypatch.setattr(truth, "LARGE", 200)
    monkeypatch.setattr(blocks, "BLOCK", 64)
    found = truth.evaluate(call)
    assert found.large
    assert not found.outputs
    parts = list(blocks.blocks(call, found.region, ("value", "gradient:logits")))
    values = np.concatenate([part.truth.outputs["value"].high for part in parts])
    np.testing.assert_array_equal(parts[0].units.arranged(values), whole.outputs["value"].high)
    assert [part.chosen.start for part in parts] == list(range(0, 30, 9))
    assert all(set(part.truth.outputs) == {"value", "gradient:logits"} for part in parts)


# Bounds.


@pytest.mark.parametrize("dtype", DTYPES)
def test_bounds_are_of_the_outputs_shapes(dtype: str) -> None:
    given = {"logits": normal((4, 3), dtype), "labels": np.eye(4, 3, dtype=dtype), "weights": np.ones(4, dtype)}
    for reduction in ("none", "mean"):
        found = evaluate("softmax_cross_entropy", {"reduction": reduction}, dtype, **given)
        for name, bounds in found.bounds.items():
            shape = found.outputs[name].high.shape
            assert bounds.passing.shape == bounds.pairwise.shape == bounds.attainable.shape == shape
            assert (bounds.pairwise <= bounds.passing).all()
            assert bounds.terms == (3 if reduction == "none" else 4)
    assert list(found.bounds["value"].named) == ["rounding", "shift", "lse"]


def test_a_step_that_leaves_the_range_has_no_bound() -> None:
    given = {"logits": [[60000.0, -60000.0]], "labels": [[1.0, 0.0]]}
    found = evaluate("softmax_cross_entropy", {}, "float16", **given)
    assert np.isfinite(found.outputs["value"].high).all()
    assert np.isinf(found.bounds["gradient:labels"].passing).any()


def test_conditioning_is_what_the_inputs_own_rounding_changes() -> None:
    found = evaluate("sigmoid_cross_entropy", {}, "float64", logits=[3.0], labels=[0.25])
    slope = 0.75 / (1 + np.exp(-3.0)) - 0.25 / (1 + np.exp(3.0))
    size = found.outputs["value"].high[0] + 3.0 * slope + 0.25 * 3.0
    assert found.bounds["value"].attainable[0] == pytest.approx(2.0**-53 * size, rel=1e-12)


# Calls of one kind, together.


def alike(count: int, operation: str, parameters: dict[str, Any], shape: tuple[int, ...], dtype: str) -> list[Case]:
    """Calls of one kind with other numbers, the last three with one that isn't finite."""
    numbers = np.random.Generator(np.random.Philox(5)).normal(0, 40, (count, *shape)).astype(dtype)
    for call, number in zip(numbers[-3:], (-INF, np.nan, INF), strict=True):
        call.reshape(-1)[0] = number
    labels = np.arange(shape[0]) % shape[-1] if operation.startswith("sparse") else np.full(shape, 0.25, dtype)
    given = {"labels": labels} if operation.endswith("entropy") else {}
    return [case(operation, parameters, dtype, logits=each, **given) for each in numbers]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", ["sigmoid_cross_entropy", "sparse_softmax_cross_entropy", "log_softmax"])
def test_a_truth_does_not_depend_on_the_calls_beside_it(operation: str, dtype: str) -> None:
    calls = alike(6, operation, {}, (3, 4), dtype)
    mixed = [calls[0], case("sigmoid", {}, dtype, logits=[1.0]), *calls[1:]]
    for call, together in zip(mixed, truth.evaluate_all(mixed), strict=True):
        alone = truth.evaluate(call)
        assert together.outputs.keys() == alone.outputs.keys()
        for name, enclosure in alone.outputs.items():
            for part in fields(Enclosure):
                a, b = getattr(enclosure, part.name), getattr(together.outputs[name], part.name)
                np.testing.assert_array_equal(a, b, err_msg=f"{name} {part.name}")
            np.testing.assert_array_equal(together.bounds[name].passing, alone.bounds[name].passing)
            np.testing.assert_array_equal(together.bounds[name].attainable, alone.bounds[name].attainable)


def test_each_call_keeps_its_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 3)
    inside = case("sigmoid_cross_entropy", {}, logits=[1.0, 2.0], labels=[0.0, 1.0])
    outside = case("sigmoid_cross_entropy", {}, logits=[1.0, 2.0], labels=[0.0, 2.0])
    wrong = case("sigmoid_cross_entropy", {}, logits=[1.0, 2.0], labels=[0.0])
    found = truth.evaluate_all([inside, wrong, outside])
    assert [each.region.domain for each in found] == [Domain.INSIDE, Domain.UNDEFINED, Domain.EXTENDED]
    np.testing.assert_array_equal(found[2].outputs["value"].high, truth.evaluate(outside).outputs["value"].high)


def test_a_single_row_without_an_axis_of_rows() -> None:
    one = evaluate("sparse_softmax_cross_entropy", {"reduction": "sum"}, logits=[1.0, 2.0, 0.5], labels=np.array(2))
    rows = evaluate("sparse_softmax_cross_entropy", {}, logits=[[1.0, 2.0, 0.5]], labels=np.array([2]))
    slopes = "gradient:logits"
    np.testing.assert_array_equal(one.outputs[slopes].high, rows.outputs[slopes].high[0])
    np.testing.assert_array_equal(one.bounds[slopes].passing, rows.bounds[slopes].passing[0])
