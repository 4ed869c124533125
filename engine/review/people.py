"""Join the tracks of a record into people, across gaps and cuts. Pure functions: reads no file and runs no model.

A track ends at every cut and wherever a face is lost for long, so one person has many tracks. Two tracks are joined if
the first ends where the second begins shortly after, or if face and clothes have the same colours. Tracks that are in
one frame together are two people, whatever they look like.

A wrong join can make a decision reach the wrong person, a missed join only costs a second decision. So the limits are
chosen to join too little rather than too much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from engine.core.frame_ranges import FrameRange, group_frames
from engine.core.geometry import Box
from engine.core.scenes import Scenes
from engine.record import Face
from engine.review.apply import AmendedFace, AmendedRecord

ColourHistogram = NDArray[np.float32]
"""Square roots of the shares of the colours, so that the dot product of two is their Bhattacharyya coefficient."""

MAX_SAMPLES = 4
"""Most faces of a track whose pictures are compared and shown."""
_MIN_SHAPE, _MIN_HEAD, _MIN_CLOTHES = 0.40, 0.88, 0.70
"""Least likeness of two tracks that are joined by their looks alone. Chosen on a clip with a dark audience, where the
colours of strangers agree up to 0.96 and their shapes up to 0.41, but not both."""
_MIN_HEAD_IN_PLACE = 0.60
"""Least likeness of the heads if the second track begins where the first one ended."""
_MAX_GAP_FRAMES = 60
"""Most frames between the end of a track and the beginning of the next one at the same place."""
_MIN_OVERLAP_IN_PLACE = 0.3
"""Least intersection over union of the last box of a track and the first box of the next one at the same place."""
_PLACE_BONUS = 10.0
"""Makes joins by place come before all joins by looks."""


@dataclass(frozen=True, slots=True)
class FaceSample:
    """A face of a track that stands for the track: it is shown, and its colours are compared.

    Attributes:
        track: The track.
        frame: Index of the frame.
        box: The face, in display pixels.
    """

    track: int
    frame: int
    box: Box


@dataclass(frozen=True, slots=True)
class Appearance:
    """The looks of a face: its colours, those of what is below it, and its shape.

    Attributes:
        head: Colours of the head with its hair.
        shape: Directions of edges in the face, of length 1; the dot product of two is their likeness.
        clothes: Colours of the clothes; None if they are outside of the picture.
    """

    head: ColourHistogram
    shape: NDArray[np.float32]
    clothes: ColourHistogram | None = None


@dataclass(frozen=True, slots=True)
class TrackCourse:
    """Where a track is.

    Attributes:
        track: The track.
        stretches: The frames with a face, as rising ranges.
        first: The first box.
        last: The last box.
        samples: Faces that stand for the track, by rising frame.
    """

    track: int
    stretches: tuple[FrameRange, ...]
    first: Box
    last: Box
    samples: tuple[FaceSample, ...]

    @property
    def start(self) -> int:
        """The first frame."""
        return self.stretches[0][0]

    @property
    def stop(self) -> int:
        """The first frame after the track."""
        return self.stretches[-1][1]


def list_track_courses(amended: AmendedRecord) -> tuple[TrackCourse, ...]:
    """List the tracks of a record and those that a reviewer added, by rising number.

    A track of the record is listed as it was detected, so that a person stays the same whatever is decided.
    """
    faces: dict[int, list[tuple[int, Face | AmendedFace]]] = {}
    for frame in amended.record.frames:
        for face in frame.faces:
            faces.setdefault(face.track, []).append((frame.index, face))
    recorded = frozenset(faces)
    for index in sorted(amended.changed_frames):
        for added in amended.build_frame(index).faces:
            if added.track not in recorded:
                faces.setdefault(added.track, []).append((index, added))
    return tuple(
        TrackCourse(
            track,
            tuple(group_frames(index for index, _ in course)),
            course[0][1].box,
            course[-1][1].box,
            _choose_samples(track, course),
        )
        for track, course in sorted(faces.items())
    )


def join_tracks(
    courses: Sequence[TrackCourse], appearances: Mapping[int, Sequence[Appearance]], scenes: Scenes
) -> tuple[tuple[int, ...], ...]:
    """Join tracks into people.

    Args:
        courses: The tracks.
        appearances: The looks of each track at its samples; a track without any is joined by its place alone.
        scenes: The scenes of the video.

    Returns:
        The tracks of each person in rising order, people by their first track. The same input gives the same people.
    """
    pairs = [
        (score, one.track, other.track)
        for one, other in combinations(sorted(courses, key=lambda course: (course.start, course.track)), 2)
        if (score := _score_pair(one, other, appearances, scenes)) is not None
    ]
    groups = _Groups(courses)
    for _, one, other in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if not groups.overlap(one, other):
            groups.join(one, other)
    return groups.list_groups()


def find_overlap(courses: Iterable[TrackCourse]) -> tuple[int, int, int] | None:
    """Find two tracks that are in one frame together.

    Returns:
        Both tracks and the first such frame; None if there are none.
    """
    stretches = sorted((start, stop, course.track) for course in courses for start, stop in course.stretches)
    latest = (0, -1)
    for start, stop, track in stretches:
        # Sorted by start: what overlaps anything before overlaps the stretch that ends last.
        if start < latest[0] and track != latest[1]:
            return latest[1], track, start
        latest = max(latest, (stop, track))
    return None


def compare_appearances(one: Sequence[Appearance], other: Sequence[Appearance]) -> float:
    """Compare the looks of two tracks by their most similar pair of samples; from 1 on they are joined."""
    return max((_compare_pair(first, second) for first in one for second in other), default=0.0)


def _compare_pair(one: Appearance, other: Appearance) -> float:
    # All must agree: colours depend on the light, and the shapes of two strangers who look aside are alike.
    likeness = min(float(one.head @ other.head) / _MIN_HEAD, float(one.shape @ other.shape) / _MIN_SHAPE)
    if one.clothes is None or other.clothes is None:
        return likeness
    return min(likeness, float(one.clothes @ other.clothes) / _MIN_CLOTHES)


def _score_pair(
    one: TrackCourse, other: TrackCourse, appearances: Mapping[int, Sequence[Appearance]], scenes: Scenes
) -> float | None:
    """Score two tracks, of which `one` begins first; None if they are not joined."""
    if find_overlap((one, other)) is not None:
        return None
    looks, other_looks = appearances.get(one.track, ()), appearances.get(other.track, ())
    likeness = compare_appearances(looks, other_looks)
    # The last look of one and the first of the other: they are close in time.
    heads = float(looks[-1].head @ other_looks[0].head) if looks and other_looks else 1.0
    if heads >= _MIN_HEAD_IN_PLACE and _follows_in_place(one, other, scenes):
        return _PLACE_BONUS + likeness
    return likeness if likeness >= 1 else None


def _follows_in_place(one: TrackCourse, other: TrackCourse, scenes: Scenes) -> bool:
    gap = other.start - one.stop
    same_scene = scenes.find_scene(other.start) == scenes.find_scene(one.stop - 1)
    return 0 <= gap <= _MAX_GAP_FRAMES and same_scene and one.last.iou(other.first) >= _MIN_OVERLAP_IN_PLACE


def _choose_samples(track: int, course: Sequence[tuple[int, Face | AmendedFace]]) -> tuple[FaceSample, ...]:
    """Choose the best face of each of a few equal parts of a track: seen by a detector, with a high score, large."""
    parts = min(MAX_SAMPLES, len(course))
    chosen = []
    for part in range(parts):
        faces = course[part * len(course) // parts : (part + 1) * len(course) // parts]
        index, face = max(faces, key=lambda one: (_rate_face(one[1]), -one[0]))
        chosen.append(FaceSample(track, index, face.box))
    return tuple(chosen)


def _rate_face(face: Face | AmendedFace) -> float:
    score = max((detection.score for detection in face.evidence), default=0.01)
    return score * min(face.box.width, face.box.height)


class _Groups:
    """Groups of tracks; each begins alone."""

    def __init__(self, courses: Sequence[TrackCourse]) -> None:
        self._courses = {course.track: course for course in courses}
        self._members: dict[int, tuple[int, ...]] = {track: (track,) for track in self._courses}

    def overlap(self, one: int, other: int) -> bool:
        """Return whether the groups of two tracks cannot be one person, or are one group already."""
        first, second = self._members[one], self._members[other]
        return first == second or find_overlap(self._courses[track] for track in (*first, *second)) is not None

    def join(self, one: int, other: int) -> None:
        joined = tuple(sorted((*self._members[one], *self._members[other])))
        self._members |= dict.fromkeys(joined, joined)

    def list_groups(self) -> tuple[tuple[int, ...], ...]:
        return tuple(sorted(set(self._members.values())))
