from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any

import ml_dtypes  # noqa: F401 - gives NumPy the name bfloat16
import mpmath
import numpy as np
import pytest

from harness.model.case import Array, Case, Expectation, Source
from harness.operations import OPERATIONS
from tests.oracle import independent
from tests.oracle.independent import Call, Real, Sigmoid, Softmax, exp, log, log1p, outputs, real, total

INF, NAN = math.inf, math.nan
STEP = 2.0**-30
LOG_2 = "0.6931471805599453094172321214581765680755001343602552541206800094934"

LOGITS = [[1.5, -0.75, 3.25], [-2.5, 4.0, 0.125]]
PROBABILITIES = [[0.25, 0.75, 0.4375], [0.9375, 0.0625, 0.5]]
LABELS = [[0.25, 0.0, 0.75], [1.0, 0.625, 0.375]]
INDICES = [2, 0]
ELEMENT_WEIGHTS = [[0.5, 2.0, 1.25], [-0.25, 3.0, 1.0]]
ELEMENT_UPSTREAM = [[1.0, -0.5, 2.0], [0.25, 3.0, -1.5]]

ELEMENTWISE = ("sigmoid_cross_entropy", "weighted_sigmoid_cross_entropy", "binary_cross_entropy")
BY_CLASS = (
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
    "categorical_cross_entropy",
    "sparse_categorical_cross_entropy",
)
GUARDS: list[dict[str, Any]] = [
    {"epsilon": 0.125},
    {"epsilon": 0.125, "epsilon_use": "add"},
    {"epsilon": 0.125, "epsilon_use": "clip_add"},
    {"log_floor": -1.0},
    {"log_floor": -1.0, "epsilon": 0.03125, "epsilon_use": "add"},
]
NORMALIZED: list[dict[str, Any]] = [
    {"normalize": n, "epsilon": e} for n, e in product(["none", "before", "after"], [0.0, 0.125])
]
OWN: dict[str, list[dict[str, Any]]] = {
    "sigmoid_cross_entropy": [{"label_smoothing": 0.1}, {"label_smoothing": 1.0}],
    "weighted_sigmoid_cross_entropy": [{"pos_weight": 2.5}, {"pos_weight": 0.0}, {"label_smoothing": 0.1}],
    "binary_cross_entropy": [*GUARDS, {"label_smoothing": 0.1}],
    "softmax_cross_entropy": [{"label_smoothing": 0.1}, {"axis": 0}],
    "sparse_softmax_cross_entropy": [{"label_smoothing": 0.1}],
    "categorical_cross_entropy": [*NORMALIZED, {"label_smoothing": 0.1, "normalize": "before"}, {"axis": 0}],
    "sparse_categorical_cross_entropy": NORMALIZED,
}


def build(operation: str, dtype: str = "float64", /, **given: Any) -> Case:
    kinds = {i.name: i.kind for i in OPERATIONS[operation].inputs}
    inputs = {n: np.asarray(v, np.int64 if kinds[n] == "index" else dtype) for n, v in given.items() if n in kinds}
    parameters = {n: v for n, v in given.items() if n not in kinds}
    return Case("tests:case", operation, inputs, parameters, dtype, Expectation(), Source("tests.yaml", 1))


def found(operation: str, dtype: str = "float64", /, digits: int = 40, **given: Any) -> dict[str, Array]:
    return outputs(build(operation, dtype, **given), digits)


def assert_near(number: Any, expected: Any, digits: int = 38) -> None:
    with mpmath.workdps(2 * digits):
        expected = mpmath.mpf(expected)
        assert abs(number - expected) <= mpmath.mpf(10) ** -digits * abs(expected), (number, expected)


def floats(array: Array) -> Array:
    return array.astype(np.float64)


def loss_inputs(operation: str) -> dict[str, Any]:
    leading = OPERATIONS[operation].leading
    labels = INDICES if operation.startswith("sparse") else LABELS
    return {leading: LOGITS if leading == "logits" else PROBABILITIES, "labels": labels}


