"""Looking at a file: what is in it, and what will become of each part. Packets are read, one frame is decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine import record
from engine.core.geometry import Orientation, Size
from engine.core.progress import Listener, Silent
from engine.errors import SourceError
from engine.media.colour import colour_of, hdr_of
from engine.media.facts import FieldOrder, MediaInfo, Quarter, StreamInfo, Timing, VideoInfo
from engine.media.orientation import turn
from engine.media.pixels import bit_depth, has_alpha
from engine.media.side_data import side_data
from engine.media.source import stream_policy
from engine.media.source.damage import owes_a_frame
from engine.media.source.open_file import opened
from engine.media.source.truncation import broken_off

_BLOCK = 1 << 22
_FIELD_ORDERS: dict[int, FieldOrder] = {1: "progressive", 2: "tt", 3: "bb", 4: "tb", 5: "bt"}
_WITHOUT_PTS = frozenset({"avi"})
"""FFmpeg makes up presentation times for these, out of order when there are B-frames."""

_LONGEST_JUMP_BACK = Fraction(1)
"""Seconds; less is disorder among neighbours, which is dealt with frame by frame."""

_SILENT = Silent()


@dataclass
class _Tally:
    """What the packets of one stream add up to."""

    count: int = 0
    first: int | None = None
    end: int | None = None
    times: list[int] = field(default_factory=list)
    rising: bool = True
    latest_dts: int | None = None
    jump_back: int = 0
    key_pts: int | None = None
    duration: int = 0
    last_dts: int | None = None

    def add(self, packet: Packet[Stream]) -> None:
        self.count += 1
        self.duration += packet.duration or 0
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            return
        self.first = time if self.first is None else min(self.first, time)
        end = time + (packet.duration or 0)
        self.end = end if self.end is None else max(self.end, end)

    def add_shown(self, packet: Packet[Stream], *, by_dts: bool) -> None:
        """A packet of the video that owes a frame."""
        time = packet.dts if by_dts else packet.pts
        if time is not None:
            self.times.append(time)
        if packet.is_keyframe and self.key_pts is None:
            self.key_pts = packet.pts
        self.rising &= packet.dts is not None and (self.last_dts is None or packet.dts > self.last_dts)
        self.last_dts = packet.dts
        if packet.dts is not None and self.latest_dts is not None:
            self.jump_back = max(self.jump_back, self.latest_dts - packet.dts)
        if packet.dts is not None:
            self.latest_dts = packet.dts if self.latest_dts is None else max(self.latest_dts, packet.dts)


def probe(path: Path | str, *, listener: Listener = _SILENT) -> MediaInfo:
    """Look at a video file without decoding it.

    Raises:
        SourceError: it cannot be read, holds no video that can be anonymised, or is turned by something else than a
            quarter of a circle.
    """
    path = Path(path)
    with opened(path) as container:
        chosen = _choose(container, path)
        tallies, frame, error = _read(container, chosen, path)
        video = _video(container, chosen, tallies[chosen.index], frame, path)
        begin = _seconds(tallies[chosen.index].first, chosen)
        streams = tuple(_stream(stream, chosen, tallies[stream.index], begin, video) for stream in container.streams)
        extras = stream_policy.extras(container)
        container_name = container.format.name
        cut_short = _cut_short(path, container_name, chosen, tallies[chosen.index], error)
    digest, size = _digest(path, listener)
    return MediaInfo(digest, size, container_name, video, streams, extras, cut_short)


def _choose(container: InputContainer, path: Path) -> VideoStream:
    """The video: the default one if one is marked, then the largest, then the first; never a cover picture."""
    candidates = [stream for stream in container.streams.video if not stream_policy.is_picture(stream)]
    if not candidates:
        others = sorted({stream.type for stream in container.streams})
        raise SourceError(f"{path} has no video stream, only {' and '.join(others) or 'nothing'}. Give a video file.")
    readable = [stream for stream in candidates if stream.codec_context is not None and stream.width]
    if not readable:
        raise SourceError(f"{path} is encoded in a way FFmpeg cannot decode. Convert it to H.264 first.")
    return max(readable, key=_preference)


def _preference(stream: VideoStream) -> tuple[bool, int, int]:
    return bool(stream.disposition & Disposition.default), stream.width * stream.height, -stream.index


def _read(
    container: InputContainer, chosen: VideoStream, path: Path
) -> tuple[dict[int, _Tally], VideoFrame, FFmpegError | None]:
    """Tallies of all streams, the first frame that decodes, and the error that ended reading, if one did."""
    tallies = {stream.index: _Tally() for stream in container.streams}
    by_dts = container.format.name in _WITHOUT_PTS
    frame, error = None, None
    chosen.codec_context.thread_count = 1
    packets = container.demux()
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError as reason:
            error, packet = reason, None
        if packet is None:
            break
        mine = packet.stream_index == chosen.index
        if frame is None and mine:
            frame = next(_decoded(chosen, cast("Packet[VideoStream]", packet) if packet.size else None), None)
        if packet.size:
            tallies[packet.stream_index].add(packet)
        if mine and packet.size and owes_a_frame(chosen.codec_context.codec.canonical_name, packet):
            tallies[chosen.index].add_shown(packet, by_dts=by_dts)
    if not tallies[chosen.index].count:
        raise SourceError(f"{path} has a video stream without a single frame. Record or export it again.")
    frame = frame or next(_decoded(chosen, None), None)
    if frame is None:
        raise SourceError(f"{path} has a video stream of which not one frame can be decoded. Export it again.")
    return tallies, frame, error


def _decoded(chosen: VideoStream, packet: Packet[VideoStream] | None) -> Iterator[VideoFrame]:
    try:
        yield from chosen.codec_context.decode(packet)
    except FFmpegError:
        # Only a frame to look at is wanted here; damage is reported, with its place, when the video is decoded.
        return


def _video(container: InputContainer, chosen: VideoStream, tally: _Tally, frame: VideoFrame, path: Path) -> VideoInfo:
    time_base = _time_base(chosen)
    if tally.jump_back * time_base > _LONGEST_JUMP_BACK:
        raise SourceError(
            f"{path} starts its clock again in the middle ({float(tally.jump_back * time_base):.1f} s back), as files "
            "that were strung together do. Cut it there, or export it again."
        )
    timing = _timing(container.format.name, tally, path)
    times = sorted(set(tally.times)) if timing != "count" else []
    step = _step(times, tally)
    if timing == "count":
        times = [0, step * (tally.count - 1)]
    rotation, mirrored = _turned(frame, path)
    ratio = Fraction(chosen.sample_aspect_ratio or 1)
    orientation = Orientation(Size(frame.width, frame.height), ratio if ratio > 0 else Fraction(1), rotation, mirrored)
    return VideoInfo(
        index=chosen.index,
        codec=chosen.codec_context.codec.canonical_name,
        coded=orientation.coded,
        display=orientation.display,
        sample_aspect_ratio=record.ratio(orientation.sample_aspect_ratio),
        rotation=rotation,
        mirrored=mirrored,
        pixel_format=frame.format.name,
        bit_depth=bit_depth(frame.format),
        alpha=has_alpha(frame.format) or chosen.metadata.get("alpha_mode") == "1",
        colour=colour_of(frame),
        hdr=hdr_of(frame),
        time_base=record.ratio(time_base),
        declared_frames=chosen.frames or None,
        declared_rate=record.ratio(chosen.average_rate) if chosen.average_rate else None,
        packets=len(tally.times) if timing != "count" else tally.count,
        first_pts=times[0],
        last_pts=times[-1],
        step=step,
        vfr=_uneven(times) if timing != "count" else False,
        interlaced=frame.interlaced_frame,
        field_order=_FIELD_ORDERS.get(chosen.codec_context.field_order),
        timing=timing,
        key_pts=tally.key_pts if timing == "pts" else None,
    )


def _time_base(chosen: VideoStream) -> Fraction:
    return chosen.time_base or Fraction(1, 90000)


def _timing(container: str, tally: _Tally, path: Path) -> Timing:
    if tally.times and container not in _WITHOUT_PTS:
        return "pts"
    if tally.times and tally.rising:
        return "dts"
    if tally.duration:
        return "count"
    raise SourceError(f"{path} does not say when its frames are shown. Put it into an MP4 or Matroska file first.")


def _step(times: list[int], tally: _Tally) -> int:
    if len(times) > 1:
        return max(1, round((times[-1] - times[0]) / (len(times) - 1)))
    return max(1, tally.duration // tally.count)


def _uneven(times: list[int]) -> bool:
    """Whether some time is off the even grid by more than rounding explains; both ends of the grid are rounded, too."""
    if len(times) < 3:
        return False
    pitch = Fraction(times[-1] - times[0], len(times) - 1)
    return any(abs(times[0] + number * pitch - time) > 2 for number, time in enumerate(times))


def _turned(frame: VideoFrame, path: Path) -> tuple[Quarter, bool]:
    matrix = side_data(frame).get(Type.DISPLAYMATRIX)
    try:
        # Without its side data (see there) a frame still tells its turn, anticlockwise, but not whether it is mirrored.
        degrees, mirrored = turn(matrix) if matrix is not None else (-frame.rotation % 360, False)
    except ValueError as error:
        raise SourceError(f"{path} cannot be shown: {error}. Export it again without a rotation.") from error
    if degrees not in {0, 90, 180, 270}:
        raise SourceError(
            f"{path} is turned by {degrees:g} degrees; only quarter turns can be anonymised. Export it upright first."
        )
    return cast("Quarter", int(degrees)), mirrored


def _stream(stream: Stream, chosen: VideoStream, tally: _Tally, begin: Fraction | None, video: VideoInfo) -> StreamInfo:
    fate, reason = stream_policy.of(stream, chosen, alpha=video.alpha)
    start = _seconds(tally.first, stream)
    end = _seconds(tally.end, stream)
    return StreamInfo(
        index=stream.index,
        kind=stream.type,
        codec=stream_policy.codec_name(stream),
        language=stream.language,
        duration=None if start is None or end is None else record.ratio(end - start),
        start=None if start is None or begin is None else record.ratio(start - begin),
        fate=fate,
        reason=reason,
    )


def _seconds(ticks: int | None, stream: Stream) -> Fraction | None:
    return None if ticks is None or stream.time_base is None else ticks * stream.time_base


def _cut_short(path: Path, container: str, chosen: VideoStream, tally: _Tally, error: FFmpegError | None) -> str | None:
    # A reader that fails exactly where the stream was said to end has read it all.
    if error is not None and not isinstance(error, EndOfFile) and tally.duration < (chosen.duration or 1):
        return f"reading stopped with an error ({error.strerror})"
    # Other containers' frame counts are guesses; this one lists every frame.
    if "mov" in container.split(",") and tally.count < chosen.frames:
        return f"its index lists {chosen.frames} frames and only {tally.count} are there"
    return broken_off(path, container)


def _digest(path: Path, listener: Listener) -> tuple[str, int]:
    total = path.stat().st_size
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            listener.progress("probe", done, total)
    return digest.hexdigest(), done
