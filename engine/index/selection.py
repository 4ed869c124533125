"""Restrict a query to a part of the index, and the SQL fragments that the queries share."""

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
_PLACE = "{'frame': frame, 'seconds': seconds, 'track': track}"
_EARLIER = "frame / 1e11 + coalesce(track, 0) / 1e15"
"""Breaks ties, so that the same query always returns the same place: of equal scores the earliest frame, then the
lowest track. Scores have four digits, so it outweighs no difference in less than ten million frames."""
_FRAGMENT_PATTERN = re.compile(r"<(\w+)>")


def _join_conditions(*conditions: str) -> str:
    return " AND ".join(conditions)


_FRAGMENTS: Mapping[str, str] = MappingProxyType(
    {
        "frames": _TIME,
        "faces": _join_conditions(_TIME, _TRACK, _HEIGHT),
        "sure_faces": _join_conditions(_TIME, _TRACK, _HEIGHT, f"({_SCORE} OR (score IS NULL AND $least_score = 0))"),
        "seen_faces": _join_conditions(_TIME, _TRACK, _SEEN_HEIGHT, _SCORE),
        "detections": _join_conditions(_TIME, _TRACK, _HEIGHT, _SCORE, _DETECTOR),
        "detections_of_any_track": _join_conditions(_TIME, _HEIGHT, _SCORE, _DETECTOR),
        "lacking": _join_conditions(_TIME, _TRACK, _HEIGHT, _SCORE, _OTHER),
        "pairs": _join_conditions(_TIME, _TRACK, _HEIGHT, _SCORE, _DETECTOR, _OTHER),
        "bucket": "CAST(floor(seconds / $step) AS INTEGER) AS bucket",
        "place_of_lowest_score": f"arg_min({_PLACE}, score + {_EARLIER})",
        "place_of_highest_score": f"arg_max({_PLACE}, score - ({_EARLIER}))",
    }
)
"""SQL that a statement names as `<detections>`: the conditions of a selection for each kind of row, and expressions."""


def expand_fragments(statement: str) -> str:
    """Return a statement with the fragments it names in full."""
    return _FRAGMENT_PATTERN.sub(lambda mark: _FRAGMENTS[mark[1]], statement)


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of the index; by default everything.

    Attributes:
        runs: Names of the runs. Empty: all runs.
        detectors: Names of the detectors. Empty: all detectors.
        start: Earliest time in seconds from the first frame.
        stop: Time in seconds before which the selection ends.
        track: A single track. None: all tracks.
        least_score: Lowest score, 0 to 1. Faces without a detection have no score and are selected only at 0.
        least_height: Lowest height of a box, in display pixels.
        most_height: Height below which boxes are selected, in display pixels.
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
        """Return the values of the parameters of a statement by name."""
        return {
            "detectors": list(self.detectors),
            "start": self.start,
            "stop": self.stop,
            "track": self.track,
            "least_score": self.least_score,
            "least_height": self.least_height,
            "most_height": self.most_height,
        }


EVERYTHING = Selection()
