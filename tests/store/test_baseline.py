"""Baselines are text that a reviewer can read; what is wrong with one is said with its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model.run import Run
from harness.model.subject import Fingerprint
from harness.model.verdict import Grade, Kind, Verdict
from harness.session import as_baseline
from harness.store.baseline import Baseline, Entry, load, of_run, of_runs, save
from harness.store.database import Store
from harness.store.folder import RunFolderError

MakeVerdict = Callable[..., Verdict]
SUBJECT = "current:numpy.sigmoid_cross_entropy@eager"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "baseline.txt"


def test_a_baseline_is_sorted_text_that_a_reviewer_can_read(run: Run, verdict: MakeVerdict, kept: Path) -> None:
    verdicts = [
        verdict("b", Kind.FAIL, grade=Grade.BROKEN, reason="NaN", outcome="value"),
        verdict("a", output="value", grade=Grade.EXACT, max_ulp=-0.123456789, bits="0a", outcome="value"),
        verdict("a", output="gradient:logits", max_ulp=float("inf"), bits="0b", outcome="value"),
        verdict("c", outcome="error ValueError"),
    ]
    assert save(of_run(run, verdicts), kept) == 4
    assert kept.read_text() == (
        "# harness-baseline 2\n"
        "# current\tpackage numpy\t2.4.6\n"
        "# current\tpackage torch\t2.13.0\n"
        "# current\tpython\t3.11.2\n"
        "# old\tpackage tensorflow\t1.15.5\n"
        "# old\tpython\t3.7.9\n"
        f"a\t{SUBJECT}\tgradient:logits\tvalue\tpass\t-\tinf\t0b\n"
        f"a\t{SUBJECT}\tvalue\tvalue\tpass\texact\t-0.123457\t0a\n"
        f"b\t{SUBJECT}\tvalue\tvalue\tfail\tbroken\t-\t-\n"
        f"c\t{SUBJECT}\tvalue\terror ValueError\tpass\t-\t-\t-\n"
    )
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]


def test_everything_that_may_decide_a_result_is_a_fact(run: Run, kept: Path) -> None:
    print_ = Fingerprint(
        "3.11.2", {"torch": "2.13.0"}, 2, "A CPU", ("avx2", "fma"), "glibc 2.36", {"TF_ENABLE_ONEDNN_OPTS": "0"}
    )
    save(of_run(replace(run, environments={"e": print_}), []), kept)
    assert load(kept).facts == {
        "e": {
            "cpu": "A CPU",
            "features": "avx2 fma",
            "flag TF_ENABLE_ONEDNN_OPTS": "0",
            "libc": "glibc 2.36",
            "package torch": "2.13.0",
            "python": "3.11.2",
            "threads": "2",
        }
    }


def test_the_order_of_verdicts_changes_no_byte(run: Run, verdict: MakeVerdict, kept: Path) -> None:
    verdicts = [verdict(name) for name in "cab"]
    save(of_run(run, verdicts), kept)
    first = kept.read_bytes()
    save(of_run(run, verdicts[::-1]), kept)
    assert kept.read_bytes() == first


@pytest.mark.parametrize("kind", Kind)
def test_what_is_saved_is_loaded(run: Run, verdict: MakeVerdict, kept: Path, kind: Kind) -> None:
    verdicts = [verdict(kind=kind, grade=Grade.ACCURATE, max_ulp=1e-300, bits="ab"), verdict("b", kind)]
    made = of_run(run, verdicts)
    save(made, kept)
    assert list(load(kept).entries()) == list(made.entries())
    assert load(kept).facts == made.facts


def test_a_run_folder_and_its_baseline_are_read_alike(
    verdict: MakeVerdict, kept: Path, store: Store, tmp_path: Path
) -> None:
    for rank, given in enumerate([verdict(grade=Grade.EXACT, max_ulp=1 / 3), verdict("b", Kind.UNSUPPORTED)]):
        store.put_verdicts(rank, [given])
    for fact in ("started", "command"):
        store.note(fact, "")
    store.note("options", {"rtol": None, "atol": None, "seed": 0, "tier": "quick", "threads": 1})
    store.commit()
    save(as_baseline(tmp_path), kept)
    assert list(as_baseline(kept).lines) == list(as_baseline(tmp_path).lines)


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="holds no run"):
        as_baseline(tmp_path)


def test_schema_1_is_migrated_without_outcomes(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text(
        "# harness-baseline 1\n# current: python 3.11.2, numpy 2.4.6\n"
        f"a\t{SUBJECT}\tvalue\tpass\texact\t-0.123457\t0a\nb\t{SUBJECT}\tvalue\tunsupported\t-\t-\t-\n"
    )
    loaded = load(path)
    assert loaded.facts == {}
    assert dict(loaded.entries()) == {
        ("a", SUBJECT, "value"): Entry("-", Kind.PASS, "exact", -0.123457, "0a"),
        ("b", SUBJECT, "value"): Entry("-", Kind.UNSUPPORTED, "-", None, "-"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: no baseline: the first line is not '# harness-baseline 2'"),
        ("case\tsubject\n", ":1: no baseline: the first line is not '# harness-baseline 2'"),
        ("# harness-baseline 3\n", ":1: a baseline of schema 3; this harness reads up to 2"),
        ("# harness-baseline x\n", ":1: a baseline of schema x; this harness reads up to 2"),
        ("# harness-baseline 2\n# x\n\na\tb\tvalue\tvalue\tpass\t-\t-\n", ":4: no verdict: 8 columns"),
        ("# harness-baseline 2\na\tb\tvalue\tvalue\tpassed\t-\t-\t-\n", ":2: no verdict: 8 columns with a known"),
        ("# harness-baseline 2\na\tb\tvalue\tvalue\tpass\t-\tmuch\t-\n", ":2: no verdict"),
        ("# harness-baseline 1\na\tb\tvalue\tpassed\t-\t-\t-\n", ":2: no verdict: 8 columns with a known verdict"),
        ("# harness-baseline 2\n<<<<<<< HEAD\n", ":2: no verdict"),
        ("# harness-baseline 2\nb\tx\n\na\tx\n", ":4: out of order"),
    ],
)
def test_what_is_no_baseline_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "b.txt"
    path.write_text(text)
    with pytest.raises(RunFolderError) as refused:
        _ = [*load(path).lines], [*load(path).entries()]
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
            save(of_run(run, [verdict()]), place)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def repeated(run: Run, verdict: MakeVerdict, *ulps: float, **more: object) -> list[Baseline]:
    return [of_run(run, [verdict(max_ulp=u, bits=f"{u}", outcome="value", **more)]) for u in ulps]


def test_several_runs_are_kept_with_their_spread(run: Run, verdict: MakeVerdict, kept: Path) -> None:
    save(of_runs(repeated(run, verdict, 0.5, -1.25, 0.75)), kept)
    ((_, entry),) = load(kept).entries()
    assert (entry.max_ulp, entry.spread, entry.bits) == (-1.25, 2.0, "~")
    assert kept.read_text().splitlines()[-1].endswith("\t-1.25+-2\t~")


def test_runs_that_agree_have_no_spread(run: Run, verdict: MakeVerdict) -> None:
    one = repeated(run, verdict, 0.5)[0]
    assert list(of_runs([one, one]).lines) == list(one.lines)


def test_runs_of_one_baseline_must_end_alike(run: Run, verdict: MakeVerdict) -> None:
    one, other = (of_run(run, [verdict(kind=kind, outcome=how)]) for kind, how in ENDINGS)
    with pytest.raises(RunFolderError, match=r"must end alike; .* is pass \(value\) and timeout \(timeout\)"):
        of_runs([one, other])


ENDINGS = ((Kind.PASS, "value"), (Kind.TIMEOUT, "timeout"))


def test_runs_of_one_baseline_must_be_alike(run: Run, verdict: MakeVerdict) -> None:
    one, other = repeated(run, verdict, 0.5)[0], of_run(replace(run, environments={}), [verdict(max_ulp=0.5)])
    with pytest.raises(RunFolderError, match="same environments"):
        of_runs([one, other])
    with pytest.raises(RunFolderError, match=r"same cases; b .* is not in all"):
        of_runs([one, of_run(run, [verdict(max_ulp=0.5, outcome="value"), verdict("b")])])
