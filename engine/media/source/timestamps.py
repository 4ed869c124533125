"""Presentation times of decoded frames, also for containers that do not store any."""

from __future__ import annotations

from collections import deque

from av.video.frame import VideoFrame

from engine.media.facts import MediaInfo


class PtsAssigner:
    """Gives each decoded frame its presentation time and keeps the times rising.

    Where the times come from depends on `VideoInfo.timing`: the frames carry them ("pts"), they follow from the
    decoding times of packets ("dts"), or frames are counted ("count").

    Attributes:
        moved_frames: number of frames whose time had to be moved.
    """

    def __init__(self, info: MediaInfo) -> None:
        self._video = info.video
        self._sent_packets: deque[tuple[int, bool]] = deque()
        self._last_pts: int | None = None
        self.moved_frames = 0

    @property
    def expected_pts(self) -> int:
        """Return when the next frame should come, judging by the one before."""
        return self._video.first_pts if self._last_pts is None else self._last_pts + self._video.step

    def add_packet(self, dts: int, *, has_frame: bool) -> None:
        """Note a packet that has only a decoding time; `has_frame` says that a frame must come out of it."""
        self._sent_packets.append((dts, has_frame))

    def assign_pts(self, frame: VideoFrame, index: int, *, reorders: bool) -> tuple[int | None, list[int]]:
        """Return the frame's time, None if it has none, and the times of frames that were lost before it.

        Args:
            frame: the decoded frame.
            index: its index.
            reorders: the decoder delivers frames in another order than their packets.
        """
        match self._video.timing:
            case "pts":
                return frame.pts, []
            case "count":
                return index * self._video.step, []
        if reorders:
            # Decoding times rise and frames come in presentation order at one rate, so the n-th frame takes the n-th
            # time. Which packet it came from is unknown, so a lost frame only shows in the count at the end.
            return (self._sent_packets.popleft()[0] if self._sent_packets else None), []
        # Without reordering the frame carries its own packet's time: packets before it whose frame is owed are lost.
        lost = []
        while self._sent_packets and frame.pts is not None and self._sent_packets[0][0] < frame.pts:
            dts, has_frame = self._sent_packets.popleft()
            lost += [dts] * has_frame
        return (self._sent_packets.popleft()[0] if self._sent_packets else None), lost

    def enforce_rising(self, pts: int) -> int | None:
        """Return the time, or the tick after the last frame's time if that is later.

        Returns None if that would move the frame by more than the usual distance between two frames: then the clock
        runs backwards, which rounding in the container does not explain.
        """
        moved = pts if self._last_pts is None else max(pts, self._last_pts + 1)
        if moved - pts > self._video.step:
            return None
        self.moved_frames += moved != pts
        self._last_pts = moved
        return moved
