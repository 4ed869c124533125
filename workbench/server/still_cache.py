"""A cache of stills in memory. Stills are made on demand and never written to disk."""

from __future__ import annotations

import threading
from collections import OrderedDict

from engine.core.geometry import Box
from engine.rendering.still import StillOptions
from engine.review.plan import FramePlan, plan_frame
from engine.viewing.viewers import SourceViewer, Viewers
from workbench.core.reviewed_run import ReviewedRun

_MAX_STILL_BYTES = 96 << 20
"""Most bytes of cached stills, of all runs together."""


class StillCache:
    """The stills of one server. It is thread-safe.

    Args:
        viewers: the processes that decode.
        max_bytes: most bytes of cached stills.

    Attributes:
        size_bytes: size of the cached stills.
    """

    def __init__(self, viewers: Viewers, max_bytes: int = _MAX_STILL_BYTES) -> None:
        self._viewers, self._max_bytes = viewers, max_bytes
        self._lock = threading.Lock()
        self._stills: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self.size_bytes = 0

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
        jpeg = self._open_source(reviewed).make_still(index, planned, options)
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
            cached = self._open_source(reviewed).make_portrait(index, box)
            self._store_still(key, cached)
        return cached

    def clear(self) -> None:
        """Empty the cache."""
        with self._lock:
            self._stills.clear()
            self.size_bytes = 0

    def _open_source(self, reviewed: ReviewedRun) -> SourceViewer:
        return self._viewers.open_source(reviewed.run.source, reviewed.record, reviewed.record_sha256)

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


def _select_visible(plan: FramePlan, options: StillOptions) -> tuple[object, ...]:
    """Return the parts of a plan that a still depends on: only masked stills change with an amendment."""
    return () if options.style is None else (plan.covered, plan.boxes)
