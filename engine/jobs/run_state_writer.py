"""Writes the state of a run while it goes on, and ends it when its cancellation is requested."""

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
"""Least number of seconds between two writes of the state; pages read it about twice a second."""
_THUMBNAIL_INTERVAL_S = 2.0
"""Seconds between two thumbnails; making one takes as long as detecting a frame."""
_RATE_WINDOW_S = 10.0
"""Seconds over which the rate is averaged."""


class RunStateWriter:
    """Listener and observer of a detection that writes the state of its run.

    Args:
        run: the run.
        confident_scores: by detector, score from which a detection counts as a face.
        listener: gets every progress report and notice too.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        run: Run,
        confident_scores: Mapping[str, float],
        listener: ProgressListener,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._run, self._confident_scores, self._listener, self._clock = run, confident_scores, listener, clock
        self._state = RunState.begin()
        self._faces_by_frame: dict[int, int] = {}
        self._frames_done_at: deque[tuple[float, int]] = deque()
        self._written_at = self._thumbnail_at = float("-inf")
        self._write_state()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Take in the progress, write the state from time to time, and pass the progress on.

        Raises:
            RunCancelledError: the cancellation of the run was requested.
        """
        # Bytes that were read and frames that were detected must not end up in one rate.
        if stage != self._state.activity:
            self._frames_done_at.clear()
        self._update_state(activity=stage, done=done, total=total, rate=self._compute_rate(done))
        if self._clock() - self._written_at >= _WRITE_INTERVAL_S:
            self._raise_if_cancelled()
            self._write_state()
        self._listener.progress(stage, done, total)

    def notice(self, message: str) -> None:
        """Write the message to the state and pass it on."""
        message = self._omit_source_name(message)
        self._update_state(sentence=message)
        self._write_state()
        self._listener.notice(message)

    def wants_preview(self) -> bool:
        """Return whether it is time for a new thumbnail."""
        return self._clock() - self._thumbnail_at >= _THUMBNAIL_INTERVAL_S

    def on_detections(self, first_index: int, frames: Sequence[FrameDetections], preview: PreviewFrame | None) -> None:
        """Count the faces, and write a masked thumbnail if a preview came with them."""
        # A frame comes once for each pass of detectors; the counts of its passes are not added up.
        for index, frame in enumerate(frames, start=first_index):
            self._faces_by_frame[index] = max(self._faces_by_frame.get(index, 0), self._count_faces(frame))
        self._update_state(faces=sum(self._faces_by_frame.values()))
        if preview is not None:
            self._update_state(display=preview.display)
        if preview is not None and _is_detected(frames[preview.index - first_index]):
            self._thumbnail_at = self._clock()
            write_latest_thumbnail(self._run.folder, preview, frames)

    def finish(self, stage: RunStage, sentence: str | None = None) -> None:
        """Write the final state."""
        sentence = sentence and self._omit_source_name(sentence)
        self._update_state(stage=stage, sentence=sentence, ended=runs.format_utc_now(), rate=None)
        self._write_state()

    def _omit_source_name(self, sentence: str) -> str:
        return runs.omit_source_name(self._run.request.source, sentence)

    def _count_faces(self, frame: FrameDetections) -> int:
        """Return the largest number of confident detections that one detector has in the frame."""
        counts = (
            sum(found.score >= self._confident_scores.get(detector, 0.0) for found in detections)
            for detector, detections in frame.by_detector.items()
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
            raise RunCancelledError(f"The run {self._run.id} was cancelled. Its finished frames are kept.")

    def _update_state(self, **values: object) -> None:
        self._state = msgspec.structs.replace(self._state, **values)

    def _write_state(self) -> None:
        self._written_at = self._clock()
        self._update_state(updated=runs.format_utc_now())
        runs.write_state(self._run.folder, self._state)


def _is_detected(frame: FrameDetections) -> bool:
    """Return whether a detector looked at a frame, and saw it whole. A thumbnail of any other might show a face."""
    return bool(frame.by_detector) and not frame.damaged
