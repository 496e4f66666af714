"""torch.compile: a call compiled by inductor, forward and backward, into C++ that the machine's compiler builds.

Every call is compiled anew: dynamo compiles a function for eight shapes only, and then no more. What inductor has built
for the same shapes before it takes from its cache.
https://docs.pytorch.org/docs/stable/generated/torch.compile.html
"""

from __future__ import annotations

from typing import Any, Callable

from harness.adapters import UnsupportedError

UNABLE = (("No working C++ compiler", "there is no C++ compiler for inductor"), ("Dynamo is not supported", "{}"))
"""What torch says where it can't compile anything here, and what we say."""


def compiled(torch: Any, function: Callable[[], Any]) -> Any:
    """What a function of tensors in its closure returns, compiled as one graph.

    Raises:
        UnsupportedError: a torch that can't compile, or no C++ compiler.
    """
    if not hasattr(torch, "compiler"):
        raise UnsupportedError(f"torch {torch.__version__} has no torch.compiler")
    torch.compiler.reset()
    try:
        return torch.compile(function, fullgraph=True, dynamic=False)()
    except Exception as error:
        for said, reason in UNABLE:
            if said in str(error):
                raise UnsupportedError(reason.format(error)) from error
        raise
