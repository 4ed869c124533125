"""Reads the facts about a file: its streams and what will become of each. One frame is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import msgspec
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.core.geometry import Crop, Orientation, Size
from engine.core.step_limit import NATIVE_STEP, limit_steps
from engine.errors import SourceError
from engine.media.colour import read_colour, read_hdr
from engine.media.containers import container_family
from engine.media.facts import FieldOrder, MediaInfo, PtsOrigin, Rotation, SizeChange, StreamInfo, VideoInfo
from engine.media.orientation import decode_display_matrix
from engine.media.sample_formats import has_alpha, read_bit_depth
from engine.media.side_data import read_side_data
from engine.media.source import stream_policy
from engine.media.source.audio_headers import read_audio_header
from engine.media.source.crop import align_crop, read_crop
from engine.media.source.damage import has_own_frame
from engine.media.source.open_file import open_container
from engine.media.source.size_changes import SizeWatch
from engine.media.source.timestamps import has_decoding_stamps
from engine.media.source.truncation import find_truncation
from engine.record import format_ratio

_FIELD_ORDERS: dict[int, FieldOrder] = {1: "progressive", 2: "tt", 3: "bb", 4: "tb", 5: "bt"}
_NO_HASH = "0" * 64
_MAX_JUMP_BACK_S = Fraction(1)
"""A larger jump back means that the clock starts anew; a smaller one is disorder that decoding handles."""


@dataclass
class _PacketStats:
    """Statistics of the packets of one stream."""

    encrypted: bool = False
    audio_formats: set[bytes] = field(default_factory=set)
    packet_count: int = 0
    first_time: int | None = None
    end_time: int | None = None
    times: list[int] = field(default_factory=list)
    dts_rising: bool = True
    pts_rising: bool = True
    last_pts: int | None = None
    latest_dts: int | None = None
    max_jump_back: int = 0
    key_pts: int | None = None
    duration: int = 0
    last_dts: int | None = None
    cut_runs: list[tuple[int, int]] = field(default_factory=list)
    """First and one past the last number of packets that an edit list cuts off, run by run."""

    def add_packet(self, packet: Packet[Stream]) -> None:
        if packet.is_discard:
            self._add_cut_packet()
        self.packet_count += 1
        if isinstance(packet.stream, AudioStream) and (audio_format := read_audio_header(packet)) is not None:
            self.audio_formats.add(audio_format)
        self.encrypted |= packet.has_sidedata("encryption_info")
        self.duration += packet.duration or 0
        # Some containers store only decoding times; they are close enough for the extent of a stream.
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            return
        self.first_time = time if self.first_time is None else min(self.first_time, time)
        end = time + (packet.duration or 0)
        self.end_time = end if self.end_time is None else max(self.end_time, end)

    def _add_cut_packet(self) -> None:
        number = self.packet_count
        if self.cut_runs and self.cut_runs[-1][1] == number:
            self.cut_runs[-1] = (self.cut_runs[-1][0], number + 1)
        else:
            self.cut_runs.append((number, number + 1))

    def add_frame_packet(self, packet: Packet[Stream], *, by_dts: bool) -> None:
        """Add a packet of the video from which a frame must come."""
        time = packet.dts if by_dts else packet.pts
        if time is not None:
            self.times.append(time)
        if packet.is_keyframe and self.key_pts is None:
            self.key_pts = packet.pts
        self.pts_rising &= packet.pts is not None and (self.last_pts is None or packet.pts >= self.last_pts)
        self.last_pts = packet.pts
        self.dts_rising &= packet.dts is not None and (self.last_dts is None or packet.dts > self.last_dts)
        self.last_dts = packet.dts
        if packet.dts is not None and self.latest_dts is not None:
            self.max_jump_back = max(self.max_jump_back, self.latest_dts - packet.dts)
        if packet.dts is not None:
            self.latest_dts = packet.dts if self.latest_dts is None else max(self.latest_dts, packet.dts)


def read_file_facts(path: Path) -> MediaInfo:
    """Collect the facts about a video file, with zeros for its hash.

    Raises:
        SourceError: the file cannot be read, holds no video that can be anonymised, or has a rotation that is not a
            multiple of 90 degrees.
    """
    with open_container(path) as container:
        chosen = _choose_video_stream(container, path)
        watch = SizeWatch(chosen)
        tallies, frame, error = _read_packets(container, chosen, path, watch)
        video = _make_video_info(container, chosen, tallies[chosen.index], frame, path)
        video = msgspec.structs.replace(video, size_change=_describe_change(watch, video))
        begin = _ticks_to_seconds(tallies[chosen.index].first_time, chosen)
        streams = tuple(
            _make_stream_info(stream, chosen, tallies[stream.index], begin, video) for stream in container.streams
        )
        extras = stream_policy.list_extras(container)
        container_name = container.format.name
        cut_short = _explain_cut_short(path, container_name, chosen, tallies[chosen.index], error)
    return MediaInfo(_NO_HASH, path.stat().st_size, container_name, video, streams, extras, cut_short)


def _describe_change(watch: SizeWatch, video: VideoInfo) -> SizeChange | None:
    if watch.change is None:
        return None
    pts, shape = watch.change
    if shape.size != video.stored:
        return SizeChange(pts, shape.size)
    if shape.pixel_format != video.pixel_format:
        return SizeChange(pts, shape.size, pixel_format=shape.pixel_format)
    return SizeChange(pts, shape.size, aspect_ratio=format_ratio(shape.sample_aspect_ratio))


def _choose_video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Choose the video to anonymise: the default stream, else the largest, else the first; never a cover picture."""
    candidates = [stream for stream in container.streams.video if not stream_policy.is_cover_picture(stream)]
    if not candidates:
        # A cover picture is a video to FFmpeg, but no person calls it that.
        others = sorted({"a cover picture" if stream.type == "video" else stream.type for stream in container.streams})
        raise SourceError(f"{path} has no video stream, only {' and '.join(others) or 'nothing'}. Give a video file.")
    readable = [stream for stream in candidates if stream.codec_context is not None and stream.width]
    if not readable:
        raise SourceError(f"{path} is encoded in a way FFmpeg cannot decode. Convert it to H.264 first.")
    return max(readable, key=_rank_stream)


