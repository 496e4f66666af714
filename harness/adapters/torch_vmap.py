"""torch.func.vmap: a function of one example, mapped over the leading axis of its inputs.

The gradient of each example is taken inside of the map (torch.func.vjp), as its page on per-sample gradients has it;
a loss with a class axis is given a batch of one.
https://docs.pytorch.org/tutorials/intermediate/per_sample_grads.html
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from harness.adapters import SECOND_AXIS, Implementation, UnsupportedError
from harness.adapters.mapping import SHARED, of_one, refuse

Tensors = Mapping[str, Any]


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
        UnsupportedError: a call that is no function of one example after another, or a torch without torch.func.
    """
    refuse(implementation, tensors, names, parameters)
    if not hasattr(torch, "func"):
        raise UnsupportedError(f"torch {torch.__version__} has no torch.func")
    second, of_example = implementation.parameters.get("axis") == SECOND_AXIS, of_one(parameters)

    def run(given: Tensors) -> Any:
        if not second:
            return implementation.run(torch, given, of_example)
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
