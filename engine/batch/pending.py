"""The jobs of a batch that wait, and which of them may be worked on at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.batch.job import BatchJob
from engine.media.containers import MATROSKA


class PendingJobs:
    """Hands out jobs in their order, except that two which may get the same output never run at the same time.

    So it does not depend on speed which of them gets the name, and the same one has it when the batch is run again.

    Args:
        jobs: the jobs.
        claimed_names: the source of each output name that was chosen earlier in the batch; new ones are added.
    """

    def __init__(self, jobs: Sequence[BatchJob], claimed_names: dict[str, Path]) -> None:
        self.jobs = jobs
        self._waiting = list(range(len(jobs)))
        self._keys_at_work: dict[int, str] = {}
        self._claimed_names = claimed_names

    @property
    def total(self) -> int:
        """The number of all jobs."""
        return len(self.jobs)

    def can_take(self) -> bool:
        """Return whether a job can be started now."""
        return self._find_next() is not None

    def take(self) -> tuple[int, BatchJob] | None:
        """Take the next job with its number, counted from 0. None: none can be started now."""
        number = self._find_next()
        if number is None:
            return None
        self._waiting.remove(number)
        self._keys_at_work[number] = _name_key(self.jobs[number].name)
        return number, self.jobs[number]

    def finish(self, number: int, claimed_names: Mapping[str, Path]) -> None:
        """Take in that a job is finished, and which output names it has chosen."""
        del self._keys_at_work[number]
        self._claimed_names.update(claimed_names)

    def find_claims(self, job: BatchJob) -> dict[str, Path]:
        """Return the claimed names among those that a job could choose, with their sources."""
        key = _name_key(job.name)
        return {name: self._claimed_names[name] for name in (key, key + _SUFFIX) if name in self._claimed_names}

    def _find_next(self) -> int | None:
        at_work = set(self._keys_at_work.values())
        return next((number for number in self._waiting if _name_key(self.jobs[number].name) not in at_work), None)


_SUFFIX = MATROSKA.suffixes[0]


def _name_key(name: str) -> str:
    """Return what the names that a job may get have in common: `a.avi` may become `a.avi.mkv`."""
    return name.removesuffix(_SUFFIX)
