from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from harness.adapters import Implementation, has_index_labels
from harness.adapters import numpy as adapter
from harness.operations import OPERATIONS
from harness.worker.frames import Tensor

ROWS = {i.path: i for i in adapter.IMPLEMENTATIONS}
COMPLETE = [row for path, row in ROWS.items() if not path.endswith("000_c_1")]
REFERENCES = [row for path, row in ROWS.items() if ".by_hand." not in path]
LOSSES = [row for row in REFERENCES if "reduction" in row.parameters]


def named(row: Implementation) -> str:
    return row.path


def run(
    row: Implementation, parameters: Any = (), wanted: Sequence[str] = ("value",), dtype: str = "float64", **inputs: Any
) -> Any:
    """One call in this process; labels of sparse losses are indices."""
    tensors = {}
    for name, given in inputs.items():
        index = name == "samples" or (name == "labels" and has_index_labels(row.operation))
        tensors[name] = Tensor.of(np.asarray(given, np.int64 if index else dtype))
    complete = OPERATIONS[row.operation].complete(dict(parameters))
    outputs = adapter.call(row, "eager", tensors, complete, wanted)
    return [outputs[name].data for name in wanted]


def ordinary(row: Implementation, axis: int = -1) -> dict[str, Any]:
    """Inputs away from every kink."""
    bits = np.random.default_rng(3)
    leading = bits.uniform(0.3, 0.7, (3, 4)) if row.gradients[0] == "probabilities" else bits.normal(0, 2, (3, 4))
    inputs = {row.gradients[0]: leading}
    if "kernel" in row.gradients:
        inputs |= {"kernel": bits.normal(0, 1, (4, 4)), "biases": bits.normal(0, 1, 4)}
    if any(i.name == "samples" for i in OPERATIONS[row.operation].inputs):
        expected = {"true_expected": bits.uniform(0.1, 1, (3, 1)), "sampled_expected": bits.uniform(0.1, 1, 2)}
        return {**inputs, **expected, "labels": np.array([[0], [3], [2]]), "samples": np.array([3, 1])}
    if has_index_labels(row.operation):
        return {**inputs, "labels": bits.integers(0, 3, np.delete((3, 4), axis))}
    return {**inputs, "labels": bits.dirichlet(np.ones(4), 3)} if "labels" in row.gradients else inputs


def test_every_operation_with_a_definition_has_a_reference() -> None:
    assert {row.operation for row in REFERENCES} == {name for name, o in OPERATIONS.items() if o.outputs}
    assert {path for path in ROWS if ".by_hand." not in path} == {"numpy." + row.operation for row in REFERENCES}


@pytest.mark.parametrize("row", COMPLETE, ids=named)
def test_agrees_with_the_definition(row: Implementation, numpy_worker: Any, assert_agrees: Any) -> None:
    assert assert_agrees(row, numpy_worker.send, "float64") >= 2


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("row", COMPLETE, ids=named)
def test_agrees_in_other_dtypes(row: Implementation, dtype: str, numpy_worker: Any, assert_agrees: Any) -> None:
    assert_agrees(row, numpy_worker.send, dtype)


def test_takes_every_parameter_of_its_operation() -> None:
    for row in REFERENCES:
        assert set(row.parameters) == {p.name for p in OPERATIONS[row.operation].parameters}, row.path


def test_has_a_gradient_with_respect_to_every_real_input() -> None:
    for row in REFERENCES:
        real = [i.name for i in OPERATIONS[row.operation].inputs if i.differentiable]
        assert list(row.gradients) == real


