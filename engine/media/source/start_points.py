"""Keyframes from which the frames of a video can be decoded, with the number of each in the whole video."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from engine.core.step_limit import NATIVE_STEP, limit_steps
from engine.errors import SourceError
from engine.media.facts import MediaInfo
from engine.media.source.damage import has_own_frame
from engine.media.source.open_file import open_container

_SEEK_BACK_STEPS_S = (0, 2, 16)
"""How much further back each next attempt seeks, as a seek may land behind the keyframe."""


@dataclass(frozen=True, slots=True)
class StartPoint:
    """A keyframe: its index in the whole video, and its presentation time in the time base."""

    index: int
    pts: int


def find_start_points(path: Path, info: MediaInfo) -> Iterator[StartPoint]:
    """Yield the keyframes of a video after the first one, while its packets are read.

    The index of a frame is the number of frames that are shown before it, which the time stamps of the packets tell.
    Where they do not tell it (no time stamps, the same twice, frames before the first keyframe, an incomplete file, a
    folder of stills) nothing more is yielded. A keyframe is only a promise: whoever decodes from it compares the first
    frames with those that a decoder coming from the beginning delivers.

    Raises:
        SourceError: the file cannot be opened.
    """
    video = info.video
    if path.is_dir() or video.timing != "pts" or info.cut_short or video.key_pts != video.first_pts:
        return
    with open_container(path) as container:
        stream = cast("VideoStream", container.streams[video.index])
        yield from _count_to_keyframes(limit_steps(container.demux(stream)), video.codec)


def seek_start_point(
    container: InputContainer, stream: VideoStream, start: StartPoint, path: Path
) -> Iterator[Packet[VideoStream]]:
    """Return the packets of a stream from the keyframe of a start point on.

    Raises:
        SourceError: the container does not lead to that keyframe.
    """
    for back_s in _SEEK_BACK_STEPS_S:
        aim = start.pts - int(back_s / Fraction(stream.time_base or 1))
        try:
            with NATIVE_STEP:
                container.seek(aim, stream=stream, backward=True)
            packets = limit_steps(container.demux(stream))
            first = _find_keyframe(packets, start)
        except FFmpegError:
            continue
        if first is not None:
            return chain((first,), packets)
    raise SourceError(f"{path} cannot be read from frame {start.index} on. Convert it to Matroska or MP4 first.")


def _count_to_keyframes(packets: Iterator[Packet[VideoStream]], codec: str) -> Iterator[StartPoint]:
    # Frames that are shown before a keyframe may come after its packet, but not after that of the next keyframe. So
    # only the times since the keyframe before are kept, however long the video is.
    counted, counted_pts = 0, -math.inf
    times = set[int]()
    key: int | None = None
    for packet in _until_error(packets):
        if not has_own_frame(codec, packet):
            continue
        # A time that was counted already would shift the indices that were yielded.
        if packet.pts is None or packet.pts in times or packet.pts < counted_pts:
            return
        if packet.is_keyframe:
            if key is not None:
                before = {time for time in times if time < key}
                counted, counted_pts, times = counted + len(before), key, times - before
                if counted:
                    yield StartPoint(counted, key)
            key = packet.pts
        times.add(packet.pts)


def _until_error(packets: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError:
            # The probe met the same error. The keyframes up to here are as good as before.
            return
        if packet is None or not packet.size:
            return
        yield packet


def _find_keyframe(packets: Iterator[Packet[VideoStream]], start: StartPoint) -> Packet[VideoStream] | None:
    for packet in packets:
        if packet.is_keyframe and packet.pts == start.pts:
            return packet
        if not packet.size or (packet.dts is not None and packet.dts > start.pts):
            return None
    return None
