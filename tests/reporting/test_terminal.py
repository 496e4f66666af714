from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model.run import Results
from harness.model.verdict import Kind
from harness.reporting import terminal, write
from harness.reporting.progress import Progress
from harness.reporting.text import shorten
from harness.reporting.values import measure

REPORTS = [("html", Path("reports/x/report.html")), ("json", Path("reports/x/report.json"))]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("count", [0, 1, 12, 13, 14, 10_000])
def test_it_fits_in_30_lines_of_100_columns(many: Callable[..., Results], kind: Kind, count: int) -> None:
    lines = terminal.summary(many(count, kind), REPORTS)
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
    assert lines[-1] == "Report (json): reports/x/report.json"


@pytest.mark.parametrize("width", [20, 60, 100])
def test_everything_at_once_fits_too(results: Results, width: int) -> None:
    wild = [replace(v, environment=f"env{i}", reason="x" * 300) for i in range(9) for v in results.verdicts]
    reports = [(str(i), Path("deep/" * 60) / "report") for i in range(9)]
    lines = terminal.summary(Results(results.run, wild, results.record), reports, width)
    assert len(lines) <= 30
    assert max(map(len, lines)) <= width


def test_failures_come_first_then_what_is_missing(results: Results) -> None:
    lines = terminal.summary(results, REPORTS)
    assert lines[0] == "Failed: 11 of 24 verdicts"
    assert lines[1].startswith("  fail  documents/003:a/float32  here:torch.nn.functional")
    assert "got 0 at [1], truth 2.33e-10, -1.2e+07 ulp; every digit" in lines[2]
    text = "\n".join(lines)
    parts = [
        "more, see the report",
        "Least stable",
        "UNAVAILABLE  2 of tensorflow in old: No module named 'tensorflow'",
        "erratum",
        "here: torch 2.13.0",
        "Truth: a float64",
        "Time",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_what_is_unavailable_keeps_both_ends_of_its_reason(results: Results) -> None:
    wild = [
        replace(v, implementation=f"{v.implementation}.{n}", reason=f"a{'-' * 90}z")
        for n, v in enumerate(results.verdicts)
    ]
    (line, *_) = (
        t for t in terminal.summary(Results(results.run, wild, results.record), REPORTS, 80) if "UNAVAIL" in t
    )
    assert len(line) <= 80
    assert re.search(r"of .+: a-+\.\.\.-+z$", line)


def test_of_many_apis_that_are_missing_the_first_is_named(results: Results) -> None:
    there, *_ = results.verdicts
    gone = [
        replace(
            there,
            verdict=Kind.UNAVAILABLE,
            implementation=f"tf.contrib.losses.{name}_cross_entropy",
            reason="gone since 2.0",
        )
        for name in ("softmax", "sigmoid")
    ]
    lines = terminal.summary(Results(results.run, [*results.verdicts, *gone], results.record), REPORTS, 80)
    (line,) = (text for text in lines if "gone since 2.0" in text)
    assert re.match(r"UNAVAILABLE  2 of tf\.contrib\.\S*\.\.\.\S*entropy and 1 more in here: gone since 2\.0$", line)


def test_control_characters_and_line_breaks_are_written_out(results: Results) -> None:
    noisy = [replace(v, reason="a\nb\x1b[2J\u2028", case="c\nd") for v in results.verdicts]
    text = "".join(terminal.summary(Results(results.run, noisy, results.record), REPORTS))
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]", text)


def test_plain_lines_where_there_is_no_terminal(results: Results) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    terminal.show(replace(results, verdicts=[replace(v, reason="é") for v in results.verdicts]), REPORTS, out)
    out.seek(0)
    assert len(out.read().splitlines()) <= 30


def test_markup_in_text_is_not_markup(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    wild = [v for v in results.verdicts if v.case.startswith("found/")]
    out = Terminal()
    terminal.show(Results(results.run, wild, results.record), REPORTS, out)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert "[red]x[/red]" in plain
    assert "\x1b[" in out.getvalue()
    assert plain.splitlines() == terminal.summary(Results(results.run, wild, results.record), REPORTS)


def test_shortening_keeps_both_ends() -> None:
    assert shorten("abcdefghij", 7) == "ab...ij"
    assert shorten("abc", 3) == "abc"
    assert [len(shorten("abcdefghij", width)) for width in range(10)] == list(range(10))
    assert measure(float("nan")) == "nan"


def test_progress_says_a_line_now_and_then() -> None:
    now = iter([0.0, 0.0, 3.0, 10.0, 10.0, 11.0, 25.0, 25.0])
    out = io.StringIO()
    with Progress(1000, "torch", stream=out, clock=lambda: next(now)) as shown:
        shown.advance()
        shown.advance(499)
        shown.describe("tensor\x1bflow")
        shown.advance()
    assert out.getvalue().splitlines() == [
        "500 of 1,000 after 10 s  torch",
        r"501 of 1,000 after 25 s  tensor\x1bflow",
    ]


def test_progress_draws_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with Progress(10, "[red]torch", stream=out) as shown:
        shown.advance(4)
        shown.describe("[bold]tensorflow")
    assert "[bold]tensorflow" in out.getvalue()
    assert "4/10" in out.getvalue()


def test_it_can_be_kept_in_a_file(results: Results, tmp_path: Path) -> None:
    write(results, "terminal", tmp_path / "summary.txt")
    assert (tmp_path / "summary.txt").read_text(encoding="utf-8").splitlines() == terminal.summary(results, [])


def test_each_file_of_a_format_is_named(results: Results) -> None:
    lines = terminal.summary(results, [("json", Path("a.json")), ("json", Path("b.json"))])
    assert lines[-2:] == ["Report (json): a.json", "Report (json): b.json"]
