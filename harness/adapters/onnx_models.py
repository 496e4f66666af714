"""Models of one ONNX operator, for everything that runs ONNX: built with onnx's helper, one for each call.

ONNX has operators and no functions to import, so that a row is FRAMEWORK.OPERATOR. Its losses have
the classes on axis 1 of at least two axes, and log_prob, another output of one, is a row
of its own. There are no gradients.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from harness.adapters import ANY, SECOND_AXIS, WIDE_INDICES, Implementation, Tensor, UnsupportedError, Values

OPSET = 17
IR_VERSION = 8
"""Of onnx 1.12, so that runtimes since 1.12 read them."""

Parameters = Mapping[str, Any]
Arrays = Dict[str, Any]
Evaluate = Callable[..., Any]
"""Runs a model on arrays by the names of its inputs, given modules; gives the list of its outputs."""


class Operator(NamedTuple):
    """An operator: its name, our names of its inputs in their order, its attributes for parameters, and its outputs."""

    name: str
    operation: str
    inputs: Sequence[str]
    attributes: Callable[[Parameters], Mapping[str, Any]]
    parameters: Mapping[str, Values]
    outputs: Sequence[str] = ("value",)


def _without(parameters: Parameters) -> Mapping[str, Any]:
    return {}


def _axis(parameters: Parameters) -> Mapping[str, Any]:
    return {"axis": parameters["axis"]}


def _axes(parameters: Parameters) -> Mapping[str, Any]:
    return {"axes": [parameters["axis"]], "keepdims": 0}


def _unreduced(parameters: Parameters) -> Mapping[str, Any]:
    return {"reduction": "none"}


def _of_loss(parameters: Parameters) -> Mapping[str, Any]:
    reduction, ignored = parameters["reduction"], parameters["ignore_index"]
    attributes = {"reduction": "mean" if reduction == "weighted_mean" else reduction}
    return attributes if ignored == "none" else dict(attributes, ignore_index=ignored)


_AXIS: Mapping[str, Values] = {"axis": ANY}
_LOSS: Mapping[str, Values] = {
    "axis": SECOND_AXIS,
    "reduction": ("none", "sum", "mean", "weighted_mean"),
    "ignore_index": ANY,
}

_TARGETS = ("labels", "class_weights")
_CROSS_ENTROPY = "SoftmaxCrossEntropyLoss"

OPERATORS = (
    Operator("Sigmoid", "sigmoid", ("logits",), _without, {}),
    Operator("Softmax", "softmax", ("logits",), _axis, _AXIS),
    Operator("LogSoftmax", "log_softmax", ("logits",), _axis, _AXIS),
    Operator("ReduceLogSumExp", "logsumexp", ("logits",), _axes, _AXIS),
    Operator(_CROSS_ENTROPY, "sparse_softmax_cross_entropy", ("logits", *_TARGETS), _of_loss, _LOSS),
    Operator(_CROSS_ENTROPY, "log_softmax", ("logits",), _unreduced, {"axis": SECOND_AXIS}, ("loss", "value")),
    Operator("NegativeLogLikelihoodLoss", "nll_loss", ("log_probabilities", *_TARGETS), _of_loss, _LOSS),
)


def rows(framework: str, dtypes: Sequence[str]) -> Tuple[Implementation, ...]:
    """The table of a framework that runs ONNX."""
    return tuple(
        Implementation(
            *(f"{framework}.{o.name}", o.operation, partial(_run, o), o.parameters, o.inputs[2:]),
            dtypes=dtypes,
            indices=WIDE_INDICES,
        )
        for o in OPERATORS
    )


def call(
    evaluate: Evaluate,
    modules: Sequence[Any],
    implementation: Implementation,
    inputs: Mapping[str, Tensor],
    parameters: Parameters,
) -> Dict[str, Tensor]:
    """Run one call.

    Args:
        modules: onnx first; all are handed to `evaluate`.

    Raises:
        UnsupportedError: a loss that its operator doesn't have.
    """
    if implementation.parameters.get("axis") == SECOND_AXIS:
        _refuse(inputs, parameters)
    feeds = {name: _array(tensor) for name, tensor in inputs.items()}
    return {"value": _tensor(implementation.run(evaluate, feeds, parameters, *modules)[0])}


def _refuse(inputs: Mapping[str, Tensor], parameters: Parameters) -> None:
    if inputs[next(iter(inputs))].data.ndim == 1:
        raise UnsupportedError("its scores have an axis of examples, and one of classes")
    if parameters.get("reduction") == "mean" and ("class_weights" in inputs or parameters["ignore_index"] != "none"):
        raise UnsupportedError("its mean divides by the sum of the class weights of the labels that aren't ignored")


def _run(operator: Operator, evaluate: Evaluate, arrays: Arrays, parameters: Parameters, *modules: Any) -> Any:
    feeds = {name: arrays[name] for name in operator.inputs if name in arrays}
    if len(operator.outputs) > 1:  # log_prob, which doesn't depend on the labels
        shape = feeds["logits"].shape
        feeds["labels"] = np.zeros(shape[:1] + shape[2:], np.int64)
    return evaluate(_model(modules[0], operator, feeds, operator.attributes(parameters)), feeds, *modules)


def _model(onnx: Any, operator: Operator, feeds: Arrays, attributes: Mapping[str, Any]) -> Any:
    helper = onnx.helper
    types = {name: helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in feeds.items()}
    given = [helper.make_tensor_value_info(name, types[name], [None] * a.ndim) for name, a in feeds.items()]
    answer = helper.make_tensor_value_info("value", types[operator.inputs[0]], None)
    node = helper.make_node(operator.name, list(feeds), list(operator.outputs), **attributes)
    graph = helper.make_graph([node], operator.name, given, [answer])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _array(tensor: Tensor) -> Any:
    """An array of the same bits, which may be written to; bfloat16 is of the package that onnx has it from."""
    data = np.array(tensor.data)  # onnx's evaluator takes the logarithm of no examples in place
    if tensor.dtype != "bfloat16":
        return data
    try:
        import ml_dtypes
    except ImportError as error:
        raise UnsupportedError("this release of onnx has no bfloat16 of NumPy's") from error
    return data.view(ml_dtypes.bfloat16)


def _tensor(array: Any) -> Tensor:
    """The inverse of `_array`."""
    bits = np.asarray(array)
    return Tensor("bfloat16", bits.view(np.uint16)) if bits.dtype.name == "bfloat16" else Tensor.of(bits)
