"""Keeps the state of a run true while it runs, and ends it when somebody wants it to stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

import msgspec

from engine import runs
from engine.core.progress import ProgressListener
from engine.detection.frame_detections import FrameDetections
from engine.detection.observer import PreviewFrame
from engine.errors import RunCancelledError
from engine.jobs.thumbnails import write_latest_thumbnail
from engine.runs import Run, RunStage, RunState

_WRITE_INTERVAL_S = 0.5
"""Seconds between two states on the disk."""
_THUMBNAIL_INTERVAL_S = 2.0
"""Seconds between two thumbnails."""
_RATE_WINDOW_S = 10.0
"""Seconds over which the rate is taken."""


class RunStateWriter:
    """Listens to a detection and watches it; writes the state of its run and passes on what it hears.

    Args:
        run: the run.
        sure: by detector, from which score on a sighting is counted as a face.
        also: hears of progress too.
        clock: seconds.
    """

    def __init__(
        self,
        run: Run,
        confident_scores: Mapping[str, float],
        listener: ProgressListener,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._run, self._confident_scores, self._listener, self._clock = run, confident_scores, listener, clock
        pid, born = runs.current_process()
        self._state = RunState(
            stage="running", pid=pid, born=born, started=runs.format_utc_now(), updated=runs.format_utc_now()
        )
        self._faces_by_frame: dict[int, int] = {}
        self._frames_done_at: deque[tuple[float, int]] = deque()
        self._written_at = self._thumbnail_at = float("-inf")
        self._write_state()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Note it, and write the state now and then.

        Raises:
            RunCancelledError: somebody wants the run to stop.
        """
        if stage != self._state.activity:
            self._frames_done_at.clear()
        self._update_state(activity=stage, done=done, total=total, rate=self._compute_rate(done))
        if self._clock() - self._written_at >= _WRITE_INTERVAL_S:
            self._raise_if_cancelled()
            self._write_state()
        self._listener.progress(stage, done, total)

    def notice(self, message: str) -> None:
        """Keep it as the sentence to be read."""
        self._update_state(sentence=message)
        self._write_state()
        self._listener.notice(message)

    def wants_preview(self) -> bool:
        """Now and then."""
        return self._clock() - self._thumbnail_at >= _THUMBNAIL_INTERVAL_S

    def on_detections(self, first_index: int, frames: Sequence[FrameDetections], preview: PreviewFrame | None) -> None:
        """Count the faces, and keep a masked picture."""
        for index, frame in enumerate(frames, start=first_index):
            self._faces_by_frame[index] = max(self._faces_by_frame.get(index, 0), self._count_faces(frame))
        self._update_state(faces=sum(self._faces_by_frame.values()))
        if preview is not None:
            self._update_state(display=preview.display)
        if preview is not None and _is_fully_detected(frames):
            self._thumbnail_at = self._clock()
            write_latest_thumbnail(self._run.folder, preview, frames)

    def finish(self, stage: RunStage, sentence: str | None = None) -> None:
        """Write how it ended."""
        self._update_state(stage=stage, sentence=sentence, ended=runs.format_utc_now(), rate=None)
        self._write_state()

    def _count_faces(self, frame: FrameDetections) -> int:
        """Faces that the detector that is sure of most of them is sure of."""
        counts = (
            sum(one.score >= self._confident_scores.get(detector, 0.0) for one in found)
            for detector, found in frame.by_detector.items()
        )
        return max(counts, default=0)

    def _compute_rate(self, done: int) -> float | None:
        now = self._clock()
        self._frames_done_at.append((now, done))
        while now - self._frames_done_at[0][0] > _RATE_WINDOW_S:
            self._frames_done_at.popleft()
        (since, before), *_ = self._frames_done_at
        return round((done - before) / (now - since), 2) if now - since >= 1 else self._state.rate

    def _raise_if_cancelled(self) -> None:
        if self._run.folder.cancel_marker.exists():
            raise RunCancelledError(f"The run {self._run.id} was cancelled; what it had finished is kept.")

    def _update_state(self, **values: object) -> None:
        self._state = msgspec.structs.replace(self._state, **values)

    def _write_state(self) -> None:
        self._written_at = self._clock()
        self._update_state(updated=runs.format_utc_now())
        runs.write_state(self._run.folder, self._state)


def _is_fully_detected(seen: Sequence[FrameDetections]) -> bool:
    """Whether it is known what is in every one of these frames: some are not sent to a service, some are damaged."""
    return all(frame.by_detector and not frame.damaged for frame in seen)