def _rank_stream(stream: VideoStream) -> tuple[bool, int, int]:
    return bool(stream.disposition & Disposition.default), stream.width * stream.height, -stream.index


def _read_packets(
    container: InputContainer, chosen: VideoStream, path: Path, watch: SizeWatch
) -> tuple[dict[int, _PacketStats], VideoFrame, FFmpegError | None]:
    """Return statistics of all streams, the first frame that decodes, and the error that ended reading, if any."""
    tallies = {stream.index: _PacketStats() for stream in container.streams}
    # FFmpeg makes up presentation times where the container stores none, out of order if there are B-frames.
    by_dts = not container_family(container.format.name).stores_pts
    frame, error = None, None
    # Several threads would take in several packets before the first frame comes out.
    chosen.codec_context.thread_count = 1
    packets = limit_steps(container.demux())
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError as reason:
            # What was read so far is still of use; `_explain_cut_short` decides whether something is missing.
            error, packet = reason, None
        if packet is None:
            break
        is_video = packet.stream_index == chosen.index
        if frame is None and is_video:
            frame = next(_try_decode(chosen, cast("Packet[VideoStream]", packet) if packet.size else None), None)
        if packet.size:
            tallies[packet.stream_index].add_packet(packet)
        if is_video and packet.size:
            watch.add_packet(packet)
            if has_own_frame(chosen.codec_context.codec.canonical_name, packet):
                tallies[chosen.index].add_frame_packet(packet, by_dts=by_dts)
    frame = frame or next(_try_decode(chosen, None), None)
    return tallies, _require_frame(frame, tallies[chosen.index], path), error


