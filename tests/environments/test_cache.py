"""The cache with real environments of one small wheel, and with made-up ones where only its bookkeeping matters."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.environments import venvs
from harness.environments.cache import BusyError, Cache
from harness.environments.definitions import Definition
from harness.environments.venvs import NotMadeError, Tools

Define = Callable[..., Definition]
MakeWheel = Callable[..., Path]


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Environments that are a link to this interpreter; the names of those that were made."""
    made: list[str] = []

    def make(definition: Definition, _tools: Tools, home: Path, _lock: Path | None, _log: Path) -> list[str]:
        made.append(definition.name)
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "python").symlink_to(sys.executable)
        return list(definition.requirements)

    monkeypatch.setattr(venvs, "make", make)
    return made


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, cache: Cache) -> None:
    """A disk of 1,000 MB, of which every environment takes 300."""
    monkeypatch.setattr(venvs, "free_megabytes", lambda _folder: 1000 - 300 * len(cache.keys()))
    monkeypatch.setattr(venvs, "megabytes", lambda _home: 300)


def test_an_environment_is_made_by_uv_filled_by_its_own_pip_and_kept(
    cache: Cache, definition: Define, wheel: MakeWheel
) -> None:
    wheel("small", "1.0", "smaller")
    wheel("smaller", "2.5")
    found = cache.ensure(definition())
    assert (found.name, found.complaint) == ("mine", "")
    told = subprocess.run(
        [found.python, "-c", "import small, smaller, sys; print(small.__version__, smaller.__version__, sys.prefix)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.split() == ["1.0", "2.5", str(cache.folder / definition().key)]
    contents = cache.contents(definition())
    assert contents is not None
    assert contents.packages["smaller"] == "2.5"
    assert "pip" not in contents.packages
    assert contents.megabytes > 1
    assert (Path(found.python).parents[1] / "pyvenv.cfg").read_text().splitlines()[
        0
    ] == f"home = {Path(sys.base_prefix) / 'bin'}"


def test_what_was_installed_is_pinned_for_the_next_time(cache: Cache, definition: Define, wheel: MakeWheel) -> None:
    wheel("small", "1.0")
    mine = definition("mine", "small")
    cache.ensure(mine)
    cache.remove(mine.key)
    wheel("small", "2.0")
    cache.ensure(mine)
    contents = cache.contents(mine)
    assert contents is not None
    assert contents.packages["small"] == "1.0"
    assert (cache.folder / "locks" / f"{mine.key}.txt").read_text().splitlines()[-1].startswith("small==1.0")


@pytest.mark.usefixtures("index")
def test_what_pip_can_not_find_is_one_clear_line_and_leaves_nothing(cache: Cache, definition: Define) -> None:
    mine = definition("mine", "nowhere==1.0")
    assert cache.ensure(mine).complaint == "No matching distribution found for nowhere==1.0"
    assert not (cache.folder / mine.key).exists()
    assert "nowhere" in (cache.folder / "logs" / f"{mine.key}.txt").read_text()


def test_a_broken_wheel_is_one_clear_line(cache: Cache, definition: Define, wheel: MakeWheel) -> None:
    wheel("small", "1.0").write_bytes(b"no zip")
    complaint = cache.ensure(definition()).complaint
    assert "small" in complaint
    assert "\n" not in complaint


@pytest.mark.parametrize("python", ["3.2", "/nowhere/python"])
def test_a_missing_interpreter_is_one_clear_line(cache: Cache, definition: Define, python: str) -> None:
    found = cache.ensure(definition(python=python))
    assert found.complaint.startswith(f"no Python {python} here")
    assert found.python == ""


@pytest.mark.usefixtures("index")
def test_without_uv_it_is_told_how_to_get_it(cache: Cache, definition: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.environments.venvs.shutil.which", lambda _name, **_options: None)
    assert cache.ensure(definition(python=sys.executable)).complaint.endswith("pip install uv")


def test_what_is_there_is_not_made_again(cache: Cache, definition: Define, made_up: list[str]) -> None:
    first = cache.ensure(definition())
    again = Cache(cache.folder).ensure(definition())
    assert (first, made_up) == (again, ["mine"])


def test_a_half_made_environment_is_made_again(cache: Cache, definition: Define, made_up: list[str]) -> None:
    (cache.folder / definition().key / "lib").mkdir(parents=True)
    assert cache.contents(definition()) is None
    assert cache.ensure(definition()).complaint == ""
    assert made_up == ["mine"]
    assert not (cache.folder / definition().key / "lib").exists()


def test_an_environment_whose_interpreter_is_gone_is_made_again(
    cache: Cache, definition: Define, made_up: list[str]
) -> None:
    python = Path(cache.ensure(definition()).python)
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert cache.contents(definition()) is None
    cache.ensure(definition())
    assert made_up == ["mine", "mine"]


def test_a_changed_lock_file_makes_it_anew(
    cache: Cache, definition: Define, made_up: list[str], tmp_path: Path
) -> None:
    mine = definition(lock=tmp_path / "locks" / "mine.txt")
    cache.ensure(mine)
    assert (tmp_path / "locks" / "mine.txt").read_text() == "small==1.0\n"
    cache.ensure(mine)
    assert made_up == ["mine"]
    (tmp_path / "locks" / "mine.txt").write_text("small==1.1\n")
    assert cache.contents(mine) is None
    cache.ensure(mine)
    assert made_up == ["mine", "mine"]


def test_two_who_want_the_same_at_once_have_it_made_once(cache: Cache, definition: Define, made_up: list[str]) -> None:
    others = [Cache(cache.folder) for _ in range(4)]
    threads = [threading.Thread(target=other.ensure, args=(definition(),)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made_up == ["mine"]


def test_what_can_not_be_made_is_tried_once(cache: Cache, definition: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def make(wanted: Definition, _tools: Tools, _home: Path, _lock: Path | None, _log: Path) -> list[str]:
        tried.append(wanted.name)
        raise NotMadeError("no luck")

    monkeypatch.setattr(venvs, "make", make)
    assert [cache.ensure(definition()).complaint for _ in range(3)] == ["no luck"] * 3
    assert tried == ["mine"]


def test_a_disk_that_is_full_is_one_clear_line(
    cache: Cache, definition: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(_definition: Definition, _tools: Tools, home: Path, _lock: Path | None, _log: Path) -> list[str]:
        home.mkdir(parents=True)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(venvs, "make", make)
    assert "No space left on device" in cache.ensure(definition()).complaint
    assert not (cache.folder / definition().key).exists()


@pytest.mark.usefixtures("disk", "made_up")
def test_nothing_is_removed_for_what_can_not_be_made(cache: Cache, definition: Define) -> None:
    for name in ("one", "two", "three"):
        cache.ensure(definition(name, megabytes=10))
    cache.release()
    assert "no Python 3.2 here" in cache.ensure(definition("next", python="3.2", megabytes=500)).complaint
    assert len(cache.keys()) == 3


@pytest.mark.usefixtures("disk")
def test_without_room_nothing_is_begun(cache: Cache, definition: Define, made_up: list[str]) -> None:
    complaint = cache.ensure(definition(megabytes=5000)).complaint
    assert complaint == f"no disk: it needs 5,200 MB, and 1,000 MB are free in {cache.folder}"
    assert made_up == []


@pytest.mark.usefixtures("disk", "made_up")
def test_where_disk_is_short_the_least_recently_used_that_nobody_uses_makes_room(
    cache: Cache, definition: Define
) -> None:
    for name in ("used", "older", "newer"):
        cache.ensure(definition(name, megabytes=100))
    cache.release()
    other = Cache(cache.folder)
    other.ensure(definition("used"))
    assert not Cache(cache.folder).ensure(definition("next", megabytes=200)).complaint
    assert {contents.name for contents in cache.keys().values()} == {"used", "newer", "next"}


@pytest.mark.usefixtures("disk", "made_up")
@pytest.mark.parametrize(("used", "megabytes"), [((), 900), (("one",), 600)], ids=["too large", "too much in use"])
def test_nothing_is_removed_where_that_makes_no_room(
    cache: Cache, definition: Define, used: tuple[str, ...], megabytes: int
) -> None:
    for name in ("one", "two", "three"):
        cache.ensure(definition(name, megabytes=10))
    cache.release()
    other = Cache(cache.folder)
    for name in used:
        other.ensure(definition(name))
    complaint = Cache(cache.folder).ensure(definition("next", megabytes=megabytes)).complaint
    assert complaint == f"no disk: it needs {megabytes + 200:,} MB, and 100 MB are free in {cache.folder}"
    assert len(cache.keys()) == 3


@pytest.mark.usefixtures("made_up")
def test_what_a_process_uses_can_not_be_removed(cache: Cache, definition: Define) -> None:
    cache.ensure(definition())
    other = Cache(cache.folder)
    with pytest.raises(BusyError, match="in use by another process"):
        other.remove(definition().key)
    assert cache.contents(definition()) is not None
    cache.release()
    other.remove(definition().key)
    assert cache.keys() == {}


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    "wrong", [{"python": 3}, {"python": "x" * 5000}, {"packages": 3}, {"megabytes": "many"}, {"name": None}, None]
)
def test_what_says_nothing_sensible_is_not_ready(cache: Cache, definition: Define, wrong: dict[str, object]) -> None:
    cache.ensure(definition())
    mark = cache.folder / definition().key / "harness.json"
    mark.write_text(json.dumps(wrong and {**json.loads(mark.read_text()), **wrong}))
    assert cache.keys() == {}
    assert cache.contents(definition()) is None
    assert cache.ensure(definition()).complaint == ""


def test_removing_what_is_not_there_frees_nothing(cache: Cache, definition: Define) -> None:
    assert cache.remove(definition().key) == 0


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("WARNING: a\nERROR: Could not find a version\nERROR: No matching distribution found for x==9\n",
         "No matching distribution found for x==9"),
        ("ERROR: Cannot install a and b because they conflict.\nERROR: ResolutionImpossible: for help visit a page\n",
         "Cannot install a and b because they conflict."),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n\n",
         "no disk: the device was full before it was made"),
        ("error: No virtual environment\n", "No virtual environment"),
        ("/usr/bin/python: No module named ensurepip\n", "/usr/bin/python: No module named ensurepip"),
        ("", "it ended without a word"),
    ],
)  # fmt: skip
def test_the_reason_is_the_line_that_tells_it(printed: str, reason: str) -> None:
    assert venvs._reason(printed) == reason
