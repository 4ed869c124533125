"""Frames in, masked frames out: the live engine without a source and an output.

One thread gives frames, the same or another one takes them, in order. A frame that comes out was judged, or is covered
whole; there is no third way out.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Orientation, Size
from engine.core.picture import Rgb
from engine.detectors.base import Sighting
from engine.errors import DetectorError, InputError, VeilError
from engine.live.controls import Controls, Look
from engine.live.counters import LiveCounters, Tally
from engine.live.detector_thread import Lookout, Watch
from engine.live.judge import Beginning, Judge, Reason, Verdict
from engine.live.settings import Following, Judging
from engine.live.tracker import Followed, covered_share
from engine.masking.painter import cover, redact
from engine.media.frame import SourceFrame
from engine.media.stream.normalise import Canvas, frame_of, picture_of_frame
from engine.timeline.cuts import change

if TYPE_CHECKING:
    VideoFrame = Any
    """PyAV's; only engine.media imports it."""

_KEPT = 128
"""Shown frames that late answers are compared with."""
_COVERED = 0.7
"""Share of a late sighting's box that a mask must hold for the face to count as covered."""
_CUT, _PROMINENCE, _NEIGHBOURS = 0.3, 2.0, 4
"""As in the batch's `TrackingSettings`: change of a cut, how it stands out, from how many frames before."""


class Masked(NamedTuple):
    """A frame that may be shown.

    Attributes:
        number: its place in the order of arrival.
        frame: its pictures are final.
        pts: its time as it was given.
        verdict: what was done to it.
        revision: how often the controls had been changed.
        cut: it begins a new scene.
        arrived: when it arrived, monotonic seconds.
    """

    number: int
    frame: VideoFrame
    pts: int
    verdict: Verdict
    revision: int
    cut: bool
    arrived: float


class Witness(Protocol):
    """Writes down what a masker does; called with a lock held, from several threads."""

    def showed(self, masked: Masked, size: Size) -> None:
        """A frame is about to be handed out."""

    def late(self, number: int, detector: str, sightings: Sequence[Sighting]) -> None:
        """A detector has answered for a frame that was handed out before."""

    def looked(self, revision: int, look: Look) -> None:
        """The controls were changed."""

    def happened(self, what: str) -> None:
        """Something else that an auditor should know, in a sentence."""


@dataclass(frozen=True, slots=True)
class _Pending:
    number: int
    frame: SourceFrame
    entered: float
    arrived: float
    cut: bool