def value_of(case: Case) -> Any:
    """Sum of upstream * value, to 50 digits."""
    call = Call.of(case)
    primitive = case.operation in independent.PRIMITIVES
    value = (independent._primitive_outputs if primitive else independent._loss_outputs)(call)["value"]
    upstream = call.reals.get("upstream", independent.filled(value.shape, independent.ONE))
    return total(independent.times(upstream, value).flat).settled(50)


def difference(operation: str, given: dict[str, Any], name: str, place: tuple[int, ...]) -> Any:
    """Central difference of the summed value; the inputs' few bits leave room for an exact step."""
    ends = []
    for step in (STEP, -STEP):
        moved = np.array(given[name], dtype=np.float64)
        moved[place] += step
        ends.append(value_of(build(operation, **{**given, name: moved})))
    with mpmath.workdps(50):
        return (ends[0] - ends[1]) / (2 * mpmath.mpf(STEP))


def assert_gradients(operation: str, given: dict[str, Any]) -> None:
    gradients = {n.removeprefix("gradient:"): g for n, g in found(operation, **given).items() if n != "value"}
    inputs = {i.name for i in OPERATIONS[operation].inputs if i.kind == "real"} - {"upstream"}
    assert set(gradients) == inputs & set(given)
    for name, gradient in gradients.items():
        assert gradient.shape == np.shape(given[name])
        for place in np.ndindex(gradient.shape):
            expected = difference(operation, given, name, place)
            with mpmath.workdps(40):
                assert abs(gradient[place] - expected) <= 1e-15 * (1 + abs(expected)), (name, place)


# Values that are known.


def test_log_2() -> None:
    at_0 = found("sigmoid_cross_entropy", logits=[0.0, -0.0], labels=[0.0, 1.0], digits=60)["value"]
    assert_near(at_0[0], LOG_2, 58)
    assert_near(at_0[1], LOG_2, 58)
    half = found("binary_cross_entropy", probabilities=[0.5], labels=[0.3])["value"]
    assert_near(half[0], LOG_2)
    assert_near(found("softmax_cross_entropy", logits=[7.0, 7.0], labels=[0.0, 1.0])["value"][()], LOG_2)
    assert_near(found("log_sigmoid", logits=[0.0])["value"][0], "-" + LOG_2)


@pytest.mark.parametrize("x", [30.0, 200.0, 999.0, 1001.0, 1e4, 1e5])
def test_tails_keep_every_digit(x: float) -> None:
    """log(1 + e^-200) is 0 at 113 bits: it is e^-200 (1 - e^-200 / 2 + ...)."""
    with mpmath.workdps(60):
        u = mpmath.exp(-mpmath.mpf(x))
        tail = u - u**2 / 2 + u**3 / 3 - u**4 / 4 + u**5 / 5
        slope = u - u**2 + u**3 - u**4 + u**5
        minus_tail, minus_slope = -tail, -slope
    certain = found("sigmoid_cross_entropy", logits=[x, -x], labels=[1.0, 0.0])
    for i in range(2):
        assert_near(certain["value"][i], tail)
        assert_near(certain["gradient:logits"][i], (minus_slope, slope)[i])
    assert_near(found("log_sigmoid", logits=[x])["value"][0], minus_tail)
    row = found("sparse_softmax_cross_entropy", logits=[[x, 0.0]], labels=[0])
    assert_near(row["value"][0], tail)
    assert_near(row["gradient:logits"][0, 0], minus_slope)
    assert_near(row["gradient:logits"][0, 1], slope)


@pytest.mark.parametrize("x", [1e10, 1e38, 1e308, 5e-324, 1e-300])
def test_both_ends_of_the_range(x: float) -> None:
    outside = found("sigmoid_cross_entropy", logits=[x, -x], labels=[0.0, 1.0])["value"]
    expected = x if x > 1 else LOG_2
    for value in outside:
        assert_near(value, expected)
    soft = found("sigmoid_cross_entropy", logits=[x], labels=[0.5])["gradient:logits"][0]
    assert_near(soft, 0.5 if x > 1 else mpmath.mpf(x) / 4)


