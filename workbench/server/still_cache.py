"""Stills as they go to browsers, made when they are asked for and kept in memory within a bound; nothing is written."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from engine.media.source.frame_cache import Reel
from engine.record import Record
from engine.rendering import still as preview
from engine.rendering.still import Look
from engine.review.plan import FramePlan, plan_of
from workbench.core.reviewed_run import Case

_STILLS = 96 << 20
"""Bytes of finished stills that are kept, of all runs together."""
_REELS = 3
"""Sources that are open at once; each keeps frames of its own."""


class Shelf:
    """All stills of one server. Serves several threads.

    Attributes:
        bytes: of the stills that are kept now.
    """

    def __init__(self, budget: int = _STILLS, reels: int = _REELS) -> None:
        self._budget, self._most = budget, reels
        self._guard = threading.Lock()
        self._stills: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self.bytes = 0
        self._reels: OrderedDict[tuple[str, str], _OpenReel] = OrderedDict()

    def still(self, case: Case, index: int, look: Look) -> bytes:
        """A frame of a run as a JPEG.

        Raises:
            IndexError: there is no such frame.
            SourceError: the source cannot be read, or is another one than was detected.
            StyleError: the image of the style cannot be read.
        """
        if not 0 <= index < len(case.record.frames):
            raise IndexError(f"{case.run.id} has {len(case.record.frames)} frames, no number {index}")
        planned = plan_of(case.folded.frame(index))
        key = (case.record_sha256, index, look.longest, look.style, *_shown_of(planned, look))
        kept = self._kept(key)
        if kept is not None:
            return kept
        reel = self._reel(case.run.source, case.record, case.record_sha256)
        made = reel.still(index, planned, look)
        self._keep(key, made)
        return made

    def close(self) -> None:
        """Give every source back."""
        with self._guard:
            reels = list(self._reels.values())
            self._reels.clear()
            self._stills.clear()
            self.bytes = 0
        for reel in reels:
            reel.close()

    def _kept(self, key: tuple[object, ...]) -> bytes | None:
        with self._guard:
            if key in self._stills:
                self._stills.move_to_end(key)
            return self._stills.get(key)

    def _keep(self, key: tuple[object, ...], made: bytes) -> None:
        with self._guard:
            if key not in self._stills:
                self._stills[key] = made
                self.bytes += len(made)
            while self.bytes > self._budget and len(self._stills) > 1:
                self.bytes -= len(self._stills.popitem(last=False)[1])

    def _reel(self, source: Path, record: Record, record_sha256: str) -> _OpenReel:
        key, spare = (str(source), record_sha256), None
        with self._guard:
            if key not in self._reels:
                self._reels[key] = _OpenReel(source, record)
            self._reels.move_to_end(key)
            if len(self._reels) > self._most:
                spare = self._reels.popitem(last=False)[1]
            reel = self._reels[key]
        if spare is not None:
            spare.close()
        return reel


class _OpenReel:
    """A reel whose frames are converted by one thread at a time, while others decode."""

    def __init__(self, source: Path, record: Record) -> None:
        self._reel = Reel(source, record)
        self._video = record.source.video
        self._turn = threading.Lock()

    def still(self, index: int, planned: FramePlan, look: Look) -> bytes:
        frame = self._reel.frame(index)
        with self._turn:
            seen = preview.picture(frame, self._video, planned, look)
        return preview.jpeg(seen)

    def close(self) -> None:
        self._reel.close()


def _shown_of(planned: FramePlan, look: Look) -> tuple[object, ...]:
    """What of a plan shows in a look: an amendment changes masked stills, and no other."""
    return () if look.style is None else (planned.covered, planned.boxes)
