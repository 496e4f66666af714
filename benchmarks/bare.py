"""The bare calls of a plan: import one framework, make its calls in a plain loop, judge nothing.

    python benchmarks/bare.py ADAPTER FRAMES

FRAMES holds the very frames that a worker would be sent.
"""

from __future__ import annotations

import sys
from pathlib import Path

from harness.worker import frames, process


def main() -> None:
    """Make every call of the file."""
    adapter = process.load_adapter(sys.argv[1])
    adapter.start(1)
    table = {(i.path, i.operation): i for i in adapter.IMPLEMENTATIONS}
    with Path(sys.argv[2]).open("rb") as stream:
        while True:
            try:
                batch, tensors = frames.read(stream)
            except EOFError:
                return
            arrays = iter(tensors)
            for call in batch["calls"]:
                inputs = {name: next(arrays) for name in call["inputs"]}
                process.answer(adapter, table[call["implementation"], call["operation"]], call, inputs)


if __name__ == "__main__":
    main()