def test_powers_of_large_exponents() -> None:
    value = found("sigmoid", logits=[-1e5, -123456.789, -1e300])["value"]
    with mpmath.workprec(1500):
        for number, x in zip(value, (1e5, 123456.789, 1e300), strict=True):
            assert abs(mpmath.log(number) + mpmath.mpf(x)) < mpmath.mpf(10) ** -39


def test_small_probabilities_beside_1() -> None:
    value = found("binary_cross_entropy", probabilities=[5e-324], labels=[0.0])["value"][0]
    assert_near(value, 5e-324)
    row = found("sparse_categorical_cross_entropy", probabilities=[[1.0, 1e-300]], labels=[0], normalize="before")
    assert_near(row["value"][0], 1e-300)
    assert_near(row["gradient:probabilities"][0, 0], -1e-300)


def test_inputs_are_taken_as_rounded() -> None:
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        x = float(np.asarray(0.1, dtype))
        with mpmath.workdps(60):
            assert_near(found("sigmoid", dtype, logits=[0.1])["value"][0], 1 / (1 + mpmath.exp(-mpmath.mpf(x))))


# The two forms of logits that are far apart are one function.


@pytest.mark.parametrize("x", [-990.0, -20.5, -0.001, 0.25, 3.0, 700.0])
def test_far_and_near_sigmoids_agree(monkeypatch: pytest.MonkeyPatch, x: float) -> None:
    near = Sigmoid.of(real(x))
    monkeypatch.setattr(independent, "DIRECT", 0)
    far = Sigmoid.of(real(x))
    for part in ("p", "rest", "log_p", "log_rest"):
        assert_near(getattr(far, part).settled(50), getattr(near, part).settled(50), 48)


@pytest.mark.parametrize("row", [[900.0, 0.0, -3.5], [2.0, 2.0, -700.0], [0.0, -1.0, -1.0], [0.5, 0.5, 0.5]])
@pytest.mark.parametrize("labels", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.25, 0.5, 0.25], [1.0, 1.0, 0.0]])
def test_wide_and_direct_rows_agree(monkeypatch: pytest.MonkeyPatch, row: list[float], labels: list[float]) -> None:
    def numbers() -> list[Any]:
        x, z = [real(i) for i in row], [real(i) for i in labels]
        softmax = Softmax.of(x)
        reals = [*softmax.p, *softmax.log_p, *softmax.loss_slopes(z), *softmax.slopes(z)]
        return [i.settled(50) for i in reals]

    direct = numbers()
    monkeypatch.setattr(independent, "DIRECT", -1)
    assert Softmax.of([real(i) for i in row]).wide
    for a, b in zip(numbers(), direct, strict=True):
        assert_near(a, b, 48)


# Gradients.


@pytest.mark.parametrize("operation", independent.PRIMITIVES)
def test_primitives_by_differences(operation: str) -> None:
    axes: list[dict[str, Any]] = [{"axis": -1}, {"axis": 0}] if "softmax" in operation else [{}]
    if operation == "logsumexp":
        axes = [{"axis": -1, "upstream": [1.0, -0.5]}, {"axis": 0, "upstream": [1.0, -0.5, 2.0]}]
    for given in axes:
        assert_gradients(operation, {"logits": LOGITS, "upstream": ELEMENT_UPSTREAM, **given})


