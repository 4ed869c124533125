"""Caches decoded frames of one source for a person who steps through it, within a limit of bytes."""

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
"""Default limit of the cache: 25 frames of 1080p, 6 of 2160p."""
_MAX_DECODE_AHEAD_FRAMES = 24
"""Up to this distance, decoding on is faster than seeking."""


class FrameCache(Closeable):
    """The frames of one source by index, for several threads.

    Two decoders are open: one follows a person who steps from frame to frame, the other serves jumps, so that a jump
    (a filmstrip, an item to check) does not lose the position of the first.

    Args:
        path: the source.
        record: its detection record.
        max_bytes: limit of the decoded frames that are kept.

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
        # A frame of 4:2:0 has one and a half samples a pixel. Other formats are larger, so this is an estimate.
        samples = size.width * size.height * 3 // 2
        self._capacity_frames = max(4, max_bytes // (samples * layout.dtype.itemsize))
        # Index of the decoder that follows the steps; the other one serves jumps.
        self._stepping = 0

    def close(self) -> None:
        """Close the file as soon as no thread decodes."""
        for decoder in self._decoders:
            with decoder.lock:
                decoder.close()
        with self._lock:
            self._cached.clear()

    def get_frame(self, index: int) -> SourceFrame:
        """Return one frame; threads that share a frame must use it one at a time.

        Raises:
            IndexError: the record has no such frame.
            SourceError: see `SeekingReader.read_frames`.
        """
        kept = self._get_cached(index)
        if kept is not None:
            return kept
        decoder = self._choose_decoder(index)
        with decoder.lock:
            # Another thread may have decoded it while this one waited for the lock.
            kept = self._get_cached(index)
            if kept is not None:
                return kept
            try:
                # Earlier frames that are decoded on the way are cached too, up to three quarters of the room, so that
                # stepping backwards after a jump is quick.
                for frame in decoder.decode_until(index, self._capacity_frames * 3 // 4):
                    self._store(frame)
                    if frame.index == index:
                        return frame
            finally:
                decoder.target_index = None
        raise AssertionError("a reader yields the requested frame or raises an error")

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
        """Choose the decoder that reaches the frame soon, or for a jump preferably the one that serves jumps."""
        with self._lock:
            # Frames shortly before the target of a jump are decoded on its way and cached.
            earlier = self._capacity_frames * 3 // 4
            near = [place for place, decoder in enumerate(self._decoders) if decoder.can_reach_soon(index, earlier)]
            if near:
                self._stepping = near[0]
                return self._decoders[self._stepping]
            jumping = 1 - self._stepping
            free = [place for place in (jumping, self._stepping) if not self._decoders[place].lock.locked()]
            decoder = self._decoders[(*free, jumping)[0]]
            decoder.target_index = index
            return decoder


class _CacheDecoder:
    """One decoder and its position.

    Attributes:
        lock: held by the thread that uses it.
        target_index: the frame that it is decoding towards after a jump; None: none.
    """

    def __init__(self, path: Path, record: Record) -> None:
        self._reader = SeekingReader(path, record)
        self._frames: Iterator[SourceFrame] | None = None
        self._next = 0
        self.lock = threading.Lock()
        self.target_index: int | None = None

    def can_reach_soon(self, index: int, earlier_frames: int = 0) -> bool:
        """Return whether decoding on reaches the frame sooner than a jump would.

        Args:
            index: the frame.
            earlier_frames: number of frames before the target of a jump that are cached, too.
        """
        target = self.target_index
        near = target is not None and target - earlier_frames <= index < target + _MAX_DECODE_AHEAD_FRAMES
        return near or self._can_continue(index)

    def _can_continue(self, index: int) -> bool:
        return self._frames is not None and self._next <= index < self._next + _MAX_DECODE_AHEAD_FRAMES

    def decode_until(self, index: int, max_earlier_frames: int) -> Iterator[SourceFrame]:
        """Yield frames up to `index`, from the current position or from shortly before the frame."""
        if not self._can_continue(index):
            self._frames = self._reader.read_frames(index, max_earlier_frames=max_earlier_frames)
        assert self._frames is not None
        # If reading fails or is abandoned, the iterator must not be used again: it is only put back at the end.
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
