"""One worker process as the pool sees it: its start and end, its reports, and the errors for its failures."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, NamedTuple, cast

import msgspec

from engine.core.child_process import (
    describe_exit,
    end_together,
    find_last_line,
    read_available,
    send_message,
    spawn_server,
    take_message_bodies,
    wait_or_kill,
)
from engine.core.python_process import build_child_environment
from engine.detectors import protocol
from engine.detectors.base import Detector, is_remote
from engine.errors import DetectorError, InputError, ModelError, VeilError

_EXIT_GRACE_S = 2.0
"""Time in which idle workers have to end by themselves."""
_CALL_EXIT_GRACE_S = 90.0
"""Time in which calls to a service have to end; they are paid for, and their answers are kept."""
_STDERR_TAIL_BYTES = 4096
"""Bytes at the end of a worker's standard error that are kept for an error message."""
_WORKER_ENVIRONMENT: Mapping[str, str] = {
    # One thread a worker: sums must not depend on the number of cores, and parallel work comes from more workers.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    # CPUs only: a GPU computes other digits.
    "CUDA_VISIBLE_DEVICES": "",
    # Silence, and no network.
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GLOG_minloglevel": "2",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
}


class AssignedTask(NamedTuple):
    """A task of a worker: slot and number of its pictures, and their name in an error."""

    slot: int
    picture_count: int
    label: str


