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
from harness.store.baseline import load, of_run, save
from harness.store.database import Store
from harness.store.entries import Entry
from harness.store.folder import RunFolderError

MakeVerdict = Callable[..., Verdict]
HEAD = "# harness-baseline 3\n"
SUBJECT = "current:numpy.sigmoid_cross_entropy@eager"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "baseline.txt"


def test_a_baseline_is_sorted_text_that_a_reviewer_can_read(run: Run, verdict: MakeVerdict, kept: Path) -> None:
    verdicts = [
        verdict("b", Kind.FAIL, grade=Grade.BROKEN, reason="NaN", outcome="value", content="float32[2,3] nan"),
        verdict("a", grade=Grade.EXACT, max_ulp=-0.123456789, max_bound=0.25, bits="0a", content="float32[]"),
        verdict("a", output="gradient:logits", max_ulp=float("inf"), bits="0b", outcome="value"),
        verdict("c", outcome="error ValueError"),
    ]
    assert save(of_run(run, verdicts), kept) == 4
    assert kept.read_text() == (
        "# harness-baseline 3\n"
        "# seed\t0\n"
        "# tier\tstock\n"
        "# current\tpackage numpy\t2.4.6\n"
        "# current\tpackage torch\t2.13.0\n"
        "# current\tpython\t3.11.2\n"
        "# old\tpackage tensorflow\t1.15.5\n"
        "# old\tpython\t3.7.9\n"
        f"a\t{SUBJECT}\tgradient:logits\tvalue\tpass\t-\tinf\t-\t0b\n"
        f"a\t{SUBJECT}\tvalue\tfloat32[]\tpass\texact\t-0.123457\t0.25\t0a\n"
        f"b\t{SUBJECT}\tvalue\tfloat32[2,3] nan\tfail\tbroken\t-\t-\t-\n"
        f"c\t{SUBJECT}\tvalue\terror ValueError\tpass\t-\t-\t-\t-\n"
    )
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]


def test_everything_that_may_decide_a_result_is_a_fact(run: Run, kept: Path) -> None:
    print_ = Fingerprint(
        "3.11.2", {"torch": "2.13.0"}, 2, "A CPU", ("avx2", "fma"), "glibc 2.36", {"TF_ENABLE_ONEDNN_OPTS": "0"}
    )
    save(of_run(replace(run, environments={"e": print_}, seed=7, tier="quick", cases="0f"), []), kept)
    assert load(kept).facts == {
        "": {"seed": "7", "tier": "quick", "cases": "0f"},
        "e": {
            "cpu": "A CPU",
            "features": "avx2 fma",
            "flag TF_ENABLE_ONEDNN_OPTS": "0",
            "libc": "glibc 2.36",
            "package torch": "2.13.0",
            "python": "3.11.2",
            "threads": "2",
        },
    }


@pytest.mark.parametrize(
    "value", ["\n --xla_a=1\n\t--xla_b=2\r\n", " --xla_a=1\t--xla_b=2", "--xla_a=1\u2028--xla_b=2"]
)
def test_a_fact_is_on_one_line_whatever_a_variable_holds(
    run: Run, verdict: MakeVerdict, kept: Path, value: str
) -> None:
    flags = {"XLA_FLAGS": value, "XLA_BLANK": "\n", "XLA_BYTES": "\udcff"}
    made = of_run(replace(run, environments={"e": Fingerprint("3.11.2", flags=flags)}), [verdict()])
    save(made, kept)
    assert list(load(kept).entries()) == list(made.entries())
    assert load(kept).facts == made.facts
    assert made.facts["e"] == {
        "flag XLA_BYTES": "\\udcff", "flag XLA_FLAGS": "--xla_a=1 --xla_b=2", "python": "3.11.2",
    }  # fmt: skip


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
        ("a", SUBJECT, "value"): Entry("-", Kind.PASS, "exact", -0.123457, None, "0a"),
        ("b", SUBJECT, "value"): Entry("-", Kind.UNSUPPORTED, "-", None, None, "-"),
    }


def test_schema_2_is_migrated_without_errors_in_units_of_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text(
        f"# harness-baseline 2\n# current\tpython\t3.11.2\na\t{SUBJECT}\tvalue\tvalue\tpass\texact\t-0.125+-0.5\t~\n"
    )
    loaded = load(path)
    assert loaded.facts == {"current": {"python": "3.11.2"}}
    assert [entry for _, entry in loaded.entries()] == [
        Entry("value", Kind.PASS, "exact", -0.125, None, "~", ulp_spread=0.5)
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: no baseline: the first line is not '# harness-baseline 3'"),
        ("case\tsubject\n", ":1: no baseline: the first line is not '# harness-baseline 3'"),
        ("# harness-baseline 4\n", ":1: a baseline of schema 4; this harness reads up to 3"),
        ("# harness-baseline x\n", ":1: a baseline of schema x; this harness reads up to 3"),
        (f"# harness-baseline {'9' * 5000}\n", f":1: a baseline of schema {'9' * 20}; this harness reads up to 3"),
        ("# harness-baseline 3\n# x\n\na\tb\tvalue\tvalue\tpass\t-\t-\t-\n", ":4: no verdict: 9 columns"),
        ("# harness-baseline 3\na\tb\tvalue\tvalue\tpass\t-\t1\tmuch\t-\n", ":2: no verdict"),
        ("# harness-baseline 2\na\tb\tvalue\tvalue\tpassed\t-\t-\t-\n", ":2: no verdict: 8 columns with a known"),
        ("# harness-baseline 2\na\tb\tvalue\tvalue\tpass\t-\tmuch\t-\n", ":2: no verdict"),
        ("# harness-baseline 1\na\tb\tvalue\tpassed\t-\t-\t-\n", ":2: no verdict: 7 columns with a known verdict"),
        ("# harness-baseline 2\n<<<<<<< HEAD\n", ":2: no verdict"),
        ("# harness-baseline 2\nb\tx\n\na\tx\n", ":4: out of order"),
        (HEAD + 2 * "a\ts\tvalue\tvalue\tpass\t-\t-\t-\t-\n", ":3: out of order: lines must be sorted, each key once"),
        (
            HEAD + "".join(f"a\ts\tvalue\t{how}\t-\t-\t-\t-\n" for how in ("error X\tpass", "float32[]\tfail")),
            ":3: out of order: lines must be sorted, each key once",
        ),
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
