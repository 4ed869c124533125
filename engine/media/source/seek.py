"""Reads any frame of a source by its index in the record, without decoding from the start.

The record says when each frame is shown, so no scan of the file is needed: the container seeks to a keyframe at or
before that time, and frames are recognised by their own time stamps. If a seek lands too late, or on a keyframe after
which frames are not complete at once (gradual refresh), the next one goes further back. If the time of a frame in the
record is not its own (AVI with reordering, streams without times, times that had to be moved), frames are decoded in
order from the start, by the same decoder that detection used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.core.closeable import Closeable
from engine.core.step_limit import NATIVE_STEP, limit_steps
from engine.errors import SourceError
from engine.media.containers import container_family
from engine.media.frame import FrameConverters, SourceFrame
from engine.media.pixels import make_grey_frame, planar_format_from_name
from engine.media.source.crop import FrameCropper
from engine.media.source.decode import open_source
from engine.media.source.open_file import open_container
from engine.media.source.probe import probe
from engine.media.source.timestamps import has_decoding_stamps
from engine.record import Record, parse_ratio

_SEEK_BACK_STEPS_S = (Fraction(0), Fraction(1), Fraction(4), Fraction(16), Fraction(64))
"""How much further back each next attempt seeks; after the last one, decoding starts at the beginning."""
_MAX_THREADS = 4
_INTRA_CODECS = frozenset({"mjpeg", "dvvideo", "ffv1", "huffyuv", "ffvhuff", "rawvideo", "utvideo", "prores"})
"""Codecs without reordering: even in AVI, which stores decoding times only, these times are the frames' own."""


