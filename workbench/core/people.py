"""The people of a run: tracks joined by their looks, and as reviewers arranged them. Nothing is written to disk."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache

from engine.core.scenes import Scenes
from engine.review.people import Appearance, FaceSample, TrackCourse, join_tracks, list_track_courses
from engine.review.people_file import PeopleAction, PersonOnCard, arrange_people, read_arrangements
from workbench.core.reviewed_run import ReviewedRun
from workbench.core.viewing import get_viewers

_MAX_RUNS = 4
"""Most runs whose looks are kept in memory."""


class PeopleOfRun:
    """The tracks of a run and its people.

    Attributes:
        courses: The tracks, by number.
        found: The tracks of each person, as found.
        actions: What reviewers arranged.
    """

    def __init__(self, reviewed: ReviewedRun) -> None:
        """Find the people; the first time for a run, this decodes a few frames of each track.

        Raises:
            SourceError: the source cannot be read.
            ReviewError: the arrangements of the people cannot be read.
        """
        record = reviewed.record
        self.courses: Sequence[TrackCourse] = list_track_courses(reviewed.amended)
        looks = _get_looks(reviewed.record_sha256).measure(
            reviewed, [sample for course in self.courses for sample in course.samples]
        )
        self.found = join_tracks(self.courses, looks, Scenes(record.cuts, len(record.frames)))
        self.actions: tuple[PeopleAction, ...] = tuple(
            arrangement.action for arrangement in read_arrangements(reviewed.run.folder.people, reviewed.record_sha256)
        )

    def arrange(self, *more: PeopleAction) -> tuple[PersonOnCard, ...]:
        """Return the people as arranged, and then changed by `more`.

        Raises:
            RecordError: the actions contradict what is seen.
        """
        return arrange_people(self.found, self.courses, (*self.actions, *more))


class _Looks:
    """The looks of faces of one record. It is thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measured: dict[FaceSample, Appearance | None] = {}

    def measure(self, reviewed: ReviewedRun, samples: Iterable[FaceSample]) -> dict[int, list[Appearance]]:
        """Return the looks of each track, in the order of its samples; each face is measured once."""
        wanted = sorted(samples, key=lambda sample: (sample.track, sample.frame))
        with self._lock:
            missing = [sample for sample in wanted if sample not in self._measured]
            if missing:
                viewer = get_viewers().open_source(reviewed.run.source, reviewed.record, reviewed.record_sha256)
                self._measured |= dict.fromkeys(missing) | viewer.measure_looks(missing)
            looks: dict[int, list[Appearance]] = {}
            for sample in wanted:
                appearance = self._measured[sample]
                if appearance is not None:
                    looks.setdefault(sample.track, []).append(appearance)
            return looks


@lru_cache(maxsize=_MAX_RUNS)
def _get_looks(_record_sha256: str) -> _Looks:
    return _Looks()
