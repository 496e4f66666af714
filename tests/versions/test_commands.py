"""`harness matrix` and `harness bisect` over planted releases, as environments that exist already."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import provision
from harness.commands import bisecting
from harness.commands import matrix as matrices
from harness.config import ConfigError, Options, resolve
from harness.store import baseline
from harness.store.baseline import Baseline
from harness.store.folder import RunFolderError
from harness.versions.cube import Cell
from tests.versions import releases
from tests.versions.conftest import PLANTED


@pytest.fixture
def asked(sides: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Has planted releases for environments; the names that were asked for."""
    names: list[str] = []
    monkeypatch.setattr(provision, "environment", releases.environments(sides, names))
    return names


def options(out: Path, **more: object) -> Options:
    return resolve(
        {"paths": (PLANTED / "suite.yaml",), "adapter": (str(PLANTED / "adapter.py"),), "out": out, **more}, {}
    )


@pytest.mark.usefixtures("asked")
def test_matrix_measures_each_environment_once(tmp_path: Path) -> None:
    chosen = {"subject": ("*:planted.s*",), "report": ("json", "html", "markdown")}
    made = matrices.matrix(["before", "after"], options(tmp_path, **chosen))
    assert list(made.versions) == ["before", "after"]
    assert made.table["planted.same@eager"]["before"].departing == 0
    assert made.table["planted.same@eager"]["before"] == made.table["planted.same@eager"]["after"]
    sign = made.table["planted.sign@eager"]
    assert isinstance(sign["before"], Cell)
    assert sign["before"].departing == 0 < sign["after"].departing
    assert json.loads((tmp_path / "matrix.json").read_text())["table"]["planted.sign@eager"]["after"]["departing"]
    cube = json.loads((tmp_path / "matrix.json").read_text())["outputs"]
    place = {"subject": "planted.sign@eager", "case": "suite:mean/float32", "output": "value"}
    (sign_of_mean,) = (each for each in cube if place.items() <= each.items())
    assert {name: cell["grade"] for name, cell in sign_of_mean["versions"].items()} == {
        "before": "exact",
        "after": "inaccurate",
    }
    assert "inaccurate, departs" in (tmp_path / "matrix.html").read_text()
    assert (
        "| `planted.sign@eager` | `suite:mean/float32` | value | exact | inaccurate, departs |"
        in (tmp_path / "matrix.md").read_text()
    )
    assert "planted.<wbr>sign" in (tmp_path / "matrix.html").read_text()
    assert "| `planted.sign@eager` |" in (tmp_path / "matrix.md").read_text()
    before = (tmp_path / "before.txt").stat().st_mtime_ns
    again = matrices.matrix([], options(tmp_path))
    assert again.table == made.table
    assert (tmp_path / "before.txt").stat().st_mtime_ns == before


@pytest.mark.usefixtures("asked")
def test_matrix_leaves_out_what_cannot_be_had(tmp_path: Path) -> None:
    made = matrices.matrix(["missing", "before"], options(tmp_path, subject=("*:planted.same@*",)))
    assert list(made.versions) == ["before"]


def test_matrix_of_two_environments_of_one_name_is_refused(tmp_path: Path, asked: list[str]) -> None:
    called = r"numpy@python3\.7 and numpy@python3\.11 are both called numpy: "
    with pytest.raises(ConfigError, match=called):
        matrices.matrix(["before", "numpy@python3.7", "numpy@python3.11"], options(tmp_path))
    assert asked == []


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.usefixtures("asked")
def test_matrix_does_not_show_what_was_measured_of_another_selection(tmp_path: Path, *, ended: bool) -> None:
    narrow = {"subject": ("*:planted.same@*",), "operation": ("sigmoid*",)}
    made = matrices.matrix(["before"], options(tmp_path, **narrow))
    if not ended:
        (tmp_path / "before.txt").unlink()
    for other in ({"subject": narrow["subject"]}, {**narrow, "operation": ("soft*",)}, {**narrow, "tier": "quick"}):
        with pytest.raises(ConfigError, match=r"matrix: --(operation|tier): before was measured otherwise: "):
            matrices.matrix(["before"], options(tmp_path, **other))
    assert matrices.matrix(["before"], options(tmp_path, **narrow, timeout=30.0, jobs=1)).table == made.table


