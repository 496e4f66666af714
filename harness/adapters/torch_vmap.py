"""torch.func.vmap: a function of one example, mapped over the leading axis of its inputs.

The gradient of each example is taken inside of the map (torch.func.vjp), as its page on per-sample gradients has it;
a loss with a class axis is given a batch of one.
https://docs.pytorch.org/tutorials/intermediate/per_sample_grads.html
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from harness.adapters import ANY, LAST_AXIS, SECOND_AXIS, Implementation, UnsupportedError, Values, leading_input

Tensors = Mapping[str, Any]

SHARED = "class_weights"
"""The input that all examples have in common."""

UNREDUCED = ("none", "row_mean")
"""Reductions that leave each example its own."""


def narrowed(parameters: Mapping[str, Values]) -> Dict[str, Values]:
    """What of a row's parameters is left under vmap: no reduction over examples, no classes on their axis."""
    found: Dict[str, Values] = {}
    if "reduction" in parameters:
        found["reduction"] = tuple(each for each in parameters["reduction"] if each in UNREDUCED)
    if parameters.get("axis") == ANY:
        found["axis"] = LAST_AXIS
    return found


def mapped(
    torch: Any,
    implementation: Implementation,
    tensors: Tensors,
    upstream: Optional[Any],
    parameters: Mapping[str, Any],
    names: Sequence[str],
) -> Dict[str, Any]:
    """The value, and the gradients with respect to `names`, by output.

    Raises:
        UnsupportedError: a call that is no function of one example after another.
    """
    refuse(torch, implementation, tensors, names, parameters)
    second, of_one = implementation.parameters.get("axis") == SECOND_AXIS, dict(parameters, **_axis(parameters))

    def run(given: Tensors) -> Any:
        if not second:
            return implementation.run(torch, given, of_one)
        batch = {name: each if name == SHARED else each.unsqueeze(0) for name, each in given.items()}
        return implementation.run(torch, batch, parameters).squeeze(0)

    def example(given: Tensors, ahead: Optional[Any]) -> Dict[str, Any]:
        if not names:
            return {"value": run(given)}

        def value_of(*differentiated: Any) -> Any:
            return run(dict(given, **dict(zip(names, differentiated))))

        value, pull_back = torch.func.vjp(value_of, *(given[name] for name in names))
        gradients = pull_back(torch.ones_like(value) if ahead is None else ahead)
        return dict({"gradient:" + name: g for name, g in zip(names, gradients)}, value=value)

    axes = {name: None if name == SHARED else 0 for name in tensors}
    ahead = None if upstream is None else 0
    map_of: Callable[..., Dict[str, Any]] = torch.func.vmap(example, in_dims=(axes, ahead))
    return map_of(dict(tensors), upstream)


def refuse(
    torch: Any, implementation: Implementation, tensors: Tensors, names: Sequence[str], parameters: Mapping[str, Any]
) -> None:
    """Refuse what is no function of one example after another.

    Raises:
        UnsupportedError: what it says.
    """
    leading = tensors[leading_input(implementation.operation)]
    rank = leading.dim()
    if not hasattr(torch, "func"):
        raise UnsupportedError(f"torch {torch.__version__} has no torch.func")
    if rank == 0 or (parameters.get("reduction") == "row_mean" and rank == 1):
        raise UnsupportedError("there is no axis to map over")
    if parameters.get("axis") in (0, -rank):
        raise UnsupportedError("the classes are on the axis that is mapped over")
    if SHARED in names:
        raise UnsupportedError("the gradient of what examples have in common is a sum over them")
    if "weights" in tensors and tensors["weights"].shape[:1] != leading.shape[:1]:
        raise UnsupportedError("the weights have no axis of the examples")


def _axis(parameters: Mapping[str, Any]) -> Dict[str, Any]:
    """The axis of an example that is the given one of all; what is out of range stays so."""
    axis = parameters.get("axis")
    return {"axis": axis - 1} if isinstance(axis, int) and axis > 0 else {}
