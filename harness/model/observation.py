"""Observations: what a subject did with a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.case import Array


class Outcome(StrEnum):
    """How a call ended. Everything but `value` has a reason."""

    VALUE = "value"
    ERROR = "error"
    CRASH = "crash"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out-of-memory"
    UNSUPPORTED = "unsupported"
    UNAVAILABLE = "unavailable"


ABSENT = "absent"


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What a subject did with a case.

    Attributes:
        outcome: how the call ended.
        outputs: `value`, `gradient:logits`, ... to arrays, where `outcome` is VALUE.
        error: the exception's type, where `outcome` is ERROR; ABSENT, where a version hasn't the API.
        reason: message, signal with stderr's end, or why it is unsupported or unavailable.
        seconds: wall time of the call in the worker.
        unsupported: outputs that were wanted and that the API doesn't offer in this version, with the reason.
        warnings: what the framework warned of, `Category: message`, each place once in a worker.
    """

    outcome: Outcome
    outputs: Mapping[str, Array] = field(default_factory=dict)
    error: str = ""
    reason: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    unsupported: Mapping[str, str] = field(default_factory=dict)

    @property
    def ending(self) -> str:
        """How the call ended, with the type of an error, or that the API is gone: what must not change unnoticed."""
        return f"error {self.error}" if self.outcome is Outcome.ERROR else self.error or str(self.outcome)
