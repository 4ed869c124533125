"""Which part of the index a question is about."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_TIME = "seconds >= $start AND seconds < $stop"
_TRACK = "($track IS NULL OR track = $track)"
_HEIGHT = "height_px >= $least_height AND height_px < $most_height"
_SEEN_HEIGHT = "seen_height_px >= $least_height AND seen_height_px < $most_height"
_SCORE = "score >= $least_score"
_DETECTOR = "(len($detectors) = 0 OR list_contains($detectors, detector))"
_OTHER = "(len($detectors) = 0 OR list_contains($detectors, other))"
_CONDITION_PATTERN = re.compile(r"<(\w+)>")


def _join_conditions(*conditions: str) -> str:
    return " AND ".join(conditions)


CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "frames": _TIME,
        "faces": _join_conditions(_TIME, _TRACK, _HEIGHT),
        "sure_faces": _join_conditions(_TIME, _TRACK, _HEIGHT, f"({_SCORE} OR (score IS NULL AND $least_score = 0))"),
        "seen_faces": _join_conditions(_TIME, _TRACK, _SEEN_HEIGHT, _SCORE),
        "sightings": _join_conditions(_TIME, _TRACK, _HEIGHT, _SCORE, _DETECTOR),
        "sightings_of_any_track": _join_conditions(_TIME, _HEIGHT, _SCORE, _DETECTOR),
        "lacking": _join_conditions(_TIME, _TRACK, _HEIGHT, _SCORE, _OTHER),
        "pairs": _join_conditions(_TIME, _TRACK, _HEIGHT, _SCORE, _DETECTOR, _OTHER),
    }
)
"""What a selection asks of rows of each kind, for statements that name it as `WHERE <sightings>`."""


def expand_conditions(statement: str) -> str:
    """A statement with the conditions that it names in full."""
    return _CONDITION_PATTERN.sub(lambda mark: CONDITIONS[mark[1]], statement)


@dataclass(frozen=True, slots=True)
class Selection:
    """What to look at; what is left out is not restricted.

    Attributes:
        runs: names of runs; none means all.
        detectors: whose sightings.
        start: earliest time in seconds from the first frame.
        stop: the time before which to end, in seconds.
        track: a single track.
        least_score: sightings at least this sure, 0 to 1. Faces that nobody saw have no score and count only at 0.
        least_height: boxes at least this high, in display pixels.
        most_height: boxes lower than this, in display pixels.
    """

    runs: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    start: float = 0.0
    stop: float = math.inf
    track: int | None = None
    least_score: float = 0.0
    least_height: float = 0.0
    most_height: float = math.inf

    def build_parameters(self) -> dict[str, Any]:
        """The values of the parameters in a statement, by name."""
        return {
            "detectors": list(self.detectors),
            "start": self.start,
            "stop": self.stop,
            "track": self.track,
            "least_score": self.least_score,
            "least_height": self.least_height,
            "most_height": self.most_height,
        }
