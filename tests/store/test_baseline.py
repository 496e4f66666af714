from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.model.run import Run
from harness.model.verdict import FAILED, Grade, Kind, Verdict
from harness.store import baseline
from harness.store.baseline import Change, Entry, diff, entries, load, save, summary
from harness.store.database import Store
from harness.store.folder import RunFolderError

KEY = ("documents/1:a/float32", "current:numpy.sigmoid@eager", "value")

MakeVerdict = Callable[..., Verdict]


def entry(kind: Kind = Kind.PASS, grade: str = "exact", max_ulp: str = "0.25", bits: str = "00ff") -> Entry:
    return Entry(kind, grade, max_ulp, bits)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "baseline.txt"


def test_a_baseline_is_sorted_text_that_a_reviewer_can_read(run: Run, verdict: MakeVerdict, kept: Path) -> None:
    verdicts = [
        verdict("b", Kind.FAIL, grade=Grade.BROKEN, reason="NaN"),
        verdict("a", output="value", grade=Grade.EXACT, max_ulp=-0.123456789, bits="0a"),
        verdict("a", output="gradient:logits", max_ulp=float("inf"), bits="0b"),
    ]
    assert save(run, verdicts, kept) == 3
    subject = "current:numpy.sigmoid_cross_entropy@eager"
    assert kept.read_text() == (
        "# harness-baseline 1\n"
        "# current: python 3.11.2, numpy 2.4.6, torch 2.13.0\n"
        "# old: python 3.7.9, tensorflow 1.15.5\n"
        f"a\t{subject}\tgradient:logits\tpass\t-\tinf\t0b\n"
        f"a\t{subject}\tvalue\tpass\texact\t-0.123457\t0a\n"
        f"b\t{subject}\tvalue\tfail\tbroken\t-\t-\n"
    )
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]


def test_the_order_of_verdicts_changes_no_byte(run: Run, verdict: MakeVerdict, kept: Path) -> None:
    verdicts = [verdict(name) for name in "cab"]
    save(run, verdicts, kept)
    first = kept.read_bytes()
    save(run, verdicts[::-1], kept)
    assert kept.read_bytes() == first


@pytest.mark.parametrize("kind", Kind)
def test_what_is_saved_is_loaded(run: Run, verdict: MakeVerdict, kept: Path, kind: Kind) -> None:
    verdicts = [verdict(kind=kind, grade=Grade.ACCURATE, max_ulp=1e-300, bits="ab"), verdict("b", kind)]
    save(run, verdicts, kept)
    assert load(kept) == entries(verdicts)
    assert diff(load(kept), entries(verdicts)) == []


def test_a_run_folder_and_its_baseline_are_read_alike(
    run: Run, verdict: MakeVerdict, kept: Path, store: Store, tmp_path: Path
) -> None:
    verdicts = [verdict(grade=Grade.EXACT, max_ulp=1 / 3), verdict("b", Kind.UNSUPPORTED)]
    for rank, given in enumerate(verdicts):
        store.put_verdicts(rank, [given])
    store.commit()
    save(run, verdicts, kept)
    assert baseline.read(tmp_path) == baseline.read(kept) == entries(verdicts)


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="holds no run"):
        baseline.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: no baseline: the first line is not '# harness-baseline 1'"),
        ("case\tsubject\n", ":1: no baseline: the first line is not '# harness-baseline 1'"),
        ("# harness-baseline 2\n", ":1: a baseline of schema 2; this harness reads 1"),
        ("# harness-baseline 1\n# x\n\na\tb\tvalue\tpass\t-\t-\n", ":4: no verdict: 7 columns"),
        ("# harness-baseline 1\na\tb\tvalue\tpass\t-\t-\t-\t-\n", ":2: no verdict: 7 columns"),
        ("# harness-baseline 1\na\tb\tvalue\tpassed\t-\t-\t-\n", ":2: no verdict: 7 columns with a known verdict"),
        ("# harness-baseline 1\n<<<<<<< HEAD\n", ":2: no verdict"),
    ],
)
def test_what_is_no_baseline_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "b.txt"
    path.write_text(text)
    with pytest.raises(RunFolderError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}{message}")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_what_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "b.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunFolderError, match="can't be read"):
        load(path)


