"""The process that runs one detector: pictures come through shared memory, tasks through stdin, reports go to stdout.

Only `engine.detectors.pool` starts it. It imports the file of its detector and no other.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from engine.core.child_process import end_with_parent, frame_message, receive_message, take_over_pipes
from engine.core.picture import Rgb
from engine.detectors.base import Detector, PartDetector, RemoteDetector, is_remote
from engine.detectors.protocol import (
    STDERR_SEPARATOR,
    AnswerReport,
    FailureReport,
    ReadyReport,
    StartMessage,
    TaskMessage,
    WorkerReport,
)
from engine.detectors.shared_memory import MappedSlots
from engine.errors import InputError, ModelError, VeilError


def main(lifeline: int) -> int:
    """Serve the pool until it closes its end; return 1 if the detector failed, else 0.

    Args:
        lifeline: read end of a pipe; only the pool's process has the other end.
    """
    end_with_parent(lifeline)
    # A core file would hold the pictures.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tasks, reports = take_over_pipes()
    try:
        _serve_pool(tasks, reports)
    except Exception as error:  # noqa: BLE001  (whatever a detector raises must reach the pool as a sentence)
        traceback.print_exc()
        _send_report(reports, _failure_from_error(error))
        return 1
    return 0


def _serve_pool(tasks: BinaryIO, reports: BinaryIO) -> None:
    body = receive_message(tasks)
    if body is None:
        return
    start = msgspec.msgpack.decode(body, type=StartMessage)
    # Processes that a native library starts must not inherit the pictures.
    for slot in start.slots:
        os.set_inheritable(slot, False)
    detector, memory = _load_detector(start), MappedSlots(start.slots)
    _send_report(reports, ReadyReport())
    # Calls to a service mostly wait for the network, so one process makes many of them in threads. A local detector
    # computes one task after another, and more speed comes from more processes.
    if is_remote(type(detector)):
        _ConcurrentServer(cast("RemoteDetector", detector), memory, reports).serve_tasks(
            _receive_tasks(tasks), start.side_by_side
        )
    else:
        for task in _receive_tasks(tasks):
            pictures = memory.view_pictures(task.slot, task.length, task.sizes)
            found = (
                detector.detect(pictures)
                if task.whole is None
                else cast("PartDetector", detector).detect_parts(pictures, task.whole)
            )
            _send_report(reports, AnswerReport(task.ticket, found))
    detector.close()


class _ConcurrentServer:
    """Runs the tasks of a remote detector in threads; ends only when the calls under way are answered."""

    def __init__(self, detector: RemoteDetector, memory: MappedSlots, reports: BinaryIO) -> None:
        self._detector, self._memory, self._reports = detector, memory, reports
        self._send_lock = threading.Lock()
        self._is_ending = threading.Event()
        # When the pool's process is gone, the end of the tasks says so too.
        signal.signal(signal.SIGIO, signal.SIG_IGN)

    def serve_tasks(self, tasks: Iterator[TaskMessage], threads: int) -> None:
        """Run tasks until there are no more; tasks that have not started by then are dropped."""
        with ThreadPoolExecutor(threads) as executor:
            for task in tasks:
                pictures = self._memory.view_pictures(task.slot, task.length, task.sizes)
                executor.submit(self._run_task, task.ticket, pictures)
            # Set before closing: calls that fail because the detector closes are no failures to report.
            self._is_ending.set()
            self._detector.close()

    def _run_task(self, ticket: int, pictures: list[Rgb]) -> None:
        try:
            answers = self._detector.detect_with_receipts(pictures)
            answer = AnswerReport(ticket, [one.detections for one in answers], [one.receipt for one in answers])
            with self._send_lock:
                _send_report(self._reports, answer)
        except Exception as error:  # noqa: BLE001  (as in `main`)
            self._report_failure(error)

    def _report_failure(self, error: Exception) -> None:
        """Report the first error after the calls under way are answered; later errors are its consequences."""
        with self._send_lock:
            if self._is_ending.is_set():
                return
            self._is_ending.set()
        traceback.print_exception(error)
        try:
            self._detector.close()
            with self._send_lock:
                _send_report(self._reports, _failure_from_error(error))
        finally:
            # `sys.exit` would end this thread only, and the pool would wait for answers until its time limit.
            os._exit(1)


def _receive_tasks(tasks: BinaryIO) -> Iterator[TaskMessage]:
    while (body := receive_message(tasks)) is not None:
        yield msgspec.msgpack.decode(body, type=TaskMessage)


def _load_detector(start: StartMessage) -> Detector:
    module, _, name = start.detector.partition(":")
    kind = cast("type[Detector]", getattr(importlib.import_module(module), name))
    return kind.load(msgspec.msgpack.decode(start.settings, type=kind.settings_type), Path(start.models))


def _send_report(reports: BinaryIO, report: WorkerReport) -> None:
    os.write(2, STDERR_SEPARATOR)
    reports.write(frame_message(report))
    reports.flush()


def _failure_from_error(error: Exception) -> FailureReport:
    match error:
        case ModelError():
            return FailureReport("model", str(error))
        case InputError():
            return FailureReport("input", str(error))
        case VeilError():
            return FailureReport("detector", str(error))
        case _:
            return FailureReport("other", traceback.format_exception_only(error)[-1].strip().rstrip("."))


if __name__ == "__main__":
    code = main(int(sys.argv[1]))
    # Interpreters that hold TensorFlow or torch take a second to end, and may crash on the way.
    sys.stderr.flush()
    os._exit(code)
