"""Every mistake in an adapter's table is told in one clear line."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from harness.adapters import Implementation
from harness.environments import table
from harness.worker import tables

RIGHT = Implementation(
    "mine.fused",
    "sigmoid_cross_entropy",
    run=print,
    parameters={"reduction": ("none", "mean"), "label_smoothing": "any"},
    inputs=("weights",),
    gradients=("logits", "weights"),
    since="1.2",
)


@pytest.fixture(autouse=True)
def _other_tests_imported_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is read by a process of its own, which has imported no framework; this one may have."""
    monkeypatch.setattr(tables, "FRAMEWORKS", ())


def complaints(*rows: Any, **changed: Any) -> list[str]:
    """What is found about a module with these rows, and these names changed; None takes one away."""
    module = ModuleType("mine")
    names: dict[str, Any] = {
        "FRAMEWORK": "mine",
        "PACKAGES": ("numpy",),
        "IMPLEMENTATIONS": rows or (RIGHT,),
        "start": lambda _threads: None,
        "call": lambda _implementation, _mode, _inputs, _parameters, _wanted: {},
        **changed,
    }
    for name, value in names.items():
        if value is not None:
            setattr(module, name, value)
    return table.complaints(tables.table(module))


def row(**changed: Any) -> Implementation:
    """The right row with other fields."""
    return RIGHT._replace(**changed)