def test_a_place_that_cannot_be_written_is_told_and_left_clean(run: Run, verdict: MakeVerdict, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for place in (tmp_path / "folder", tmp_path / "file" / "b.txt"):
        with pytest.raises(RunFolderError, match="can't be written"):
            save(run, [verdict()], place)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


# differences


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (entry(), entry(Kind.FAIL), Change.NEW_FAILURE),
        (entry(Kind.UNAVAILABLE), entry(Kind.CRASH), Change.NEW_FAILURE),
        (None, entry(Kind.FAIL), Change.NEW_FAILURE),
        (entry(Kind.DEVIATION), entry(Kind.STALE), Change.NEW_FAILURE),
        (entry(Kind.FAIL), entry(), Change.FIXED),
        (entry(Kind.STALE), entry(Kind.DEVIATION), Change.FIXED),
        (entry(), entry(bits="0100"), Change.BITS),
        (entry(), entry(grade="accurate"), Change.BITS),
        (entry(), entry(max_ulp="0.5"), Change.BITS),
        (entry(Kind.FAIL), entry(Kind.FAIL, bits="0100"), Change.BITS),
        (entry(), entry(Kind.DEVIATION), Change.VERDICT),
        (entry(Kind.FAIL), entry(Kind.CRASH), Change.VERDICT),
        (entry(Kind.UNSUPPORTED), entry(Kind.UNAVAILABLE), Change.VERDICT),
        (None, entry(), Change.NEW),
        (entry(Kind.UNSUPPORTED), entry(), Change.NEW),
        (entry(), None, Change.NOT_MEASURED),
        (entry(Kind.FAIL), None, Change.NOT_MEASURED),
        (entry(), entry(Kind.UNAVAILABLE), Change.NOT_MEASURED),
        (entry(Kind.FAIL), entry(Kind.UNSUPPORTED), Change.NOT_MEASURED),
        (None, entry(Kind.UNAVAILABLE), Change.NOT_MEASURED),
    ],
)
def test_each_class_of_change(before: Entry | None, after: Entry | None, change: Change) -> None:
    old, new = ({} if e is None else {KEY: e} for e in (before, after))
    (found,) = diff(old, new)
    assert (found.change, found.key, found.before, found.after) == (change, KEY, before, after)


@pytest.mark.parametrize("kind", Kind)
def test_nothing_differs_from_itself(kind: Kind) -> None:
    assert diff({KEY: entry(kind)}, {KEY: entry(kind)}) == []


@pytest.mark.parametrize("before", [None, *Kind])
@pytest.mark.parametrize("after", sorted(FAILED))
def test_every_failure_that_was_none_is_a_new_one(before: Kind | None, after: Kind) -> None:
    found = diff({} if before is None else {KEY: entry(before)}, {KEY: entry(after)})
    new = any(d.change is Change.NEW_FAILURE for d in found)
    assert new is (before not in FAILED)


def test_failures_come_first_then_cases_in_order() -> None:
    def key(case: str) -> Any:
        return (case, "s", "value")

    before = {key("a"): entry(), key("c"): entry(), key("d"): entry(Kind.FAIL), key("e"): entry()}
    after = {key("a"): entry(bits="01"), key("b"): entry(Kind.FAIL), key("c"): entry(Kind.FAIL), key("d"): entry()}
    found = diff(before, after)
    assert [(d.change, d.key[0]) for d in found] == [
        (Change.NEW_FAILURE, "b"),
        (Change.NEW_FAILURE, "c"),
        (Change.FIXED, "d"),
        (Change.BITS, "a"),
        (Change.NOT_MEASURED, "e"),
    ]
    assert str(found[1]) == "new failure: c s value: pass (0.25 ulp) -> fail (0.25 ulp)"
    assert str(found[4]) == "not measured: e s value: pass (0.25 ulp) -> nothing"


def test_the_summary_counts_and_names_the_first() -> None:
    assert summary([]) == ["baseline: nothing differs"]
    found = diff({}, {(str(n), "s", "value"): entry(Kind.FAIL if n < 2 else Kind.PASS) for n in range(5)})
    lines = summary(found, most=3)
    assert lines[0] == "baseline: 2 new failure, 3 newly measured"
    assert lines[1:] == [*(str(d) for d in found[:3]), "and 2 more"]
    assert len(summary(found)) == 6
