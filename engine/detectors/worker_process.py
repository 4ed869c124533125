"""One worker process as the pool sees it: how it is started and ended, what it says, and what to say when it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple, cast

import msgspec

from engine.detectors import protocol
from engine.detectors.base import Detector, is_remote
from engine.errors import DetectorError, InputError, ModelError, VeilError

_GRACE = 2.0
"""Seconds that idle workers have to end by themselves."""
_GRACE_FOR_CALLS = 90.0
"""Seconds that calls to a service have to end, which were paid for and whose answers are kept."""
_CHUNK = 1 << 16
_STDERR_KEPT = 4096
"""Bytes of a worker's standard error that are kept for its last words."""
_LINE_SHOWN = 200
"""Characters of the last line of it that an error shows."""
_ENVIRONMENT: Mapping[str, str] = {
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


class Work(NamedTuple):
    """A task that a worker holds: the slot its pictures lie in, their number, and what to call them in an error."""

    slot: int
    pictures: int
    label: str


class WorkerProcess:
    """A worker process. What it was given and has not answered stands in `tasks`, by ticket, in the order given.

    Raises:
        DetectorError: the process cannot be started.
    """

    def __init__(self, detector: type[Detector], start: protocol.Start, timeout: float) -> None:
        self.tasks: dict[int, Work] = {}
        self.ready = False
        self._name, self._remote = detector.name, is_remote(detector)
        self._timeout = timeout
        self._since = time.monotonic()
        self._reports = bytearray()
        self._last_words = bytearray()
        self._process, self._lifeline = _spawn(detector, start.slots)
        self.stdout, self.stderr = cast("IO[bytes]", self._process.stdout), cast("IO[bytes]", self._process.stderr)
        for stream in (self.stdout, self.stderr):
            os.set_blocking(stream.fileno(), False)
        self._say(start)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def deadline(self) -> float | None:
        """Monotonic time at which it counts as hung; None while it has nothing to do."""
        return self._since + self._timeout if self.tasks or not self.ready else None

    def give(self, task: protocol.Task, label: str) -> None:
        """Send it a task."""
        if not self.tasks:
            self._since = time.monotonic()
        self.tasks[task.ticket] = Work(task.slot, len(task.sizes), label)
        self._say(task)

    def answers(self) -> Iterator[tuple[protocol.Answer, Work]]:
        """What it has answered since it was last asked; does not wait.

        Raises:
            DetectorError: after the answers that still came, when the worker died or failed.
            ModelError, InputError: the detector cannot be loaded.
        """
        alive = _read(self.stdout, self._reports)
        for body in protocol.bodies(self._reports):
            match self._decoded(body):
                case protocol.Ready():
                    self._since, self.ready = time.monotonic(), True
                case protocol.Answer() as answer:
                    yield answer, self._done(answer)
                case protocol.Failure() as failure:
                    raise self._failure(failure)
        if not alive:
            self._reap(_GRACE)
            self.hear()
            raise self._error(_death(self._process.returncode, self._last_line()))

    def hear(self) -> None:
        """Keep the tail of what it wrote to its standard error since its last report."""
        _read(self.stderr, self._last_words)
        del self._last_words[: self._last_words.rfind(protocol.SEPARATOR) + 1]
        del self._last_words[:-_STDERR_KEPT]

    def check(self, now: float) -> None:
        """See that it is not hung at the monotonic time `now`.

        Raises:
            DetectorError: it has been silent for too long.
        """
        if self.deadline is not None and self.deadline < now:
            raise self._error(f"gave no answer for {self._timeout:g} s")

    def _say(self, message: protocol.Start | protocol.Task) -> None:
        data = memoryview(protocol.frame(message))
        stdin = cast("IO[bytes]", self._process.stdin)
        try:
            while data:
                data = data[os.write(stdin.fileno(), data) :]
        except BrokenPipeError:
            # It has just died: the end of its reports says so, and `answers` then says how.
            return

    def _decoded(self, body: bytes) -> protocol.Report:
        try:
            report: protocol.Report = msgspec.msgpack.decode(body, type=protocol.Report)
        except msgspec.MsgspecError as error:
            raise self._error(f"gave an answer that makes no sense ({error})") from error
        return report

    def _done(self, answer: protocol.Answer) -> Work:
        work = self.tasks[answer.ticket]
        if len(answer.sightings) != work.pictures:
            raise self._error(f"gave {len(answer.sightings)} answers for {work.pictures} pictures")
        del self.tasks[answer.ticket]
        self._since = time.monotonic()
        return work

    def _failure(self, failure: protocol.Failure) -> VeilError:
        match failure.kind:
            case "model":
                return ModelError(failure.message)
            case "input":
                return InputError(failure.message)
            case "detector":
                return DetectorError(failure.message)
            case "other":
                return self._error(f"failed ({failure.message})")

    def _error(self, what: str) -> DetectorError:
        labels = [work.label for work in self.tasks.values()]
        doing = "was loading" if not self.ready else f"looked at {labels[0]}" if labels else "waited for work"
        return DetectorError(
            f"The detector {self._name} {what} while it {doing}; run the same command again to resume."
        )

    def _last_line(self) -> str:
        lines = self._last_words.decode(errors="replace").split("\n")
        return next((line.strip()[:_LINE_SHOWN] for line in reversed(lines) if line.strip()), "")

    def dismiss(self) -> None:
        """Tell it to end: an idle worker does so by itself, one that computes or loads is killed.

        One that asks a service ends by itself when the calls under way are answered.
        """
        cast("IO[bytes]", self._process.stdin).close()
        if self.deadline is not None and not self._remote:
            self._process.kill()

    def end(self, deadline: float) -> None:
        """Wait for its end, which is made when the monotonic time `deadline` has come; for calls, somewhat later."""
        if self._remote:
            deadline += _GRACE_FOR_CALLS
        self._reap(max(0.0, deadline - time.monotonic()))
        for stream in (self.stdout, self.stderr, self._lifeline):
            stream.close()

    def _reap(self, patience: float) -> None:
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def end(workers: Iterable[WorkerProcess]) -> None:
    """End workers, side by side, and take back what they held of this process."""
    workers = list(workers)
    for worker in workers:
        worker.dismiss()
    deadline = time.monotonic() + _GRACE
    for worker in workers:
        worker.end(deadline)


def _spawn(detector: type[Detector], slots: Sequence[int]) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    lifeline, held = os.pipe()
    command = [sys.executable, "-P", "-m", "engine.detectors.worker", str(lifeline)]
    try:
        process = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(lifeline, *slots),
            env=_environment(detector),
            # Ctrl-C in a terminal goes to the caller alone, which then ends its workers.
            start_new_session=True,
        )
    except OSError as error:
        os.close(held)
        raise DetectorError(
            f"A process for the detector {detector.name} cannot be started ({error.strerror}): ask for fewer workers."
        ) from error
    finally:
        os.close(lifeline)
    return process, os.fdopen(held, "wb")


def _environment(detector: type[Detector]) -> dict[str, str]:
    """The caller's environment, with what makes libraries quiet and repeatable and this code importable."""
    paths = dict.fromkeys((_import_root("engine"), _import_root(detector.__module__)))
    inherited = os.environ.get("PYTHONPATH")
    python_path = os.pathsep.join([*paths, inherited] if inherited else paths)
    return {**os.environ, **_ENVIRONMENT, "PYTHONPATH": python_path}


def _import_root(module: str) -> str:
    """The folder from which `module`, which is imported already, is imported."""
    file = Path(cast("str", sys.modules[module].__file__)).absolute()
    return str(file.parents[module.count(".") + (file.name == "__init__.py")])


def _read(stream: IO[bytes], buffer: bytearray) -> bool:
    """Append to `buffer` what can be read without waiting; False when the other end is closed."""
    while True:
        try:
            data = os.read(stream.fileno(), _CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        buffer += data


def _death(code: int, last_words: str) -> str:
    if code >= 0:
        what = f"ended with exit code {code}"
    else:
        name = signal.Signals(-code).name
        what = f"was killed by {name}, perhaps for want of memory," if name == "SIGKILL" else f"crashed with {name}"
    return f'{what} (its last words: "{last_words}")' if last_words else what