def weighed(row: Implementation, parameters: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs with a weight for each loss, or for each row of a row's mean, and for each class."""
    unreduced = "row_mean" if parameters["reduction"].startswith("row_mean") else "none"
    (losses,) = run(row, {**parameters, "reduction": unreduced}, **inputs)
    if "class_weights" in row.inputs:
        inputs = {**inputs, "class_weights": np.linspace(0.5, 3.0, inputs[row.gradients[0]].shape[parameters["axis"]])}
    return {**inputs, "weights": np.linspace(0.5, 2.0, losses.size).reshape(losses.shape)}


def differences(row: Implementation, parameters: Any, name: str, **inputs: Any) -> Any:
    """Central differences of sum(upstream * value) by the input of that name."""
    slopes = np.empty_like(inputs[name])
    for place in np.ndindex(*slopes.shape):
        step = np.zeros_like(inputs[name])
        step[place] = 1e-6
        (above,) = run(row, parameters, **{**inputs, name: inputs[name] + step})
        (below,) = run(row, parameters, **{**inputs, name: inputs[name] - step})
        slopes[place] = np.sum(inputs["upstream"] * (above - below)) / 2e-6
    return slopes


@pytest.mark.parametrize("row", REFERENCES, ids=named)
def test_gradients_are_the_finite_differences(row: Implementation, combinations: Any) -> None:
    wanted = ["gradient:" + name for name in row.gradients]
    for parameters in combinations(row):
        inputs = ordinary(row, parameters.get("axis", -1))
        if row in LOSSES:
            inputs = weighed(row, parameters, inputs)
        (value,) = run(row, parameters, **inputs)
        inputs["upstream"] = np.random.default_rng(7).normal(0, 1, value.shape)
        for name, gradient in zip(row.gradients, run(row, parameters, wanted, **inputs), strict=True):
            numeric = differences(row, parameters, name, **inputs)
            assert (gradient.dtype, gradient.shape) == (np.float64, numeric.shape)
            np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8, err_msg=f"{name} {parameters}")


@pytest.mark.parametrize("shape", [(), (1,), (4,), (1, 4), (3, 1), (3, 4)])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "weighted_mean", "nonzero_mean"])
def test_gradient_of_weights_has_their_shape(reduction: str, shape: tuple[int, ...]) -> None:
    row = ROWS["numpy.sigmoid_cross_entropy"]
    weights = np.linspace(0.5, 2.0, int(np.prod(shape))).reshape(shape)
    inputs = {**ordinary(row), "weights": weights, "upstream": np.full((3, 4) if reduction == "none" else (), 1.5)}
    (gradient,) = run(row, {"reduction": reduction}, ["gradient:weights"], **inputs)
    assert gradient.shape == shape
    numeric = differences(row, {"reduction": reduction}, "weights", **inputs)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


def test_gradient_of_an_input_that_is_not_there_is_not_given() -> None:
    row = ROWS["numpy.sigmoid_cross_entropy"]
    inputs = {name: Tensor.of(array) for name, array in ordinary(row).items()}
    wanted = ("value", *("gradient:" + name for name in row.gradients))
    outputs = adapter.call(row, "eager", inputs, OPERATIONS[row.operation].complete({}), wanted)
    assert list(outputs) == ["value", "gradient:logits", "gradient:labels"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_scalars_and_rows_keep_their_dtype(shape: tuple[int, ...], dtype: str) -> None:
    for row in ROWS.values():
        if row.operation in {"sigmoid", "log_sigmoid", "sigmoid_cross_entropy"}:
            wanted = ("value", *("gradient:" + n for n in row.gradients))
            x = np.linspace(-2, 2, int(np.prod(shape, dtype=int))).reshape(shape)
            others = {} if row.operation.endswith("sigmoid") else {"labels": np.ones(shape), "weights": np.ones(shape)}
            outputs = run(row, wanted=wanted, dtype=dtype, logits=x, **others)
            assert {a.dtype.name for a in outputs} == {dtype}, row.path
            assert {a.shape for a in outputs} == {shape}, row.path


@pytest.mark.parametrize("row", LOSSES, ids=named)
def test_unknown_reduction_raises(row: Implementation) -> None:
    with pytest.raises(ValueError, match="reduction is 'avg', not one of none, sum"):
        run(row, {"reduction": "avg"}, **ordinary(row))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("label_smoothing", 1.5),
        ("label_smoothing", float("nan")),
        ("label_smoothing", True),
        ("pos_weight", -1.0),
        ("epsilon", 0.6),
        ("epsilon_use", "cut"),
        ("log_floor", 1.0),
        ("normalize", "twice"),
        ("axis", 2),
        ("axis", "last"),
    ],
)
def test_parameter_out_of_range_raises(name: str, value: Any) -> None:
    rows = [row for row in LOSSES if name in row.parameters]
    assert rows
    for row in rows:
        with pytest.raises(ValueError, match=repr(value).strip("'")):
            run(row, {name: value}, **ordinary(row))


