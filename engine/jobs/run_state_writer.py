"""Keeps the state of a run true while it runs, and ends it when somebody wants it to stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

import msgspec

from engine import runs
from engine.core.progress import Listener
from engine.detection.checkpoint import Seen
from engine.detection.observer import Glimpse
from engine.errors import RunCancelledError
from engine.jobs.thumbnails import write_latest
from engine.runs import Run, RunState, Stage

_PEACE = 0.5
"""Seconds between two states on the disk."""
_GLIMPSE_EVERY = 2.0
"""Seconds between two thumbnails."""
_WINDOW = 10.0
"""Seconds over which the rate is taken."""


class Reporter:
    """Listens to a detection and watches it; writes the state of its run and passes on what it hears.

    Args:
        run: the run.
        sure: by detector, from which score on a sighting is counted as a face.
        also: hears of progress too.
        clock: seconds.
    """

    def __init__(
        self, run: Run, sure: Mapping[str, float], also: Listener, clock: Callable[[], float] = monotonic
    ) -> None:
        self._run, self._sure, self._also, self._clock = run, sure, also, clock
        pid, born = runs.itself()
        self._state = RunState(stage="running", pid=pid, born=born, started=runs.now(), updated=runs.now())
        self._faces: dict[int, int] = {}
        self._pace: deque[tuple[float, int]] = deque()
        self._written_at = self._glimpsed_at = float("-inf")
        self._write()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Note it, and write the state now and then.

        Raises:
            RunCancelledError: somebody wants the run to stop.
        """
        if stage != self._state.activity:
            self._pace.clear()
        self._change(activity=stage, done=done, total=total, rate=self._rate(done))
        if self._clock() - self._written_at >= _PEACE:
            self._obey()
            self._write()
        self._also.progress(stage, done, total)

    def notice(self, message: str) -> None:
        """Keep it as the sentence to be read."""
        self._change(sentence=message)
        self._write()
        self._also.notice(message)

    def wants_glimpse(self) -> bool:
        """Now and then."""
        return self._clock() - self._glimpsed_at >= _GLIMPSE_EVERY

    def found(self, first: int, seen: Sequence[Seen], glimpse: Glimpse | None) -> None:
        """Count the faces, and keep a masked picture."""
        for index, frame in enumerate(seen, start=first):
            self._faces[index] = max(self._faces.get(index, 0), self._sightings(frame))
        self._change(faces=sum(self._faces.values()))
        if glimpse is not None:
            self._change(display=glimpse.display)
        if glimpse is not None and _looked_at(seen):
            self._glimpsed_at = self._clock()
            write_latest(self._run.folder, glimpse, seen)

    def end(self, stage: Stage, sentence: str | None = None) -> None:
        """Write how it ended."""
        self._change(stage=stage, sentence=sentence, ended=runs.now(), rate=None)
        self._write()

    def _sightings(self, frame: Seen) -> int:
        """Faces that the detector that is sure of most of them is sure of."""
        counts = (
            sum(score >= self._sure.get(detector, 0.0) for _, score in found)
            for detector, found in frame.sightings.items()
        )
        return max(counts, default=0)

    def _rate(self, done: int) -> float | None:
        now = self._clock()
        self._pace.append((now, done))
        while now - self._pace[0][0] > _WINDOW:
            self._pace.popleft()
        (since, before), *_ = self._pace
        return round((done - before) / (now - since), 2) if now - since >= 1 else self._state.rate

    def _obey(self) -> None:
        if self._run.folder.cancel.exists():
            raise RunCancelledError(f"The run {self._run.id} was cancelled; what it had finished is kept.")

    def _change(self, **values: object) -> None:
        self._state = msgspec.structs.replace(self._state, **values)

    def _write(self) -> None:
        self._written_at = self._clock()
        self._change(updated=runs.now())
        runs.write_state(self._run.folder, self._state)


def _looked_at(seen: Sequence[Seen]) -> bool:
    """Whether it is known what is in every one of these frames: some are not sent to a service, some are damaged."""
    return all(frame.sightings and not frame.damaged for frame in seen)
