"""What is documented of non-finite and out-of-domain input is what the definitions give."""

from __future__ import annotations

import pytest

from harness.model.case import Domain
from harness.operations import OPERATIONS
from tests.oracle.enclosing import objections
from tests.oracle.limits import LIMITS, PAGE, case, page

DEFINED = {name for name, operation in OPERATIONS.items() if operation.outputs}


def test_every_operation_has_a_table() -> None:
    assert LIMITS.keys() == DEFINED, "tests/oracle/limits.py, LIMITS"


@pytest.mark.parametrize("name", LIMITS)
def test_answers_are_those_of_the_definition(name: str) -> None:
    """By mpmath, where there is one."""
    calls = [case(name, line) for line in LIMITS[name]]
    defined = [
        call for call in calls if OPERATIONS[name].locate(call.inputs, call.parameters).domain != Domain.UNDEFINED
    ]
    found = [f"{dict(call.inputs)} {dict(call.parameters)} {m}" for call in defined for m in objections(call)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", LIMITS)
def test_a_row_says_why(name: str) -> None:
    for line in LIMITS[name]:
        call = case(name, line)
        region = OPERATIONS[name].locate(call.inputs, call.parameters)
        assert bool(line.because) != (region.domain is Domain.UNDEFINED), call
        assert region.domain is Domain.INSIDE or region.reason


def test_the_page_is_current() -> None:
    """`python -m tests.oracle.limits` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()