def test_shapes_that_differ_raise() -> None:
    for row in LOSSES:
        inputs = ordinary(row)
        with pytest.raises(ValueError, match="labels have shape"):
            run(row, **{**inputs, "labels": inputs["labels"][:2]})


@pytest.mark.parametrize("label", [-1, 4])
def test_index_out_of_range_raises(label: int) -> None:
    for row in LOSSES:
        if has_index_labels(row.operation):
            with pytest.raises(ValueError, match=r"labels outside 0\.\.3"):
                run(row, **{**ordinary(row), "labels": [0, label, 1]})


def test_log_of_a_negative_number_raises() -> None:
    for row in LOSSES:
        if row.gradients[0] == "probabilities" and row.operation != "relative_entropy":  # which is infinite there
            inputs = ordinary(row)
            inputs["probabilities"][0, 0] = -0.25
            with pytest.raises(ValueError, match="probabilities outside"):
                run(row, **inputs)
            if "gamma" not in row.parameters:  # a power is of the probability as it was given
                run(row, {"epsilon": 1e-3}, **inputs)


def test_weights_that_do_not_fit_raise() -> None:
    for row in LOSSES:
        with pytest.raises(ValueError, match="don't broadcast"):
            run(row, weights=np.ones((2, 2)), **ordinary(row))


def test_mean_of_nothing_raises_and_sum_of_nothing_is_zero() -> None:
    row = ROWS["numpy.sigmoid_cross_entropy"]
    nothing: dict[str, Any] = {"logits": np.ones((0, 2)), "labels": np.ones((0, 2))}
    with pytest.raises(ValueError, match="the mean of no losses"):
        run(row, {"reduction": "mean"}, **nothing)
    assert run(row, {"reduction": "sum"}, **nothing)[0] == 0.0


@pytest.mark.parametrize(("answer", "number"), [("zero", 0.0), ("nan", np.nan)])
def test_means_without_weight_are_what_empty_mean_says(answer: str, number: float) -> None:
    row = ROWS["numpy.sigmoid_cross_entropy"]
    for reduction in ("weighted_mean", "nonzero_mean"):
        wanted = ("value", *("gradient:" + name for name in row.gradients))
        parameters = {"reduction": reduction, "empty_mean": answer}
        outputs = run(row, parameters, wanted, logits=[1.0], labels=[0.0], weights=[0.0])
        np.testing.assert_array_equal(np.hstack(outputs), [number] * 4)


def test_an_ignored_row_is_nothing_whatever_it_holds() -> None:
    row = ROWS["numpy.sparse_softmax_cross_entropy"]
    given: dict[str, Any] = {"logits": [[np.nan, 0.0], [0.0, 0.0]], "labels": [-100, 1]}
    parameters = {"ignore_index": -100, "reduction": "valid_mean"}
    value, slopes = run(row, parameters, ("value", "gradient:logits"), **given)
    assert value == np.log(2.0)
    assert slopes.tolist() == [[0.0, 0.0], [0.5, -0.5]]


def test_gradients_of_labels_are_finite_where_logits_are_extreme() -> None:
    for row in (ROWS["numpy.sigmoid_cross_entropy"], ROWS["numpy.weighted_sigmoid_cross_entropy"]):
        (gradient,) = run(row, {}, ["gradient:labels"], "float32", logits=[-1e4, 0.0, 1e4], labels=[0.5] * 3)
        assert gradient.tolist() == [1e4, 0.0, -1e4]
    row = ROWS["numpy.weighted_sigmoid_cross_entropy"]
    (gradient,) = run(row, {"pos_weight": 0.0}, ["gradient:labels"], logits=[-np.inf, -1e4], labels=[0.5, 0.5])
    assert gradient.tolist() == [0.0, 0.0]


def test_labels_smoothed_away_have_no_gradient() -> None:
    row = ROWS["numpy.softmax_cross_entropy"]
    logits = [[-np.inf, 0.0]]
    (gradient,) = run(row, {"label_smoothing": 1.0}, ["gradient:labels"], logits=logits, labels=[[0.0, 1.0]])
    assert gradient.tolist() == [[0.0, 0.0]]


