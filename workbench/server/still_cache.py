"""A cache of stills in memory. Stills are made on demand and never written to disk."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from engine.core.geometry import Box
from engine.media.source.frame_cache import FrameCache
from engine.record import Record
from engine.rendering import still as preview
from engine.rendering.portraits import cut_portrait
from engine.rendering.still import StillOptions
from engine.review.plan import FramePlan, plan_frame
from workbench.core.reviewed_run import ReviewedRun

_MAX_STILL_BYTES = 96 << 20
"""Most bytes of cached stills, of all runs together."""
_MAX_OPEN_SOURCES = 3
"""Most sources that are open at once; each has a cache of decoded frames."""

_PORTRAIT_SIDE_PX = 112
"""Side of a picture of a face; screens with two pixels for one show it at half the size."""
_THUMBNAIL_SIDE_PX = 192
"""Longer side of a small picture of a whole frame."""


class StillCache:
    """The stills of one server. It is thread-safe.

    Attributes:
        size_bytes: size of the cached stills.
    """

    def __init__(self, max_bytes: int = _MAX_STILL_BYTES, max_sources: int = _MAX_OPEN_SOURCES) -> None:
        self._max_bytes, self._max_sources = max_bytes, max_sources
        self._lock = threading.Lock()
        self._stills: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self.size_bytes = 0
        self._sources: OrderedDict[tuple[str, str], _OpenSource] = OrderedDict()

    def get_still(self, reviewed: ReviewedRun, index: int, options: StillOptions) -> bytes:
        """Return a frame of a run as a JPEG.

        Raises:
            IndexError: there is no such frame.
            SourceError: the source cannot be read, or is not the file that was detected.
            StyleError: the image of the style cannot be read.
        """
        if not 0 <= index < len(reviewed.record.frames):
            raise IndexError(f"{reviewed.run.id} has {len(reviewed.record.frames)} frames, no number {index}")
        planned = plan_frame(reviewed.amended.build_frame(index))
        # The key has what is drawn here, not the revision of the review: an amendment of other frames changes nothing.
        key = (reviewed.record_sha256, index, options.max_side_px, options.style, *_select_visible(planned, options))
        cached = self._find_still(key)
        if cached is not None:
            return cached
        # Outside the lock: decoding is slow. Two requests may make the same still, which costs time but no error.
        source = self._get_source(reviewed.run.source, reviewed.record, reviewed.record_sha256)
        jpeg = source.make_still(index, planned, options)
        self._store_still(key, jpeg)
        return jpeg

    def get_portrait(self, reviewed: ReviewedRun, index: int, box: Box | None) -> bytes:
        """Return a small unmasked picture of a place in a frame as a JPEG; without a box, of the whole frame.

        Raises:
            IndexError: there is no such frame.
            SourceError: the source cannot be read, or is not the file that was detected.
        """
        if not 0 <= index < len(reviewed.record.frames):
            raise IndexError(f"{reviewed.run.id} has {len(reviewed.record.frames)} frames, no number {index}")
        key = (reviewed.record_sha256, index, box)
        cached = self._find_still(key)
        if cached is None:
            source = self._get_source(reviewed.run.source, reviewed.record, reviewed.record_sha256)
            cached = source.make_portrait(index, box)
            self._store_still(key, cached)
        return cached

    def close(self) -> None:
        """Close all sources and empty the cache."""
        with self._lock:
            sources = list(self._sources.values())
            self._sources.clear()
            self._stills.clear()
            self.size_bytes = 0
        for source in sources:
            source.close()

    def _find_still(self, key: tuple[object, ...]) -> bytes | None:
        with self._lock:
            if key in self._stills:
                self._stills.move_to_end(key)
            return self._stills.get(key)

    def _store_still(self, key: tuple[object, ...], jpeg: bytes) -> None:
        with self._lock:
            if key not in self._stills:
                self._stills[key] = jpeg
                self.size_bytes += len(jpeg)
            # The newest still stays even if it alone is over the limit: it is the one that was just requested.
            while self.size_bytes > self._max_bytes and len(self._stills) > 1:
                self.size_bytes -= len(self._stills.popitem(last=False)[1])

    def _get_source(self, source: Path, record: Record, record_sha256: str) -> _OpenSource:
        key, evicted = (str(source), record_sha256), None
        with self._lock:
            if key not in self._sources:
                self._sources[key] = _OpenSource(source, record)
            self._sources.move_to_end(key)
            if len(self._sources) > self._max_sources:
                evicted = self._sources.popitem(last=False)[1]
            opened = self._sources[key]
        # Outside the lock: closing waits until no thread decodes this source.
        if evicted is not None:
            evicted.close()
        return opened


class _OpenSource:
    """An open source. One thread at a time converts a frame, while others decode."""

    def __init__(self, source: Path, record: Record) -> None:
        self._frame_cache = FrameCache(source, record)
        self._video = record.source.video
        self._convert_lock = threading.Lock()

    def make_still(self, index: int, plan: FramePlan, options: StillOptions) -> bytes:
        frame = self._frame_cache.get_frame(index)
        # Threads may hold the same cached frame, and only one at a time may use it.
        with self._convert_lock:
            picture = preview.render_still(frame, self._video, plan, options)
        return preview.encode_jpeg(picture)

    def make_portrait(self, index: int, box: Box | None) -> bytes:
        frame = self._frame_cache.get_frame(index)
        with self._convert_lock:
            picture = (
                frame.rgb(_THUMBNAIL_SIDE_PX) if box is None else cut_portrait(frame.rgb(), box, _PORTRAIT_SIDE_PX)
            )
        return preview.encode_jpeg(picture)

    def close(self) -> None:
        self._frame_cache.close()


def _select_visible(plan: FramePlan, options: StillOptions) -> tuple[object, ...]:
    """Return the parts of a plan that a still depends on: only masked stills change with an amendment."""
    return () if options.style is None else (plan.covered, plan.boxes)
