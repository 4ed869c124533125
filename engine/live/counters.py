"""What a live run counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from engine.record import Document

_MAX_DELAY_MS = 5000
"""Milliseconds from which delays are counted as one."""


class LiveCounters(Document, frozen=True):
    """A live run in figures. Every frame that came was shown or dropped; one that was shown was judged or covered.

    Attributes:
        frames: that came.
        shown: that went out.
        judged: of these, shown with nothing but faces hidden.
        covered: of these, covered whole, by reason (see `engine.live.judge.Reason`).
        dropped: that came and did not go out, because the machine could not follow.
        undecodable: packets that no frame came out of.
        reconnects: how often the source was opened again, or another one took its place.
        source_changes: how often the size, the format or the orientation of its pictures changed.
        looks: answers, by detector.
        restarts: how often a detector was started afresh, by detector.
        late_faces: faces that a detector reported after their frame was shown, and that no mask of that frame covers.
        delay_p50, delay_p95, delay_most: milliseconds from a frame's arrival to its packet.
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
    restarts: Mapping[str, int] = {}
    late_faces: int = 0
    delay_p50: int = 0
    delay_p95: int = 0
    delay_most: int = 0


class LiveCounterAccumulator:
    """Counts; whoever uses it from several threads holds a lock."""

    def __init__(self) -> None:
        self.frames = self.judged = self.dropped = self.source_changes = self.late_faces = 0
        self.undecodable = self.reconnects = 0
        self.covered: Counter[str] = Counter()
        self.looks: Counter[str] = Counter()
        self.restarts: Counter[str] = Counter()
        self._delay_histogram = [0] * (_MAX_DELAY_MS + 1)

    def add_delay(self, seconds: float) -> None:
        """Note how long a frame took."""
        self._delay_histogram[max(0, min(_MAX_DELAY_MS, round(seconds * 1000)))] += 1

    def to_counters(self) -> LiveCounters:
        """The figures as they are now."""
        return LiveCounters(
            frames=self.frames,
            shown=self.judged + self.covered.total(),
            judged=self.judged,
            covered=dict(sorted(self.covered.items())),
            dropped=self.dropped,
            undecodable=self.undecodable,
            reconnects=self.reconnects,
            source_changes=self.source_changes,
            looks=dict(sorted(self.looks.items())),
            restarts=dict(sorted(self.restarts.items())),
            late_faces=self.late_faces,
            delay_p50=self._compute_delay_percentile_ms(0.5),
            delay_p95=self._compute_delay_percentile_ms(0.95),
            delay_most=self._compute_delay_percentile_ms(1.0),
        )

    def _compute_delay_percentile_ms(self, share: float) -> int:
        """The least number of milliseconds within which this share of the frames went out."""
        wanted, passed = share * sum(self._delay_histogram), 0
        for milliseconds, count in enumerate(self._delay_histogram):
            passed += count
            if passed and passed >= wanted:
                return milliseconds
        return 0
