from __future__ import annotations

import pytest

from harness.model.verdict import ExitCode, Kind

PASSING = {"pass", "erratum", "deviation", "unsupported", "unavailable"}


@pytest.mark.parametrize("kind", Kind)
def test_what_the_gate_counts_as_a_failure(kind: Kind) -> None:
    assert kind.failed is (kind.value not in PASSING)


def test_exit_codes_are_pytests() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": pytest.ExitCode.OK,
        "FAILED": pytest.ExitCode.TESTS_FAILED,
        "INTERRUPTED": pytest.ExitCode.INTERRUPTED,
        "INTERNAL": pytest.ExitCode.INTERNAL_ERROR,
        "USAGE": pytest.ExitCode.USAGE_ERROR,
        "EMPTY": pytest.ExitCode.NO_TESTS_COLLECTED,
    }
