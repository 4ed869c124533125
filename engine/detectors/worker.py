"""The process in which one detector runs: pictures come through shared memory, tasks by stdin, reports go to stdout.

Started by `engine.detectors.pool` and by nobody else. It imports the one detector's file and what that imports.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import resource
import select
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from engine.core.picture import Rgb
from engine.detectors.base import Detector, RemoteDetector, is_remote
from engine.detectors.protocol import HEADER, SEPARATOR, Answer, Failure, Ready, Report, Start, Task, frame
from engine.detectors.shared_memory import Mapped
from engine.errors import InputError, ModelError, VeilError

_PARENT_ENDED = 1


def main(lifeline: int) -> int:
    """Serve the pool until it closes its end; the exit code is not 0 when the detector failed.

    Args:
        lifeline: read end of a pipe whose other end only the pool's process holds.
    """
    _end_with(lifeline)
    # A core file would hold the pictures.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tasks, reports = _take_over_pipes()
    try:
        _serve(tasks, reports)
    except Exception as error:  # noqa: BLE001  (whatever a detector raises must reach the pool as a sentence)
        traceback.print_exc()
        _send(reports, _failure(error))
        return 1
    return 0


def _end_with(lifeline: int) -> None:
    """Let the kernel end this process when the pool's process is gone, even in the midst of native code.

    Not PR_SET_PDEATHSIG: that fires when the thread that made the pool ends, as Streamlit's script threads do.
    """
    os.set_inheritable(lifeline, False)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:
        sys.exit(_PARENT_ENDED)


def _take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the protocol away from descriptors 0 and 1, where native libraries would read and write."""
    tasks, reports = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return tasks, reports


def _serve(tasks: BinaryIO, reports: BinaryIO) -> None:
    body = _receive(tasks)
    if body is None:
        return
    start = msgspec.msgpack.decode(body, type=Start)
    for slot in start.slots:
        os.set_inheritable(slot, False)
    detector, memory = _load(start), Mapped(start.slots)
    _send(reports, Ready())
    if is_remote(type(detector)):
        _SideBySide(cast("RemoteDetector", detector), memory, reports).serve(_tasks(tasks), start.side_by_side)
    else:
        for task in _tasks(tasks):
            _send(reports, Answer(task.ticket, detector.detect(memory.pictures(task.slot, task.length, task.sizes))))
    detector.close()


class _SideBySide:
    """Serves tasks in threads, and ends no earlier than the calls to the service that are under way."""

    def __init__(self, detector: RemoteDetector, memory: Mapped, reports: BinaryIO) -> None:
        self._detector, self._memory, self._reports = detector, memory, reports
        self._sending = threading.Lock()
        self._over = threading.Event()
        # When the pool's process is gone, the end of the tasks says so too.
        signal.signal(signal.SIGIO, signal.SIG_IGN)

    def serve(self, tasks: Iterator[Task], threads: int) -> None:
        """Until there are no more tasks; those that have not begun by then are left."""
        with ThreadPoolExecutor(threads) as executor:
            for task in tasks:
                pictures = self._memory.pictures(task.slot, task.length, task.sizes)
                executor.submit(self._guarded, task.ticket, pictures)
            self._over.set()
            self._detector.close()

    def _guarded(self, ticket: int, pictures: list[Rgb]) -> None:
        try:
            looks = self._detector.look(pictures)
            answer = Answer(ticket, [one.sightings for one in looks], [one.receipt for one in looks])
            with self._sending:
                _send(self._reports, answer)
        except Exception as error:  # noqa: BLE001  (as in `main`)
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Report the first error when the calls under way are answered; the others follow from it."""
        with self._sending:
            if self._over.is_set():
                return
            self._over.set()
        traceback.print_exception(error)
        try:
            self._detector.close()
            with self._sending:
                _send(self._reports, _failure(error))
        finally:
            os._exit(1)


def _tasks(tasks: BinaryIO) -> Iterator[Task]:
    while (body := _receive(tasks)) is not None:
        yield msgspec.msgpack.decode(body, type=Task)


def _load(start: Start) -> Detector:
    module, _, name = start.detector.partition(":")
    kind = cast("type[Detector]", getattr(importlib.import_module(module), name))
    return kind.load(msgspec.msgpack.decode(start.settings, type=kind.settings_type), Path(start.models))


def _receive(tasks: BinaryIO) -> bytes | None:
    """The next message, or None when the pool has closed its end."""
    header = tasks.read(HEADER)
    length = int.from_bytes(header, "big")
    body = tasks.read(length) if len(header) == HEADER else b""
    return body if header and len(body) == length else None


def _send(reports: BinaryIO, report: Report) -> None:
    os.write(2, SEPARATOR)
    reports.write(frame(report))
    reports.flush()


def _failure(error: Exception) -> Failure:
    match error:
        case ModelError():
            return Failure("model", str(error))
        case InputError():
            return Failure("input", str(error))
        case VeilError():
            return Failure("detector", str(error))
        case _:
            return Failure("other", traceback.format_exception_only(error)[-1].strip().rstrip("."))


if __name__ == "__main__":
    code = main(int(sys.argv[1]))
    # Interpreters that hold TensorFlow or torch take a second to end, and may crash on the way.
    sys.stderr.flush()
    os._exit(code)
