"""A detector in worker processes of its own: a crash or a hang in native code ends a worker, never the caller.

Workers are started by a command line of their own rather than by multiprocessing, which would import the caller's
`__main__` again; so pools work in scripts without a guard, notebooks and servers.
"""

from __future__ import annotations

import math
import selectors
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import protocol
from engine.detectors.base import Detector, Receipt, Settings, Sighting
from engine.detectors.shared_memory import Slot
from engine.detectors.worker_process import WorkerProcess, end
from engine.errors import VeilError

_TASKS = 2
"""Tasks a worker holds at most, so that the next one is at hand when it has finished one."""


class Looks(list[list[Sighting]]):
    """What a detector saw in each picture of a chunk it was asked about; `receipts` for those that were sent away."""

    def __init__(self, sightings: Iterable[list[Sighting]], receipts: Sequence[Receipt] = ()) -> None:
        super().__init__(sightings)
        self.receipts = tuple(receipts)


class Finished(NamedTuple):
    """The answer to one `submit`: its ticket, and the sightings in each of its pictures."""

    ticket: int
    sightings: Looks


class DetectorPool:
    """Worker processes that run one detector; a context manager, to be used from one thread at a time.

    Making a pool returns at once. The workers load the detector meanwhile; a failure to load is raised by the calls
    that give work or take results. The first failure ends all workers; answers that had arrived before it are still
    handed out.

    Args:
        detector: the class, which a worker imports by its module and name.
        settings: the detector's parameters.
        models: folder of the weights.
        workers: number of processes.
        timeout: seconds without an answer after which a worker counts as hung; loading counts too.
        tasks: that a worker holds at most; one that computes does them one by one, one that asks a service at once.
        pictures: that all workers together hold at most, however few tasks they come in; None knows no bound.

    Raises:
        DetectorError: a process cannot be started.
    """

    def __init__(  # noqa: PLR0913 - what to run, and how much at once
        self,
        detector: type[Detector],
        settings: Settings,
        models: Path,
        *,
        workers: int = 1,
        timeout: float = 300.0,
        tasks: int = _TASKS,
        pictures: int | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"a pool needs at least 1 worker, got {workers}")
        self.name = detector.name
        self._finished: list[Finished] = []
        self._failure: VeilError | None = None
        self._closed = False
        self._selector = selectors.DefaultSelector()
        self._tasks, self._most_pictures = tasks, pictures
        self._slots = [Slot() for _ in range(workers * tasks)]
        self._free = list(range(len(self._slots)))
        self._workers: list[WorkerProcess] = []
        try:
            self._start(detector, settings, models, workers, timeout)
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        return tuple(worker.pid for worker in self._workers)

    @property
    def pending(self) -> int:
        """Number of tickets that were submitted and not yet taken."""
        return len(self._finished) + sum(len(worker.tasks) for worker in self._workers)

    def ready(self) -> bool:
        """Whether every worker has loaded the detector; raises as `submit` does when one cannot."""
        self._pump(0.0)
        if self._failure is not None:
            raise self._failure
        return all(worker.ready for worker in self._workers)

    def full(self) -> bool:
        """Whether `submit` would wait."""
        self._pump(0.0)
        return not self._free or (
            self._most_pictures is not None
            and sum(work.pictures for worker in self._workers for work in worker.tasks.values()) >= self._most_pictures
        )

    def submit(self, ticket: int, pictures: Sequence[Rgb], label: str | None = None) -> None:
        """Copy pictures into shared memory and give them to a worker; while all hold enough work, wait for an answer.

        Args:
            ticket: names the answer; nothing else that is being looked at has the same one.
            pictures: upright RGB pictures of any strides.
            label: what to call them in an error, as "frames 120 to 123"; "pictures TICKET" when it is None.

        Raises:
            DetectorError: a worker died, hung or failed.
            ModelError, InputError: the detector cannot be loaded.
            ValueError: the pool is closed, the ticket is in use, or something is not an RGB picture.
        """
        if any(ticket in worker.tasks for worker in self._workers):
            raise ValueError(f"ticket {ticket} is in use")
        sizes = tuple(_size(picture) for picture in pictures)
        while self.full() and self._failure is None:
            self._pump(self.patience())
        if self._failure is not None:
            raise self._failure
        number = self._free.pop()
        slot = self._slots[number]
        slot.fill(pictures)
        worker = min(self._workers, key=lambda worker: len(worker.tasks))
        worker.give(protocol.Task(ticket, number, slot.length, sizes), label or f"pictures {ticket}")

    def take(self) -> list[Finished]:
        """Every answer that has arrived and was not yet taken, in any order; does not wait.

        Raises:
            DetectorError: a worker died, hung or failed, and no answer is left to take.
            ModelError, InputError: the detector cannot be loaded.
            ValueError: the pool is closed.
        """
        if not self.settled() or self._finished:
            taken, self._finished = self._finished, []
            return taken
        assert self._failure is not None
        raise self._failure

    def drain(self) -> Iterator[Finished]:
        """Every pending answer as it arrives; waits, and raises as `take` does."""
        while self.pending or self._failure is not None:
            wait([self])
            yield from self.take()

    def settled(self) -> bool:
        """Whether `take` has something to say, be it an answer or a failure."""
        self._pump(0.0)
        return bool(self._finished) or self._failure is not None

    def patience(self) -> float:
        """Seconds until a worker will count as hung; infinite while nothing is pending."""
        deadlines = [worker.deadline for worker in self._workers if worker.deadline is not None]
        return max(0.0, min(deadlines, default=math.inf) - time.monotonic())

    def fileno(self) -> int:
        """A descriptor that becomes readable when a worker says something, for a selector."""
        return self._selector.fileno()

    def close(self) -> None:
        """End all workers and free the shared memory; closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        end(self._workers)
        self._selector.close()
        for slot in self._slots:
            slot.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, detector: type[Detector], settings: Settings, models: Path, workers: int, timeout: float) -> None:
        start = protocol.Start(
            f"{detector.__module__}:{detector.__qualname__}",
            msgspec.Raw(msgspec.msgpack.encode(settings)),
            str(models.absolute()),
            tuple(slot.descriptor for slot in self._slots),
            self._tasks,
        )
        for _ in range(workers):
            worker = WorkerProcess(detector, start, timeout)
            self._workers.append(worker)
            self._selector.register(worker.stdout, selectors.EVENT_READ, (self._hear_answers, worker))
            self._selector.register(worker.stderr, selectors.EVENT_READ, (WorkerProcess.hear, worker))

    def _pump(self, timeout: float) -> None:
        """Hear what workers say, waiting at most `timeout` seconds for the first of them."""
        if self._closed:
            raise ValueError(f"the pool of {self.name} is closed")
        if self._failure is not None:
            return
        try:
            for key, _ in self._selector.select(None if math.isinf(timeout) else timeout):
                hear, worker = key.data
                hear(worker)
            now = time.monotonic()
            for worker in self._workers:
                worker.check(now)
        except VeilError as error:
            self._failure = error
            end(self._workers)

    def _hear_answers(self, worker: WorkerProcess) -> None:
        for answer, work in worker.answers():
            self._free.append(work.slot)
            self._finished.append(Finished(answer.ticket, Looks(answer.sightings, answer.receipts)))


def wait(pools: Sequence[DetectorPool]) -> list[DetectorPool]:
    """Wait until some of the pools have something to take, or none has anything pending; those that have something.

    With it one thread feeds several detectors side by side.
    """
    with selectors.DefaultSelector() as selector:
        for pool in pools:
            selector.register(pool, selectors.EVENT_READ)
        while True:
            settled = [pool for pool in pools if pool.settled()]
            if settled or not any(pool.pending for pool in pools):
                return settled
            selector.select(min(pool.patience() for pool in pools))


def _size(picture: Rgb) -> Size:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != "uint8":
        raise ValueError(f"an RGB picture has shape (height, width, 3) and uint8, got {picture.shape} {picture.dtype}")
    return Size(picture.shape[1], picture.shape[0])
