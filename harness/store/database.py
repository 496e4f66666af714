"""The run store: one sqlite file with what was asked, observed and judged.

Arrays are kept as the frames that workers send (see harness.worker.frames): no pickle anywhere.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from harness.model import row
from harness.model.case import Array, Case
from harness.model.observation import Observation, Outcome
from harness.model.plan import Item
from harness.model.run import Record
from harness.model.tensors import to_array, to_tensor
from harness.model.verdict import Verdict
from harness.store.folder import DATABASE, RunFolderError
from harness.worker import frames

SCHEMA = 9
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE cases (id TEXT PRIMARY KEY, frame BLOB NOT NULL);
CREATE TABLE observations (rank INTEGER PRIMARY KEY, call TEXT NOT NULL, subject TEXT NOT NULL, frame BLOB NOT NULL);
CREATE TABLE verdicts (rank INTEGER PRIMARY KEY, rows TEXT NOT NULL);
CREATE INDEX calls ON observations (call);
"""
INSERTS = {
    "cases": "INSERT OR REPLACE INTO cases VALUES (?, ?)",
    "observations": "INSERT OR REPLACE INTO observations VALUES (?, ?, ?, ?)",
    "verdicts": "INSERT OR REPLACE INTO verdicts VALUES (?, ?)",
}
CHECKPOINT_PAGES = 1 << 14
"""Pages of the log that are put in their places at once: each time costs a wait for the disk."""
BUFFERED_BYTES = 1 << 22
"""Rows wait in memory until they are so many, or until the next commit or look-up."""


