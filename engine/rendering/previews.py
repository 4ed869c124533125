"""Small pictures of whole frames in a row, for a screen that shows a frame before its still is decoded.

Runs no model and writes nothing to disk.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from engine.core.closeable import Closeable
from engine.media.frame import SourceFrame
from engine.media.source.seek import SeekingReader
from engine.record import Record
from engine.rendering.still import encode_jpeg

SIDE_PX = 400
"""Longer side of a preview."""
_JPEG_QUALITY = 70
"""A preview is on screen for a moment, and thousands are kept in memory: one takes about 10 KB."""


class PreviewReader(Closeable):
    """The previews of one source, for several threads. Rows that follow each other are decoded without a seek.

    Args:
        path: the source.
        record: its detection record.

    Raises:
        SourceError: the file cannot be opened, or has another size than the one that was detected.
    """

    def __init__(self, path: Path, record: Record) -> None:
        self._reader = SeekingReader(path, record)
        self._count = len(record.frames)
        self._frames: Iterator[SourceFrame] | None = None
        self._next = 0
        self._lock = threading.Lock()

    def read_previews(self, start: int, stop: int, step: int = 1, lead: int = 0) -> list[tuple[int, bytes]]:
        """Return the frames `start`, `start + step` and so on before `stop`, each with its index, as JPEG files.

        Args:
            start: index of the first frame.
            stop: index of the first frame after the row.
            step: frames from one preview to the next.
            lead: also return the previews of up to so many frames before `start` that are decoded on the way.

        Raises:
            IndexError: the record has no frame `start`.
            SourceError: see `SeekingReader.read_frames`.
        """
        with self._lock:
            if self._frames is None or self._next != start:
                self._frames = self._reader.read_frames(start, max_earlier_frames=min(lead, start))
            # If reading fails, the iterator must not be used again: it is only put back at the end.
            frames, self._frames = self._frames, None
            previews: list[tuple[int, bytes]] = []
            stop = min(stop, self._count)
            for frame in frames:
                if (frame.index - start) % step == 0:
                    previews.append((frame.index, encode_jpeg(frame.rgb(SIDE_PX), _JPEG_QUALITY)))
                if frame.index + 1 >= stop:
                    break
            self._frames, self._next = frames, stop
            return previews

    def close(self) -> None:
        """Close the file as soon as no thread decodes."""
        with self._lock:
            self._frames = None
            self._reader.close()