@pytest.mark.parametrize(
    ("operation", "reduction"),
    [(o, r) for o in [*ELEMENTWISE, *BY_CLASS] for r in OPERATIONS[o].parameters[-1].choices],
)
def test_reductions_by_differences(operation: str, reduction: str) -> None:
    by_row = operation in BY_CLASS or reduction.startswith("row_mean")
    upstream: Any = -1.5
    if reduction in ("none", "row_mean"):
        upstream = [1.0, -0.5] if by_row else ELEMENT_UPSTREAM
    given = {**loss_inputs(operation), "reduction": reduction}
    assert_gradients(operation, given)
    for weights in ([0.5, 2.0] if by_row else ELEMENT_WEIGHTS, 1.5, [0.75] if by_row else [[3.0], [0.5]]):
        assert_gradients(operation, {**given, "weights": weights, "upstream": upstream})


@pytest.mark.parametrize(("operation", "parameters"), [(o, p) for o, several in OWN.items() for p in several])
def test_parameters_by_differences(operation: str, parameters: dict[str, Any]) -> None:
    given = {**loss_inputs(operation), **parameters}
    if parameters.get("epsilon_use") != "add" and parameters.get("epsilon"):
        # Away from the ends of the clip, where there is no derivative.
        given["probabilities"] = [[0.25, 0.75, 0.4375], [0.96875, 0.0625, 0.5]]
    assert_gradients(operation, given)
    if operation in BY_CLASS:
        weights: Any = [0.5, 2.0, 1.25] if parameters.get("axis") == 0 else [0.5, 2.0]
    else:
        weights = ELEMENT_WEIGHTS
    assert_gradients(operation, {**given, "weights": weights, "reduction": "weighted_mean", "upstream": 2.0})


def test_a_clip_keeps_its_slope_at_both_ends_and_loses_it_beyond() -> None:
    p = [0.25, 0.75, np.nextafter(0.25, 0), np.nextafter(0.75, 1)]
    slopes = found("binary_cross_entropy", probabilities=p, labels=[1.0, 0.0, 1.0, 0.0], epsilon=0.25)
    assert floats(slopes["gradient:probabilities"]).tolist() == [-4.0, 4.0, 0.0, 0.0]
    row = found("categorical_cross_entropy", probabilities=p, labels=[1.0, 1.0, 1.0, 1.0], epsilon=0.25)
    np.testing.assert_allclose(floats(row["gradient:probabilities"]), [-4.0, -4 / 3, 0.0, 0.0], rtol=1e-15)


def test_a_floor_stops_one_logarithm_at_a_time() -> None:
    given: dict[str, Any] = {"probabilities": [0.1, 0.5, 0.9], "labels": [1.0, 1.0, 1.0], "log_floor": -2.0}
    outs = found("binary_cross_entropy", **given)
    assert floats(outs["value"])[0] == 2.0
    assert floats(outs["gradient:probabilities"]).tolist() == [0.0, -2.0, pytest.approx(-1 / 0.9)]
    assert floats(outs["gradient:labels"])[0] == pytest.approx(2 + math.log(0.9))


def test_zero_weights() -> None:
    given: dict[str, Any] = {"logits": [1.0, 2.0], "labels": [0.0, 1.0]}
    for reduction in ("weighted_mean", "nonzero_mean"):
        nothing = {**given, "weights": [0.0, 0.0], "reduction": reduction}
        outs = found("sigmoid_cross_entropy", **nothing, empty_mean="zero")
        assert all(not floats(array).any() for array in outs.values())
        outs = found("sigmoid_cross_entropy", **nothing, empty_mean="nan")
        assert all(np.isnan(floats(array)).all() for array in outs.values())
    plain = floats(found("sigmoid_cross_entropy", **given)["value"])
    held = found("sigmoid_cross_entropy", **given, weights=[0.0, 3.0], reduction="nonzero_mean")
    np.testing.assert_allclose(floats(held["gradient:weights"]), plain, rtol=1e-15)


