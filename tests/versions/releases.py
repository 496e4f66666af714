"""Planted releases as environments: `before`, `after` and `planted==VERSION`, new from 1.5 on, all but 1.3.

As a script it is the harness with these environments, for tests that kill it:
`python -m tests.versions.releases BEFORE AFTER ARGUMENTS...`
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness import provision
from harness.commands import bisecting
from harness.config import Options
from harness.model.subject import Adapter, Environment

VERSIONS = [f"1.{n}" for n in range(10)]
NAMED = {"before": "1.0", "after": "1.9"}


def environments(sides: tuple[Path, Path], asked: list[str]) -> Callable[..., Environment]:
    """What takes the place of `provision.environment`; the names that it is asked for are noted."""

    def environment(name: str, _options: Options, _adapters: Sequence[Adapter]) -> Environment:
        asked.append(name)
        version = name.partition("==")[2].partition("@")[0] or NAMED.get(name, "1.3")
        home = sides[float(version) > 1.4]
        complaint = "no such wheel" if version == "1.3" else ""
        called = f"planted-{version}" if "==" in name else name
        return Environment(called, str(home / "bin" / "python"), ("planted",), complaint)

    return environment


def released(package: str, python: str) -> list[str]:  # noqa: ARG001 - of one package
    """What takes the place of `bisecting.released`."""
    return VERSIONS


def main() -> None:
    """Run a command of the harness."""
    before, after, *arguments = sys.argv[1:]
    provision.environment = environments((Path(before), Path(after)), [])
    bisecting.released = released
    sys.argv = ["harness", *arguments]
    from harness.cli import main as harness  # noqa: PLC0415 - after it is patched

    harness()


if __name__ == "__main__":
    main()