def test_a_right_table_has_no_complaint_and_is_read() -> None:
    assert complaints() == []
    module = ModuleType("mine")
    module.__dict__.update(FRAMEWORK="mine", PACKAGES=("numpy",), IMPLEMENTATIONS=(RIGHT,), start=print, call=print)
    (found,) = table.implementations(tables.table(module))
    assert found == RIGHT._replace(run=found.run)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"call": None}, "lacks call"),
        ({"IMPLEMENTATIONS": None, "IMPLEMENTATION": ()}, "lacks IMPLEMENTATIONS: is IMPLEMENTATION meant for it?"),
        ({"FRAMEWORK": "my kernels"}, "FRAMEWORK is 'my kernels': a name of letters, digits, _ and - is meant"),
        ({"PACKAGES": "numpy"}, "PACKAGES is the text 'numpy': a tuple is meant, ('numpy',)"),
        ({"PACKAGES": ()}, "PACKAGES is empty: the first package is the one whose version tells what is there"),
        ({"PACKAGES": (3,)}, "PACKAGES holds 3: texts are meant"),
        ({"PACKAGES": ("pytest",)}, "its top level imports pytest: import it in start(), since"),
        ({"start": lambda: None}, "start takes (): it is called with (threads)"),
        ({"start": 3}, "start is no function: it is called with (threads)"),
        (
            {"call": lambda _implementation, _inputs: {}},
            "call takes (_implementation, _inputs): it is called with (implementation, mode, inputs, parameters, ",
        ),
        ({"IMPLEMENTATIONS": 3}, "IMPLEMENTATIONS is 3: a tuple of harness.adapters.Implementation is meant"),
        ({"IMPLEMENTATIONS": ()}, "IMPLEMENTATIONS is empty: a row for each public call is meant"),
        ({"IMPLEMENTATIONS": ({},)}, "IMPLEMENTATIONS[0] is a dict: a harness.adapters.Implementation is meant"),
    ],
)
def test_what_is_wrong_with_a_module(changed: dict[str, Any], complaint: str) -> None:
    (found,) = complaints(**changed)
    assert found.startswith(complaint)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        (
            {"operation": "sigmoid_crossentropy"},
            "operation 'sigmoid_crossentropy' is none, did you mean 'sigmoid_cross_",
        ),
        ({"operation": "hinge"}, "operation 'hinge' is none: known are sigmoid, "),
        ({"path": "mine fused"}, "its path is no import path"),
        ({"dtypes": "float32"}, "dtypes is the text 'float32': a tuple is meant, ('float32',)"),
        ({"dtypes": ("float23",)}, "dtype 'float23' is none, did you mean 'float32'?"),
        ({"dtypes": ()}, "dtypes is empty: it takes nothing"),
        ({"indices": ("int23",)}, "indices lists 'int23', no dtype of indices, did you mean 'int32'?"),
        ({"modes": "eager"}, "modes is the text 'eager': a tuple is meant, ('eager',)"),
        ({"modes": ()}, "modes is empty: it can't be run"),
        ({"modes": ("my mode",)}, "mode 'my mode': a name of letters, digits, _ and - is meant"),
        ({"inputs": ("labels", "weights")}, "inputs lists labels, which is no optional input: leave it out"),
        (
            {"inputs": ("weight", "weights")},
            "inputs lists 'weight', no input of sigmoid_cross_entropy, did you mean 'weights'?",
        ),
        (
            {"gradients": ("gradient:logits",)},
            "gradients lists 'gradient:logits': the input's name alone is meant, 'logits'",
        ),
        (
            {"gradients": ("logit",)},
            "gradients lists 'logit': sigmoid_cross_entropy has none with respect to it, did you",
        ),
        ({"inputs": ()}, "gradients lists weights, but inputs doesn't: it is never given any"),
        ({"gradients_since": {"labels": "2.0"}}, "gradients_since speaks of 'labels', which gradients doesn't list"),
        ({"seldom": ("lazy",)}, "seldom speaks of mode 'lazy', which modes doesn't list"),
        ({"narrowed": {"lazy": {}}}, "narrowed speaks of mode 'lazy', which modes doesn't list"),
        ({"narrowed": {"eager": ("mean",)}}, "narrowed for eager is ['mean']: a dict is meant"),
        (
            {"narrowed": {"eager": {"reduction": "mean"}}},
            "narrowed for eager: parameter reduction is 'mean': ANY or a tuple of values is meant, as in ('mean',)",
        ),
        ({"parameters": ("reduction",)}, "parameters is ['reduction']: a dict is meant"),
        (
            {"parameters": {"axis": (0,)}},
            "parameter 'axis' is none of sigmoid_cross_entropy: known are label_smoothing,",
        ),
        (
            {"parameters": {"label_smooting": "any"}},
            "parameter 'label_smooting' is none of sigmoid_cross_entropy, did you mean",
        ),
        (
            {"parameters": {"reduction": "mean"}},
            "parameter reduction is 'mean': ANY or a tuple of values is meant, as in ('mean',)",
        ),
        ({"parameters": {"label_smoothing": "last axis"}}, "parameter label_smoothing is 'last axis': ANY or a tuple"),
        (
            {"parameters": {"label_smoothing": 0.1}},
            "parameter label_smoothing is 0.1: ANY or a tuple of values is meant",
        ),
        ({"parameters": {"reduction": ()}}, "parameter reduction has no value that it takes"),
        (
            {"parameters": {"reduction": ("avg",)}},
            "parameter reduction offers 'avg': reduction is 'avg', not one of none,",
        ),
        (
            {"parameters": {"label_smoothing": (2.0,)}},
            "parameter label_smoothing offers 2.0: label_smoothing is 2.0, outside [0, 1]",
        ),
        ({"since": 2}, "since is 2: text is meant"),
        ({"until": "later"}, "until is 'later': a version is meant, as in '2.1'"),
    ],
)
def test_what_is_wrong_with_a_row(changed: dict[str, Any], complaint: str) -> None:
    (found,) = complaints(row(**changed))
    assert found.removeprefix("mine.fused: ").removeprefix("mine fused: ").startswith(complaint)


def test_every_mistake_is_told_at_once() -> None:
    found = complaints(row(dtypes=("float23",), modes=()), row(operation="sigmoid", path="mine.other"), FRAMEWORK="")
    assert len(found) == 7
    assert found[0].startswith("FRAMEWORK is ''")
    assert sum("mine.other: parameter" in line for line in found) == 2


def test_a_path_that_is_no_text_is_told() -> None:
    assert complaints(row(path=["mine.fused"])) == ["IMPLEMENTATIONS[0]: path is ['mine.fused']: text is meant"]


def test_rows_that_cant_be_told_apart_are_told() -> None:
    assert complaints(RIGHT, RIGHT) == ["mine.fused: 2 rows of sigmoid_cross_entropy; only the last can be asked"]
