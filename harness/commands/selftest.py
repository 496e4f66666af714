"""`harness selftest`: does the stock suite notice faulty implementations, and leave right ones alone?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.config import Options
from harness.model.verdict import Verdict
from harness.reporting.text import one_line
from harness.selftest import rounds
from harness.selftest.rounds import Row

Failures = Mapping[Row, Verdict | None]


@dataclass(frozen=True, slots=True)
class Selftest:
    """What became of mutants and variants.

    Attributes:
        mutants: the first failure of each row, None where it was not noticed.
        variants: the first failure of each row, None where it passes.
    """

    mutants: Failures
    variants: Failures

    @property
    def passed(self) -> bool:
        """Whether every mutant fails in each of its operations, and no variant in any."""
        return all(self.mutants.values()) and not any(self.variants.values())


THREADS = 2
"""Threads that a call may use: some faults show only where there are several."""


def settings(threads: int | None, timeout: float | None) -> Options:
    """Those of the flags; nothing of the surroundings may change what the stock suite is."""
    given = {"threads": threads or THREADS, "timeout": timeout}
    return Options.model_validate({name: value for name, value in given.items() if value is not None})


def selftest(options: Options) -> Selftest:
    """Ask the shipped mutants and variants the stock suite.

    Raises:
        HarnessError: the harness could not judge an answer.
    """
    return Selftest(
        rounds.failures(rounds.files("mutants"), options, until_failed=True),
        rounds.failures(rounds.files("variants"), options, until_failed=False),
    )


def document(found: Selftest) -> dict[str, Any]:
    """The same for programs.

    `mutants` and `variants` count paths. A mutant is killed if it fails in all of its operations; a variant has passed
    if it fails in none.
    """
    mutants, variants = _by_path(found.mutants), _by_path(found.variants)
    return {
        "mutants": len(mutants),
        "killed": sum(all(failures) for failures in mutants.values()),
        "variants": len(variants),
        "passed": sum(not any(failures) for failures in variants.values()),
        "survivors": [row._asdict() for row, failure in found.mutants.items() if failure is None],
        "accused": [row._asdict() | _told(failure) for row, failure in found.variants.items() if failure],
        "kills": [row._asdict() | _told(failure) for row, failure in found.mutants.items() if failure],
    }


def lines(found: Selftest) -> Iterator[str]:
    """Survivors and accused, one line each, and the sum."""
    told = document(found)
    for each in told["survivors"]:
        yield f"survives: {each['path']} in {each['operation']}"
    for each in told["accused"]:
        yield one_line(
            f"accused: {each['path']} in {each['operation']}: {each['case']} {each['output']}: {each['reason']}"
        )
    killed = f"{told['killed']} of {told['mutants']} mutants killed"
    yield f"{killed}, {told['passed']} of {told['variants']} variants passed"


def _by_path(failures: Failures) -> dict[str, list[Verdict | None]]:
    found: dict[str, list[Verdict | None]] = defaultdict(list)
    for row, failure in failures.items():
        found[row.path].append(failure)
    return found


def _told(failure: Verdict) -> dict[str, str]:
    return {"case": failure.case, "output": failure.output, "reason": failure.reason}
