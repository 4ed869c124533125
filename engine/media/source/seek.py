"""Any frame of a source by its place in the record, without decoding from the start.

The record says when each frame is shown, so no scan of the file is needed: the container seeks to a keyframe at or
before that time, and frames are told apart by their own time stamps. A seek that lands too late, or on a keyframe that
does not give whole frames at once (gradual refresh), goes further back. Where a frame's time in the record is not its
own (AVI with reordering, streams without times, times that had to be moved), frames are decoded in order from the
start, by the same decoder that detection used.
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
from engine.errors import SourceError
from engine.media.containers import container_family
from engine.media.frame import FrameConverters, SourceFrame
from engine.media.pixels import make_grey_frame, planar_format_from_name
from engine.media.source.decode import open_source
from engine.media.source.open_file import open_container
from engine.media.source.probe import probe
from engine.record import Record, parse_ratio

_SEEK_BACK_STEPS_S = (Fraction(0), Fraction(1), Fraction(4), Fraction(16), Fraction(64))
"""Seconds by which a seek goes further back each time that it landed too late."""
_MAX_THREADS = 4
_INTRA_CODECS = frozenset({"mjpeg", "dvvideo", "ffv1", "huffyuv", "ffvhuff", "rawvideo", "utvideo", "prores"})
"""Codecs without reordering: in AVI, which stores no times but those of decoding, these are the frames' own."""


class _IncompleteFrameError(Exception):
    """A frame did not come out whole from where decoding began."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class _ForeignTimeError(Exception):
    """A frame cannot be told by its time: times were given, or moved, when faces were found."""


class SeekingReader(Closeable):
    """The frames of one source by index. Serves one thread; use as a context manager.

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
        self._by_dts = not container_family(record.source.container).stores_pts
        self._can_seek = (not self._by_dts or self._facts.codec in _INTRA_CODECS) and not _has_moved_times(
            self._frame_pts
        )
        self._resources = ExitStack()
        self._container: InputContainer | None = None
        self._check_size(record)

    def close(self) -> None:
        """Give the file back."""
        self._container = None
        self._resources.close()

    def read_frame(self, index: int) -> SourceFrame:
        """One frame; the errors are those of `frames`."""
        return next(self.read_frames(index))

    def read_frames(self, start: int, *, max_earlier_frames: int = 0) -> Iterator[SourceFrame]:
        """The frames `start`, `start + 1`, and so on, each exactly that of the record.

        An iterator that this reader gave before must not be used any more. Frames may be used on any thread, each on
        one at a time.

        Args:
            start: index of the first frame.
            max_earlier_frames: at most so many frames before it come first, as far as they are decoded on the way.

        Raises:
            IndexError: the record has no such frame.
            SourceError: a frame cannot be decoded whole, though it could when faces were found; or the file is another.
        """
        if not 0 <= start < len(self._frame_pts):
            raise IndexError(f"there are {len(self._frame_pts)} frames, no number {start}")
        if self._can_seek:
            try:
                for frame in self._read_by_seeking(start, max_earlier_frames):
                    yield frame
                    start, max_earlier_frames = max(start, frame.index + 1), 0
            except _ForeignTimeError:
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
            except _IncompleteFrameError as unclean:
                start = unclean.index
            else:
                return
        raise _ForeignTimeError

    def _seek_before(self, start: int, back: Fraction) -> Iterator[Packet[VideoStream]] | None:
        """The packets from a keyframe on that lies at or before a frame; None when none was found so near."""
        target = self._frame_pts[start]
        aim = target - int(back / parse_ratio(self._facts.time_base))
        for _ in range(3):
            packets = self._read_from_key(aim)
            first = next(packets, None)
            if first is None or first.pts is None:
                return None
            if first.pts <= target:
                return chain((first,), packets)
            # The keyframe is decoded before this frame, and shown after it.
            aim = min(aim, first.pts if first.dts is None else first.dts) - 1
        return None

    def _read_from_key(self, aim: int) -> Iterator[Packet[VideoStream]]:
        container, stream = self._ensure_open()
        try:
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
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                # The file breaks off; what is missing is found missing when its frame is asked for.
                return
            if packet is None or not packet.size:
                return
            if waits_for_key and not packet.is_keyframe:
                continue
            waits_for_key = False
            if self._by_dts:
                packet.pts = packet.dts
            yield packet

    def _decode_frames(
        self, packets: Iterator[Packet[VideoStream]], start: int, earliest: int
    ) -> Iterator[SourceFrame]:
        """Frames from `start` on, and those from `earliest` on that come whole, of packets that begin at a keyframe."""
        key = next(packets, None)
        packets = packets if key is None else chain((key,), packets)
        for frame in self._decode_packets(packets, self._frame_pts[earliest]):
            index = self._index_by_pts.get(frame.pts) if frame.pts is not None else None
            if index is None:
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
        """What comes out of the decoder; frames before `wanted` that no other builds on may be left out."""
        decoder = self._ensure_open()[1].codec_context
        for packet in chain(packets, (None,)):
            early = packet is not None and packet.pts is not None and packet.pts < wanted
            decoder.skip_frame = "NONREF" if early else "DEFAULT"
            try:
                yield from decoder.decode(packet)
            except FFmpegError:
                # A frame that this cost is found missing.
                continue

    def _fill_missing(self, start: int, stop: int) -> Iterator[SourceFrame]:
        """Grey stands for frames that are known as damaged; any other must not be missing."""
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
    """Whether a frame is whole although decoding began at a keyframe: not broken, and shown after it."""
    return (
        not frame.is_corrupt
        and key is not None
        and key.pts is not None
        and frame.pts is not None
        and frame.pts >= key.pts
    )


def _has_moved_times(times: tuple[int, ...]) -> bool:
    """Whether some frame follows the one before by a single tick though frames are usually further apart."""
    usual = (times[-1] - times[0]) / max(1, len(times) - 1)
    return usual > 2 and any(after - before == 1 for before, after in pairwise(times))
