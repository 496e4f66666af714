"""The worker: runs one adapter's calls for the host. Started by its file path, imports no host code.

    python process.py --read FD --write FD --adapter FILE --threads N

With `--table FILE` it describes the adapter in that file instead (see tables.py). Otherwise:
frames (see frames.py) on two inherited pipes, never on standard output, since frameworks print
there; standard output is sent to standard error, which the host keeps as evidence.

    worker -> host   {"ready": true, "packages", and the keys of fingerprint.py,
                                 "absent": {path: {operation: reason}},
                                 "signatures": {path: [[name, kind, default], ...]}}
                     or {"ready": false, "reason"}, and the worker ends
    host -> worker   {"calls": [{"implementation", "operation", "mode", "parameters",
                                 "wanted", "inputs": [name, ...], "layout"}, ...]} and the inputs' arrays, in order
    worker -> host   for each call, in order, as soon as it is done:
                     {"outcome", "seconds", "outputs": [name, ...], "error", "reason", "warnings",
                      "unsupported": {output: reason}} and arrays

Warnings come with the first call that causes them: Python tells each place's once in a process.
Answers come in the order of the calls: when the worker dies or hangs, the first call without an
answer is the one that did it. The worker ends when the host closes its pipe.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import os
import sys
import time
import types
import warnings
from typing import Any, Mapping

HARNESS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MESSAGE_LIMIT = 4000
WARNINGS_LIMIT = 20
OUT_OF_MEMORY = ("MemoryError", "ResourceExhaustedError", "OutOfMemoryError")


class Afresh(importlib.machinery.SourceFileLoader):
    """Compiles a file each time: an edit of the same length in the same second would find the old bytecode."""

    def path_stats(self, path: Any) -> Any:
        """Nothing that bytecode could be compared with; so none is written beside a user's file either."""
        raise OSError(path)


def load_module(name: str, path: str, locations: Any = None, loader: Any = None) -> types.ModuleType:
    """Import a module from its file under a name of our choosing."""
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=locations, loader=loader)
    if spec is None or spec.loader is None:
        raise ImportError(f"can't load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    # Make `harness` importable without putting any folder of the host's on the path: this
    # interpreter's own packages must be the only ones that an adapter can find.
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != os.path.join(HARNESS, "worker")]
    load_module("harness", os.path.join(HARNESS, "__init__.py"), [HARNESS])

from harness.adapters import UnsupportedError  # noqa: E402 - `harness` is importable only now
from harness.worker import fingerprint, frames, layouts, signatures, tables  # noqa: E402
from harness.worker.frames import Tensor  # noqa: E402


def load_adapter(path: str) -> types.ModuleType:
    """Import an adapter from its file, built-in or a user's."""
    stem = os.path.splitext(os.path.basename(path))[0]
    if os.path.dirname(os.path.abspath(path)) == os.path.join(HARNESS, "adapters"):
        return importlib.import_module("harness.adapters." + stem)
    name = "harness_adapter_" + stem
    return load_module(name, path, loader=Afresh(name, path))


def describe(adapter: Any, threads: int) -> dict[str, Any]:
    """What the host must know of this environment: the frame that says `ready`."""
    packages = {name: _version(adapter, name) for name in adapter.PACKAGES}
    framework = packages[adapter.PACKAGES[0]]
    absent: dict[str, dict[str, str]] = {}
    for row in adapter.IMPLEMENTATIONS:
        reason = _absence(row, adapter.FRAMEWORK, framework)
        if reason:
            absent.setdefault(row.path, {})[row.operation] = reason
    return {
        "ready": True,
        **fingerprint.fingerprint(threads),
        "packages": {name: version for name, version in packages.items() if version or name == adapter.PACKAGES[0]},
        "absent": absent,
        "signatures": signatures.signatures(adapter),
    }


def _version(adapter: Any, name: str) -> str:
    """Version of the module that a package is imported as."""
    module = sys.modules.get(getattr(adapter, "ALIASES", {}).get(name, name))
    return str(getattr(module, "__version__", "")) if module is not None else ""


def _absence(implementation: Any, framework: str, version: str) -> str:
    if implementation.absent:
        return str(implementation.absent)
    if implementation.until and _order(version) >= _order(implementation.until):
        return f"{framework} {version} no longer has it (gone since {implementation.until})"
    if implementation.since and _order(version) < _order(implementation.since):
        return f"{framework} {version} is not asked for it, only {implementation.since} and later"
    return ""


