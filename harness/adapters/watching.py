"""An adapter whose inputs are watched, for `harness check-adapter`: what a call does to them is an output more."""

from __future__ import annotations

from typing import Any, Callable, Mapping

import numpy as np

CHANGED = "changed:"
"""What the name of the output begins with that stands for an input that was written to."""


def watched(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same call, with inputs of its own that may be written to, and told whether they were."""

    def made(implementation: Any, mode: str, inputs: Any, parameters: Any, wanted: Any) -> Any:
        given = {name: tensor._replace(data=np.array(tensor.data)) for name, tensor in inputs.items()}
        outputs = call(implementation, mode, dict(given), parameters, wanted)
        if not isinstance(outputs, Mapping):
            return outputs  # the worker tells that it is wrong
        changed = [name for name in given if given[name].data.tobytes() != inputs[name].data.tobytes()]
        return dict(outputs, **{CHANGED + name: np.zeros(()) for name in changed})

    return made
