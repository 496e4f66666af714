"""What an API's default means in the operation's words, and what of it is to be minded."""

from collections.abc import Mapping

import pytest

from harness.adapters import ANY, Implementation
from harness.atlas.differences import differences
from harness.atlas.evidence import Evidence
from harness.atlas.functions import Function, learn, meant
from harness.atlas.porting import port, uncalled, wanted
from harness.engine.spellings import Spelling
from harness.model.case import Scalar
from harness.model.verdict import Kind
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


def known(
    path: str, operation: str, parameters: Mapping[str, object], defaults: Mapping[str, str], *, called: bool = True
) -> Function:
    """What is learnt of the plain call alone."""
    row = Implementation(path, operation, lambda: None, parameters)  # type: ignore[arg-type]
    plain = OPERATIONS[operation].complete({})
    spelling = Spelling(row, plain, "f()", {"x": "logits", "y": "labels"}, defaults)
    return learn(row, path.partition(".")[0], [spelling] if called else [])


def sparse(path: str, *, called: bool = True, **defaults: str) -> Function:
    offered = {"axis": "last axis", "ignore_index": ANY}
    return known(path, "sparse_softmax_cross_entropy", offered, defaults, called=called)


def test_a_label_that_is_left_out_by_default_is_told() -> None:
    torch, keras = sparse("torch.loss", ignore_index="-100"), sparse("keras.loss", ignore_class="None")
    plain = known("tf.loss", "sparse_softmax_cross_entropy", {"axis": "last axis"}, {})
    for other in (keras, plain):
        assert "ignore_index is none by default, not -100" in list(differences(torch, other))
        assert "ignore_index is -100 by default, not none" in list(differences(other, torch))
    assert not list(differences(keras, plain))
    assert torch.defaults() == OPERATIONS["sparse_softmax_cross_entropy"].complete({})
    assert not wanted(torch, plain, "float32").refusal


def test_a_default_that_is_not_known_is_told_so() -> None:
    silent, other = sparse("mine.loss", called=False), sparse("keras.loss", ignore_class="None")
    assert list(differences(silent, other)) == ["ignore_index is none by default"]
    assert list(differences(other, silent)) == ["its default of ignore_index isn't known to the atlas"]


def test_what_a_mean_of_nothing_is_differs_by_api() -> None:
    zero = known("keras.loss", "sigmoid_cross_entropy", {"empty_mean": ("undefined", "zero")}, {})
    none = known("tf.loss", "sigmoid_cross_entropy", {}, {})
    assert list(differences(none, zero)) == ["empty_mean is zero by default, not undefined"]
    assert zero.defaults()["empty_mean"] == "undefined"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("tf.nn.softmax", ""),
        ("tf.nn.log_softmax", ""),
        ("onnx.Softmax", ""),
        ("scipy.special.softmax", "its class axis is to be given"),
    ],
)
def test_the_class_axis_where_nothing_is_said(path: str, place: str) -> None:
    row = Implementation(path, "softmax", lambda: None, {"axis": ANY})
    calls = [
        Spelling(row, {"axis": axis}, "f()", {"x": "logits", "axis": str(axis)}, {"axis": "None"}) for axis in (-1, 0)
    ]
    last = known("jax.nn.softmax", "softmax", {"axis": "last axis"}, {})
    assert "".join(differences(last, learn(row, "f", calls))) == place


def test_a_function_without_a_call_is_there_or_not() -> None:
    one, other = sparse("keras.loss"), sparse("mine.loss", called=False)
    asked = wanted(one, other, "float32")
    seen = Evidence()
    assert uncalled(seen) == "no environment of the run has it"
    seen.counts[Kind.UNAVAILABLE] += 1
    key = ("mine.loss", "sparse_softmax_cross_entropy")
    assert port(asked, "", {key: seen}).excuse == "it can't: no environment of the run has it"
    seen.counts[Kind.PASS] += 1
    assert port(asked, "", {key: seen}).excuse == "its call isn't known to the atlas"
