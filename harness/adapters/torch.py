"""PyTorch: torch and torch.nn.functional, called as they are.

In modes: eager, mapped over examples by torch.func.vmap, under torch.autocast to bfloat16, compiled by torch.compile.

Nothing is emulated. A reduction, a class axis or a parameter that a function doesn't have is left
out of the table. The `weight` of `cross_entropy` is `class_weights`, and its mean of index targets the
`weighted_mean`. A loss is differentiable with respect to its target (`soft_margin_loss` isn't), but raises
if its `weight` requires a gradient; only `cross_entropy` of probabilities doesn't.
Indices travel as int64, the only integer dtype that the losses document, but for uint8, which they
take too where each example has one label (torch.func.vmap of them doesn't).
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import Any, Callable, Dict, Mapping, Sequence

import numpy as np

from harness.adapters import (
    ALL_FLOATS,
    ANY,
    LAST_AXIS,
    SECOND_AXIS,
    Implementation,
    Tensor,
    UnsupportedError,
    Values,
    gradient_inputs,
    real_inputs,
)
from harness.adapters.formulas import Formula, Primitives, by_hand, evaluate
from harness.adapters.mapping import narrowed
from harness.adapters.torch_compile import compiled
from harness.adapters.torch_vmap import mapped

FRAMEWORK = "torch"
PACKAGES = ("torch", "numpy")
SELDOM = ("autocast", "compile")
MODES = ("eager", "vmap", *SELDOM)
CHUNKED = "chunked"
"""The mode of a fused loss that never has all logits: two rows at a time, slopes made on the way forward."""

Tensors = Mapping[str, Any]
Parameters = Mapping[str, Any]


def start(threads: int) -> None:
    """Import torch and pin its threads."""
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(threads)


def call(
    implementation: Implementation,
    mode: str,
    inputs: Mapping[str, Tensor],
    parameters: Parameters,
    wanted: Sequence[str],
) -> Dict[str, Tensor]:
    """Run one call; gradients are vector-Jacobian products by autograd."""
    import torch

    tensors = {name: to_torch(torch, tensor, narrow=mode != "vmap") for name, tensor in inputs.items()}
    upstream = tensors.pop("upstream", None)
    names = gradient_inputs(wanted, tensors)
    if mode == "vmap":
        outputs = mapped(torch, implementation, tensors, upstream, parameters, names)
        return {name: from_torch(torch, outputs[name]) for name in wanted if name in outputs}
    for name in names:
        tensors[name].requires_grad_()
    value = _value(torch, implementation, mode, tensors, parameters)
    outputs = {"value": from_torch(torch, value)} if "value" in wanted else {}
    if names:
        ahead = torch.ones_like(value) if upstream is None else upstream
        gradients = torch.autograd.grad(value, [tensors[name] for name in names], ahead)
        outputs.update(("gradient:" + n, from_torch(torch, g)) for n, g in zip(names, gradients))
    return outputs


def _value(torch: Any, implementation: Implementation, mode: str, tensors: Tensors, parameters: Parameters) -> Any:
    given = dict(parameters, chunked=True) if mode == CHUNKED else parameters
    if mode == "compile":
        return compiled(torch, lambda: implementation.run(torch, tensors, given))
    if mode == "autocast":
        if not hasattr(torch, "autocast"):
            raise UnsupportedError(f"torch {torch.__version__} has no torch.autocast")
        with torch.autocast("cpu", torch.bfloat16):
            return implementation.run(torch, tensors, given)
    return implementation.run(torch, tensors, given)


def to_torch(torch: Any, tensor: Tensor, *, narrow: bool = True) -> Any:
    """A tensor of the same bits, in memory of its own; indices as int64, but for uint8 if they may be `narrow`."""
    data = tensor.data if tensor.data.flags.writeable else np.array(tensor.data)  # the worker has laid out the former
    if tensor.dtype == "bfloat16":
        return _bfloat16(torch, torch.from_numpy(data.view(np.int16)))
    widened = data.dtype.kind in "iu" and not (narrow and data.dtype == np.uint8 and data.ndim == 1)
    return torch.from_numpy(data.astype(np.int64, copy=False) if widened else data)


def _bfloat16(torch: Any, bits: Any) -> Any:
    """Bits as bfloat16.

    Raises:
        UnsupportedError: a torch before 1.7, which can't see bits as another dtype.
    """
    try:
        return bits.view(torch.bfloat16)
    except TypeError as error:
        raise UnsupportedError(f"torch {torch.__version__} can't be given the bits of bfloat16") from error


def from_torch(torch: Any, tensor: Any) -> Tensor:
    """The inverse of `to_torch`."""
    detached = tensor.detach().contiguous()
    if detached.dtype == torch.bfloat16:
        return Tensor("bfloat16", detached.view(torch.int16).numpy().view(np.uint16))
    return Tensor.of(detached.numpy())


def _bce_with_logits(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.binary_cross_entropy_with_logits(
        inputs["logits"], inputs["labels"], weight=inputs.get("weights"), reduction=parameters["reduction"]
    )


def _bce_with_pos_weight(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.binary_cross_entropy_with_logits(
        inputs["logits"],
        inputs["labels"],
        weight=inputs.get("weights"),
        reduction=parameters["reduction"],
        pos_weight=torch.tensor(parameters["pos_weight"], dtype=inputs["logits"].dtype),
    )


def _bce(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.binary_cross_entropy(
        inputs["probabilities"], inputs["labels"], weight=inputs.get("weights"), reduction=parameters["reduction"]
    )


def _cross_entropy(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.cross_entropy(
        inputs["logits"],
        inputs["labels"],
        weight=inputs.get("class_weights"),
        reduction=parameters["reduction"],
        label_smoothing=parameters["label_smoothing"],
    )


def _soft_margin(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.soft_margin_loss(inputs["logits"], inputs["labels"], reduction=parameters["reduction"])


ROW_REDUCTIONS = {"row_mean": "none", "row_mean_sum": "sum", "mean": "mean"}
"""Our reductions in torch's words, for a loss that is the mean of a row."""


