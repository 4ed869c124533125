"""The processes of a batch as the batch sees them: their start and end, their reports, and what a crash costs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from typing import IO, cast

from engine.batch.protocol import StartMessage, TaskMessage, WorkerReport, decode_report
from engine.core.child_process import (
    describe_end,
    end_together,
    find_last_line,
    read_available,
    send_message,
    spawn_server,
    take_message_bodies,
)
from engine.core.python_process import build_child_environment
from engine.errors import VeilError

_EXIT_GRACE_S = 100.0
"""Time in which processes have to end by themselves: calls to a service that are under way are paid for."""
_STDERR_TAIL_BYTES = 4096


class FileWorker:
    """A process that works on one file at a time.

    Attributes:
        number: number of the file that it works on, counted from 0. None: it has nothing to do.

    Raises:
        VeilError: the process cannot be started.
    """

    def __init__(self, start: StartMessage) -> None:
        self.number: int | None = None
        try:
            self._process, self._lifeline = _spawn_worker()
        except OSError as error:
            raise VeilError(
                f"A process for the files of the batch cannot be started ({error.strerror}): use fewer --jobs."
            ) from error
        self.stdout, self.stderr = cast("IO[bytes]", self._process.stdout), cast("IO[bytes]", self._process.stderr)
        for stream in (self.stdout, self.stderr):
            os.set_blocking(stream.fileno(), False)
        self._report_buffer, self._stderr_tail = bytearray(), bytearray()
        self._send(start)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def send_task(self, number: int, task: TaskMessage) -> None:
        """Give it a file."""
        self.number = number
        self._send(task)

    def receive_reports(self) -> Iterator[WorkerReport]:
        """Yield the reports that have arrived; do not wait.

        Raises:
            EOFError: after the last report, if the process has ended; the message says how.
        """
        alive = read_available(self.stdout, self._report_buffer)
        for body in take_message_bodies(self._report_buffer):
            yield decode_report(body)
        if not alive:
            code = self._process.wait()
            self.read_stderr()
            raise EOFError(describe_end(code, find_last_line(self._stderr_tail)))

    def read_stderr(self) -> None:
        """Keep the end of what it wrote to its standard error; a full pipe would stop it."""
        read_available(self.stderr, self._stderr_tail)
        del self._stderr_tail[:-_STDERR_TAIL_BYTES]

    def request_exit(self) -> None:
        """Ask it to end: at once if it works on a file."""
        cast("IO[bytes]", self._process.stdin).close()
        if self.number is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait_for_exit(self, deadline: float) -> None:
        """Wait for its end; kill it at the monotonic time `deadline`."""
        try:
            # Its reports are read to the end, or it would wait for room in the pipe and never end.
            while self._process.poll() is None and time.monotonic() < deadline:
                read_available(self.stdout, bytearray())
                self.read_stderr()
                time.sleep(0.01)
        finally:
            self._process.kill()
            self._process.wait()
            for stream in (self.stdout, self.stderr, self._lifeline):
                stream.close()

    def _send(self, message: StartMessage | TaskMessage) -> None:
        send_message(cast("IO[bytes]", self._process.stdin), message)


def end_file_workers(workers: Iterable[FileWorker]) -> None:
    """End processes at the same time, and close their pipes."""
    end_together(workers, _EXIT_GRACE_S)


def _spawn_worker() -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    return spawn_server("engine.batch.worker", build_child_environment())
