"""The written-out formulas of the documents, over primitives that each framework supplies.

Nothing here is improved: where a formula overflows, cancels or is incomplete, so is its
implementation, and that is what the documents' cases look at. Each of them becomes an
implementation FRAMEWORK.by_hand.NAME.

`Primitives` has its framework's own exp, log and so on; `sum` is over the last axis. Constants
come from `one(x)` and `zero(x)`, in the dtype of x, since a plain 1 widens float16 somewhere.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple, Sequence, Tuple

from harness.adapters import LAST_AXIS, Implementation, Values, leading_input

Function = Callable[..., Any]


class Primitives(NamedTuple):
    """What the formulas are written in.

    Attributes:
        sum: sum over the last axis; with `keepdims=True` that axis stays with length 1.
        mean: mean of all elements.
        softmax: along the last axis.
        one_hot: (labels, x) to unit rows of x's dtype, with as many classes as x's last axis.
        one: 1 in the dtype of its argument.
        zero: 0 in the dtype of its argument.
    """

    exp: Function
    log: Function
    abs: Function
    maximum: Function
    sum: Function
    mean: Function
    sigmoid: Function
    softmax: Function
    one_hot: Function
    one: Function
    zero: Function


class Formula(NamedTuple):
    """A formula of a document: `losses(primitives, leading input, labels)`."""

    name: str
    operation: str
    losses: Callable[[Primitives, Any, Any], Any]
    parameters: Mapping[str, Values] = {}


def _incomplete(p: Primitives, x: Any, z: Any) -> Any:
    return -z * p.log(p.sigmoid(x))


def _from_probability(p: Primitives, x: Any, z: Any) -> Any:
    q = p.sigmoid(x)
    return z * -p.log(q) + (p.one(x) - z) * -p.log(p.one(x) - q)


def _sigmoid_twice(p: Primitives, x: Any, z: Any) -> Any:
    return z * -p.log(p.sigmoid(x)) + (p.one(x) - z) * -p.log(p.one(x) - p.sigmoid(x))


def _softmax_log(p: Primitives, x: Any, z: Any) -> Any:
    return -p.sum(z * p.log(p.softmax(x)))


def _sparse_renormalised(p: Primitives, x: Any, labels: Any) -> Any:
    q = p.softmax(x)
    q = q / p.sum(q, keepdims=True)
    return p.sum(p.one_hot(labels, x) * -p.log(q))


def _row_normalised(p: Primitives, probabilities: Any, z: Any) -> Any:
    return p.sum(z * -p.log(probabilities / p.sum(probabilities, keepdims=True)))


def _exponentials(p: Primitives, x: Any, z: Any) -> Any:
    one, e = p.one(x), p.exp(-x)
    return z * -p.log(one / (one + e)) + (one - z) * -p.log(e / (one + e))


def _logarithms_split(p: Primitives, x: Any, z: Any) -> Any:
    one, e = p.one(x), p.exp(-x)
    return z * p.log(one + e) + (one - z) * (-p.log(e) + p.log(one + e))


def _logarithm_of_exponential_resolved(p: Primitives, x: Any, z: Any) -> Any:
    one, e = p.one(x), p.exp(-x)
    return z * p.log(one + e) + (one - z) * (x + p.log(one + e))


def _collected(p: Primitives, x: Any, z: Any) -> Any:
    one = p.one(x)
    return (one - z) * x + p.log(one + p.exp(-x))


def _multiplied_out(p: Primitives, x: Any, z: Any) -> Any:
    return x - x * z + p.log(p.one(x) + p.exp(-x))


def _x_as_logarithm(p: Primitives, x: Any, z: Any) -> Any:
    return p.log(p.exp(x)) - x * z + p.log(p.one(x) + p.exp(-x))


def _negative_half(p: Primitives, x: Any, z: Any) -> Any:
    return -x * z + p.log(p.one(x) + p.exp(x))


def _stable(p: Primitives, x: Any, z: Any) -> Any:
    return p.maximum(x, p.zero(x)) - x * z + p.log(p.one(x) + p.exp(-p.abs(x)))


_SIGMOID = "sigmoid_cross_entropy"
_ROWS = {"axis": LAST_AXIS}

FORMULAS = (
    Formula("000_b", "softmax_cross_entropy", _softmax_log, _ROWS),
    Formula("000_c_1", _SIGMOID, _incomplete),
    Formula("000_c_2", _SIGMOID, _from_probability),
    Formula("000_c_3", _SIGMOID, _sigmoid_twice),
    Formula("001_a", _SIGMOID, _from_probability, {"reduction": ("none", "mean")}),
    Formula("001_c", "sparse_softmax_cross_entropy", _sparse_renormalised, _ROWS),
    Formula("001_f", "categorical_cross_entropy", _row_normalised, dict(_ROWS, normalize=("before",))),
    Formula("003_c_1", _SIGMOID, _sigmoid_twice),
    Formula("003_c_2", _SIGMOID, _exponentials),
    Formula("003_c_3", _SIGMOID, _logarithms_split),
    Formula("003_c_4", _SIGMOID, _logarithm_of_exponential_resolved),
    Formula("003_c_5", _SIGMOID, _collected),
    Formula("003_c_6", _SIGMOID, _multiplied_out),
    Formula("003_c_7", _SIGMOID, _multiplied_out),  # the document restates line 6 for x < 0
    Formula("003_c_8", _SIGMOID, _x_as_logarithm),
    Formula("003_c_9", _SIGMOID, _negative_half),
    Formula("003_c_10", _SIGMOID, _stable),
)


def evaluate(formula: Formula, p: Primitives, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    """The formula's losses, reduced as the parameters say.

    Raises:
        ValueError: the reduction is neither none nor mean.
    """
    losses = formula.losses(p, inputs[leading_input(formula.operation)], inputs["labels"])
    if parameters["reduction"] == "none":
        return losses
    if parameters["reduction"] == "mean":
        return p.mean(losses)
    raise ValueError(f"unknown reduction {parameters['reduction']!r}")


def by_hand(
    framework: str,
    runner: Callable[[Formula], Function],
    *,
    differentiable: bool,
    dtypes: Sequence[str],
    modes: Sequence[str] = ("eager",),
) -> Tuple[Implementation, ...]:
    """The rows of a framework's table for all formulas.

    Args:
        runner: makes an implementation's `run` of a formula.
        differentiable: whether the framework differentiates them; with respect to the leading
            input, the only one whose gradient the documents speak of.
    """
    return tuple(
        Implementation(
            path=f"{framework}.by_hand.{formula.name}",
            operation=formula.operation,
            run=runner(formula),
            parameters=formula.parameters,
            gradients=(leading_input(formula.operation),) if differentiable else (),
            dtypes=dtypes,
            modes=modes,
        )
        for formula in FORMULAS
    )
