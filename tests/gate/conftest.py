"""Verdicts and differences made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.change import Change
from harness.model.verdict import Kind, Verdict
from harness.store.changes import MACHINE, Diff, Difference
from harness.store.entries import Entry

SUBJECT = "current:torch.softmax@eager"
Make = Callable[..., Any]


def verdict(case: str = "operations/softmax:a/float32", kind: Kind = Kind.PASS, **more: Any) -> Verdict:
    """A verdict, the rest as usual."""
    usual: dict[str, Any] = {
        "operation": "softmax",
        "subject": SUBJECT,
        "implementation": "torch.softmax",
        "framework": "torch",
        "environment": "current",
        "mode": "eager",
        "device": "cpu",
        "dtype": "float32",
        "output": "value",
        "source": "cases/operations/softmax.yaml:3",
    }
    return Verdict(case=case, verdict=kind, **(usual | more))


def difference(change: Change, about: Verdict, *, elsewhere: bool = False, gone: bool = False) -> Difference:
    """What became of an output."""
    old, new = (
        Entry("float32[]", kind, grade, ulps, ulps / 8, bits)
        for kind, grade, ulps, bits in ((Kind.PASS, "exact", 0.25, "00"), (about.verdict, "stable", 9.0, "01"))
    )
    key = (about.case, about.subject, about.output)
    return Difference(change, key, old, None if gone else new, MACHINE if elsewhere else "")


def differing(*found: Difference) -> Diff:
    """All that differs, and nothing around it."""
    return Diff(found, {})


@pytest.fixture
def make() -> Make:
    return verdict


@pytest.fixture
def differ() -> Make:
    return difference


@pytest.fixture
def diff() -> Make:
    return differing
