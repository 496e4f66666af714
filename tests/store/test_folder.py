from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from harness.store.folder import DATABASE, WORKERS, RunFolderError, create, discard, find

NOON = datetime(2026, 1, 2, 12, 0, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("now", [NOON, NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))])
def test_a_run_is_named_by_utc_time_and_six_hex_digits(now: datetime) -> None:
    made = create(None, now)
    assert made.is_dir()
    assert made.parent == Path("reports")
    assert re.fullmatch(r"20260102T120005Z-[0-9a-f]{6}", made.name)


def test_two_runs_of_one_second_have_folders_of_their_own() -> None:
    assert create(None, NOON) != create(None, NOON)


def test_latest_names_the_last_run_relatively() -> None:
    first, second = create(None, NOON), create(None, NOON)
    latest = Path("reports/latest")
    assert latest.is_symlink()
    assert latest.readlink() == Path(second.name)
    assert sorted(p.name for p in Path("reports").iterdir()) == sorted([first.name, second.name, "latest"])


def test_out_is_the_folder_itself_and_no_latest() -> None:
    assert create(Path("here/there"), NOON) == Path("here/there")
    assert Path("here/there").is_dir()
    assert not Path("reports").exists()


def test_an_existing_folder_without_a_run_is_taken() -> None:
    Path("out").mkdir()
    Path("out/notes.txt").touch()
    assert create(Path("out"), NOON) == Path("out")


def test_an_existing_run_is_refused() -> None:
    Path("out").mkdir()
    (Path("out") / DATABASE).touch()
    with pytest.raises(RunFolderError) as refused:
        create(Path("out"), NOON)
    assert str(refused.value) == "out already holds a run: choose another --out, or --resume it"


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_file_in_the_way_is_told(out: str) -> None:
    Path("file").touch()
    with pytest.raises(RunFolderError, match=f"^{out}: "):
        create(Path(out), NOON)


def test_a_latest_that_is_no_link_is_told() -> None:
    Path("reports/latest").mkdir(parents=True)
    with pytest.raises(RunFolderError, match="reports/latest: "):
        create(None, NOON)


def test_find_takes_the_given_run_or_the_latest() -> None:
    made = create(None, NOON)
    with pytest.raises(RunFolderError, match=r"^reports/latest holds no run$"):
        find(None)
    (made / DATABASE).touch()
    assert find(None) == made.resolve()
    assert find(made) == made
    with pytest.raises(RunFolderError, match=r"^elsewhere holds no run$"):
        find(Path("elsewhere"))


@pytest.mark.parametrize("made", [[], [DATABASE], [DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{WORKERS}/1.txt"]])
def test_what_a_run_has_left_is_removed(made: list[str]) -> None:
    for name in made:
        (Path("out") / name).parent.mkdir(parents=True, exist_ok=True)
        (Path("out") / name).touch()
    discard(Path("out"))
    assert not Path("out").exists()


@pytest.mark.parametrize("made", ["mine.txt", "notes/today.txt", "run.sqlite.bak"])
def test_what_no_run_has_made_is_not_removed(made: str) -> None:
    for name in (DATABASE, made):
        (Path("out") / name).parent.mkdir(parents=True, exist_ok=True)
        (Path("out") / name).touch()
    with pytest.raises(RunFolderError) as refused:
        discard(Path("out"))
    held = made.partition("/")[0]
    assert str(refused.value) == f"out is wanted for a run, and holds {held}: choose another --out, or move it"
    assert (Path("out") / DATABASE).exists()
    assert (Path("out") / made).exists()
