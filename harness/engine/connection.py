"""One worker process and the pipes to it."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.worker import frames, process

Answer = tuple[dict[str, Any], list[frames.Tensor]]

CHUNK = 1 << 20
STDERR_LIMIT = 2000
NICENESS = 10
CACHE_VARIABLE = "HARNESS_COMPILED"
"""Folder in which a framework may keep what it compiles: see the adapter of JAX."""
LEAKS = (CACHE_VARIABLE, "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


class WorkerDiedError(Exception):
    """The worker ended before it had answered.

    Attributes:
        crashed: it was killed by a signal, or ended by itself with an exit code.
    """

    def __init__(self, reason: str, *, crashed: bool) -> None:
        super().__init__(reason)
        self.crashed = crashed


class Inbox:
    """What has come through a pipe and is not read yet: a stream for `frames.read` that never blocks.

    Reading more than is there raises BlockingIOError; `rewind` then gives back what was read of the
    frame that isn't complete.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = self._mark = 0

    def feed(self, data: bytes) -> None:
        """Add what has come."""
        del self._data[: self._mark]
        self._at = self._mark = 0
        self._data += data

    def read(self, count: int) -> bytes:
        """The next bytes, exactly so many."""
        end = self._at + count
        if end > len(self._data):
            raise BlockingIOError
        data = bytes(self._data[self._at : end])
        self._at = end
        return data

    def keep(self) -> None:
        """A frame is complete: what was read of it is done with."""
        self._mark = self._at

    def rewind(self) -> None:
        """A frame is not complete: read it again when there is more."""
        self._at = self._mark


class Connection:
    """A running worker: send calls, receive answers, learn how it died.

    Args:
        python: path of the interpreter.
        adapter: path of the adapter's file.
        stderr: file that the worker's standard output and error are appended to.
        threads: threads that a call may use.
        cache: folder in which its framework may keep what it compiles.
    """

    def __init__(self, python: str, adapter: str, stderr: Path, threads: int, cache: Path | None = None) -> None:
        self._stderr = stderr
        self._log = stderr.open("ab")
        self._begin = self._log.tell()
        to_worker, requests = os.pipe()
        answers, from_worker = os.pipe()
        command = [python, str(process.__file__), "--read", str(to_worker), "--write", str(from_worker)]
        self._process = subprocess.Popen(  # noqa: S603 - the interpreter is the user's choice
            [*command, "--adapter", adapter, "--threads", str(threads)],
            pass_fds=(to_worker, from_worker),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=surroundings(os.environ, threads, cache),
            process_group=0,  # to kill as a whole; Linux (autogroup) would ignore niceness in a session of its own
        )
        os.close(to_worker)
        os.close(from_worker)
        self._requests = os.fdopen(requests, "wb")
        self._answers = answers
        self._inbox = Inbox()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def send(self, header: Mapping[str, Any], tensors: Sequence[frames.Tensor]) -> None:
        """Send a batch of calls.

        Raises:
            WorkerDiedError: nobody reads it any more.
        """
        try:
            frames.write(self._requests, dict(header), tensors)
        except BrokenPipeError:
            raise self._death() from None

    def give_way(self) -> None:
        """Leave the processor to others where there are fewer than processes."""
        with contextlib.suppress(ProcessLookupError):
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, self._process.pid, own + NICENESS)

    def fileno(self) -> int:
        """The descriptor to wait on for answers."""
        return self._answers

    def receive(self) -> Iterator[Answer]:
        """Read what is there, and yield the answers that are complete: to be called when `fileno` is readable.

        Raises:
            WorkerDiedError: the worker ended, or sent what is no frame.
        """
        data = os.read(self._answers, CHUNK)
        if not data:
            raise self._death()
        self._inbox.feed(data)
        while True:
            try:
                answer = frames.read(self._inbox)
            except BlockingIOError:
                self._inbox.rewind()
                return
            except frames.FrameError as error:
                self.kill()
                raise WorkerDiedError(f"the worker broke the protocol: {error}", crashed=True) from error
            self._inbox.keep()
            yield answer

    def answer(self, timeout: float) -> Answer:
        """The next answer, waited for, where one at a time is asked for.

        Raises:
            TimeoutError: it has not come within so many seconds.
            WorkerDiedError: it never will.
        """
        until = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ)
            while selector.select(max(0.0, until - time.monotonic())):
                for answer in self.receive():
                    return answer
        raise TimeoutError

    def kill(self) -> None:
        """End the worker and whatever it has started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End the worker and free what it held."""
        self.kill()
        os.close(self._answers)
        self._log.close()
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()

    def tail(self) -> str:
        """The end of what this worker printed."""
        self._log.flush()
        with self._stderr.open("rb") as log:
            log.seek(self._begin)
            return log.read()[-STDERR_LIMIT:].decode("utf-8", "replace").strip()

    def _death(self) -> WorkerDiedError:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
            return WorkerDiedError("the worker closed its pipe", crashed=True)
        how = f"killed by {_signal(-code)}" if code < 0 else f"ended with exit code {code}"
        tail = self.tail()
        return WorkerDiedError(f"{how}: {tail}" if tail else how, crashed=code < 0)


def surroundings(environment: Mapping[str, str], threads: int, cache: Path | None = None) -> dict[str, str]:
    """Environment variables of a worker: the host's own Python kept out, threads, hashing and cache pinned."""
    kept = {name: value for name, value in environment.items() if name not in LEAKS}
    pinned = dict.fromkeys(THREAD_VARIABLES, str(threads))
    folder = {CACHE_VARIABLE: str(cache)} if cache else {}
    return {**kept, **pinned, **folder, "PYTHONHASHSEED": "0", "CUDA_VISIBLE_DEVICES": "-1"}


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
