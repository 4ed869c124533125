"""Stills of one source for somebody who steps through it: what was decoded near by is kept, within a bound of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from engine.core.closeable import Closeable
from engine.media.frame import SourceFrame
from engine.media.pixels import planar_format_from_name
from engine.media.source.seek import SeekingReader
from engine.record import Record

DEFAULT_CACHE_BYTES = 80 << 20
"""Bytes of decoded frames that are kept: 25 frames of 1080p, 6 of 2160p."""
_MAX_DECODE_AHEAD_FRAMES = 24
"""So many frames ahead it is sooner to decode on than to seek."""


class FrameCache(Closeable):
    """The frames of one source by index, for several threads.

    Two decoders run: one goes on where somebody steps, the other makes the jumps.

    Args:
        path: the source.
        record: its detection record.
        budget: bytes of decoded frames that are kept.

    Raises:
        SourceError: the file cannot be opened, or has another size than the one that was detected.
    """

    def __init__(self, path: Path, record: Record, max_bytes: int = DEFAULT_CACHE_BYTES) -> None:
        self.path = path
        self._decoders = (_CacheDecoder(path, record), _CacheDecoder(path, record))
        self._lock = threading.Lock()
        self._cached: OrderedDict[int, SourceFrame] = OrderedDict()
        size = record.source.video.coded
        layout = planar_format_from_name(record.source.video.pixel_format, full=False)
        samples = size.width * size.height * 3 // 2
        self._capacity_frames = max(4, max_bytes // (samples * layout.dtype.itemsize))
        self._stepping = 0

    def close(self) -> None:
        """Give the file back, once nobody decodes."""
        for one in self._decoders:
            with one.lock:
                one.close()
        with self._lock:
            self._cached.clear()

    def get_frame(self, index: int) -> SourceFrame:
        """One frame; threads that share it take turns in using it.

        Raises:
            IndexError: the record has no such frame.
            SourceError: as `StillReader.frames`.
        """
        kept = self._get_cached(index)
        if kept is not None:
            return kept
        one = self._choose_decoder(index)
        with one.lock:
            # Another thread may have decoded it meanwhile.
            kept = self._get_cached(index)
            if kept is not None:
                return kept
            try:
                for frame in one.decode_until(index, self._capacity_frames * 3 // 4):
                    self._store(frame)
                    if frame.index == index:
                        return frame
            finally:
                one.target_index = None
        raise AssertionError("a reader gives the frame that it is asked for, or an error")

    def _get_cached(self, index: int) -> SourceFrame | None:
        with self._lock:
            if index in self._cached:
                self._cached.move_to_end(index)
            return self._cached.get(index)

    def _store(self, frame: SourceFrame) -> None:
        with self._lock:
            self._cached[frame.index] = frame
            while len(self._cached) > self._capacity_frames:
                self._cached.popitem(last=False)

    def _choose_decoder(self, index: int) -> _CacheDecoder:
        """The pass that will come by soon; else for a jump the other one than somebody steps with, while it is free."""
        with self._lock:
            near = [place for place, one in enumerate(self._decoders) if one.can_reach_soon(index)]
            if near:
                self._stepping = near[0]
                return self._decoders[self._stepping]
            jumping = 1 - self._stepping
            free = [place for place in (jumping, self._stepping) if not self._decoders[place].lock.locked()]
            one = self._decoders[(*free, jumping)[0]]
            one.target_index = index
            return one


class _CacheDecoder:
    """One decoder and where it stands.

    Attributes:
        lock: held by the thread that uses it.
        target_index: the frame that it is on its way to, after a jump.
    """

    def __init__(self, path: Path, record: Record) -> None:
        self._reader = SeekingReader(path, record)
        self._frames: Iterator[SourceFrame] | None = None
        self._next = 0
        self.lock = threading.Lock()
        self.target_index: int | None = None

    def can_reach_soon(self, index: int) -> bool:
        """Whether it is sooner there than after another jump; one on its way to the frame or near before it is."""
        near = (
            self.target_index is not None and self.target_index <= index < self.target_index + _MAX_DECODE_AHEAD_FRAMES
        )
        return near or self._can_continue(index)

    def _can_continue(self, index: int) -> bool:
        return self._frames is not None and self._next <= index < self._next + _MAX_DECODE_AHEAD_FRAMES

    def decode_until(self, index: int, max_earlier_frames: int) -> Iterator[SourceFrame]:
        """Frames up to `index`, from where it stands or from near before it."""
        if not self._can_continue(index):
            self._frames = self._reader.read_frames(index, max_earlier_frames=max_earlier_frames)
        assert self._frames is not None
        frames, self._frames = self._frames, None
        for frame in frames:
            self._next = frame.index + 1
            if frame.index >= index:
                self._frames = frames
                yield frame
                return
            yield frame

    def close(self) -> None:
        self._frames = None
        self._reader.close()