def test_exact_zeros_are_exact() -> None:
    def zeros(array: Array) -> bool:
        return all(number == 0 for number in array.flat)

    assert zeros(found("sigmoid_cross_entropy", logits=[0.0], labels=[0.5])["gradient:logits"])
    assert zeros(found("sigmoid_cross_entropy", logits=[0.0], labels=[0.25])["gradient:labels"])
    assert zeros(found("softmax_cross_entropy", logits=[2.5] * 3, labels=[0.1] * 3)["gradient:logits"])
    assert zeros(found("softmax", logits=LOGITS)["gradient:logits"])
    alone = found("sigmoid_cross_entropy", logits=[1.5], labels=[0.3], weights=[0.7], reduction="weighted_mean")
    assert zeros(alone["gradient:weights"])


# Limits.


@pytest.mark.parametrize(
    ("x", "z", "value", "slope", "label_slope"),
    [
        (INF, 1.0, 0.0, 0.0, -INF),
        (INF, 0.0, INF, 1.0, -INF),
        (-INF, 0.0, 0.0, 0.0, INF),
        (-INF, 1.0, INF, -1.0, INF),
        (INF, 0.25, INF, 0.75, -INF),
        (INF, 2.0, -INF, -1.0, -INF),
        (NAN, 0.0, NAN, NAN, NAN),
        (0.0, NAN, NAN, NAN, 0.0),
    ],
)
def test_sigmoid_limits(x: float, z: float, value: float, slope: float, label_slope: float) -> None:
    outs = found("sigmoid_cross_entropy", logits=[x], labels=[z])
    got = [float(outs[name][0]) for name in ("value", "gradient:logits", "gradient:labels")]
    np.testing.assert_array_equal(got, [value, slope, label_slope])


@pytest.mark.parametrize(
    ("logits", "p"),
    [
        ([INF, 0.0, 5.0], [1.0, 0.0, 0.0]),
        ([-INF, 0.0, 0.0], [0.0, 0.5, 0.5]),
        ([-INF, -INF, 3.0], [0.0, 0.0, 1.0]),
        ([INF, -INF, 3.0], [1.0, 0.0, 0.0]),
        ([-INF, -INF, -INF], [NAN] * 3),
        ([INF, INF, 0.0], [NAN] * 3),
        ([NAN, 0.0, 1.0], [NAN] * 3),
        ([INF, NAN, 1.0], [NAN] * 3),
    ],
)
def test_softmax_limits(logits: list[float], p: list[float]) -> None:
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    np.testing.assert_array_equal(floats(found("softmax", logits=logits)["value"]), p)
    np.testing.assert_array_equal(floats(found("log_softmax", logits=logits)["value"]), log_p)
    for label in range(3):
        outs = found("softmax_cross_entropy", logits=logits, labels=np.eye(3)[label])
        np.testing.assert_array_equal(float(outs["value"][()]), 0 - log_p[label])
        np.testing.assert_array_equal(floats(outs["gradient:logits"]), np.array(p) - np.eye(3)[label])
        np.testing.assert_array_equal(floats(outs["gradient:labels"]), 0 - log_p)


@pytest.mark.parametrize("spread", [1.0, 3000.0])
def test_a_masked_class_beside_others(spread: float) -> None:
    outs = found("sparse_softmax_cross_entropy", logits=[[0.0, -INF, spread]] * 2, labels=[1, 2])
    assert float(outs["value"][0]) == INF
    row = found("sparse_softmax_cross_entropy", logits=[[0.0, spread]], labels=[1])
    assert_near(outs["value"][1], row["value"][0])
    for masked, plain in ((0, 0), (2, 1)):
        assert_near(outs["gradient:logits"][1, masked], row["gradient:logits"][0, plain])
    assert outs["gradient:logits"][1, 1] == 0


