"""A pool of worker processes for one detector: a crash or hang in native code ends a worker, never the caller.

Workers are started by a command line of their own, because multiprocessing would import the caller's `__main__` again.
So pools also work in notebooks, in servers and in scripts without a `__main__` guard.
"""

from __future__ import annotations

import math
import selectors
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.core.closeable import Closeable
from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import protocol
from engine.detectors.base import Detector, DetectorSettings, Receipt
from engine.detectors.shared_memory import PictureSlot
from engine.detectors.worker_process import WorkerProcess, end_workers
from engine.errors import VeilError
from engine.record import Detection

_TASKS_PER_WORKER = 2
"""Greatest number of tasks of a worker: one that it runs, and one that is ready when the first is finished."""


@dataclass(frozen=True, slots=True)
class DetectionBatch:
    """The answer of a detector to a batch of pictures.

    Attributes:
        detections: the detections in each picture, in the order of the pictures.
        receipts: a receipt for each picture if the detector is remote, else empty.
    """

    detections: Sequence[Sequence[Detection]]
    receipts: Sequence[Receipt] = ()


class FinishedTask(NamedTuple):
    """The answer to one `submit`: its ticket, and the detections in each of its pictures."""

    ticket: int
    batch: DetectionBatch


class DetectorPool(Closeable):
    """Worker processes that run one detector. Use as a context manager, from one thread at a time.

    Creating a pool returns at once, while the workers load the detector; if that fails, the next call that submits work
    or takes results raises the error. The first failure ends all workers; answers that arrived before it can still be
    taken.

    Args:
        detector: the class, which a worker imports by its module and name.
        settings: the detector's parameters.
        models: folder of the weights.
        workers: number of processes.
        timeout_s: seconds without an answer after which a worker counts as hung; loading counts, too.
        tasks_per_worker: greatest number of tasks of a worker. A local detector runs them one by one, a remote one all
            at once.
        max_pictures: greatest number of pictures of all workers together, in however few tasks. None: unlimited.

    Raises:
        DetectorError: a process cannot be started.
    """

    def __init__(  # noqa: PLR0913 - what to run, and how much at once
        self,
        detector: type[Detector],
        settings: DetectorSettings,
        models: Path,
        *,
        workers: int = 1,
        timeout_s: float = 300.0,
        tasks_per_worker: int = _TASKS_PER_WORKER,
        max_pictures: int | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"a pool needs at least 1 worker, got {workers}")
        self.name = detector.name
        self._finished: list[FinishedTask] = []
        self._failure: VeilError | None = None
        self._closed = False
        self._selector = selectors.DefaultSelector()
        self._tasks_per_worker, self._max_pictures = tasks_per_worker, max_pictures
        # A slot for each task that may be under way bounds the memory, however many frames the video has.
        self._slots = [PictureSlot() for _ in range(workers * tasks_per_worker)]
        self._free_slots = list(range(len(self._slots)))
        self._workers: list[WorkerProcess] = []
        try:
            self._start_workers(detector, settings, models, workers, timeout_s)
        except BaseException:
            # A constructor that fails returns no pool to close, so the workers that it has started would stay.
            self.close()
            raise

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        return tuple(worker.pid for worker in self._workers)

    @property
    def pending_count(self) -> int:
        """Number of tickets that were submitted and not yet taken."""
        return len(self._finished) + sum(len(worker.tasks) for worker in self._workers)

    def is_ready(self) -> bool:
        """Return True if every worker has loaded the detector; raise as `submit` does if one cannot."""
        self._process_worker_output(0.0)
        if self._failure is not None:
            raise self._failure
        return all(worker.is_ready for worker in self._workers)

    def is_full(self) -> bool:
        """Return True if `submit` would wait."""
        self._process_worker_output(0.0)
        return not self._free_slots or (
            self._max_pictures is not None
            and sum(work.picture_count for worker in self._workers for work in worker.tasks.values())
            >= self._max_pictures
        )

    def submit(self, ticket: int, pictures: Sequence[Rgb], label: str | None = None, whole: Size | None = None) -> None:
        """Copy pictures into shared memory and send them to a worker; while all workers are full, wait for an answer.

        Args:
            ticket: number of the task, different from that of every pending task.
            pictures: upright RGB pictures of any strides.
            label: name of the pictures in an error, such as "frames 120 to 123". None: "pictures TICKET".
            whole: size of the pictures that these are parts of. None: they are whole.

        Raises:
            DetectorError: a worker died, hung or failed.
            ModelError, InputError: the detector cannot be loaded.
            ValueError: the pool is closed, the ticket is in use, or an array is not an RGB picture.
        """
        if any(ticket in worker.tasks for worker in self._workers):
            raise ValueError(f"ticket {ticket} is in use")
        sizes = tuple(_picture_size(picture) for picture in pictures)
        # Each wait ends when a worker counts as hung: otherwise a hung worker would keep the pool full, and its caller
        # would wait for ever.
        while self.is_full() and self._failure is None:
            self._process_worker_output(self.remaining_timeout_s())
        if self._failure is not None:
            raise self._failure
        # A slot belongs to one task until it is answered, so a worker can read the pictures in place, without a copy.
        number = self._free_slots.pop()
        slot = self._slots[number]
        slot.fill(pictures)
        # The least busy worker: tasks take different times, and taking turns would let some workers wait.
        worker = min(self._workers, key=lambda worker: len(worker.tasks))
        task = protocol.TaskMessage(ticket, number, slot.length_bytes, sizes, whole)
        worker.send_task(task, label or f"pictures {ticket}")

    def take_finished(self) -> list[FinishedTask]:
        """Take the answers that have arrived, in any order; do not wait.

        Raises:
            DetectorError: a worker died, hung or failed, and no answer is left to take.
            ModelError, InputError: the detector cannot be loaded.
            ValueError: the pool is closed.
        """
        # Answers come before a failure: they are complete, and those of a remote detector are paid for.
        if not self.has_result() or self._finished:
            taken, self._finished = self._finished, []
            return taken
        assert self._failure is not None
        raise self._failure

    def drain(self) -> Iterator[FinishedTask]:
        """Wait for every pending answer; yield each as it arrives and raise as `take_finished` does."""
        while self.pending_count or self._failure is not None:
            wait_for_results([self])
            yield from self.take_finished()

    def has_result(self) -> bool:
        """Return True if `take_finished` has an answer or a failure."""
        self._process_worker_output(0.0)
        return bool(self._finished) or self._failure is not None

    def remaining_timeout_s(self) -> float:
        """Return the seconds until a worker counts as hung; infinite while nothing is pending."""
        deadlines = [worker.deadline for worker in self._workers if worker.deadline is not None]
        return max(0.0, min(deadlines, default=math.inf) - time.monotonic())

    def fileno(self) -> int:
        """Return a descriptor for a selector; it becomes readable when a worker sends something."""
        # The descriptor of a selector can itself be watched, so a caller watches one descriptor a pool and not two
        # pipes a worker.
        return self._selector.fileno()

    def close(self) -> None:
        """End all workers and free the shared memory; closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        end_workers(self._workers)
        self._selector.close()
        for slot in self._slots:
            slot.close()

    def _start_workers(
        self, detector: type[Detector], settings: DetectorSettings, models: Path, workers: int, timeout_s: float
    ) -> None:
        start = protocol.StartMessage(
            f"{detector.__module__}:{detector.__qualname__}",
            msgspec.Raw(msgspec.msgpack.encode(settings)),
            str(models.absolute()),
            tuple(slot.descriptor for slot in self._slots),
            self._tasks_per_worker,
        )
        for _ in range(workers):
            worker = WorkerProcess(detector, start, timeout_s)
            self._workers.append(worker)
            self._selector.register(worker.stdout, selectors.EVENT_READ, (self._collect_answers, worker))
            # Standard error must be read all the time: a worker that writes into a full pipe would hang.
            self._selector.register(worker.stderr, selectors.EVENT_READ, (WorkerProcess.read_stderr, worker))

    def _process_worker_output(self, timeout_s: float) -> None:
        """Read what workers have sent, waiting at most `timeout_s` seconds for the first of them."""
        if self._closed:
            raise ValueError(f"the pool of {self.name} is closed")
        if self._failure is not None:
            return
        try:
            for key, _ in self._selector.select(None if math.isinf(timeout_s) else timeout_s):
                read, worker = key.data
                read(worker)
            now = time.monotonic()
            for worker in self._workers:
                worker.check_responsive(now)
        except VeilError as error:
            # One missing answer already makes the run incomplete, so the other workers would compute for nothing.
            self._failure = error
            end_workers(self._workers)

    def _collect_answers(self, worker: WorkerProcess) -> None:
        for answer, work in worker.receive_answers():
            self._free_slots.append(work.slot)
            self._finished.append(FinishedTask(answer.ticket, DetectionBatch(answer.detections, answer.receipts)))


def wait_for_results(pools: Sequence[DetectorPool]) -> list[DetectorPool]:
    """Wait until some pools have a result, or none has a pending task; return the pools with a result.

    With this function one thread serves several detectors.
    """
    with selectors.DefaultSelector() as selector:
        for pool in pools:
            selector.register(pool, selectors.EVENT_READ)
        while True:
            settled = [pool for pool in pools if pool.has_result()]
            if settled or not any(pool.pending_count for pool in pools):
                return settled
            selector.select(min(pool.remaining_timeout_s() for pool in pools))


def _picture_size(picture: Rgb) -> Size:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != "uint8":
        raise ValueError(f"an RGB picture has shape (height, width, 3) and uint8, got {picture.shape} {picture.dtype}")
    return Size(picture.shape[1], picture.shape[0])
