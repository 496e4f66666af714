"""Repeated runs of the same environments give an allowance, which an update of a baseline keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model.run import Run
from harness.model.verdict import Kind, Verdict
from harness.store.baseline import Baseline, load, of_run, save
from harness.store.folder import RunFolderError
from harness.store.spread import of_runs, updated

MakeVerdict = Callable[..., Verdict]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "baseline.txt"


def repeated(run: Run, verdict: MakeVerdict, *ulps: float, **more: object) -> list[Baseline]:
    usual = {"content": "float32[]", **more}
    return [of_run(run, [verdict(max_ulp=u, max_bound=abs(u) / 2, bits=f"{u}", **usual)]) for u in ulps]


def test_several_runs_are_kept_with_their_spread(run: Run, verdict: MakeVerdict, kept: Path) -> None:
    save(of_runs(repeated(run, verdict, 0.5, -1.25, 0.75)), kept)
    ((_, entry),) = load(kept).entries()
    assert (entry.max_ulp, entry.ulp_spread, entry.bits) == (-1.25, 2.0, "~")
    assert (entry.max_bound, entry.bound_spread) == (0.625, 0.375)
    assert kept.read_text().splitlines()[-1].endswith("\t-1.25+-2\t0.625+-0.375\t~")


def test_runs_that_agree_have_no_spread(run: Run, verdict: MakeVerdict) -> None:
    one = repeated(run, verdict, 0.5)[0]
    assert list(of_runs([one, one]).lines) == list(one.lines)


def test_runs_of_one_baseline_must_end_alike(run: Run, verdict: MakeVerdict) -> None:
    one, other = (of_run(run, [verdict(kind=kind, content=how)]) for kind, how in ENDINGS)
    with pytest.raises(RunFolderError, match=r"must end alike; .* is pass \(value\) and timeout \(timeout\)"):
        of_runs([one, other])


ENDINGS = ((Kind.PASS, "value"), (Kind.TIMEOUT, "timeout"))


def test_runs_of_one_baseline_must_be_alike(run: Run, verdict: MakeVerdict) -> None:
    one, other = repeated(run, verdict, 0.5)[0], of_run(replace(run, environments={}), [verdict(max_ulp=0.5)])
    with pytest.raises(RunFolderError, match="same environments"):
        of_runs([one, other])
    with pytest.raises(RunFolderError, match=r"same cases; b .* is not in all"):
        of_runs([one, of_run(run, [verdict(max_ulp=0.5, content="float32[]"), verdict("b")])])


def test_an_update_has_the_new_errors_and_the_spread_that_was_known(run: Run, verdict: MakeVerdict, kept: Path) -> None:
    save(of_runs(repeated(run, verdict, 0.5, 1.0)), kept)
    (new,) = repeated(replace(run, environments={}), verdict, 3.0)
    save(updated(load(kept), new), kept)
    ((_, entry),) = load(kept).entries()
    assert (entry.max_ulp, entry.ulp_spread, entry.max_bound, entry.bound_spread, entry.bits) == (
        3,
        0.5,
        1.5,
        0.25,
        "~",
    )
    assert load(kept).facts == new.facts


def test_the_spread_of_what_ends_otherwise_now_is_forgotten(run: Run, verdict: MakeVerdict) -> None:
    new = of_run(run, [verdict(outcome="error ValueError"), verdict("b")])
    assert list(updated(of_runs(repeated(run, verdict, 0.5, 1.0)), new).lines) == list(new.lines)
