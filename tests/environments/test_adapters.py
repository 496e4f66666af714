from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.environments.adapters import BUILT_IN, adapters
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
    assert [a.framework for a in found][:3] == ["numpy", "tensorflow", "torch"]
    assert len({a.framework for a in found}) == len(BUILT_IN)
    assert all(Path(a.file).is_file() and a.implementations and a.packages for a in found)
    # In a process of its own: another test may have imported a framework into this one.
    told = [
        sys.executable,
        "-c",
        "import sys; from harness.environments.adapters import adapters; adapters(); print(*sys.modules)",
    ]
    imported = subprocess.run(told, capture_output=True, text=True, check=True).stdout.split()
    of_the_host = {"numpy", "ml_dtypes"}
    assert "harness.environments.adapters" in imported
    assert not ({name for a in found for name in a.packages} - of_the_host) & set(imported)


def test_a_users_file_comes_after_the_built_in_ones(write: Write) -> None:
    file = write(ADAPTER.format(framework="mine"))
    *built_in, mine = adapters([file])
    assert len(built_in) == len(BUILT_IN)
    assert (mine.framework, mine.file, mine.packages) == ("mine", file, ("mine", "numpy"))
    assert [(i.path, i.operation) for i in mine.implementations] == [("mine.mine", "sigmoid")]


def test_a_file_of_a_built_ins_framework_replaces_it(write: Write) -> None:
    file = write(ADAPTER.format(framework="torch"))
    found = adapters([file])
    assert [a.file for a in found if a.framework == "torch"] == [file]
    assert len(found) == len(BUILT_IN)


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
        ("1 / 0\n", "can't be loaded: ZeroDivisionError: division by zero on line 1"),
        ("import sys\n\nsys.exit('bye')\n", "can't be loaded: SystemExit: bye on line 3"),
    ],
)
def test_a_file_that_is_no_adapter_is_told_in_one_message(write: Write, text: str, message: str) -> None:
    file = write(text)
    with pytest.raises(EnvironmentUnusableError) as refused:
        adapters([file])
    assert str(refused.value).startswith(f"{file}: {message}")
    assert "\n" not in str(refused.value)


ROW = 'Implementation("x.mine", "sigmoid_cross_entropy", None{})'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'IMPLEMENTATIONS = (("a.b", "sigmoid_cross_entropy"),)',
            "IMPLEMENTATIONS[0] is a tuple: a harness.adapters.I",
        ),
        ('IMPLEMENTATIONS = "abc"', "IMPLEMENTATIONS is 'abc': a tuple of harness.adapters.Implementation is meant"),
        ("FRAMEWORK = 3", "FRAMEWORK is 3: a name of letters, digits, _ and - is meant"),
        (
            f"IMPLEMENTATIONS = ({ROW},)".format(", modes='eager'"),
            "x.mine: modes is the text 'eager': a tuple is meant",
        ),
        (
            f"IMPLEMENTATIONS = ({ROW},)".format(", dtypes='float32'"),
            "x.mine: dtypes is the text 'float32': a tuple is",
        ),
        (
            f"IMPLEMENTATIONS = ({ROW},)".format(", parameters=['reduction']"),
            "x.mine: parameters is ['reduction']: a di",
        ),
        (
            f"IMPLEMENTATIONS = ({ROW},)".format(", parameters={'axis': 'any'}"),
            "x.mine: parameter 'axis' is none of si",
        ),
        (f"IMPLEMENTATIONS = ({ROW},) * 2".format(""), "x.mine: 2 rows of sigmoid_cross_entropy; only the last can be"),
        ("def start(): ...", "start takes (): it is called with (threads)"),
        (
            f"FRAMEWORK = 3\nIMPLEMENTATIONS = ({ROW},)".format(", modes='eager'"),
            "FRAMEWORK is 3: a name of letters, digits, _ and - is meant (and 1 more: harness check-adapter",
        ),
    ],
)
def test_a_table_that_cant_be_used_is_told_before_anything_runs(write: Write, text: str, message: str) -> None:
    file = write(f"{ADAPTER.format(framework='x')}\n{text}\n")
    with pytest.raises(EnvironmentUnusableError) as refused:
        adapters([file])
    assert str(refused.value).startswith(f"{file}: {message}")


def test_a_framework_that_this_process_has_imported_is_not_held_against_a_file(write: Write) -> None:
    assert adapters([write(ADAPTER.format(framework="pytest"))])[-1].framework == "pytest"


def test_the_line_is_that_of_the_file_wherever_it_was_raised(write: Write, tmp_path: Path) -> None:
    helper = tmp_path / "helper.py"
    helper.write_text("\n\n\ndef f(:\n")
    file = write(f"import runpy\nrunpy.run_path({str(helper)!r})\n")
    with pytest.raises(EnvironmentUnusableError, match=r"can't be loaded: SyntaxError: .* on line 2$"):
        adapters([file])


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnusableError, match=r"mine\.py: no such adapter file$"):
        adapters([str(tmp_path / "mine.py")])


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Install a package with an adapter, and an entry point; the package itself must not be imported."""
    monkeypatch.syspath_prepend(tmp_path)

    def installed(name: str, value: str, framework: str = "kernels") -> Path:
        described = tmp_path / f"{name}-1.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (described / "entry_points.txt").write_text(f"[harness.adapters]\nmine = {value}\n")
        (tmp_path / name / "inner").mkdir(parents=True)
        for package in (name, f"{name}/inner"):
            (tmp_path / package / "__init__.py").write_text("raise ImportError('imported')\n")
        file = tmp_path / name / "inner" / "adapter.py"
        file.write_text(ADAPTER.format(framework=framework))
        return file

    return installed


def test_an_installed_packages_adapter_is_found_without_importing_the_package(install: Callable[..., Path]) -> None:
    file = install("acme", "acme.inner.adapter")
    found = adapters()[-1]
    assert (found.framework, found.file) == ("kernels", str(file))


def test_a_file_replaces_an_installed_adapter(install: Callable[..., Path], tmp_path: Path) -> None:
    install("acme", "acme.inner.adapter")
    own = tmp_path / "own.py"
    own.write_text(ADAPTER.format(framework="kernels"))
    assert [a.file for a in adapters([str(own)]) if a.framework == "kernels"] == [str(own)]


@pytest.mark.parametrize(
    ("value", "framework", "message"),
    [
        ("acme.inner.nothing", "kernels", "entry point mine = acme.inner.nothing: there is no such module"),
        ("nowhere.adapter", "kernels", "entry point mine = nowhere.adapter: there is no such module"),
        ("acme.inner.adapter:call", "kernels", "entry point mine = acme.inner.adapter:call: there is no such module"),
        ("acme.inner.adapter", "torch", "entry point mine = acme.inner.adapter: there is an adapter of torch already"),
    ],
)
def test_an_installed_adapter_that_cant_be_used_is_told(
    install: Callable[..., Path], value: str, framework: str, message: str
) -> None:
    install("acme", value, framework)
    with pytest.raises(EnvironmentUnusableError) as refused:
        adapters()
    assert str(refused.value).startswith(f"acme: {message}")
