"""Signatures are plain data that two versions can be compared by."""

import sys
import types
from collections.abc import Mapping
from typing import Any

import pytest

from harness.worker.signatures import resolve, signatures

ALIASES = {"p": "a_package"}


def loss(logits: Any, labels: Any = None, *, reduction: str = "mean") -> None:
    raise NotImplementedError


class Loss:
    def __init__(self, reduction: str = "mean", guard: object = object()) -> None:
        raise NotImplementedError


class Lazy(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.fixture(autouse=True)
def _package(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Lazy("a_package")
    module.__dict__.update(nn=types.SimpleNamespace(loss=loss, Loss=Loss, builtin=min, number=3))
    monkeypatch.setitem(sys.modules, "a_package", module)


def of(*paths: str, aliases: Mapping[str, str] = ALIASES) -> dict[str, Any]:
    rows = [types.SimpleNamespace(path=path) for path in paths]
    return signatures(types.SimpleNamespace(IMPLEMENTATIONS=rows, ALIASES=aliases))


def test_names_kinds_and_defaults_of_a_function() -> None:
    assert of("p.nn.loss") == {
        "p.nn.loss": [
            ("logits", "POSITIONAL_OR_KEYWORD", None),
            ("labels", "POSITIONAL_OR_KEYWORD", "None"),
            ("reduction", "KEYWORD_ONLY", "'mean'"),
        ]
    }


def test_a_class_has_its_constructor_s_and_no_address() -> None:
    found = of("p.nn.Loss")["p.nn.Loss"]
    assert [name for name, _, _ in found] == ["reduction", "guard"]
    assert "0x" not in found[1][2]


@pytest.mark.parametrize(
    "path", ["p.nn.gone", "p.gone", "elsewhere.loss", "p.nn.builtin", "p.nn.number", "p.by_hand.1"]
)
def test_what_has_no_signature_is_left_out(path: str) -> None:
    assert of(path) == {}


def test_a_path_may_begin_with_the_package_itself() -> None:
    assert resolve("a_package.nn.loss", {}) is loss
