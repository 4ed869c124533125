"""Presentation times of decoded frames, also for containers that do not store any."""

from __future__ import annotations

from collections import deque
from itertools import islice
from pathlib import Path

from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.core.step_limit import NATIVE_STEP, limit_steps
from engine.media.facts import MediaInfo
from engine.media.source.open_file import open_container

_MAX_LOOK_PACKETS = 48


def has_decoding_stamps(path: Path, index: int) -> bool:
    """Return whether the presentation times of a video are those of decoding, though its frames are reordered.

    A program that puts a raw stream into a container without knowing it writes the times of decoding twice. Only the
    first packets are read, and only those of such a file are decoded.

    Args:
        path: the file.
        index: index of the video stream.

    Raises:
        SourceError: the file cannot be opened.
    """
    latest_packet: int | None = None
    latest: int | None = None
    with open_container(path) as container:
        video = container.streams[index] if index < len(container.streams) else None
        if not isinstance(video, VideoStream) or not video.codec_context.has_b_frames:
            return False
        video.codec_context.thread_count = 1
        for packet in islice(limit_steps(container.demux(video)), _MAX_LOOK_PACKETS):
            if packet.size:
                if packet.pts is None or (latest_packet is not None and packet.pts < latest_packet):
                    return False
                latest_packet = packet.pts
            try:
                with NATIVE_STEP:
                    frames = video.codec_context.decode(packet)
            except FFmpegError:
                # Damage is reported with its frame number when the video is decoded.
                return False
            for time in (frame.pts for frame in frames if frame.pts is not None):
                if latest is not None and time < latest:
                    return True
                latest = time
    return False


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
