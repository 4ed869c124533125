"""Counters of a live run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from engine.record import Document

_MAX_DELAY_MS = 5000
"""Longest delay in milliseconds that has a bin of its own; longer delays count as this one."""


class LiveCounters(Document, frozen=True):
    """Figures of a live run. Each frame that arrived was shown or dropped; each shown frame was judged or covered.

    Attributes:
        frames: frames that arrived.
        shown: frames that went out.
        judged: shown frames in which only faces were hidden.
        covered: shown frames that were covered whole, by reason (see `engine.live.judge.CoverReason`).
        dropped: frames that arrived and never went out, because the machine was too slow.
        undecodable: packets that the decoder made no frame of.
        reconnects: number of times the source was opened again or replaced by another one.
        source_changes: number of changes of size, format or orientation of the source's frames.
        looks: number of answers, by detector.
        look_sizes: number of answers, by detector and longest side of its pictures in pixels ("yolov8-face 640").
        smallest_face_px: side in display pixels of the smallest face that is found as a rule, while the looks are
            smaller than usual; 0 while they are not.
        restarts: number of restarts, by detector.
        late_faces: faces that a detector reported after their frame was shown and that no mask in that frame covers.
        delay_p50, delay_p95, delay_most: median, 95th percentile and maximum of the milliseconds from a frame's arrival
            to its packet.
    """

    frames: int = 0
    shown: int = 0
    judged: int = 0
    covered: Mapping[str, int] = {}
    dropped: int = 0
    undecodable: int = 0
    reconnects: int = 0
    source_changes: int = 0
    looks: Mapping[str, int] = {}
    look_sizes: Mapping[str, int] = {}
    smallest_face_px: int = 0
    restarts: Mapping[str, int] = {}
    late_faces: int = 0
    delay_p50: int = 0
    delay_p95: int = 0
    delay_most: int = 0


class LiveCounterAccumulator:
    """Counts what `LiveCounters` states. Not thread-safe: the caller holds a lock."""

    def __init__(self) -> None:
        self.frames = self.judged = self.dropped = self.source_changes = self.late_faces = 0
        self.undecodable = self.reconnects = self.smallest_face_px = 0
        self.covered: Counter[str] = Counter()
        self._looks: Counter[tuple[str, int]] = Counter()
        self.restarts: Counter[str] = Counter()
        # A histogram with a bin for each millisecond takes the same memory however long the run lasts.
        self._delay_histogram = [0] * (_MAX_DELAY_MS + 1)

    def count_look(self, detector: str, side_px: int) -> None:
        """Count an answer of a detector for a picture whose longest side has `side_px` pixels."""
        self._looks[detector, side_px] += 1

    def add_delay(self, seconds: float) -> None:
        """Add the delay of one frame, in seconds."""
        self._delay_histogram[max(0, min(_MAX_DELAY_MS, round(seconds * 1000)))] += 1

    def to_counters(self) -> LiveCounters:
        """Return the counters as they are now."""
        looks: Counter[str] = Counter()
        for (detector, _), count in self._looks.items():
            looks[detector] += count
        return LiveCounters(
            frames=self.frames,
            shown=self.judged + self.covered.total(),
            judged=self.judged,
            covered=dict(sorted(self.covered.items())),
            dropped=self.dropped,
            undecodable=self.undecodable,
            reconnects=self.reconnects,
            source_changes=self.source_changes,
            looks=dict(sorted(looks.items())),
            look_sizes={f"{detector} {side_px}": count for (detector, side_px), count in sorted(self._looks.items())},
            smallest_face_px=self.smallest_face_px,
            restarts=dict(sorted(self.restarts.items())),
            late_faces=self.late_faces,
            delay_p50=self._compute_delay_percentile_ms(0.5),
            delay_p95=self._compute_delay_percentile_ms(0.95),
            delay_most=self._compute_delay_percentile_ms(1.0),
        )

    def _compute_delay_percentile_ms(self, share: float) -> int:
        """Return the least number of milliseconds within which this share of the frames went out."""
        wanted, passed = share * sum(self._delay_histogram), 0
        for milliseconds, count in enumerate(self._delay_histogram):
            passed += count
            if passed and passed >= wanted:
                return milliseconds
        return 0
