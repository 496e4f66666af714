from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from harness.environments import definitions
from harness.environments.adapters import adapters
from harness.environments.definitions import DefinitionError

PLACE = "pyproject.toml: [tool.harness.env."


def parse(**tables: Any) -> dict[str, definitions.Definition]:
    return definitions.parse(tables, PLACE, Path("/project"))


def test_the_shipped_ones_are_the_documents_world_keras_2_today_and_jax() -> None:
    shipped = definitions.shipped()
    assert list(shipped) == ["tf1.15", "tf2.15", "today", "jax"]
    assert shipped["tf1.15"].python == "3.7"
    assert "tensorflow==1.15.5" in shipped["tf1.15"].requirements
    assert shipped["jax"].requirements[1:] == ("jax==0.10.2", "optax==0.2.8")


@pytest.mark.parametrize("file", sorted(definitions.LOCKS.glob("*.txt")), ids=lambda file: file.stem)
def test_a_shipped_lock_file_pins_what_its_definition_requires(file: Path) -> None:
    definition = definitions.shipped()[file.stem]
    pins = dict(line.split("==") for line in file.read_text().splitlines())
    for requirement in definition.requirements:
        name, exact, version = requirement.partition(";")[0].partition("==")
        if exact and "!= 'Linux'" not in requirement:
            assert pins.get(name, pins.get(name.replace("-", "_"))) == version
    assert not [line for line in pins.values() if "+" in line or "/" in line]


def test_today_is_what_the_constraints_pin() -> None:
    lines = (Path(__file__).parents[2] / "constraints.txt").read_text().splitlines()
    pins = {
        line.partition("==")[0].lower().replace("_", "-"): line.partition("==")[2] for line in lines if "==" in line
    }
    for requirement in definitions.shipped()["today"].requirements:
        name, _, version = requirement.partition(";")[0].partition("==")
        assert pins[name] == version


