"""The laws, checked on a source and its output with nothing but PyAV: no code of Veil that could be wrong as well."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.frame import VideoFrame

SECRET = "Jane Doe"
"""Is in the tags of every source, and must not be in any output."""
_ADTS_MARK = 0xFFF0
_BORDER = Fraction(1, 8)
"""Share of the picture at each side that no mask of a face in the middle reaches."""
_MAX_START_S = 100
_MAX_BORDER_DIFFERENCE = 6.0
"""Mean over pictures whose samples are stored in another way, in levels of 255; a wrong matrix gives 50 and more."""
_MIN_MASK_DIFFERENCE = 6.0


@dataclass(frozen=True)
class Decoded:
    """A file as PyAV alone reads it.

    Attributes:
        times: seconds of the frames.
        pictures: the frames.
        packets: payload of each audio stream.
        starts: seconds of the first packet of each audio stream, after the first frame.
        signal: how the picture is to be shown: rotation, aspect ratio of a sample, transfer and primaries.
    """

    times: list[float]
    pictures: list[VideoFrame]
    packets: list[bytes]
    starts: list[float]
    signal: tuple[object, ...]


def decode_plainly(path: Path) -> Decoded:
    """Decode every frame and read every audio packet of a file."""
    with av.open(f"file:{path}", format="jpeg_pipe" if path.suffix in {".jpg", ".jpeg"} else None) as container:
        video = _choose_video(container)
        video.codec_context.thread_count = 1
        ratio = video.sample_aspect_ratio
        sounds = [stream for stream in container.streams.audio if stream.codec_context is not None]
        times, pictures, decoding_times = [], [], []
        payload: dict[int, list[bytes]] = {stream.index: [] for stream in sounds}
        starts: dict[int, float] = {}
        for packet in chain((packet for packet in container.demux([video, *sounds]) if packet.size), [None]):
            if packet is None or packet.stream_index == video.index:
                decoding_times += [] if packet is None else [float((packet.dts or 0) * video.time_base)]
                for frame in video.codec_context.decode(packet):
                    times.append(float((frame.pts or 0) * video.time_base))
                    pictures.append(frame)
            else:
                payload[packet.stream_index].append(_strip_adts(packet.stream, bytes(packet)))
                if packet.pts is not None:
                    starts.setdefault(packet.stream_index, float(packet.pts * packet.time_base))
        if container.format.name == "avi":
            # AVI stores no presentation times: frames are shown one after the other.
            times = decoding_times[: len(pictures)]
    # Decoders deliver in the order of presentation, also where a program stored the times of decoding.
    times = sorted(times)
    return Decoded(
        [time - times[0] for time in times],
        pictures,
        [b"".join(parts) for parts in payload.values()],
        [starts[index] - times[0] for index in payload if index in starts],
        (pictures[0].rotation % 360, Fraction(ratio or 1) or 1, pictures[0].color_trc, pictures[0].color_primaries),
    )


def _choose_video(container):
    videos = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    return max(
        videos, key=lambda stream: (bool(stream.disposition & Disposition.default), stream.width * stream.height)
    )


def _strip_adts(stream: AudioStream, data: bytes) -> bytes:
    if stream.codec_context.codec.canonical_name != "aac" or int.from_bytes(data[:2], "big") & 0xFFF6 != _ADTS_MARK:
        return data
    return data[7 if data[1] & 1 else 9 :]


def find_pictures_that_differ(source: Decoded, output: Decoded) -> list[str]:
    """Return which frames of an output differ outside the middle, or show in the middle what the source shows."""
    faults = []
    for index, (before, after) in enumerate(zip(source.pictures, output.pictures, strict=True)):
        border, middle = _measure_difference(before, after)
        if border > _MAX_BORDER_DIFFERENCE:
            faults.append(f"frame {index} differs by {border:.1f} outside the masks")
        if middle < _MIN_MASK_DIFFERENCE:
            faults.append(f"frame {index} shows what was to be masked")
    return faults


def _measure_difference(before: VideoFrame, after: VideoFrame) -> tuple[float, float]:
    """Return the mean difference at the border and in the middle of two pictures."""
    first, second = (np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.int16) for frame in (before, after))
    difference = np.abs(first - second).mean(axis=2)
    height, width = difference.shape
    down, across = max(1, int(height * _BORDER)), max(1, int(width * _BORDER))
    inside = np.zeros_like(difference, dtype=bool)
    inside[down:-down, across:-across] = True
    centre = difference[height * 7 // 16 : height * 9 // 16 + 1, width * 7 // 16 : width * 9 // 16 + 1]
    return float(difference[~inside].mean()), float(centre.mean())


def list_what_identifies(path: Path) -> list[str]:
    """Return what an output holds besides video, audio and Veil's own comment."""
    faults = []
    if SECRET.encode() in path.read_bytes():
        faults.append(f"the words {SECRET} are somewhere in the file")
    with av.open(f"file:{path}") as container:
        faults += [f"a stream of the kind {stream.type}" for stream in container.streams
                   if stream.type not in {"video", "audio"}]  # fmt: skip
        if len(container.streams.video) != 1:
            faults.append(f"{len(container.streams.video)} videos")
        if container.chapters():
            faults.append("chapters")
        if (container.streams.video[0].start_time or 0) * container.streams.video[0].time_base > _MAX_START_S:
            faults.append("the time of day")
    return faults
