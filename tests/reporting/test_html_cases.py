"""What is shown of a case: which elements, and how they are marked."""

from __future__ import annotations

import numpy as np
import pytest

from harness.model.case import Array
from harness.model.observation import Observation, Outcome
from harness.model.run import Record
from harness.model.verdict import Grade, Kind, Tolerance, Verdict
from harness.reporting import html_cases

SUBJECT = "here:torch.nn.functional.binary_cross_entropy_with_logits@eager"
LOOSE = Tolerance(1.3e-6, 1e-5, passed=True, remark="passes by atol alone, 24 bits lost")


def shown(errors: Array, kind: Kind, grade: Grade, at: int) -> html_cases.Output:
    """The value of a sigmoid cross-entropy of logits 1 and labels 0 that is so many ulps off."""
    logits = np.ones(errors.size, np.float32)
    truth = np.full(errors.size, 1.3132616875182228)
    value = (truth + errors * 2.0**-23).astype(np.float32)
    record = Record(
        case="a:a/float32",
        operation="sigmoid_cross_entropy",
        dtype="float32",
        parameters={},
        source="a.yaml:1",
        inputs={"logits": logits, "labels": np.zeros_like(logits)},
        truth={"value": truth},
        observations={SUBJECT: Observation(Outcome.VALUE, {"value": value})},
    )
    row = Verdict(
        case=record.case,
        operation=record.operation,
        subject=SUBJECT,
        implementation="torch",
        framework="torch",
        version=None,
        environment="here",
        mode="eager",
        device="cpu",
        dtype="float32",
        output="value",
        verdict=kind,
        grade=grade,
        index=(at,),
        tolerance=LOOSE,
        source=record.source,
    )
    limit = html_cases.limits([row], record).get("value")
    return html_cases.output("value", [row], record, limit)


@pytest.mark.parametrize(("shape", "row"), [((), 0), ((6,), 0), ((2, 3), 3), ((1, 2, 3), 3), ((2, 0), 0)])
def test_an_input_is_shown_in_its_rows(shape: tuple[int, ...], row: int) -> None:
    assert html_cases.values("logits", np.zeros(shape, np.float32)).row == row


@pytest.mark.parametrize(
    ("kind", "grade", "marks"),
    [
        (Kind.FAIL, Grade.INACCURATE, ["", "far", "off", "off"]),  # B is 2.99 ulp here, and twice that passes
        (Kind.DEVIATION, Grade.INACCURATE, ["", "far", "off", "off"]),
        (Kind.PASS, Grade.STABLE, ["", "far", "far", "far"]),
        (Kind.PASS, Grade.INACCURATE, ["", "far", "far", "far"]),  # by a tolerance that the case states
    ],
)
def test_elements_are_marked_by_the_pass_line_whatever_a_plain_tolerance_says(
    kind: Kind, grade: Grade, marks: list[str]
) -> None:
    found = shown(np.array([0.0, 5.0, 8.0, -90.0]), kind, grade, at=3)
    assert [cell.mark for element in found.elements for cell in element.cells if cell] == marks


def test_what_a_verdict_names_is_shown_with_its_inputs_wherever_it_stands() -> None:
    errors = np.zeros(1000)
    errors[700] = 90.0
    found = shown(errors, Kind.FAIL, Grade.INACCURATE, at=700)
    assert [element.place for element in found.elements] == [*map(str, range(html_cases.ELEMENTS)), "700"]
    last = found.elements[-1]
    assert last.given == "logits 1, labels 0"
    assert [cell.mark for cell in last.cells if cell] == ["off"]
    assert found.more == 1000 - len(found.elements)
