"""Watch the folders of a batch, and take files once they have arrived completely."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic

from watchfiles import watch

from engine.batch.job import BatchJob

_POLL_S = 0.5
_Signature = tuple[int, int]
"""Size of a file in bytes and time of its last change in nanoseconds."""


class ArrivedFiles:
    """Decides which files have arrived: their size and time stamp have not changed for a while.

    No event says that a copy is finished: a program may write a file in several goes, and a network file system reports
    nothing at all about what another machine does.

    Args:
        settle_s: seconds without a change after which a file is complete.
        clock: returns seconds.
    """

    def __init__(self, settle_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._settle_s, self._clock = settle_s, clock
        self._seen: dict[Path, tuple[_Signature, float]] = {}
        self._taken: dict[Path, _Signature] = {}

    def take(self, jobs: Sequence[BatchJob]) -> list[BatchJob]:
        """Return the files that have arrived or changed since they were taken, and are complete."""
        return [job for job in jobs if self._has_arrived(job.source)]

    def is_waiting(self, jobs: Sequence[BatchJob]) -> bool:
        """Return whether a file is there that was not taken yet as it is now."""
        return any(_read_signature(job.source) != self._taken.get(job.source) for job in jobs)

    def _has_arrived(self, path: Path) -> bool:
        signature, now = _read_signature(path), self._clock()
        if signature is None or signature == self._taken.get(path):
            return False
        if self._seen.get(path, (None, 0.0))[0] != signature:
            self._seen[path] = signature, now
        if now - self._seen[path][1] < self._settle_s:
            return False
        self._taken[path] = signature
        del self._seen[path]
        return True


def watch_jobs(
    folders: Sequence[Path], list_jobs: Callable[[], list[BatchJob]], arrived: ArrivedFiles, stop: threading.Event
) -> Iterator[list[BatchJob]]:
    """Yield the jobs of files that arrive in the folders, until `stop` is set.

    Args:
        folders: the folders, with their subfolders.
        list_jobs: lists all jobs there are.
        arrived: decides which are complete.
        stop: ends the watch.
    """
    pending = True
    for changes in watch(
        *folders, stop_event=stop, rust_timeout=round(_POLL_S * 1000), yield_on_timeout=True, raise_interrupt=True
    ):
        # Listing a large folder takes a while, so it is listed only when something changed or is not complete yet.
        if not (changes or pending):
            continue
        jobs = list_jobs()
        if complete := arrived.take(jobs):
            yield complete
        pending = arrived.is_waiting(jobs)


def _read_signature(path: Path) -> _Signature | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
