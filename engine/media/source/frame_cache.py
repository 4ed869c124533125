"""Stills of one source for somebody who steps through it: what was decoded near by is kept, within a bound of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.media.frame import SourceFrame
from engine.media.pixels import planar_layout
from engine.media.source.seek import StillReader
from engine.record import Record

BUDGET = 80 << 20
"""Bytes of decoded frames that are kept: 25 frames of 1080p, 6 of 2160p."""
_WITHIN_REACH = 24
"""So many frames ahead it is sooner to decode on than to seek."""


class Reel:
    """The frames of one source by index, for several threads.

    Two decoders run: one goes on where somebody steps, the other makes the jumps.

    Args:
        path: the source.
        record: its detection record.
        budget: bytes of decoded frames that are kept.

    Raises:
        SourceError: the file cannot be opened, or has another size than the one that was detected.
    """

    def __init__(self, path: Path, record: Record, budget: int = BUDGET) -> None:
        self.path = path
        self._passes = (_Pass(path, record), _Pass(path, record))
        self._guard = threading.Lock()
        self._kept: OrderedDict[int, SourceFrame] = OrderedDict()
        size = record.source.video.coded
        layout = planar_layout(record.source.video.pixel_format, full=False)
        samples = size.width * size.height * 3 // 2
        self._capacity = max(4, budget // (samples * layout.dtype.itemsize))
        self._followed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back, once nobody decodes."""
        for one in self._passes:
            with one.lock:
                one.close()
        with self._guard:
            self._kept.clear()

    def frame(self, index: int) -> SourceFrame:
        """One frame; threads that share it take turns in using it.

        Raises:
            IndexError: the record has no such frame.
            SourceError: as `StillReader.frames`.
        """
        kept = self._found(index)
        if kept is not None:
            return kept
        one = self._choose(index)
        with one.lock:
            # Another thread may have decoded it meanwhile.
            kept = self._found(index)
            if kept is not None:
                return kept
            try:
                for frame in one.to(index, self._capacity * 3 // 4):
                    self._keep(frame)
                    if frame.index == index:
                        return frame
            finally:
                one.aim = None
        raise AssertionError("a reader gives the frame that it is asked for, or an error")

    def _found(self, index: int) -> SourceFrame | None:
        with self._guard:
            if index in self._kept:
                self._kept.move_to_end(index)
            return self._kept.get(index)

    def _keep(self, frame: SourceFrame) -> None:
        with self._guard:
            self._kept[frame.index] = frame
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)

    def _choose(self, index: int) -> _Pass:
        """The pass that will come by soon; else for a jump the other one than somebody steps with, while it is free."""
        with self._guard:
            near = [place for place, one in enumerate(self._passes) if one.passes_soon(index)]
            if near:
                self._followed = near[0]
                return self._passes[self._followed]
            jumping = 1 - self._followed
            free = [place for place in (jumping, self._followed) if not self._passes[place].lock.locked()]
            one = self._passes[(*free, jumping)[0]]
            one.aim = index
            return one


class _Pass:
    """One decoder and where it stands.

    Attributes:
        lock: held by the thread that uses it.
        aim: the frame that it is on its way to, after a jump.
    """

    def __init__(self, path: Path, record: Record) -> None:
        self._reader = StillReader(path, record)
        self._frames: Iterator[SourceFrame] | None = None
        self._next = 0
        self.lock = threading.Lock()
        self.aim: int | None = None

    def passes_soon(self, index: int) -> bool:
        """Whether it is sooner there than after another jump; one on its way to the frame or near before it is."""
        near = self.aim is not None and self.aim <= index < self.aim + _WITHIN_REACH
        return near or self._continues_to(index)

    def _continues_to(self, index: int) -> bool:
        return self._frames is not None and self._next <= index < self._next + _WITHIN_REACH

    def to(self, index: int, earlier: int) -> Iterator[SourceFrame]:
        """Frames up to `index`, from where it stands or from near before it."""
        if not self._continues_to(index):
            self._frames = self._reader.frames(index, earlier=earlier)
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
