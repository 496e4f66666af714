from __future__ import annotations

import math
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness.model.case import Case, Expectation, Source
from harness.model.observation import Observation, Outcome
from harness.model.plan import Item
from harness.model.subject import Subject
from harness.model.verdict import Grade, Kind, Tolerance, Verdict
from harness.store.database import SCHEMA, Store, reading
from harness.store.folder import DATABASE, RunFolderError

INF, NAN = float("inf"), float("nan")
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

MakeVerdict = Callable[..., Verdict]

ARRAYS = {
    "float16": np.array([[1.5, -0.0], [np.nan, np.inf]], np.float16),
    "float32": np.array([0x7FC00001, 0xFFC12345, 0x80000000, 1], np.uint32).view(np.float32),
    "float64": np.array([np.nan, -np.inf, 5e-324]),
    "bfloat16": np.array([0x7FC1, 0xFFFF, 0x8000, 0x0001, 0x3F80], np.uint16).view(BFLOAT16),
    "int64": np.array([-1, 2**62]),
    "bool": np.array([True, False]),
    "scalar": np.array(2.5, np.float32),
    "empty": np.zeros((0, 3), np.float32),
    "strided": np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::2],
}


def same_bits(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def item(rank: int = 0, call: str = "documents/1:a/float32", name: str = "numpy.sigmoid") -> Item:
    case = Case(call, "sigmoid", {}, {}, "float32", Expectation(), Source("cases/documents/1.yaml", 7))
    return Item(rank, case, case, Subject("current", name, "eager", framework="numpy"), "numpy.py", {}, ("value",))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "version": "2.4.6",
            "grade": Grade.INACCURATE,
            "max_ulp": -INF,
            "max_relative": INF,
            "max_absolute": 5e-324,
            "index": (1, 0),
            "observed": "nan",
            "truth": "-inf",
            "domain": "extended",
            "deviation": "cases/deviations.yaml:3",
            "reason": "said \x00 <b> \udc80 \u2028",
            "tolerance": Tolerance(1.3e-6, 0.0, passed=False, remark="passes by atol alone, 24 bits lost"),
            "bits": "00ff",
            "group": "documents/1:a",
        },
        {"tolerance": Tolerance(0.5, 0.5, passed=None), "index": ()},
        {"operation": None, "mode": None, "device": None, "dtype": None},
        *({"grade": grade} for grade in Grade),
    ],
)
def test_every_field_of_a_verdict_comes_back(store: Store, verdict: MakeVerdict, more: dict[str, Any]) -> None:
    given = verdict(**more)
    store.put_verdicts(0, [given])
    (back,) = store.verdicts()
    for field in fields(Verdict):
        assert getattr(back, field.name) == getattr(given, field.name), field.name
        assert type(getattr(back, field.name)) is type(getattr(given, field.name)), field.name


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_comes_back(store: Store, verdict: MakeVerdict, kind: Kind) -> None:
    store.put_verdicts(0, [verdict(kind=kind)])
    assert store.verdicts()[0].verdict is kind


def test_nan_comes_back(store: Store, verdict: MakeVerdict) -> None:
    store.put_verdicts(0, [verdict(max_ulp=NAN, max_relative=NAN)])
    (back,) = store.verdicts()
    assert back.max_ulp is not None
    assert math.isnan(back.max_ulp)


def test_verdicts_are_in_the_order_of_the_plan(store: Store, verdict: MakeVerdict) -> None:
    store.put_verdicts(2, [verdict("c")])
    store.put_verdicts(0, [verdict("a", output="value"), verdict("a", output="gradient:logits")])
    store.put_verdicts(1, [verdict("b")])
    assert [(v.case, v.output) for v in store.verdicts()] == [
        ("a", "value"),
        ("a", "gradient:logits"),
        ("b", "value"),
        ("c", "value"),
    ]


def test_a_verdict_given_twice_is_kept_once(store: Store, verdict: MakeVerdict) -> None:
    store.put_verdicts(0, [verdict()])
    store.put_verdicts(0, [verdict(kind=Kind.FAIL)])
    assert [v.verdict for v in store.verdicts()] == [Kind.FAIL]


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_to_the_bit(store: Store, name: str) -> None:
    given = ARRAYS[name]
    store.put(item(), Observation(Outcome.VALUE, {"value": given, "gradient:logits": given}, seconds=0.25))
    back = store.observations(["documents/1:a/float32"])["documents/1:a/float32", "current:numpy.sigmoid@eager"]
    assert list(back.outputs) == ["value", "gradient:logits"]
    assert same_bits(back.outputs["value"], given)
    assert (back.outcome, back.seconds) == (Outcome.VALUE, 0.25)


@pytest.mark.parametrize("outcome", Outcome)
def test_observations_come_back(store: Store, outcome: Outcome) -> None:
    lacking = {"gradient:labels": "new in 2.0"}
    store.put(item(), Observation(outcome, {}, "ValueError", "said \udc80\x00", 1e-9, ("Told: x",), lacking))
    ((_, back),) = store.observations(["documents/1:a/float32"]).items()
    assert (back.warnings, back.unsupported) == (("Told: x",), lacking)
    assert (back.outcome, back.error, back.reason, back.seconds) == (outcome, "ValueError", "said \udc80\x00", 1e-9)


def test_observations_are_those_of_the_calls_in_the_order_of_the_plan(store: Store) -> None:
    for rank, call, name in ((3, "x", "a"), (1, "x", "b"), (2, "y", "a"), (0, "z", "a")):
        store.put(item(rank, call, name), Observation(Outcome.ERROR))
    assert list(store.observations(["x", "y"])) == [
        ("x", "current:b@eager"),
        ("y", "current:a@eager"),
        ("x", "current:a@eager"),
    ]
    assert store.observed() == {0, 1, 2, 3}