def test_matrix_shows_older_versions_first_unless_it_is_told_an_order(tmp_path: Path) -> None:
    versions = {
        "a": {"tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
        "b": {"torch": "1.10.2+cpu"},
        "c": {"tensorflow": "2.18.1", "keras": "3.9.2"},
        "d": {"torch": "1.4.0", "numpy": "1.21"},
        "e": {"tensorflow": "2.18.1", "keras": "3.15.1"},
    }
    for name, packages in versions.items():
        facts = {name: {f"package {package}": version for package, version in packages.items()}}
        baseline.save(Baseline({"": {"seed": "0"}, **facts}, []), tmp_path / f"{name}.txt")
    shown = matrices.matrix([], options(tmp_path)).versions
    assert list(shown) == ["c", "e", "a", "d", "b"]
    assert shown["b"] == "Python unknown, torch 1.10.2+cpu"


def test_matrix_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no environment is named, and there is no baseline"):
        matrices.matrix([], options(tmp_path))


@pytest.mark.usefixtures("asked")
def test_matrix_of_what_cannot_be_had_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing can't be had, and there is no baseline"):
        matrices.matrix(["missing"], options(tmp_path))


@pytest.fixture
def search(
    asked: list[str],  # noqa: ARG001 - environments without pip
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[..., list[str]]:
    """Bisect a planted case between two versions; the lines that are said."""
    monkeypatch.setattr(bisecting, "released", lambda _package, _python: releases.VERSIONS)

    def run(first: str, last: str, subject: str = "*:planted.sign@*") -> list[str]:
        found = bisecting.search(
            "suite:mean", "planted", (first, last), "3.11", options(tmp_path / "found", subject=(subject,))
        )
        return list(bisecting.screen("planted", found))

    return run


def test_bisect_finds_the_release_and_goes_on_where_it_was(search: Callable[..., list[str]], asked: list[str]) -> None:
    told = search("1.0", "1.9")
    assert told[1] == "planted 1.4: planted.sign@eager: gradient:logits accurate, value exact"
    assert told[2] == "planted 1.5: planted.sign@eager: gradient:logits accurate, value inaccurate"
    probed = len(asked)
    assert search("1.0", "1.9") == told
    assert len(asked) == probed


def test_files_of_the_user_in_the_place_of_a_run_are_not_removed(
    search: Callable[..., list[str]], tmp_path: Path
) -> None:
    files = [tmp_path / place / "mine.txt" for place in ("found/1.0", "m7/runs/before")]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    with pytest.raises(RunFolderError, match=r"1\.0 is wanted for a run, and holds mine\.txt"):
        search("1.0", "1.9")
    with pytest.raises(RunFolderError, match=r"before is wanted for a run, and holds mine\.txt"):
        matrices.matrix(["before"], options(tmp_path / "m7"))
    assert all(file.exists() for file in files)


def test_bisect_goes_round_what_cannot_be_had(search: Callable[..., list[str]]) -> None:
    assert search("1.2", "1.5")[1].startswith("planted 1.4: ")


def test_bisect_tries_again_what_could_not_be_had(
    search: Callable[..., list[str]], asked: list[str], tmp_path: Path
) -> None:
    search("1.2", "1.5")
    state = tmp_path / "found" / "bisect.json"
    kept = json.loads(state.read_text())
    assert kept["seen"].keys() == {"1.2", "1.4", "1.5"}
    state.write_text(json.dumps({**kept, "seen": {**kept["seen"], "1.4": None}}))  # as it was written once
    asked.clear()
    assert search("1.2", "1.5")[1].startswith("planted 1.4: ")
    assert {*asked} == {"planted==1.3@python3.11", "planted==1.4@python3.11"}


def test_bisect_does_not_take_the_runs_of_another_search(search: Callable[..., list[str]]) -> None:
    search("1.0", "1.1")
    with pytest.raises(ConfigError, match=r"bisect\.json: another search was made here: give another --out"):
        search("1.0", "1.1", "*:planted.same@*")


@pytest.mark.parametrize("more", [{}, {"seen": None}])
def test_bisect_refuses_a_state_that_is_none(
    search: Callable[..., list[str]], tmp_path: Path, more: dict[str, object]
) -> None:
    search("1.0", "1.1")
    state = tmp_path / "found" / "bisect.json"
    kept = {key: value for key, value in json.loads(state.read_text()).items() if key != "seen"}
    state.write_text(json.dumps({**kept, **more}))
    with pytest.raises(ConfigError, match=r"bisect\.json: 'seen' is no table of versions: remove the file"):
        search("1.0", "1.1")


def test_bisect_says_that_nothing_changed(search: Callable[..., list[str]]) -> None:
    assert search("1.0", "1.9", "*:planted.same@*")[1].startswith("nothing changed up to 1.9: ")


def test_bisect_refuses_versions_that_are_not_offered(search: Callable[..., list[str]]) -> None:
    with pytest.raises(ConfigError, match=r"pip does not offer version 9\.9"):
        search("1.0", "9.9")


def test_bisect_refuses_a_case_that_there_is_not_before_it_makes_anything(tmp_path: Path, asked: list[str]) -> None:
    with pytest.raises(ConfigError, match="bisect suite:median: no case has this id"):
        bisecting.search("suite:median", "planted", ("1.0", "1.9"), "3.11", options(tmp_path))
    assert asked == []


def test_an_environment_that_is_defined_by_the_same_requirement_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.harness.env.mine]\npython = "3.11"\n'
        "requirements = [\"Planted==1.4; python_version >= '3'\", \"other; python_version < '3'\"]\n"
    )
    monkeypatch.chdir(tmp_path)
    assert bisecting.defined("planted==1.4@python3.11") == "mine"
    assert bisecting.defined("planted==1.4@python3.7") == "planted==1.4@python3.7"
    assert bisecting.defined("planted==1.5@python3.11") == "planted==1.5@python3.11"