class _IncompleteFrameError(Exception):
    """A frame is missing or incomplete when decoding starts at the chosen keyframe."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class _ForeignTimeError(Exception):
    """Frames cannot be recognised by their times, because the times in the record were assigned or moved."""


class SeekingReader(Closeable):
    """Reads the frames of one source by index. For use by one thread, as a context manager.

    Args:
        path: the source.
        record: its detection record.

    Raises:
        SourceError: the file cannot be opened, or has another size than the one that was detected.
    """

    def __init__(self, path: Path, record: Record) -> None:
        self.path = path
        self._facts = record.source.video
        self._frame_pts = tuple(frame.pts for frame in record.frames)
        self._index_by_pts = {pts: index for index, pts in enumerate(self._frame_pts)}
        self._damaged = frozenset(record.damaged)
        self._orientation = self._facts.orientation
        # Without presentation times in the container, the record has the decoding times, which are the frames' own only
        # if the codec does not reorder frames.
        self._by_dts = not container_family(record.source.container).stores_pts
        self._can_seek = (not self._by_dts or self._facts.codec in _INTRA_CODECS) and not _has_moved_times(
            self._frame_pts
        )
        self._resources = ExitStack()
        self._container: InputContainer | None = None
        self._cropper: FrameCropper | None = None
        self._check_size(record)
        self._can_seek = self._can_seek and not has_decoding_stamps(path, self._facts.index)

    def close(self) -> None:
        """Close the file."""
        self._container = None
        self._resources.close()

    def read_frame(self, index: int) -> SourceFrame:
        """Return one frame; see `read_frames` for the errors."""
        return next(self.read_frames(index))

    def read_frames(self, start: int, *, max_earlier_frames: int = 0) -> Iterator[SourceFrame]:
        """Yield the frames `start`, `start + 1` and so on, each exactly that of the record.

        An iterator that was returned before must not be used any more. Frames may be used on any thread, each on one
        at a time.

        Args:
            start: index of the first frame.
            max_earlier_frames: yield up to so many frames before it first, as far as they are decoded on the way.

        Raises:
            IndexError: the record has no such frame.
            SourceError: a frame cannot be decoded completely, although the detection could; or the file is another one.
        """
        if not 0 <= start < len(self._frame_pts):
            raise IndexError(f"there are {len(self._frame_pts)} frames, no number {start}")
        if self._can_seek:
            try:
                for frame in self._read_by_seeking(start, max_earlier_frames):
                    yield frame
                    # If seeking fails from here on, reading continues after the frames that were yielded already.
                    start, max_earlier_frames = max(start, frame.index + 1), 0
            except _ForeignTimeError:
                # The times will not fit later either, so this reader never seeks again.
                self._can_seek = False
            else:
                return
        yield from self._read_sequentially(start - max_earlier_frames)

    def _read_by_seeking(self, start: int, earlier: int) -> Iterator[SourceFrame]:
        for back in (*_SEEK_BACK_STEPS_S, None):
            packets = self._read_from_start() if back is None else self._seek_before(start, back)
            if packets is None:
                continue
            try:
                for frame in self._decode_frames(packets, start, max(0, start - earlier)):
                    yield frame
                    start, earlier = max(start, frame.index + 1), 0
            except _IncompleteFrameError as error:
                # The next attempt starts further back and continues with the frame that was not complete.
                start = error.index
            else:
                return
        raise _ForeignTimeError

    def _seek_before(self, start: int, back: Fraction) -> Iterator[Packet[VideoStream]] | None:
        """Return the packets from a keyframe at or before a frame on, or None if no such keyframe was found."""
        target = self._frame_pts[start]
        aim = target - int(back / parse_ratio(self._facts.time_base))
        for _ in range(3):
            packets = self._read_from_key(aim)
            first = next(packets, None)
            if first is None or first.pts is None:
                return None
            if first.pts <= target:
                return chain((first,), packets)
            # The keyframe is decoded before the wanted frame but shown after it: seek to before the keyframe.
            aim = min(aim, first.pts if first.dts is None else first.dts) - 1
        return None

    def _read_from_key(self, aim: int) -> Iterator[Packet[VideoStream]]:
        container, stream = self._ensure_open()
        try:
            with NATIVE_STEP:
                container.seek(aim, stream=stream, backward=True)
        except FFmpegError:
            return iter(())
        return self._read_packets(container, stream, waits_for_key=True)

    def _read_from_start(self) -> Iterator[Packet[VideoStream]]:
        self.close()
        return self._read_packets(*self._ensure_open(), waits_for_key=False)

    def _read_packets(
        self, container: InputContainer, stream: VideoStream, *, waits_for_key: bool
    ) -> Iterator[Packet[VideoStream]]:
        packets = limit_steps(container.demux(stream))
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                # The file ends early. A frame that is missing is reported when it is read.
                return
            if packet is None:
                return
            if not packet.size:
                continue
            # Some demuxers land between keyframes; packets before one refer to frames that were not decoded.
            if waits_for_key and not packet.is_keyframe:
                continue
            waits_for_key = False
            if self._by_dts:
                packet.pts = packet.dts
            yield packet

    def _decode_frames(
        self, packets: Iterator[Packet[VideoStream]], start: int, earliest: int
    ) -> Iterator[SourceFrame]:
        """Decode packets that begin at a keyframe; yield frames from `start` on.

        Frames from `earliest` on come first, if they are complete.
        """
        key = next(packets, None)
        packets = packets if key is None else chain((key,), packets)
        for decoded in self._decode_packets(packets, self._frame_pts[earliest]):
            frame = self._cropper.crop_frame(decoded) if self._cropper else decoded
            index = self._index_by_pts.get(frame.pts) if frame.pts is not None else None
            if index is None:
                # Before `start`, a frame that the record does not have is one that detection left out (lead-in).
                if frame.pts is None or frame.pts >= self._frame_pts[start]:
                    raise _ForeignTimeError
                continue
            if index < start:
                if index >= earliest and _is_self_contained(frame, key) and index not in self._damaged:
                    yield self._make_frame(index, frame)
                continue
            yield from self._fill_missing(start, index)
            if frame.is_corrupt and index not in self._damaged:
                raise _IncompleteFrameError(index)
            yield self._make_frame(index, frame)
            start = index + 1
        yield from self._fill_missing(start, len(self._frame_pts))

    def _decode_packets(self, packets: Iterator[Packet[VideoStream]], wanted: int) -> Iterator[VideoFrame]:
        """Yield decoded frames; those before `wanted` may be missing."""
        decoder = self._ensure_open()[1].codec_context
        for packet in chain(packets, (None,)):
            # Frames before the wanted one that no other frame refers to need not be decoded, which saves time.
            early = packet is not None and packet.pts is not None and packet.pts < wanted
            decoder.skip_frame = "NONREF" if early else "DEFAULT"
            try:
                with NATIVE_STEP:
                    frames = decoder.decode(packet)
            except FFmpegError:
                # `_fill_missing` notices the frame that is lost by this.
                continue
            yield from frames

    def _fill_missing(self, start: int, stop: int) -> Iterator[SourceFrame]:
        """Yield grey frames for missing frames that the record lists as damaged; no other may be missing."""
        for index in range(start, stop):
            if index not in self._damaged:
                raise _IncompleteFrameError(index)
            layout = planar_format_from_name(self._facts.pixel_format, full=self._facts.colour.range == "pc")
            yield self._make_frame(index, make_grey_frame(self._facts.coded, layout))

    def _make_frame(self, index: int, frame: VideoFrame) -> SourceFrame:
        if (frame.width, frame.height) != (self._facts.coded.width, self._facts.coded.height):
            raise SourceError(f"{self.path} is not the video that was detected: its frame {index} has another size.")
        damaged = index in self._damaged
        return SourceFrame(index, self._frame_pts[index], frame, self._orientation, FrameConverters(), damaged=damaged)

    def _read_sequentially(self, start: int) -> Iterator[SourceFrame]:
        self.close()
        info = probe(self.path)
        with open_source(self.path, info, on_damage="cover" if self._damaged else "stop") as source:
            for frame in source.frames():
                if frame.index >= len(self._frame_pts) or frame.pts != self._frame_pts[frame.index]:
                    raise SourceError(
                        f"Frame {frame.index} of {self.path} is not that of the record. Detect again with this version."
                    )
                if frame.index >= start:
                    yield frame.copy_for_thread()

    def _ensure_open(self) -> tuple[InputContainer, VideoStream]:
        if self._container is None:
            self._container = self._resources.enter_context(open_container(self.path))
            stream = self._find_stream(self._container)
            self._cropper = FrameCropper(stream, self._facts.crop)
            decoder = stream.codec_context
            decoder.thread_type = "AUTO"
            decoder.thread_count = min(_MAX_THREADS, os.cpu_count() or 1)
            # FFmpeg frees a decoder while Python's lock is held; see `open_source`.
            self._resources.callback(decoder.flush_buffers)
        return self._container, self._find_stream(self._container)

    def _find_stream(self, container: InputContainer) -> VideoStream:
        stream = container.streams[self._facts.index] if self._facts.index < len(container.streams) else None
        if not isinstance(stream, VideoStream):
            raise SourceError(f"{self.path} is not the video that was detected. Put the original back.")
        return stream

    def _check_size(self, record: Record) -> None:
        try:
            size = self.path.stat().st_size
        except OSError as error:
            raise SourceError(
                f"{self.path} cannot be read ({error.strerror}). Put the source back where it was."
            ) from error
        if size != record.source.bytes:
            raise SourceError(f"{self.path} is not the video that was detected: its size differs. Put it back.")


def _is_self_contained(frame: VideoFrame, key: Packet[VideoStream] | None) -> bool:
    """Return whether a frame is complete although decoding began at a keyframe: not corrupt, and shown after it."""
    # Frames that are shown before the keyframe may refer to frames before it, which were not decoded.
    return (
        not frame.is_corrupt
        and key is not None
        and key.pts is not None
        and frame.pts is not None
        and frame.pts >= key.pts
    )


def _has_moved_times(times: tuple[int, ...]) -> bool:
    """Return whether some frame follows the one before by one tick although frames are usually further apart."""
    # That is what `PtsAssigner.enforce_rising` leaves behind, so such a time is not the frame's own.
    usual_ticks = (times[-1] - times[0]) / max(1, len(times) - 1)
    return usual_ticks > 2 and any(after - before == 1 for before, after in pairwise(times))
