from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.environments.adapters import adapters
from harness.environments.interpreters import EnvironmentUnusableError

ADAPTER = """
from harness.adapters import Implementation

FRAMEWORK = "{framework}"
PACKAGES = ["{framework}", "numpy"]
IMPLEMENTATIONS = [Implementation("{framework}.mine", "sigmoid", run=None, gradients=("logits",))]


def start(threads):
    import {framework}


def call(implementation, mode, inputs, parameters, wanted):
    return {{}}
"""

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> str:
        path = tmp_path / "mine.py"
        path.write_text(text)
        return str(path)

    return written


def test_the_built_in_tables_are_read_without_their_frameworks() -> None:
    found = adapters()
    assert [a.framework for a in found] == ["numpy", "tensorflow", "torch"]
    assert all(Path(a.file).is_file() and a.implementations and a.packages for a in found)
    assert not {"tensorflow", "torch"} & set(sys.modules)


def test_a_users_file_comes_after_the_built_in_ones(write: Write) -> None:
    file = write(ADAPTER.format(framework="mine"))
    *built_in, mine = adapters([file])
    assert len(built_in) == 3
    assert (mine.framework, mine.file, mine.packages) == ("mine", file, ("mine", "numpy"))
    assert [(i.path, i.operation) for i in mine.implementations] == [("mine.mine", "sigmoid")]


def test_a_file_of_a_built_ins_framework_replaces_it(write: Write) -> None:
    file = write(ADAPTER.format(framework="torch"))
    found = adapters([file])
    assert [a.framework for a in found] == ["numpy", "tensorflow", "torch"]
    assert found[-1].file == file


def test_loading_leaves_nothing_beside_the_file(write: Write, tmp_path: Path) -> None:
    adapters([write(ADAPTER.format(framework="mine"))])
    assert [p.name for p in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no adapter: it lacks FRAMEWORK, PACKAGES, IMPLEMENTATIONS, start, call"),
        (
            'FRAMEWORK = "x"\nPACKAGES = ()\ndef call(): ...\n',
            "no adapter: it lacks IMPLEMENTATIONS, start",
        ),
        ("def f(:\n", "can't be loaded: SyntaxError: invalid syntax"),
        ("import no_such_module\n", "can't be loaded: ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0\n", "can't be loaded: ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_is_no_adapter_is_told_in_one_message(write: Write, text: str, message: str) -> None:
    file = write(text)
    with pytest.raises(EnvironmentUnusableError) as refused:
        adapters([file])
    assert str(refused.value).startswith(f"{file}: {message}")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnusableError, match=r"mine\.py: no such adapter file$"):
        adapters([str(tmp_path / "mine.py")])
