"""Runs made by hand: nothing here starts a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.model.run import Run
from harness.model.subject import Fingerprint
from harness.model.verdict import Kind, Verdict
from harness.store.database import Store


def make_verdict(case: str = "documents/1:a/float32", kind: Kind = Kind.PASS, **more: Any) -> Verdict:
    """A verdict, the rest as usual."""
    usual: dict[str, Any] = {
        "operation": "sigmoid_cross_entropy",
        "subject": "current:numpy.sigmoid_cross_entropy@eager",
        "implementation": "numpy.sigmoid_cross_entropy",
        "framework": "numpy",
        "environment": "current",
        "mode": "eager",
        "device": "cpu",
        "dtype": "float32",
        "output": "value",
        "source": "cases/documents/1.yaml:7",
    }
    return Verdict(case=case, verdict=kind, **(usual | more))


@pytest.fixture(scope="session")
def verdict() -> Callable[..., Verdict]:
    return make_verdict


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(
        id="20260101T120000Z-abc123",
        folder=tmp_path,
        started="2026-01-01T12:00:00+00:00",
        command="harness run",
        seed=0,
        tier="stock",
        threads=1,
        cpu="",
        truth="",
        environments={
            "old": Fingerprint("3.7.9", {"tensorflow": "1.15.5"}),
            "current": Fingerprint("3.11.2", {"torch": "2.13.0", "numpy": "2.4.6"}),
        },
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path, fresh=True)
    yield opened
    opened.close()