def _require_frame(frame: VideoFrame | None, tally: _PacketStats, path: Path) -> VideoFrame:
    """Return the frame, or raise the error that says why there is none."""
    if tally.encrypted:
        raise SourceError(f"{path} is encrypted, and Veil has no key. Give a copy without encryption.")
    if not tally.packet_count:
        raise SourceError(f"{path} has a video stream without a single frame. Record or export it again.")
    if frame is None:
        raise SourceError(f"{path} has a video stream of which not one frame can be decoded. Export it again.")
    return frame


def _try_decode(chosen: VideoStream, packet: Packet[VideoStream] | None) -> Iterator[VideoFrame]:
    try:
        with NATIVE_STEP:
            frames = chosen.codec_context.decode(packet)
    except FFmpegError:
        # Any frame will do here. Damage is reported with its frame number when the video is decoded.
        return
    yield from frames


def _make_video_info(
    container: InputContainer, chosen: VideoStream, tally: _PacketStats, frame: VideoFrame, path: Path
) -> VideoInfo:
    time_base = _read_time_base(chosen)
    if tally.max_jump_back * time_base > _MAX_JUMP_BACK_S:
        raise SourceError(
            f"{path} starts its clock again in the middle ({float(tally.max_jump_back * time_base):.1f} s back), as if "
            "several files were joined. Cut it there, or export it again."
        )
    timing = _choose_timing(container.format.name, tally, path)
    if timing == "pts" and tally.pts_rising and has_decoding_stamps(path, chosen.index):
        timing = "dts"
    times = sorted(set(tally.times)) if timing != "count" else []
    step = _measure_step(times, tally)
    # Without times, frames are assumed to follow each other at the step.
    if timing == "count":
        times = [0, step * (tally.packet_count - 1)]
    rotation, mirrored = _read_rotation(frame, path)
    # A ratio of 0 means "unknown" in FFmpeg.
    ratio = Fraction(chosen.sample_aspect_ratio or 1)
    crop = _read_visible_part(path, chosen, frame)
    orientation = Orientation(_visible_size(frame, crop), ratio if ratio > 0 else Fraction(1), rotation, mirrored)
    return VideoInfo(
        index=chosen.index,
        codec=chosen.codec_context.codec.canonical_name,
        coded=orientation.coded,
        display=orientation.display_size,
        sample_aspect_ratio=format_ratio(orientation.sample_aspect_ratio),
        rotation=rotation,
        mirrored=mirrored,
        pixel_format=frame.format.name,
        bit_depth=read_bit_depth(frame.format),
        alpha=has_alpha(frame.format) or chosen.metadata.get("alpha_mode") == "1",
        colour=read_colour(frame),
        hdr=read_hdr(frame),
        time_base=format_ratio(time_base),
        declared_frames=chosen.frames or None,
        declared_rate=format_ratio(chosen.average_rate) if chosen.average_rate else None,
        packets=len(tally.times) if timing != "count" else tally.packet_count,
        first_pts=times[0],
        last_pts=times[-1],
        step=step,
        vfr=_is_uneven(times) if timing != "count" else False,
        interlaced=frame.interlaced_frame,
        field_order=_FIELD_ORDERS.get(chosen.codec_context.field_order),
        timing=timing,
        key_pts=tally.key_pts if timing == "pts" else None,
        crop=crop,
    )


def _read_visible_part(path: Path, chosen: VideoStream, frame: VideoFrame) -> Crop | None:
    crop = read_crop(path, chosen.index)
    if crop is None:
        return None
    aligned = align_crop(crop, Size(frame.width, frame.height), frame.format.name, interlaced=frame.interlaced_frame)
    if aligned is None:
        raise SourceError(f"{path} hides its whole picture by cropping. Export it again without cropping.")
    return aligned


def _visible_size(frame: VideoFrame, crop: Crop | None) -> Size:
    hidden = crop or Crop(0, 0, 0, 0)
    return Size(frame.width - hidden.left - hidden.right, frame.height - hidden.top - hidden.bottom)


