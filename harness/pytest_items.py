"""Case files as pytest collects them: one item for each part of a suite."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness import casefile, config, selection
from harness.config import Options
from harness.mistakes import MISTAKES
from harness.model.verdict import Kind, Verdict
from harness.pytest_suite import Part, Suite
from harness.reporting.failure import message

STOCK = "stock"
SHOWN = 5
"""Failed verdicts of an item that are told in full."""
KNOWN = (Kind.DEVIATION, Kind.ERRATUM)
OUTPUT = "harness_summary"
"""Under which an xdist worker hands its summary to the controller."""

SUITE: pytest.StashKey[Suite] = pytest.StashKey()


class Hooks:
    """The plugin's hooks, registered where there are cases.

    Args:
        settings: pytest's.
        asked: what `--harness-cases` names.
        known: what the setting `harness_cases` names.

    Raises:
        pytest.UsageError: a path is wrong, or a setting of the harness.
    """

    def __init__(self, settings: pytest.Config, asked: Sequence[str], known: Sequence[str]) -> None:
        try:
            options = config.resolve({}, start=settings.rootpath)
            roots = _roots(asked, settings.invocation_params.dir, options)
            self._added = _added(roots, settings)
            home = settings.inipath.parent if settings.inipath else settings.rootpath
            self._known = [*roots, *_roots(known, home, options)]
        except MISTAKES as mistake:
            raise pytest.UsageError(str(mistake)) from mistake
        self._top = settings.rootpath
        self._summary: list[str] = []
        settings.stash[SUITE] = Suite(options)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Add the files that `--harness-cases` names to what the session begins with."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            made = [CaseFile.from_parent(collector, path=file, nodeid=name) for file, name in self._added.items()]
            report.result = [*(report.result or ()), *made]
        return report

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> CaseFile | None:
        """Collect a case file that pytest comes by, unless it has been added."""
        if file_path in self._added or not self._recognised(file_path):
            return None
        return CaseFile.from_parent(parent, path=file_path)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know what is selected before the first item runs."""
        session.config.stash[SUITE].select(item.part for item in session.items if isinstance(item, CaseItem))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a skipped case be where it stands, and not where it is skipped."""
        report = yield
        if isinstance(item, CaseItem) and report.skipped and isinstance(report.longrepr, tuple):
            report.longrepr = (str(item.path), item.line, report.longrepr[2])
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Sum up; an xdist worker leaves that to be printed by the controller."""
        self._summary += session.config.stash[SUITE].summary()
        getattr(session.config, "workeroutput", {})[OUTPUT] = self._summary

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Give all cases to one xdist worker."""
        from harness import pytest_scheduling  # noqa: PLC0415 - pytest-xdist may not be installed

        return pytest_scheduling.scheduler(config, log, self._ours)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take an xdist worker's summary."""
        self._summary += getattr(node, "workeroutput", {}).get(OUTPUT, [])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary, what could not be asked loudly."""
        if self._summary:
            terminalreporter.write_sep("=", "harness")
        for line in self._summary:
            loud = line.startswith("UNAVAILABLE")
            terminalreporter.write_line(line, yellow=loud, bold=loud)

    def _ours(self, nodeid: str) -> bool:
        name = nodeid.partition("::")[0]
        return name in self._added.values() or self._recognised(self._top / name)

    def _recognised(self, file: Path) -> bool:
        return any(_holds(root, file) for root in self._known)


class CaseFile(pytest.File):
    """A case file."""

    def collect(self) -> Iterator[CaseItem]:
        """Divide the file into items."""
        try:
            for part in self.config.stash[SUITE].parts(self.path):
                yield CaseItem.of(self, part)
        except MISTAKES as mistake:
            raise self.CollectError(str(mistake)) from mistake


class CaseItem(pytest.Item):
    """A case, or the cases of a generator, with one subject."""

    part: Part

    @classmethod
    def of(cls, parent: CaseFile, part: Part) -> CaseItem:
        """The item of a part."""
        item: CaseItem = cls.from_parent(parent, name=f"{part.name}/{part.subject}")
        item.part = part
        return item

    def runtest(self) -> None:
        """Judge: pass = passed; deviation, erratum = xfailed; unavailable = skipped; the rest fails."""
        rows = self.config.stash[SUITE].judge(self.part)
        self.user_properties += _measured(rows)
        if failed := [row for row in rows if row.verdict.failed]:
            raise VerdictFailedError(_told(failed))
        if known := [row for row in rows if row.verdict in KNOWN]:
            pytest.xfail(f"{known[0].verdict}: {known[0].reason}")
        if absent := [row for row in rows if row.verdict is Kind.UNAVAILABLE]:
            pytest.skip(f"unavailable: {absent[0].reason}")
        if all(row.verdict is Kind.UNSUPPORTED for row in rows):
            pytest.skip(f"unsupported: {rows[0].reason}" if rows else "nothing of it could be judged")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What the comparator says, or what is wrong with the input, without the harness's own traceback."""
        if isinstance(excinfo.value, (VerdictFailedError, *MISTAKES)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the case stands."""
        # The name is none that the node id ends with: pytest would write its dots as colons.
        return self.path, self.line - 1, f"{self.part.name} {self.part.subject}"

    @property
    def line(self) -> int:
        """The line in its file that the case begins on, from 1."""
        return self.part.units[0].source.line


class VerdictFailedError(Exception):
    """A case that a subject fails; the message is the comparator's."""


def _told(failed: Sequence[Verdict]) -> str:
    more = [f"and {len(failed) - SHOWN:,} more verdicts of this item"] if len(failed) > SHOWN else []
    return "\n\n".join([*map(message, failed[:SHOWN]), *more])


def _measured(rows: Sequence[Verdict]) -> list[tuple[str, object]]:
    """The worst error and its grade, for JUnit XML and other plugins."""
    measured = [row for row in rows if row.max_ulp is not None]
    if not measured:
        return []
    worst = max(measured, key=lambda row: abs(row.max_ulp or 0.0))
    return [("max_ulp", worst.max_ulp), ("grade", str(worst.grade))]


def _roots(names: Sequence[str], home: Path, options: Options) -> list[Path]:
    """The folders and files that names stand for."""
    stock = selection.paths(options.model_copy(update={"paths": ()}))
    return [root for name in names for root in (stock if name == STOCK else [_absolute(home / name)])]


def _added(roots: Sequence[Path], settings: pytest.Config) -> dict[Path, str]:
    """The case files that are collected although pytest may not come by them, with their node ids.

    A folder that an argument of pytest's points into (to select one case of it) is not added.

    Raises:
        CaseFileError: there is no such file or folder.
        pytest.UsageError: a folder has no case file.
    """
    stock, top = casefile.cases_folder(), settings.rootpath
    given = [_absolute(settings.invocation_params.dir / arg.partition("::")[0]) for arg in settings.args]
    found: dict[Path, str] = {}
    for root in roots:
        files = casefile.find([root], stock)
        if not files:
            raise pytest.UsageError(f"{root}: no case file is in it")
        if not any(arg.is_relative_to(root) for arg in given):
            found |= {file: _nodeid(file, stock, top) for file in files}
    return found


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - with its links, as pytest has paths


def _nodeid(file: Path, stock: Path, top: Path) -> str:
    if file.is_relative_to(stock):
        return f"{STOCK}/{file.relative_to(stock).as_posix()}"
    return Path(os.path.relpath(file, top)).as_posix()


def _holds(root: Path, file: Path) -> bool:
    """Whether a file is a case file by lying below a root, or by being it."""
    if file == root:
        return True
    return (
        root in file.parents
        and file.suffix in casefile.SUFFIXES
        and not casefile.lists_deviations(file, casefile.cases_folder())
    )