def test_a_record_has_inputs_truth_and_everybodys_observation(store: Store) -> None:
    inputs = {"logits": ARRAYS["bfloat16"], "labels": np.array([1, 0])}
    parameters: dict[str, Any] = {"axis": -1, "log_floor": -INF, "reduction": "none"}
    source = Source("cases/documents/1.yaml", 7)
    case = Case("x", "softmax", inputs, parameters, "bfloat16", Expectation(), source)
    store.put_case(case, {"value": np.array([NAN, 1.0])})
    store.put(item(0, "x"), Observation(Outcome.VALUE, {"value": ARRAYS["bfloat16"]}))
    store.put(item(1, "y"), Observation(Outcome.ERROR))
    record = store.record("x")
    assert record is not None
    assert (record.case, record.operation, record.dtype) == ("x", "softmax", "bfloat16")
    assert (record.parameters, record.source) == (parameters, "cases/documents/1.yaml:7")
    assert list(record.inputs) == ["logits", "labels"]
    assert same_bits(record.inputs["logits"], ARRAYS["bfloat16"])
    assert same_bits(record.inputs["labels"], np.array([1, 0]))
    assert same_bits(record.truth["value"], np.array([NAN, 1.0]))
    assert list(record.observations) == ["current:numpy.sigmoid@eager"]
    assert store.record("nothing") is None


def test_facts_come_back(store: Store, tmp_path: Path) -> None:
    store.note("options", {"rtol": None, "seed": 7, "paths": ["a b"]})
    store.note("options", {"seed": 8})
    store.commit()
    with reading(tmp_path) as other:
        assert other.noted("options") == {"seed": 8}
        assert other.noted("nothing") is None


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.model.case import Case, Expectation, Source
from harness.model.observation import Observation, Outcome
from harness.model.plan import Item
from harness.model.subject import Subject
from harness.store.database import SCHEMA, Store
case = Case("x", "sigmoid", {}, {}, "float32", Expectation(), Source("x.yaml", 1))
store = Store(Path(sys.argv[1]), fresh=True)
for rank in range(4):
    store.put(Item(rank, case, case, Subject("current", str(rank), "eager"), "", {}, ()), Observation(Outcome.ERROR))
    if rank == 2:
        store.note("done", 3)
        store.commit()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_committed_survives_a_kill(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -9
    with reading(tmp_path) as store:
        assert store.observed() == {0, 1, 2}
        assert store.noted("done") == 3


def test_a_store_can_be_read_before_its_first_commit(tmp_path: Path, store: Store, verdict: MakeVerdict) -> None:
    store.put_verdicts(0, [verdict()])
    with reading(tmp_path) as other:
        assert other.verdicts() == []
    store.commit()
    with reading(tmp_path) as other:
        assert len(other.verdicts()) == 1


def test_a_store_can_be_written_on(tmp_path: Path, verdict: MakeVerdict) -> None:
    for rank in range(2):
        opened = Store(tmp_path, fresh=rank == 0)
        opened.put_verdicts(rank, [verdict(str(rank))])
        opened.close()
    with reading(tmp_path) as other:
        assert [v.case for v in other.verdicts()] == ["0", "1"]


def test_what_is_gathered_is_in_one_file_that_may_be_copied(tmp_path: Path, store: Store, verdict: MakeVerdict) -> None:
    store.put_verdicts(0, [verdict("0")])
    with reading(tmp_path) as other:
        other.verdicts()
        store.gather()
    (tmp_path / "copy").mkdir()
    shutil.copy(tmp_path / DATABASE, tmp_path / "copy")
    with reading(tmp_path / "copy") as other:
        assert [v.case for v in other.verdicts()] == ["0"]
    store.put_verdicts(1, [verdict("1")])
    store.commit()
    assert [v.case for v in store.verdicts()] == ["0", "1"]


def test_a_newer_schema_is_refused(tmp_path: Path, store: Store) -> None:
    store.note("schema", SCHEMA + 1)
    store.commit()
    with pytest.raises(RunFolderError, match=f"a run store of schema {SCHEMA + 1}") as refused:
        Store(tmp_path, fresh=False)
    assert str(refused.value) == f"{tmp_path}: a run store of schema {SCHEMA + 1}; this harness reads {SCHEMA}"


def empty(path: Path) -> None:
    path.touch()


def junk(path: Path) -> None:
    path.write_text("this is no database, whatever its name says\n" * 50)


def foreign(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE something (key TEXT)")
    other.close()


@pytest.mark.parametrize("made", [empty, junk, foreign])
def test_what_is_no_run_store_is_refused(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / DATABASE)
    with pytest.raises(RunFolderError, match=r"run\.sqlite is no run store that can be used"):
        Store(tmp_path, fresh=False)


def test_a_folder_that_no_store_can_be_in_is_told(tmp_path: Path) -> None:
    for fresh in (True, False):
        with pytest.raises(RunFolderError, match="can be used: unable to open database file"):
            Store(tmp_path / "none", fresh=fresh)


def test_rows_wait_in_memory_no_longer_than_memory_is_wanted(store: Store) -> None:
    large = Observation(Outcome.VALUE, {"value": np.zeros(1 << 20, np.float32)})
    for rank in range(3):
        store.put(replace(item(), rank=rank), large)
    assert sum(len(rows) for rows in store._waiting.values()) <= 1
    assert store.observed() == {0, 1, 2}