def _read_time_base(chosen: VideoStream) -> Fraction:
    return chosen.time_base or Fraction(1, 90000)


def _choose_timing(container: str, tally: _PacketStats, path: Path) -> PtsOrigin:
    if tally.times and container_family(container).stores_pts:
        return "pts"
    if tally.times and tally.dts_rising:
        return "dts"
    if tally.duration:
        return "count"
    raise SourceError(f"{path} does not say when its frames are shown. Put it into an MP4 or Matroska file first.")


def _measure_step(times: list[int], tally: _PacketStats) -> int:
    # The mean distance, which a single gap or a burst of frames hardly changes.
    if len(times) > 1:
        return max(1, round((times[-1] - times[0]) / (len(times) - 1)))
    return max(1, tally.duration // tally.packet_count)


def _is_uneven(times: list[int]) -> bool:
    """Return whether some time deviates from an even grid by more than rounding explains."""
    if len(times) < 3:
        return False
    pitch = Fraction(times[-1] - times[0], len(times) - 1)
    # One tick for the rounding of the time, and one because both ends of the grid are rounded too.
    return any(abs(times[0] + number * pitch - time) > 2 for number, time in enumerate(times))


def _read_rotation(frame: VideoFrame, path: Path) -> tuple[Rotation, bool]:
    matrix = read_side_data(frame).get(Type.DISPLAYMATRIX)
    try:
        # Without side data a frame still gives its rotation, anticlockwise, but not whether it is mirrored.
        degrees, mirrored = decode_display_matrix(matrix) if matrix is not None else (-frame.rotation % 360, False)
    except ValueError as error:
        raise SourceError(f"{path} cannot be shown: {error}. Export it again without a rotation.") from error
    if degrees not in {0, 90, 180, 270}:
        raise SourceError(
            f"{path} is turned by {degrees:g} degrees; only quarter turns can be anonymised. Export it upright first."
        )
    return cast("Rotation", int(degrees)), mirrored


def _make_stream_info(
    stream: Stream, chosen: VideoStream, tally: _PacketStats, begin: Fraction | None, video: VideoInfo
) -> StreamInfo:
    fate, reason = stream_policy.choose_fate(stream, chosen, alpha=video.alpha)
    codec = stream_policy.read_codec_name(stream)
    cut_packets = stream_policy.count_cut_packets(codec, tally.cut_runs) if stream.type == "audio" else 0
    if cut_packets:
        reason += "; what an edit list cuts off its beginning is left out"
    start = _ticks_to_seconds(tally.first_time, stream)
    end = _ticks_to_seconds(tally.end_time, stream)
    return StreamInfo(
        index=stream.index,
        kind=stream.type,
        codec=codec,
        language=stream.language,
        duration=None if start is None or end is None else format_ratio(end - start),
        start=None if start is None or begin is None else format_ratio(start - begin),
        fate=fate,
        reason=reason,
        cut_packets=cut_packets,
        changes_format=len(tally.audio_formats) > 1,
        cut_midway=stream.type == "audio" and any(first > 0 for first, _ in tally.cut_runs),
    )


def _ticks_to_seconds(ticks: int | None, stream: Stream) -> Fraction | None:
    return None if ticks is None or stream.time_base is None else ticks * stream.time_base


def _explain_cut_short(
    path: Path, container: str, chosen: VideoStream, tally: _PacketStats, error: FFmpegError | None
) -> str | None:
    # A demuxer that fails exactly at the declared end of the stream has read all of it.
    if error is not None and not isinstance(error, EndOfFile) and tally.duration < (chosen.duration or 1):
        return f"reading stopped with an error ({error.strerror})"
    # In other containers the declared number of frames is a guess.
    if container_family(container).lists_every_frame:
        # An edit list takes frames out of the index that the file still counts.
        listed = min(chosen.frames, len(chosen.index_entries))
        if tally.packet_count < listed:
            return f"its index lists {listed} frames and only {tally.packet_count} are there"
    return find_truncation(path, container)