def _multilabel_soft_margin(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    reduction = ROW_REDUCTIONS.get(parameters["reduction"], parameters["reduction"])
    return torch.nn.functional.multilabel_soft_margin_loss(inputs["logits"], inputs["labels"], reduction=reduction)


def _weighted_multilabel(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.multilabel_soft_margin_loss(
        inputs["logits"], inputs["labels"], weight=inputs.get("class_weights"), reduction=parameters["reduction"]
    )


def _nll(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.nll_loss(inputs["log_probabilities"], inputs["labels"], **_by_class(inputs, parameters))


def _kl_div(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.kl_div(
        inputs["log_probabilities"],
        inputs["labels"],
        reduction={"batch_mean": "batchmean"}.get(parameters["reduction"], parameters["reduction"]),
        log_target=parameters["log_labels"],
    )


def _index_cross_entropy(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.cross_entropy(
        inputs["logits"],
        inputs["labels"],
        label_smoothing=parameters["label_smoothing"],
        **_by_class(inputs, parameters),
    )


def _linear(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.linear_cross_entropy(
        inputs["hidden"],
        inputs["kernel"],
        inputs["labels"],
        linear_bias=inputs.get("biases"),
        label_smoothing=parameters["label_smoothing"],
        options=torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2, chunking_method=None)
        if parameters.get(CHUNKED)
        else None,
        **_by_class(inputs, parameters),
    )


def _by_class(inputs: Tensors, parameters: Parameters) -> Dict[str, Any]:
    """Class weights, reduction and what is ignored, for index targets.

    Raises:
        UnsupportedError: the mean over the number of all losses, where torch's divides by something else.
    """
    weight, reduction, ignored = inputs.get("class_weights"), parameters["reduction"], parameters["ignore_index"]
    if reduction == "mean" and (weight is not None or ignored != "none"):
        raise UnsupportedError("its mean divides by the sum of the class weights of the labels that aren't ignored")
    options = {"weight": weight, "reduction": {"weighted_mean": "mean"}.get(reduction, reduction)}
    return options if ignored == "none" else dict(options, ignore_index=ignored)


def _gradient(run: Callable[..., Any], torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    """The gradient of a sum of losses by logits, as a function to be differentiated once more."""
    logits = inputs["logits"].requires_grad_()
    of_loss = dict(parameters, reduction="sum", label_smoothing=0.0, ignore_index="none")
    return torch.autograd.grad(run(torch, inputs, of_loss), logits, create_graph=True)[0]


def _sigmoid(torch: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return torch.sigmoid(inputs["logits"])


def _logsigmoid(torch: Any, inputs: Tensors, _parameters: Parameters) -> Any:
    return torch.nn.functional.logsigmoid(inputs["logits"])


def _softmax(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.softmax(inputs["logits"], dim=parameters["axis"])


def _log_softmax(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.nn.functional.log_softmax(inputs["logits"], dim=parameters["axis"])


def _logsumexp(torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return torch.logsumexp(inputs["logits"], dim=parameters["axis"])


def _primitives(torch: Any) -> Primitives:
    return Primitives(
        exp=torch.exp,
        log=torch.log,
        abs=torch.abs,
        maximum=torch.max,  # of two tensors: maximum, which only torch 1.7 has
        sum=lambda x, keepdims=False: torch.sum(x, dim=-1, keepdim=keepdims),
        mean=torch.mean,
        sigmoid=torch.sigmoid,
        softmax=lambda x: torch.softmax(x, dim=-1),
        one_hot=lambda labels, x: torch.nn.functional.one_hot(labels, x.shape[-1]).to(x.dtype),
        one=lambda x: torch.ones((), dtype=x.dtype),
        zero=lambda x: torch.zeros((), dtype=x.dtype),
    )


def _by_hand(formula: Formula, torch: Any, inputs: Tensors, parameters: Parameters) -> Any:
    return evaluate(formula, _primitives(torch), inputs, parameters)


_F = "torch.nn.functional."
_WITH_LOGITS = _F + "binary_cross_entropy_with_logits"
_REDUCED: Dict[str, Any] = {"reduction": ("none", "sum", "mean"), "empty_mean": ("undefined", "nan")}
_BATCH = ("none", "sum", "mean", "batch_mean")
_CLASSES = dict(_REDUCED, label_smoothing=ANY, axis=SECOND_AXIS)
_INDICES = dict(_CLASSES, reduction=("none", "sum", "mean", "weighted_mean"), ignore_index=ANY)
_SECOND: Mapping[str, Values] = {"axis": SECOND_AXIS}
_WEIGHTS = ("weights",)
_CLASS_WEIGHTS = ("class_weights",)


def _row(
    path: str,
    operation: str,
    run: Callable[..., Any],
    parameters: Mapping[str, Values] = MappingProxyType({}),
    inputs: Sequence[str] = (),
    since: str = "",
    differentiable: Sequence[str] = (),
) -> Implementation:
    """A row of the table: in every dtype and mode, and differentiable but for most optional inputs."""
    gradients = real_inputs(operation, differentiable)
    less = {"vmap": narrowed(parameters)}
    return Implementation(
        path,
        operation,
        run,
        parameters,
        inputs,
        gradients,
        ALL_FLOATS,
        MODES,
        since=since,
        narrowed=less,
        seldom=SELDOM,
    )


def _differentiated(
    path: str, operation: str, run: Callable[..., Any], parameters: Mapping[str, Values], **more: Any
) -> Implementation:
    """The row of a loss's gradient, whose own gradient is double backward: eagerly alone."""
    found = _row(path, operation + "_gradient", partial(_gradient, run), parameters, **more)
    return found._replace(modes=("eager",), narrowed={}, seldom=())


IMPLEMENTATIONS = (
    _row("torch.sigmoid", "sigmoid", _sigmoid),
    _row(_F + "logsigmoid", "log_sigmoid", _logsigmoid),
    _row(_F + "softmax", "softmax", _softmax, {"axis": ANY}),
    _row(_F + "log_softmax", "log_softmax", _log_softmax, {"axis": ANY}),
    _row("torch.logsumexp", "logsumexp", _logsumexp, {"axis": ANY}),
    _row(_WITH_LOGITS, "sigmoid_cross_entropy", _bce_with_logits, _REDUCED, _WEIGHTS),
    _row(
        _WITH_LOGITS,
        "weighted_sigmoid_cross_entropy",
        _bce_with_pos_weight,
        dict(_REDUCED, pos_weight=ANY),
        _WEIGHTS,
    ),
    _row(_F + "binary_cross_entropy", "binary_cross_entropy", _bce, dict(_REDUCED, log_floor=(-100.0,)), _WEIGHTS),
    _row(
        _F + "cross_entropy",
        "softmax_cross_entropy",
        _cross_entropy,
        _CLASSES,
        _CLASS_WEIGHTS,
        since="1.10",
        differentiable=_CLASS_WEIGHTS,
    ),
    _row(
        _F + "cross_entropy",
        "sparse_softmax_cross_entropy",
        _index_cross_entropy,
        _INDICES,
        _CLASS_WEIGHTS,
        since="1.10",
    ),
    _differentiated(_WITH_LOGITS, "sigmoid_cross_entropy", _bce_with_logits, {}, since="1.10"),
    _differentiated(_F + "cross_entropy", "softmax_cross_entropy", _cross_entropy, _SECOND, since="1.10"),
    _differentiated(_F + "cross_entropy", "sparse_softmax_cross_entropy", _index_cross_entropy, _SECOND, since="1.10"),
    _row(
        _F + "nll_loss",
        "nll_loss",
        _nll,
        {name: values for name, values in _INDICES.items() if name != "label_smoothing"},
        _CLASS_WEIGHTS,
    ),
    _row(
        _F + "linear_cross_entropy",
        "linear_cross_entropy",
        _linear,
        {name: values for name, values in _INDICES.items() if name != "axis"},
        ("biases", *_CLASS_WEIGHTS),
        since="2.13",
        differentiable=("kernel", "biases"),
    )._replace(modes=("eager", CHUNKED, *SELDOM), narrowed={CHUNKED: {"label_smoothing": (0.0,)}}),
    _row(_F + "soft_margin_loss", "soft_margin_loss", _soft_margin, _REDUCED)._replace(gradients=("logits",)),
    _row(
        _F + "multilabel_soft_margin_loss",
        "sigmoid_cross_entropy",
        _multilabel_soft_margin,
        {"reduction": tuple(ROW_REDUCTIONS)},
    ),
    _row(
        _F + "multilabel_soft_margin_loss",
        "multilabel_soft_margin_loss",
        _weighted_multilabel,
        dict(_REDUCED, axis=LAST_AXIS),
        _CLASS_WEIGHTS,
        differentiable=_CLASS_WEIGHTS,
    ),
    _row(_F + "kl_div", "log_kl_divergence", _kl_div, dict(_REDUCED, log_labels=ANY, reduction=_BATCH), since="1.6"),
    *by_hand(FRAMEWORK, lambda formula: partial(_by_hand, formula), differentiable=True, dtypes=ALL_FLOATS),
)