class LiveMasker:
    """Hides the faces of a running picture.

    A context manager. Making one starts the detectors and returns at once; frames are covered until they have looked.

    Args:
        watches: the detectors; at least one of them looks at every frame.
        models: folder of verified weights.
        judging: when a frame counts as judged.
        following: how faces are followed.
        controls: what can be changed meanwhile.

    Attributes:
        witness: writes down what is shown; to be set before the first frame is taken.
    """

    def __init__(
        self,
        watches: Sequence[Watch],
        models: Path,
        *,
        judging: Judging | None = None,
        following: Following | None = None,
        controls: Controls | None = None,
    ) -> None:
        if not any(watch.every for watch in watches):
            raise InputError("A live run needs a detector that looks at every frame; name one that is fast enough.")
        self.controls = controls or Controls()
        self.canvas = Canvas()
        self._judging = judging or Judging()
        self._judge = Judge({watch.name: watch.every for watch in watches}, self._judging, following or Following())
        self.witness: Witness | None = None
        self._tally = Tally()
        self._changed = threading.Condition()
        self._pending: deque[_Pending] = deque()
        self._shown: dict[int, tuple[Box, ...] | None] = {}
        self._sides = {watch.name: watch.detector.longest_side(watch.settings) for watch in watches}
        self._fatal: VeilError | None = None
        self._number = 0
        self._revision = -1
        self._previous: NDArray[np.uint8] | None = None
        self._changes: deque[float] = deque(maxlen=_NEIGHBOURS)
        self._beginning: Beginning | None = "start"
        self._lookouts: list[Lookout] = []
        for watch in watches:
            self._lookouts.append(Lookout(watch, models, self._judging, self))

    # what a source calls

    def wait_ready(self, timeout: float) -> None:
        """Wait until every detector is loaded.

        Raises:
            DetectorError: it took too long.
            ModelError, InputError: a detector cannot be loaded.
        """
        until = time.monotonic() + timeout
        for lookout in self._lookouts:
            while not lookout.ready.wait(0.05):
                self._check()
                if time.monotonic() > until:
                    raise DetectorError(f"The detector {lookout.watch.name} was not loaded within {timeout:g} s.")

    def interrupted(self) -> None:
        """The source was interrupted; what comes next is covered until every detector has looked at it."""
        self._beginning = "source"

    def submit(
        self,
        decoded: VideoFrame,
        pts: int,
        seconds: Fraction | float,
        *,
        aspect: Fraction = Fraction(1),
        arrived: float | None = None,
    ) -> None:
        """Give the next frame; returns as soon as the detectors have it.

        Args:
            decoded: PyAV's frame, given away: it may be the one that comes out.
            pts: its time, handed through.
            seconds: its time in seconds of a clock that rises.
            aspect: sample aspect ratio.
            arrived: monotonic time of its arrival, now when None.

        Raises:
            ModelError, InputError: a detector cannot be loaded.
        """
        self._check()
        entered = time.monotonic()
        number, changes = self._number, self.canvas.changes
        self._number += 1
        frame = self.canvas.place(decoded, number, pts, aspect)
        beginning, cut = self._begins(frame, changed=self.canvas.changes != changes)
        with self._changed:
            self._judge.arrived(number, float(seconds), beginning)
            self._tally.frames += 1
            self._tally.source_changes = self.canvas.changes
            self._pending.append(_Pending(number, frame, entered, arrived or entered, cut))
        self._show(number, frame)

    @property
    def backlogged(self) -> bool:
        """Whether as many frames wait to be taken as may."""
        return len(self._pending) >= self._judging.backlog

    def drop(self) -> None:
        """Count a frame that came and is not shown at all, because too many wait."""
        with self._changed:
            self._tally.frames += 1
            self._tally.dropped += 1

    def collect(self) -> Masked:
        """The next frame, with its faces hidden or covered whole; waits for its judgement until the deadline.

        Raises:
            ModelError, InputError: a detector cannot be loaded.
            IndexError: no frame was given that was not taken.
        """
        pending = self._pending[0]
        with self._changed:
            left = pending.entered + self._judging.deadline - time.monotonic()
            self._changed.wait_for(lambda: self._enough(pending), max(0.0, left))
            self._check()
            revision, look, style = self.controls.now()
            verdict = self._verdict(pending, look)
            self._pending.popleft()
            masked = self._masked(pending, verdict, revision)
            self._note(masked, look)
        picture = pending.frame.picture(writable=True)
        if verdict.reason is not None:
            cover(picture)
        else:
            boxes = [face.box for face in verdict.faces]
            redact(picture, boxes, Orientation.upright(self._size), style)
        return masked

    def sent(self, masked: Masked) -> None:
        """Note that a frame's packet is on its way."""
        with self._changed:
            self._tally.delayed(time.monotonic() - masked.arrived)

    def mask(self, frame: VideoFrame) -> VideoFrame:
        """One frame in, the same frame out with its faces hidden or covered whole; for a caller with one thread."""
        seconds = time.monotonic() if frame.time is None else frame.time
        self.submit(frame, frame.pts or 0, seconds)
        masked = self.collect()
        masked.frame.pts = frame.pts
        if frame.time_base is not None:
            masked.frame.time_base = frame.time_base
        self.sent(masked)
        return masked.frame

    def mask_picture(self, picture: Rgb) -> Rgb:
        """The same for an RGB picture, shape (height, width, 3); its clock is that of arrival."""
        return picture_of_frame(self.mask(frame_of(picture)))

    @property
    def counters(self) -> LiveCounters:
        """What was counted until now."""
        with self._changed:
            return self._tally.counters()

    def count_source(self, undecodable: int, reconnects: int) -> None:
        """Note what the source counted."""
        with self._changed:
            self._tally.undecodable, self._tally.reconnects = undecodable, reconnects

    def close(self) -> None:
        """End the detectors; closing twice is allowed."""
        while self._lookouts:
            self._lookouts.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # what the lookouts call

    def answered(self, detector: str, number: int, sightings: Sequence[Sighting]) -> None:
        """See `engine.live.detector_thread.Audience`."""
        there = self._on_canvas(detector, sightings)
        with self._changed:
            self._tally.looks[detector] += 1
            self._judge.answered(detector, number, there)
            if number in self._shown:
                self._answered_late(detector, number, there)
            self._changed.notify_all()

    def failed(self, detector: str, error: VeilError) -> None:
        """See `engine.live.detector_thread.Audience`."""
        with self._changed:
            self._judge.failed(detector)
            if isinstance(error, InputError):
                self._fatal = error
            else:
                self._tally.restarts[detector] += 1
            if self.witness is not None:
                self.witness.happened(str(error))
            self._changed.notify_all()

    # the rest

    @property
    def _size(self) -> Size:
        assert self.canvas.size is not None, "no frame was given yet"
        return self.canvas.size

    def _check(self) -> None:
        if self._fatal is not None:
            raise self._fatal

    def _begins(self, frame: SourceFrame, *, changed: bool) -> tuple[Beginning | None, bool]:
        """Whether something new begins with a frame, and whether it is a scene cut."""
        if changed and self._beginning is None:
            self._beginning = "source"
        cut = self._judging.cuts and self._cuts(frame) and self._beginning is None
        beginning: Beginning | None = "cut" if cut else self._beginning
        self._beginning = None
        return beginning, cut

    def _cuts(self, frame: SourceFrame) -> bool:
        thumbnail, before = frame.luma_thumbnail(), self._previous
        self._previous = thumbnail
        if before is None:
            return False
        value = abs(change(before, thumbnail))
        usual = float(np.median(self._changes)) if self._changes else 0.0
        self._changes.append(value)
        return value >= _CUT and value >= _PROMINENCE * usual

    def _show(self, number: int, frame: SourceFrame) -> None:
        pictures: dict[int | None, Rgb] = {}
        for lookout in self._lookouts:
            side = self._sides[lookout.watch.name]
            if side not in pictures:
                pictures[side] = frame.rgb(side)
            lookout.show(number, pictures[side])

    def _enough(self, pending: _Pending) -> bool:
        return self.controls.look.cover_all or self._fatal is not None or self._judge.settled(pending.number)

    def _verdict(self, pending: _Pending, look: Look) -> Verdict:
        verdict = self._judge.verdict(pending.number, look.confidence)
        reason: Reason | None = "asked" if look.cover_all else "damaged" if pending.frame.damaged else verdict.reason
        faces = (clipped for face in verdict.faces if (clipped := _clipped(face, self._size)) is not None)
        return Verdict(reason, tuple(faces))

    def _masked(self, pending: _Pending, verdict: Verdict, revision: int) -> Masked:
        frame = pending.frame
        return Masked(pending.number, frame.native, frame.pts, verdict, revision, pending.cut, pending.arrived)

    def _note(self, masked: Masked, look: Look) -> None:
        reason = masked.verdict.reason
        if reason is None:
            self._tally.judged += 1
        else:
            self._tally.covered[reason] += 1
        self._shown[masked.number] = None if reason else tuple(face.box for face in masked.verdict.faces)
        self._shown.pop(masked.number - _KEPT, None)
        if self.witness is None:
            return
        if masked.revision != self._revision:
            self._revision = masked.revision
            self.witness.looked(masked.revision, look)
        self.witness.showed(masked, self._size)

    def _answered_late(self, detector: str, number: int, sightings: Sequence[Sighting]) -> None:
        masks, confidence = self._shown[number], self.controls.look.confidence
        if masks is not None:
            self._tally.late_faces += sum(
                sighting.score >= confidence and covered_share(sighting.box, masks) < _COVERED for sighting in sightings
            )
        if self.witness is not None:
            self.witness.late(number, detector, sightings)

    def _on_canvas(self, detector: str, sightings: Sequence[Sighting]) -> list[Sighting]:
        """Sightings in a detector's picture as sightings in display pixels."""
        seen = self._size.fit(self._sides[detector])
        x, y = self._size.width / seen.width, self._size.height / seen.height
        boxes = ((sighting.box.stretched(x, y).rounded(self._size), sighting.score) for sighting in sightings)
        return [Sighting(box, round(score, 4)) for box, score in boxes if box is not None]


def _clipped(face: Followed, size: Size) -> Followed | None:
    box = face.box.rounded(size)
    return None if box is None else Followed(face.number, box, face.now)
