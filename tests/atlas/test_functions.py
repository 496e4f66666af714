"""What an API's default means in the operation's words."""

import pytest

from harness.atlas.functions import meant
from harness.model.case import Scalar


@pytest.mark.parametrize(
    ("texts", "default", "value"),
    [
        ({"none": "'each'", "mean": "'average'"}, "'average'", "mean"),
        ({"none": "'each'", "mean": "'average'"}, "'largest'", None),
        ({0.0: "0.0", 0.25: "0.25"}, "0", 0.0),
        ({0.0: "0.0", 0.125: "0.125"}, "1e-07", 1e-7),
        ({1.0: "f.tensor(1.0)", 2.5: "f.tensor(2.5)"}, "None", None),
        ({0: "0", 1: "1"}, "True", None),
        ({0: "0", 1: "1"}, "", None),
    ],
)
def test_a_default_is_the_value_that_is_told_so(texts: dict[Scalar, str], default: str, value: Scalar | None) -> None:
    assert meant(texts, default) == value