def lacks(implementation: Any, framework: str, version: str) -> dict[str, str]:
    """The gradients that an implementation has only in later versions, with the reason."""
    return {
        "gradient:" + name: f"{framework} {version} doesn't differentiate it by {name} (new in {since})"
        for name, since in implementation.gradients_since.items()
        if _order(version) < _order(since)
    }


def _order(version: str) -> tuple[int, ...]:
    numbers = []
    for part in version.partition("+")[0].split(".")[:3]:
        digits = "".join(c for c in part if c.isdigit())
        numbers.append(int(digits or 0))
    return tuple(numbers)


def answer(
    adapter: Any, implementation: Any, call: dict[str, Any], inputs: dict[str, Tensor]
) -> tuple[dict[str, Any], list[Tensor]]:
    """Run one call: the header and the arrays of its answer. No exception of an adapter travels on."""
    begun = time.perf_counter()
    header: dict[str, Any]
    tensors: list[Tensor]
    try:
        outputs = _mapping(adapter.call(implementation, call["mode"], inputs, call["parameters"], call["wanted"]))
        names = list(outputs)
        tensors = [outputs[n] if isinstance(outputs[n], Tensor) else Tensor.of(outputs[n]) for n in names]
        header = {"outcome": "value", "outputs": names}
    except UnsupportedError as reason:
        header, tensors = {"outcome": "unsupported", "reason": str(reason)}, []
    except Exception as error:
        header, tensors = _failure(error), []
    header["seconds"] = time.perf_counter() - begun
    return header, tensors


def _mapping(outputs: Any) -> Mapping[str, Any]:
    if not isinstance(outputs, Mapping):
        raise TypeError(f"call returned {type(outputs).__name__}, no dict of output names to arrays")
    return outputs


def _failure(error: Exception) -> dict[str, Any]:
    name, message = type(error).__name__, str(error)
    memory = name in OUT_OF_MEMORY or "can't allocate memory" in message
    outcome = "out-of-memory" if memory else "error"
    return {"outcome": outcome, "error": name, "reason": message[:MESSAGE_LIMIT]}


def serve(adapter: Any, requests: Any, answers: Any, warned: list[Any]) -> None:
    """Answer batches of calls until the host closes its end; `warned` grows while a call is made."""
    table = {(i.path, i.operation): i for i in adapter.IMPLEMENTATIONS}
    version = _version(adapter, adapter.PACKAGES[0])
    while True:
        try:
            batch, tensors = frames.read(requests)
        except EOFError:
            return
        arrays = iter(tensors)
        for call in batch["calls"]:
            inputs = {name: _placed(next(arrays), call.get("layout", "")) for name in call["inputs"]}
            implementation = table[call["implementation"], call["operation"]]
            lacking = lacks(implementation, adapter.FRAMEWORK, version)
            call["wanted"] = [output for output in call["wanted"] if output not in lacking]
            header, outputs = answer(adapter, implementation, call, inputs)
            if lacking:
                header["unsupported"] = lacking
            if warned:
                header["warnings"] = [_told(warning) for warning in warned[:WARNINGS_LIMIT]]
                del warned[:]
            frames.write(answers, header, outputs)


def _placed(tensor: Tensor, layout: str) -> Tensor:
    return tensor._replace(data=layouts.laid_out(tensor.data, layout))


def _told(warning: Any) -> str:
    return "{}: {}".format(warning.category.__name__, warning.message)[:MESSAGE_LIMIT]


def main() -> None:
    """Start the adapter, say so, and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--read", type=int)
    parser.add_argument("--write", type=int)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table")
    options = parser.parse_args()
    os.dup2(2, 1)
    if options.table:
        tables.write(load_adapter, options.adapter, options.table)
        return
    with os.fdopen(options.read, "rb") as requests, os.fdopen(options.write, "wb") as answers:
        try:
            adapter = load_adapter(options.adapter)
            adapter.start(options.threads)
        except Exception as error:  # a broken wheel raises anything
            frames.write(answers, {"ready": False, "reason": f"{type(error).__name__}: {error}"})
            return
        frames.write(answers, describe(adapter, options.threads))
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("default")  # deprecations too, which Python hides
            serve(adapter, requests, answers, warned)


if __name__ == "__main__":
    main()
