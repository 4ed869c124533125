"""Which part of the index a question is about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


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

    def values(self) -> dict[str, Any]:
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
