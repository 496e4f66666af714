"""How far a run has come: a bar on a terminal, a line every ten seconds elsewhere, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from harness.reporting.text import one_line, shorten

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

INTERVAL = 10.0
DESCRIPTION = 48


class Progress:
    """Context manager around a run.

    Attributes:
        total: how many steps there are.
        interval: seconds between plain lines.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        total: int,
        text: str = "",
        *,
        stream: TextIO | None = None,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.done, self.text = total, 0, text
        self.interval, self.clock = interval, clock
        self._stream = stream or sys.stderr
        self._bar: tuple[Bar, TaskID] | None = None
        self._started = self._said = clock()

    def __enter__(self) -> Self:
        self._started = self._said = self.clock()
        if self._stream.isatty():
            self._bar = bar(self._stream, self.total, short(self.text))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar[0].stop()

    def advance(self, steps: int = 1) -> None:
        """So many more steps are done."""
        self.done += steps
        self._show()

    def describe(self, text: str) -> None:
        """Say what is being done now; the text may be anybody's."""
        self.text = text
        self._show()

    def _show(self) -> None:
        if self._bar:
            self._bar[0].update(self._bar[1], completed=self.done, description=short(self.text))
        elif self.clock() - self._said >= self.interval:
            self._said = self.clock()
            self._say()

    def _say(self) -> None:
        seconds = self._said - self._started
        line = f"{self.done:,} of {self.total:,} after {seconds:.0f} s  {short(self.text)}".rstrip()
        encoding = self._stream.encoding or "utf-8"
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=self._stream, flush=True)


def short(text: str) -> str:
    """The description on one line that leaves room for the bar."""
    return shorten(one_line(text), DESCRIPTION)


def bar(stream: TextIO, total: int, text: str) -> tuple[Bar, TaskID]:
    """A started bar of rich's; the description is never read as markup."""
    from rich.console import Console  # noqa: PLC0415 - only where there is a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    made = Bar(TextColumn("{task.description}", markup=False), *columns, console=Console(file=stream), transient=True)
    made.start()
    return made, made.add_task(text, total=total)