def test_a_projects_own_has_its_interpreter_requirements_and_lock_file() -> None:
    table = {"python": "3.12", "requirements": ["torch==2.13.0", "numpy<3"], "lock": "locks/prod.txt", "megabytes": 900}
    (found,) = parse(prod=table).values()
    assert (found.name, found.python, found.requirements) == ("prod", "3.12", ("torch==2.13.0", "numpy<3"))
    assert (found.lock, found.megabytes) == (Path("/project/locks/prod.txt"), 900)
    (usual,) = parse(prod={"requirements": ["torch"]}).values()
    assert usual.python == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_a_changed_definition_is_another_environment() -> None:
    def key(**table: Any) -> str:
        return parse(prod={"python": "3.11", "requirements": ["a", "b"], **table})["prod"].key

    assert key() == key(requirements=["b", "a"]) == key(megabytes=7)
    assert len({key(), key(python="3.12"), key(requirements=["a"]), key(requirements=["a", "b<2"])}) == 4
    assert key().startswith("prod-")


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("a", {}, "[tool.harness.env.a] requirements: Field required"),
        ("a", {"requirements": []}, "[tool.harness.env.a] requirements: List should have at least 1 item"),
        ("a", {"requirement": ["x"]}, "[tool.harness.env.a] requirement: unknown key, did you mean 'requirements'?"),
        ("a", {"requirements": ["x"], "pyhton": "3.7"}, "pyhton: unknown key, did you mean 'python'?"),
        ("a", {"requirements": ["x =="]}, "'x ==' is no requirement as pip takes them"),
        ("a", {"requirements": ["x"], "python": 3.7}, "[tool.harness.env.a] python: Input should be a valid string"),
        ("a", {"requirements": ["x"], "python": "three"}, "python: a version such as 3.11, or a path, not 'three'"),
        ("a", ["x"], "[tool.harness.env.a]: this is no table"),
        ("current", {"requirements": ["x"]}, "'current' can't name an environment"),
        ("a:b", {"requirements": ["x"]}, "'a:b' can't name an environment"),
    ],
)
def test_a_mistake_is_told_with_its_place(name: str, table: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(**{name: table})
    assert message in str(refused.value)
    assert str(refused.value).startswith(PLACE)
    assert "\n" not in str(refused.value)


def test_a_misspelt_name_is_told_what_was_meant() -> None:
    with pytest.raises(DefinitionError, match=r"tf1.51: no such environment, did you mean 'tf1.15'\?"):
        definitions.lookup("tf1.51", definitions.shipped())
    with pytest.raises(DefinitionError, match=r"xyz: no such environment: there are current, tf1.15, "):
        definitions.lookup("xyz", definitions.shipped())


@pytest.mark.parametrize(
    ("text", "name", "python", "requirements"),
    [
        ("tensorflow==2.20.0", "tensorflow-2.20.0", "", ("tensorflow==2.20.0",)),
        ("torch==1.4.0@python3.7", "torch-1.4.0", "3.7", ("torch==1.4.0",)),
        ("keras==3.5 torch==2.13.0@python3.12", "keras-3.5-torch-2.13.0", "3.12", ("keras==3.5", "torch==2.13.0")),
        ("tensorflow[and-cuda]>=2.20,<3", "tensorflow-and-cuda-2.20-3", "", ("tensorflow[and-cuda]>=2.20,<3",)),
    ],
)
def test_requirements_on_the_command_line(text: str, name: str, python: str, requirements: tuple[str, ...]) -> None:
    found = definitions.adhoc(text)
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (found.name, found.python, found.requirements) == (name, python or here, requirements)


def test_many_requirements_have_a_name_that_a_folder_can_have(tmp_path: Path) -> None:
    words = [f"package-{number}==1.{number}" for number in range(20)]
    found = definitions.adhoc(" ".join(words))
    assert found.requirements == tuple(words)
    assert found.name.startswith("package-0-1.0-package-1-1.1-")
    assert len(found.key) < 100
    assert found.key != definitions.adhoc(" ".join(words[:-1])).key
    file = tmp_path / f"{'long' * 60}.txt"
    file.write_text("numpy\n")
    assert len(definitions.from_lock(file).key) < 100


def test_a_lock_file_on_the_command_line(tmp_path: Path) -> None:
    lock = tmp_path / "prod.txt"
    lock.write_text(
        "# made by hand\n--only-binary :all:\ntorch==2.13.0 \\\n    --hash=sha256:00\nnumpy==2.4.6  # ours\n\n"
    )
    found = definitions.adhoc(f"{lock}@python3.11")
    assert (found.name, found.python, found.lock) == ("prod", "3.11", lock)
    assert found.requirements == ("torch==2.13.0", "numpy==2.4.6")
    with pytest.raises(DefinitionError, match=r"nothing\.txt: can't be read"):
        definitions.adhoc(str(tmp_path / "nothing.txt"))
    other = tmp_path / "hostname"
    other.write_text("torch\n")
    with pytest.raises(DefinitionError, match=r"hostname: a file of requirements is named \*\.txt"):
        definitions.adhoc(str(other))


def test_a_file_that_tells_pip_otherwise_is_another_environment(tmp_path: Path) -> None:
    file, loop = tmp_path / "side.txt", tmp_path / "loop.txt"
    loop.write_text(f"-r x/../side.txt\n-r loop.txt\n-c https://host/c.txt\n-c {'long' * 100}\n")

    def key(text: str, constraint: str = "numpy==2.4.6\n") -> str:
        file.write_text(text)
        (tmp_path / "first.txt").write_text(constraint)
        return definitions.from_lock(file).key

    assert key("numpy\n") == key("# made by hand\nnumpy  # ours\n\n")
    told = [
        "",
        "-c first.txt",
        "-c second.txt",
        "--constraint=loop.txt",
        "--index-url https://host",
        "--only-binary :all:",
    ]
    others = [*told, "-r first.txt", "--no-binary numpy"]
    keys = {key(f"numpy\n{option}\n") for option in others} | {key("numpy --hash=sha256:00\n")}
    assert len(keys) == len(others) + 1
    assert key("numpy\n-cfirst.txt\n") != key("numpy\n-cfirst.txt\n", "numpy==2.3.5\n")


@pytest.mark.parametrize(
    ("requirements", "frameworks"),
    [
        (["tensorflow==1.15.5", "protobuf<3.21"], ("tensorflow",)),
        (["tensorflow-cpu==2.15.1"], ("tensorflow",)),
        (["torch", "numpy==2.4.6"], ("numpy", "torch")),
        (["keras==3.15.1", "torch==2.13.0"], ("torch", "keras-torch")),
        (["scikit-learn==1.9.1"], ("sklearn",)),
        (["jax==0.10.2", "optax==0.2.8"], ("jax", "optax")),
        (["tensorflow-probability"], tuple(adapter.framework for adapter in adapters())),
    ],
)
def test_it_is_asked_for_the_frameworks_that_its_requirements_name(
    requirements: list[str], frameworks: tuple[str, ...]
) -> None:
    (found,) = parse(a={"requirements": requirements}).values()
    assert found.frameworks_of(adapters()) == frameworks
    (told,) = parse(a={"requirements": requirements, "frameworks": ["torch"]}).values()
    assert told.frameworks_of(adapters()) == ("torch",)