class WorkerProcess:
    """A worker process.

    Attributes:
        tasks: the tasks that it has not answered, by ticket, in the order in which they were sent.
        is_ready: True if it has loaded the detector.

    Raises:
        DetectorError: the process cannot be started.
    """

    def __init__(self, detector: type[Detector], start: protocol.StartMessage, timeout_s: float) -> None:
        self.tasks: dict[int, AssignedTask] = {}
        self.is_ready = False
        self._detector_name, self._is_remote = detector.name, is_remote(detector)
        self._timeout_s = timeout_s
        self._waiting_since = time.monotonic()
        self._report_buffer = bytearray()
        self._stderr_tail = bytearray()
        self._process, self._lifeline = _spawn_worker(detector, start.slots)
        self.stdout, self.stderr = cast("IO[bytes]", self._process.stdout), cast("IO[bytes]", self._process.stderr)
        # Non-blocking, so that one thread can read from all workers, and half a message never stops it.
        for stream in (self.stdout, self.stderr):
            os.set_blocking(stream.fileno(), False)
        self._send_message(start)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def deadline(self) -> float | None:
        """Monotonic time at which it counts as hung. None: it has nothing to do."""
        return self._waiting_since + self._timeout_s if self.tasks or not self.is_ready else None

    def send_task(self, task: protocol.TaskMessage, label: str) -> None:
        """Send a task to it."""
        # An idle worker has no deadline, so the time of its first task starts now; later tasks wait for their turn.
        if not self.tasks:
            self._waiting_since = time.monotonic()
        self.tasks[task.ticket] = AssignedTask(task.slot, len(task.sizes), label)
        self._send_message(task)

    def receive_answers(self) -> Iterator[tuple[protocol.AnswerReport, AssignedTask]]:
        """Yield the answers that have arrived since the last call; do not wait.

        Raises:
            DetectorError: after the last answers, if the worker died or failed.
            ModelError, InputError: the detector cannot be loaded.
        """
        alive = read_available(self.stdout, self._report_buffer)
        for body in take_message_bodies(self._report_buffer):
            match self._decode_report(body):
                case protocol.ReadyReport():
                    self._waiting_since, self.is_ready = time.monotonic(), True
                case protocol.AnswerReport() as answer:
                    yield answer, self._complete_task(answer)
                case protocol.FailureReport() as failure:
                    raise self._error_from_failure(failure)
        if not alive:
            # The exit code and the last line of standard error, which tell the reason, come after the end of stdout.
            wait_or_kill(self._process, _EXIT_GRACE_S)
            self.read_stderr()
            raise self._build_error(_describe_end(self._process.returncode, find_last_line(self._stderr_tail)))

    def read_stderr(self) -> None:
        """Keep the end of what it wrote to its standard error since its last report."""
        read_available(self.stderr, self._stderr_tail)
        # A warning from before the last report would otherwise be shown as the reason of a later crash.
        del self._stderr_tail[: self._stderr_tail.rfind(protocol.STDERR_SEPARATOR) + 1]
        del self._stderr_tail[:-_STDERR_TAIL_BYTES]

    def check_responsive(self, now: float) -> None:
        """Check that it is not hung at the monotonic time `now`.

        Raises:
            DetectorError: it has not answered for too long.
        """
        if self.deadline is not None and self.deadline < now:
            raise self._build_error(f"gave no answer for {self._timeout_s:g} s")

    def _send_message(self, message: protocol.StartMessage | protocol.TaskMessage) -> None:
        send_message(cast("IO[bytes]", self._process.stdin), message)

    def _decode_report(self, body: bytes) -> protocol.WorkerReport:
        try:
            report: protocol.WorkerReport = msgspec.msgpack.decode(body, type=protocol.WorkerReport)
        except msgspec.MsgspecError as error:
            raise self._build_error(f"gave an invalid answer ({error})") from error
        return report

    def _complete_task(self, answer: protocol.AnswerReport) -> AssignedTask:
        work = self.tasks[answer.ticket]
        if len(answer.detections) != work.picture_count:
            raise self._build_error(f"gave {len(answer.detections)} answers for {work.picture_count} pictures")
        del self.tasks[answer.ticket]
        # The worker begins its next task now, so the time of that task starts here and not when it was sent.
        self._waiting_since = time.monotonic()
        return work

    def _error_from_failure(self, failure: protocol.FailureReport) -> VeilError:
        match failure.kind:
            case "model":
                return ModelError(failure.message)
            case "input":
                return InputError(failure.message)
            case "detector":
                return DetectorError(failure.message)
            case "other":
                return self._build_error(f"failed ({failure.message})")

    def _build_error(self, what: str) -> DetectorError:
        labels = [work.label for work in self.tasks.values()]
        doing = "was loading" if not self.is_ready else f"looked at {labels[0]}" if labels else "waited for work"
        return DetectorError(
            f"The detector {self._detector_name} {what} while it {doing}; run the same command again to resume."
        )

    def request_exit(self) -> None:
        """Ask it to end: an idle worker ends by itself, one that computes or loads is killed.

        A remote detector ends by itself when the calls under way are answered.
        """
        cast("IO[bytes]", self._process.stdin).close()
        # Native code cannot be interrupted, and its answer is not needed any more. An answer of a service is paid for,
        # so it is waited for and kept.
        if self.deadline is not None and not self._is_remote:
            self._process.kill()

    def wait_for_exit(self, deadline: float) -> None:
        """Wait for its end; kill it at the monotonic time `deadline`, or later if calls are under way."""
        if self._is_remote:
            deadline += _CALL_EXIT_GRACE_S
        wait_or_kill(self._process, max(0.0, deadline - time.monotonic()))
        for stream in (self.stdout, self.stderr, self._lifeline):
            stream.close()


def end_workers(workers: Iterable[WorkerProcess]) -> None:
    """End workers at the same time, and close their pipes."""
    end_together(workers, _EXIT_GRACE_S)


def _spawn_worker(detector: type[Detector], slots: Sequence[int]) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    try:
        return spawn_server("engine.detectors.worker", _build_environment(detector), slots)
    except OSError as error:
        raise DetectorError(
            f"A process for the detector {detector.name} cannot be started ({error.strerror}): use fewer workers."
        ) from error


def _build_environment(detector: type[Detector]) -> dict[str, str]:
    """Build the environment of a worker: this code importable, libraries silent and repeatable."""
    return {**build_child_environment(detector.__module__), **_WORKER_ENVIRONMENT}


def _describe_end(code: int, last_line: str) -> str:
    what = describe_exit(code)
    return f'{what} (last line of its output: "{last_line}")' if last_line else what