def test_gradient_of_labels_is_that_of_the_guarded_logarithms() -> None:
    row = ROWS["numpy.binary_cross_entropy"]
    given: dict[str, Any] = {"probabilities": [0.0, 1.0], "labels": [0.5, 0.5]}
    (bare,) = run(row, {}, ["gradient:labels"], **given)
    (floored,) = run(row, {"log_floor": -100.0}, ["gradient:labels"], **given)
    assert bare.tolist() == [np.inf, -np.inf]
    assert floored.tolist() == [100.0, -100.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_zero_times_log_zero_is_zero(dtype: str) -> None:
    binary = ROWS["numpy.binary_cross_entropy"]
    given = {"probabilities": [0.0, 1.0], "labels": [0.0, 1.0]}
    wanted = ("value", "gradient:probabilities")
    value, gradient = run(binary, wanted=wanted, dtype=dtype, **given)
    assert value.tolist() == [0.0, 0.0]
    assert gradient.tolist() == [1.0, -1.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_clipping_is_exact_at_both_ends(dtype: str) -> None:
    row = ROWS["numpy.binary_cross_entropy"]
    wanted = ("value", "gradient:probabilities")
    given = {"probabilities": [0.0, 1.0], "labels": [1.0, 0.0]}
    value, gradient = run(row, {"epsilon": 1e-7}, wanted, dtype, **given)
    assert value.tolist() == [float(np.dtype(dtype).type(-np.log(1e-7)))] * 2
    assert gradient.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("normalize", ["before", "after"])
def test_a_label_on_nothing_has_slopes_by_limit(normalize: str) -> None:
    """-log(q / (p + q)) at q = 0: -infinite by q, 1 / p by p; and nothing is a share of nothing."""
    given: dict[str, Any] = {"probabilities": [[0.5, 0.0], [0.0, 0.0]], "labels": [[0, 1], [0, 1]]}
    row = ROWS["numpy.categorical_cross_entropy"]
    (slopes,) = run(row, {"normalize": normalize}, ("gradient:probabilities",), **given)
    np.testing.assert_array_equal(slopes, [[2.0, -np.inf], [np.nan, np.nan]])


def test_extreme_logits_stay_finite_where_the_textbook_form_does() -> None:
    for x in (-1e4, 1e4):
        for row in (ROWS["numpy.sigmoid_cross_entropy"], ROWS["numpy.weighted_sigmoid_cross_entropy"]):
            (value,) = run(row, dtype="float32", logits=[x], labels=[0.0])
            assert value.tolist() == [max(x, 0.0)]
    (value,) = run(ROWS["numpy.log_softmax"], dtype="float32", logits=[[1e4, -1e4]])
    assert value.tolist() == [[0.0, -2e4]]


def test_nothing_is_said_on_standard_error(recwarn: pytest.WarningsRecorder) -> None:
    for row in ROWS.values():
        if row.operation == "sigmoid_cross_entropy":
            run(row, logits=[np.inf, -np.inf, np.nan, 1e308], labels=[1.0, 0.0, 1.0, 0.0])
    run(ROWS["numpy.softmax"], logits=[[-np.inf, -np.inf]])
    assert not recwarn


def test_a_probability_that_is_no_number_has_no_slope() -> None:
    row = ROWS["numpy.binary_cross_entropy"]
    given = {"probabilities": Tensor.of(np.array([np.nan, 0.5])), "labels": Tensor.of(np.array([1.0, 1.0]))}
    parameters = OPERATIONS["binary_cross_entropy"].complete({})
    slopes = adapter.call(row, "eager", given, parameters, ["gradient:probabilities"])["gradient:probabilities"]
    assert np.isnan(slopes.data[0])
    assert slopes.data[1] == -2.0


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"logits": np.ones((2, 3), np.int64), "labels": np.array([0, 1])}, "logits are int64"),
        ({"logits": np.ones((2, 3), np.float32), "labels": np.array([0.0, 1.0])}, "labels are float64: indices"),
        (
            {"logits": np.ones((2, 3), np.float32), "labels": np.array([0, 1]), "weights": np.ones(2)},
            "weights are float64, logits float32",
        ),
    ],
)
def test_other_dtypes_are_refused(inputs: dict[str, np.ndarray], said: str) -> None:
    row = ROWS["numpy.sparse_softmax_cross_entropy"]
    given = {name: Tensor.of(array) for name, array in inputs.items()}
    with pytest.raises(ValueError, match=said):
        adapter.call(row, "eager", given, OPERATIONS[row.operation].complete({}), ("value",))
