"""A video of the library that can be detected, with what the run would take."""

from __future__ import annotations

from dataclasses import dataclass

from engine.jobs.estimate import RunEstimate
from engine.jobs.library import LibraryVideo
from engine.media.facts import MediaInfo


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A video that can be detected, with its streams and the estimate of its run."""

    footage: LibraryVideo
    info: MediaInfo
    estimate: RunEstimate
