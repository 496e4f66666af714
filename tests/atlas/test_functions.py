"""What an API's default means in the operation's words."""

import pytest

from harness.adapters import Implementation
from harness.atlas.functions import learn, meant
from harness.engine.spellings import Spelling
from harness.model.case import Scalar
from harness.operations import OPERATIONS


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


def test_an_argument_that_a_call_left_out_had_its_default() -> None:
    row = Implementation("f.loss", "sigmoid_cross_entropy", lambda: None, {"reduction": ("none", "mean")})
    plain = OPERATIONS["sigmoid_cross_entropy"].complete({})
    given = {"x": "logits", "z": "labels"}
    spellings = [
        Spelling(row, {**plain, "reduction": "none"}, "", {**given, "reduce": "None"}, {"reduce": "average"}),
        Spelling(row, {**plain, "reduction": "mean"}, "", given, {"reduce": "average"}),
    ]
    told = learn(row, "f", spellings).told["reduction"]
    assert (told.argument, told.texts) == ("reduce", {"none": "None", "mean": "average"})
    assert told.default == "mean"