class Store:
    """What a run has done so far.

    Args:
        folder: the run's folder.
        fresh: whether it is a new run; otherwise the store must exist.

    Raises:
        RunFolderError: the file is no run store, or one of a newer harness.
    """

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self._waiting: dict[str, list[tuple[Any, ...]]] = {table: [] for table in INSERTS}
        self._bytes = 0
        with _usable(folder):
            self._db = sqlite3.connect(folder / DATABASE)
        try:
            with _usable(folder):
                schema = self._open(fresh=fresh)
        except RunFolderError:
            self._db.close()
            raise
        if schema != SCHEMA:
            self._db.close()
            raise RunFolderError(f"{folder}: a run store of schema {schema}; this harness reads {SCHEMA}")

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._db.close()

    def commit(self) -> None:
        """Make everything so far survive a kill."""
        self._flush()
        self._db.commit()

    def gather(self) -> None:
        """Commit, and put all into the one file, which may be copied then without its log."""
        self.commit()
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def note(self, key: str, value: Any) -> None:
        """Keep a fact about the run."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def noted(self, key: str) -> Any:
        """A fact about the run, None if it isn't there."""
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else json.loads(found[0])

    def put_case(self, case: Case, truth: Mapping[str, Array]) -> None:
        """Keep a case's inputs and truth."""
        header = {
            "operation": case.operation,
            "dtype": case.dtype,
            "parameters": dict(case.parameters),
            "source": str(case.source),
            "layout": case.layout,
            "misuse": case.misuse,
            "inputs": list(case.inputs),
            "truth": list(truth),
        }
        frame = _encode(header, [*case.inputs.values(), *truth.values()])
        self._put("cases", (case.id, frame), len(frame))

    def put(self, item: Item, observation: Observation) -> None:
        """Keep an observation."""
        header = {
            "outcome": observation.outcome,
            "outputs": list(observation.outputs),
            "error": observation.error,
            "reason": observation.reason,
            "seconds": observation.seconds,
            "warnings": observation.warnings,
            "unsupported": dict(observation.unsupported),
        }
        frame = _encode(header, list(observation.outputs.values()))
        self._put("observations", (item.rank, item.call.id, item.subject.id, frame), len(frame))

    def put_verdicts(self, rank: int, verdicts: Iterable[Verdict]) -> None:
        """Keep verdicts, at the place in the report that rank gives, instead of those that were there."""
        rows = f"[{','.join(map(row.whole, verdicts))}]"
        self._put("verdicts", (rank, rows), len(rows))

    def observed(self) -> set[int]:
        """Ranks of the items that have an observation."""
        self._flush()
        return {rank for (rank,) in self._db.execute("SELECT rank FROM observations")}

    def observations(self, calls: Sequence[str]) -> dict[tuple[str, str], Observation]:
        """Observations of the given calls, by call id and subject id, in the order of the plan."""
        self._flush()
        marks = ",".join("?" * len(calls))
        query = f"SELECT call, subject, frame FROM observations WHERE call IN ({marks}) ORDER BY rank"  # noqa: S608 - marks only
        return {(call, subject): _observation(frame) for call, subject, frame in self._db.execute(query, tuple(calls))}

    def verdicts(self) -> list[Verdict]:
        """All verdicts in the order of the plan."""
        return [verdict for _, verdicts in self.placed() for verdict in verdicts]

    def placed(self) -> Iterator[tuple[int, list[Verdict]]]:
        """All verdicts by their ranks, in the order of the plan."""
        self._flush()
        for rank, rows in self._db.execute("SELECT rank, rows FROM verdicts ORDER BY rank"):
            yield rank, [row.verdict(each) for each in json.loads(rows)]

    def record(self, case: str) -> Record | None:
        """A case with all its observations; None if it isn't there."""
        self._flush()
        found = self._db.execute("SELECT frame FROM cases WHERE id = ?", (case,)).fetchone()
        if found is None:
            return None
        header, arrays = _decode(found[0])
        count = len(header["inputs"])
        seen = {subject: o for (_, subject), o in self.observations([case]).items()}
        return Record(
            case,
            header["operation"],
            header["dtype"],
            header["parameters"],
            header["source"],
            dict(zip(header["inputs"], arrays[:count], strict=True)),
            dict(zip(header["truth"], arrays[count:], strict=True)),
            seen,
            header.get("layout", ""),
            header.get("misuse", ""),
        )

    def _open(self, *, fresh: bool) -> Any:
        """Make the tables of a fresh store; the store's schema."""
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if fresh:
            self._db.executescript(TABLES)
            self.note("schema", SCHEMA)
            self._db.commit()
        return self.noted("schema")

    def _put(self, table: str, values: tuple[Any, ...], size: int) -> None:
        self._waiting[table].append(values)
        self._bytes += size
        if self._bytes > BUFFERED_BYTES:
            self._flush()

    def _flush(self) -> None:
        for table, rows in self._waiting.items():
            if rows:  # without any it would begin a transaction all the same, in which what is read stays as it was
                self._db.executemany(INSERTS[table], rows)
                rows.clear()
        self._bytes = 0


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """Tell what is wrong with a folder's store, or with the folder, as a mistake of the user."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise RunFolderError(f"{folder}: {DATABASE} is no run store that can be used: {error}") from error


def begun(folder: Path) -> bool:
    """Whether a folder holds a run that can be resumed: one that was killed before it had noted its plan can't."""
    if not (folder / DATABASE).is_file():
        return False
    try:
        with reading(folder) as store:
            return store.noted("plan") is not None
    except RunFolderError:
        return False


def reading(folder: Path) -> closing[Store]:
    """A run's store, for reading within a `with`."""
    return closing(Store(folder, fresh=False))


def _encode(header: dict[str, Any], arrays: Iterable[Array]) -> bytes:
    return frames.encode(header, [to_tensor(array) for array in arrays])


def _decode(frame: bytes) -> tuple[dict[str, Any], list[Array]]:
    header, tensors = frames.read(io.BytesIO(frame))
    return header, [to_array(t) for t in tensors]


def _observation(frame: bytes) -> Observation:
    header, arrays = _decode(frame)
    outputs = dict(zip(header["outputs"], arrays, strict=True))
    return Observation(
        Outcome(header["outcome"]),
        outputs,
        header["error"],
        header["reason"],
        header["seconds"],
        tuple(header["warnings"]),
        header["unsupported"],
    )
