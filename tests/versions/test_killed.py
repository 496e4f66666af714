"""Upgrades, matrices and searches that are killed go on where they were, and lose nothing."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from harness import pipeline, provision
from harness.commands import bisecting, upgrading
from harness.commands import matrix as matrices
from harness.config import Options, resolve
from harness.session import as_baseline, results
from harness.store.database import Store, begun, reading
from harness.store.folder import DATABASE, RunFolderError
from tests.versions import releases
from tests.versions.conftest import PLANTED

ROOT = Path(__file__).parents[2]
FILES = ("--adapter", str(PLANTED / "adapter.py"), "--cases", str(PLANTED / "suite.yaml"))
MANY = 100

Kill = Callable[[Sequence[str], Callable[[], bool]], None]
Row = tuple[int, str, str, bytes]


@pytest.fixture
def kill(sides: tuple[Path, Path]) -> Kill:
    """Run a command over the planted releases, and kill it as soon as something is so."""

    def killed(arguments: Sequence[str], when: Callable[[], bool]) -> None:
        command = [sys.executable, "-m", "tests.versions.releases", *map(str, sides), *arguments, *FILES]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None and not when():
                time.sleep(0.01)
            process.kill()
        assert process.returncode == -signal.SIGKILL

    return killed


@pytest.fixture
def asked(sides: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Has planted releases for environments here too; the names that were asked for."""
    names: list[str] = []
    monkeypatch.setattr(provision, "environment", releases.environments(sides, names))
    monkeypatch.setattr(bisecting, "released", lambda _package, _python: releases.VERSIONS)
    return names


def options(out: Path, **more: object) -> Options:
    files = {"paths": (PLANTED / "suite.yaml",), "adapter": (str(PLANTED / "adapter.py"),)}
    return resolve({**files, "out": out, **more}, {}, defaults=upgrading.DEFAULTS)


def observed(folder: Path) -> list[Row]:
    """Observations that a run has kept so far, with the seconds that each call took."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/{DATABASE}?mode=ro", uri=True)) as store:
            return list(store.execute("SELECT rank, call, subject, frame FROM observations ORDER BY rank"))
    except sqlite3.OperationalError:
        return []


def test_an_upgrade(kill: Kill, sides: tuple[Path, Path], tmp_path: Path) -> None:
    before, after = map(str, sides)
    out = tmp_path / "killed"
    kill(
        ["upgrade", "--python", before, "--python", after, "--subject", "*:planted.*", "--out", str(out)],
        lambda: len(observed(out)) >= MANY,
    )
    kept = observed(out)
    resumed = upgrading.upgrade(resolve({"out": out, "resume": True}, {}))
    whole = upgrading.upgrade(options(tmp_path / "whole", python=(before, after), subject=("*:planted.*",)))
    assert set(kept) <= set(observed(out))  # with the seconds that each took: none is asked again
    assert resumed.apis == whole.apis
    assert resumed.verdicts == whole.verdicts
    assert resumed.decision == whole.decision


@pytest.mark.usefixtures("asked")
def test_a_matrix(kill: Kill, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    kill(["matrix", "before", "after", "--out", str(out)], lambda: len(observed(out / "runs" / "after")) >= MANY)
    kept, measured = observed(out / "runs" / "after"), (out / "before.txt").stat().st_mtime_ns
    resumed = matrices.matrix(["before", "after"], options(out, tier="quick"))
    whole = matrices.matrix(["before", "after"], options(tmp_path / "whole", tier="quick"))
    assert set(kept) <= set(observed(out / "runs" / "after"))
    assert (out / "before.txt").stat().st_mtime_ns == measured
    assert resumed.table == whole.table
    for name in ("before.txt", "after.txt"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("seen", [0, 1, 2, 3])
def test_a_search(kill: Kill, asked: list[str], tmp_path: Path, seen: int) -> None:
    out, subject = tmp_path / "killed", "*:planted.sign@*"
    case = ["suite:mean", "--package", "planted", "--from", "1.0", "--to", "1.9", "--subject", subject]
    kill(["bisect", *case, "--out", str(out)], lambda: len(probed(out)) >= seen and any(out.glob(f"*/{DATABASE}")))
    kept = probed(out)
    search = ("suite:mean", "planted", ("1.0", "1.9"), "3.11")
    resumed = bisecting.search(*search, options(out, subject=(subject,)))
    again = {name.partition("==")[2].partition("@")[0] for name in asked}
    assert not again & kept.keys()
    assert resumed == bisecting.search(*search, options(tmp_path / "whole", subject=(subject,)))
    assert (resumed.last, resumed.first) == ("1.4", "1.5")


def probed(out: Path) -> dict[str, str | None]:
    """What versions do, as far as a search has found out."""
    try:
        found: dict[str, str | None] = json.loads((out / bisecting.STATE).read_text())["seen"]
    except OSError:
        return {}
    return found


def test_what_was_killed_before_it_began_is_begun_anew_or_told(tmp_path: Path) -> None:
    place = tmp_path / "killed"
    place.mkdir()
    Store(place, fresh=True).close()
    assert not begun(place)
    told = "killed: the run was stopped before it had begun: remove the folder"
    with pytest.raises(RunFolderError, match=told):
        pipeline.reopened(Options(out=place, resume=True))
    with pytest.raises(RunFolderError, match=told):
        as_baseline(place)
    with reading(place) as store, pytest.raises(RunFolderError, match=told):
        results(store, place)
    with pytest.raises(RunFolderError, match=told):
        pipeline.run(options(tmp_path / "never", baseline=place))
    assert not (tmp_path / "never").exists()
    assert not pipeline.resumable(place)
    assert not place.exists()
