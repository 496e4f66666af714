"""Reports of commands that have none of a run's."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.commands import formats
from harness.config import ConfigError


def write(content: object, path: Path) -> None:
    path.write_text(str(content))


WRITERS = {name: (f"made.{name}", write) for name in ("json", "html", "markdown")}


def test_a_report_that_can_not_be_written_is_a_mistake_and_costs_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    there, folder = tmp_path / "file" / "x.json", tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ConfigError) as refused:
        formats.write("all", [("json", str(there)), ("html", str(folder)), ("markdown", "")], WRITERS, tmp_path)
    assert str(refused.value).splitlines() == [
        f"--report json: {there} can't be written: File exists",
        f"--report html: {folder} can't be written: Is a directory",
    ]
    assert (tmp_path / "made.markdown").read_text() == "all"
    assert capsys.readouterr().out == f"Report (markdown): {tmp_path / 'made.markdown'}\n"
