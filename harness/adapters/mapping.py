"""Functions of one example after another, which can be mapped over the leading axis of their inputs (vmap)."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

from harness.adapters import ANY, LAST_AXIS, Implementation, UnsupportedError, Values, leading_input

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


def refuse(
    implementation: Implementation, inputs: Mapping[str, Any], names: Sequence[str], parameters: Mapping[str, Any]
) -> None:
    """Refuse what is no function of one example after another.

    Args:
        inputs: by name; anything with a shape.
        names: inputs with respect to which there are gradients.

    Raises:
        UnsupportedError: what it says.
    """
    leading = inputs[leading_input(implementation.operation)]
    rank = len(leading.shape)
    if rank == 0 or (parameters.get("reduction") == "row_mean" and rank == 1):
        raise UnsupportedError("there is no axis to map over")
    if parameters.get("axis") in (0, -rank):
        raise UnsupportedError("the classes are on the axis that is mapped over")
    if SHARED in names:
        raise UnsupportedError("the gradient of what examples have in common is a sum over them")
    if "weights" in inputs and inputs["weights"].shape[:1] != leading.shape[:1]:
        raise UnsupportedError("the weights have no axis of the examples")


def of_one(parameters: Mapping[str, Any]) -> Dict[str, Any]:
    """Parameters for an example: its axis that is the given one of all; what is out of range stays so."""
    axis = parameters.get("axis")
    return dict(parameters, axis=axis - 1) if isinstance(axis, int) and axis > 0 else dict(parameters)
