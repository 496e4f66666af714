from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import casefile
from harness.casefile import CaseFileErrors, Entry

Problems = Callable[[str | bytes], list[str]]
Load = Callable[[str | bytes], list[Entry]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load one file, `cases/t.yaml`."""

    def loaded(text: str | bytes) -> list[Entry]:
        file = tmp_path / "cases" / "t.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return casefile.load([file], file.parent)

    return loaded


@pytest.fixture
def problems(load: Load) -> Problems:
    """What is wrong with a file, a line each, without the file's name; nothing if it is right."""

    def found(text: str | bytes) -> list[str]:
        try:
            load(text)
        except CaseFileErrors as errors:
            lines = str(errors).splitlines()
            assert all(line.startswith("cases/t.yaml:") for line in lines)
            return [line.removeprefix("cases/t.yaml:") for line in lines]
        return []

    return found
