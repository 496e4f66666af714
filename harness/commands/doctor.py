"""`harness env doctor`: what each environment has."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.config import Options
from harness.engine import doctor
from harness.engine.pool import Limits
from harness.environments.adapters import adapters
from harness.environments.interpreters import environments


def rows(options: Options) -> Iterator[Mapping[str, Any]]:
    """One row for each framework in each environment."""
    with tempfile.TemporaryDirectory() as logs:
        limits = Limits(threads=options.threads)
        for found in doctor.examine(environments(options.python), adapters(options.adapter), limits, Path(logs)):
            yield {
                "environment": found.environment,
                "framework": found.framework,
                "available": not found.complaint,
                "python": found.python,
                "packages": dict(found.packages),
                "complaint": found.complaint,
            }


def line(row: Mapping[str, Any]) -> str:
    """A row for people."""
    name = f"{row['environment']}: {row['framework']}"
    if not row["available"]:
        return f"{name}  UNAVAILABLE: {row['complaint']}"
    packages = ", ".join(f"{package} {version}" for package, version in row["packages"].items())
    return f"{name}  ok: python {row['python']}, {packages}"
