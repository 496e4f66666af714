"""Calls are written down once: a later run takes the text from the cache, and makes it again where it can't be read."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from harness.engine import shelf
from harness.engine.pool import Limits, Pool
from harness.engine.spellings import Asked
from harness.environments.adapters import adapters
from harness.model.case import Case, Expectation, Source
from harness.model.observation import Observation, Outcome
from harness.model.subject import Environment

HERE = Environment("current", sys.executable)


@pytest.fixture
def asked() -> Asked:
    adapter = next(each for each in adapters(()) if each.framework == "torch")
    row = next(row for row in adapter.implementations if row.path == "torch.nn.functional.logsigmoid")
    inputs = {"logits": np.array([1.0, -2.0], np.float32)}
    return Asked(adapter, row, Case("one", "log_sigmoid", inputs, {}, "float32", Expectation(), Source("", 0)))


def test_a_text_is_made_once(asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(cache=tmp_path / "cache")
    first = shelf.texts([asked], HERE, {"torch": "2"}, limits, tmp_path / "work")
    assert [text for _, text in first] == ["torch.nn.functional.logsigmoid(logits)"]
    monkeypatch.setattr(shelf, "spell", lambda *_: pytest.fail("it was made again"))
    assert shelf.texts([asked], HERE, {"torch": "2"}, limits, tmp_path / "work") == first


@pytest.mark.parametrize("spoil", ["{", "[]", '{"a": 1}'])
def test_what_cannot_be_read_is_made_again(asked: Asked, tmp_path: Path, spoil: str) -> None:
    limits = Limits(cache=tmp_path / "cache")
    first = shelf.texts([asked], HERE, {}, limits, tmp_path / "work")
    (file,) = (tmp_path / "cache" / "spelled").iterdir()
    kept = file.read_text()
    file.write_text(spoil)
    assert shelf.texts([asked], HERE, {}, limits, tmp_path / "again") == first
    assert file.read_text() == kept


def test_other_packages_or_inputs_are_another_text(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(cache=tmp_path / "cache")
    shelf.texts([asked], HERE, {"torch": "2"}, limits, tmp_path / "work")
    monkeypatch.setattr(shelf, "spell", lambda left, *_: [(each, None) for each in left])
    assert shelf.texts([asked], HERE, {"torch": "3"}, limits, tmp_path / "work") == []


@pytest.mark.parametrize("outcome", [Outcome.CRASH, Outcome.TIMEOUT, Outcome.UNAVAILABLE])
def test_what_may_pass_is_not_kept(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    limits = Limits(cache=tmp_path / "cache")
    with monkeypatch.context() as broken:
        broken.setattr(Pool, "observe", lambda _self, items: [(item, Observation(outcome)) for item in items])
        assert shelf.texts([asked], HERE, {}, limits, tmp_path / "work") == []
    assert [text for _, text in shelf.texts([asked], HERE, {}, limits, tmp_path / "again")] == [
        "torch.nn.functional.logsigmoid(logits)"
    ]


def test_that_a_call_raises_is_kept(asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(cache=tmp_path / "cache")
    with monkeypatch.context() as broken:
        broken.setattr(Pool, "observe", lambda _self, items: [(item, Observation(Outcome.ERROR)) for item in items])
        assert shelf.texts([asked], HERE, {}, limits, tmp_path / "work") == []
    monkeypatch.setattr(shelf, "spell", lambda *_: pytest.fail("it was made again"))
    assert shelf.texts([asked], HERE, {}, limits, tmp_path / "again") == []
