from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.model.run import Results
from harness.model.verdict import Kind
from harness.reporting import github_report

COMMAND = re.compile(r"::(?P<name>\w+) (?P<properties>.*?)::(?P<data>.*)")


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner reads it: name, properties, message."""
    match = COMMAND.fullmatch(line)
    assert match
    pairs = (pair.split("=", 1) for pair in match["properties"].split(","))
    return match["name"], {key: unescaped(value, "%3A:", "%2C,") for key, value in pairs}, unescaped(match["data"])


def unescaped(text: str, *more: str) -> str:
    """The runner's decoding, `%25` last."""
    for pair in (*more, "%0D\r", "%0A\n", "%25%"):
        text = text.replace(pair[:3], pair[3:])
    return text


@pytest.fixture
def shown(results: Results) -> list[tuple[str, dict[str, str], str]]:
    """The annotations of a run with every kind of verdict and hostile texts."""
    return [parsed(line) for line in github_report.lines(results)]


def test_ten_annotations_and_a_count(shown: list[tuple[str, dict[str, str], str]], results: Results) -> None:
    failed = sum(verdict.verdict.failed for verdict in results.verdicts)
    assert [name for name, _, _ in shown] == ["error"] * 10 + ["notice"]
    assert failed == 11
    assert shown[-1][2] == f"Failed: 11 of {len(results.verdicts)} verdicts; 3 more are in the other reports"


def test_an_annotation_stands_at_the_line_of_its_case(shown: list[tuple[str, dict[str, str], str]]) -> None:
    _, properties, message = shown[0]
    assert (properties["file"], properties["line"]) == ("cases/documents/003.yaml", "12")
    assert properties["title"].startswith("fail: here:torch.nn.functional.binary_cross_entropy_with_logits@eager value")
    assert "truth     2.33e-10" in message.splitlines()[4]
    assert message.endswith("next      harness explain documents/003:a/float32")


def test_each_subject_has_its_first_failure_before_further_ones(many: Callable[..., Results]) -> None:
    results = many(20, Kind.FAIL)
    other = [*results.verdicts, *many(1, Kind.CRASH).verdicts]
    lines = github_report.lines(Results(results.run, other, results.record))
    assert parsed(lines[1])[1]["title"].startswith("crash: ")


def test_what_could_not_be_asked_is_a_warning_without_a_line(many: Callable[..., Results]) -> None:
    warning, count = (parsed(line) for line in github_report.lines(many(4, Kind.UNAVAILABLE)))
    assert warning == ("warning", {"title": "unavailable: torch in here"}, "4 verdicts missing: ")
    assert count[0] == "notice"


def test_a_run_without_failures_says_nothing(many: Callable[..., Results]) -> None:
    assert github_report.lines(many(3, Kind.PASS)) == []


@pytest.mark.parametrize("text", ["a,b=c::d", "100%", "%3A", "%0A", "x%2Cy:z"])
def test_escaped_text_is_read_as_it_was(text: str) -> None:
    assert parsed(github_report.command("error", text, f"{text}\nnext", file=text)) == (
        "error",
        {"file": text, "title": text},
        f"{text}\nnext",
    )


def test_untrusted_text_starts_no_command_of_its_own(shown: list[tuple[str, dict[str, str], str]]) -> None:
    line = github_report.command("error", "t", "harmless\n::add-mask::x\r\n\x1b[31m")
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert all(name in {"error", "warning", "notice"} for name, _, _ in shown)


def test_commands_go_to_a_file_for_those_who_ask(results: Results, tmp_path: Path) -> None:
    github_report.write(results, tmp_path / "commands.txt")
    assert (tmp_path / "commands.txt").read_text(encoding="utf-8").splitlines() == github_report.lines(results)