def test_probabilities_of_0() -> None:
    given: dict[str, Any] = {"probabilities": [[0.0, 0.5, 0.5]], "labels": [[1.0, 0.0, 0.0]]}
    for normalize, others in (("none", 0.0), ("before", 1.0), ("after", 1.0)):
        outs = found("categorical_cross_entropy", **given, normalize=normalize)
        assert float(outs["value"][0]) == INF
        assert floats(outs["gradient:probabilities"]).tolist() == [[-INF, others, others]]
    empty = found("sparse_categorical_cross_entropy", probabilities=[[0.0, 0.0]], labels=[0], normalize="before")
    assert np.isnan(floats(empty["value"])).all()
    floored = found("binary_cross_entropy", probabilities=[0.0, 1.0], labels=[1.0, 0.0], log_floor=-100.0)
    assert floats(floored["value"]).tolist() == [100.0, 100.0]
    assert floats(floored["gradient:probabilities"]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "weighted_mean", "nonzero_mean"])
def test_a_weight_of_0_hides_an_infinite_loss(reduction: str) -> None:
    outs = found("binary_cross_entropy", probabilities=[0.0, 0.5], labels=[1.0, 1.0], weights=[0.0, 2.0],
                 reduction=reduction)  # fmt: skip
    assert np.isfinite(floats(outs["value"])).all()
    assert floats(outs["gradient:probabilities"])[0] == 0.0


@pytest.mark.parametrize("parameters", [{}, {"epsilon": 0.125}, {"log_floor": -100.0}])
def test_nan_in_gives_nan_out(parameters: dict[str, Any]) -> None:
    outs = found("binary_cross_entropy", probabilities=[NAN, 0.01], labels=[1.0, NAN], **parameters)
    assert np.isnan(floats(outs["value"])).all()
    assert np.isnan(floats(outs["gradient:probabilities"])).all()


def test_no_losses() -> None:
    outs = found("sparse_softmax_cross_entropy", logits=np.zeros((0, 3)), labels=[], reduction="sum")
    assert outs["value"][()] == 0
    assert outs["gradient:logits"].shape == (0, 3)


# Reals.


def test_fractions_stay_exact() -> None:
    third = real(1.0) / real(3.0)
    assert third.exact == Fraction(1, 3)
    assert (third * real(3.0)).exact == 1
    assert (log(third) - log(real(1.0) / real(3.0))).zero
    assert (real(0.0) * real(INF)).zero
    assert (real(0.0) * real(NAN)).nan
    assert (real(INF) - real(INF)).nan
    assert (real(0.0) / real(0.0)).nan


@pytest.mark.parametrize("digits", [5, 40, 300])
def test_digits_are_met(digits: int) -> None:
    x = exp(real(-7.25)) + real(1.0)
    exact: list[tuple[Real, Any]] = [
        (x, lambda: mpmath.exp(-7.25) + 1),
        (log(x), lambda: mpmath.log(mpmath.exp(-7.25) + 1)),
        (log1p(exp(real(-7.25))), lambda: mpmath.log(mpmath.exp(-7.25) + 1)),
        (x - real(1.0), lambda: mpmath.exp(-7.25)),
        (real(2.0) / -x, lambda: -2 / (mpmath.exp(-7.25) + 1)),
        (exp(real(70000.5)), lambda: mpmath.exp(70000.5)),
    ]
    for number, expected in exact:
        with mpmath.workdps(2 * digits + 50):
            assert abs(number.settled(digits) / expected() - 1) < mpmath.mpf(10) ** -digits


@pytest.mark.parametrize("operation", ["sigmoid_cross_entropy", "softmax_cross_entropy"])
def test_few_digits_are_the_first_of_many(operation: str) -> None:
    """Enclosures hold the number: what they settle on at one precision is confirmed at another."""
    patterns = np.random.default_rng(7).integers(0, 2**64, 120, dtype=np.uint64).view(np.float64)
    logits = patterns[np.isfinite(patterns)][:96].reshape(12, 8)
    labels = np.random.default_rng(8).random((12, 8))
    few = found(operation, logits=logits, labels=labels, digits=15)
    for name, many in found(operation, logits=logits, labels=labels, digits=120).items():
        for a, b in zip(few[name].flat, many.flat, strict=True):
            assert_near(a, b, 15)
