"""The faces of each track of a record, for rules about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.core.geometry import Box
from engine.record import Face, Record
from engine.record.support import CONFIDENT_SUPPORT, compute_support

_MIN_NESTED_SHARE = 0.9
"""Share of a face that the other mask must cover. A mask is larger than its box, so it covers the rest too."""
_MAX_GAP_S = 1.0
"""Seconds between two flagged faces of a track that are still one item: a person looks at the worst of them, or plays
the whole, and decides once."""


@dataclass(slots=True)
class TrackFaces:
    """The faces of one track, by rising frame index.

    Iterating leaves out those whose place a better founded mask covers as well: no answer about them shows a face.

    Attributes:
        track: number of the track.
        max_gap_frames: frames between two flagged faces that are still one item.
        indices: the frames, without those that are covered whole.
        faces: the face in each.
        nested: frames in which a better founded mask covers the place.
        founded: frames in which the face was seen with confidence, or followed from a look at which it was seen.
    """

    track: int
    max_gap_frames: int
    indices: list[int] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)
    nested: set[int] = field(default_factory=set)
    founded: set[int] = field(default_factory=set)

    def __iter__(self) -> Iterator[tuple[int, Face]]:
        pairs = zip(self.indices, self.faces, strict=True)
        return (pair for pair in pairs if pair[0] not in self.nested) if self.nested else pairs


def collect_track_faces(
    record: Record, covered_frames: frozenset[int], confident_scores: Mapping[str, float], frame_s: float
) -> list[TrackFaces]:
    """Return the faces of each track, in order of appearance, without the frames that are covered whole.

    Args:
        record: the record.
        covered_frames: the frames that are covered whole.
        confident_scores: confident score by detector.
        frame_s: usual duration of a frame in seconds.
    """
    max_gap_frames = round(_MAX_GAP_S / frame_s)
    courses: dict[int, TrackFaces] = {}
    for frame in record.frames:
        index = frame.index
        if index in covered_frames:
            continue
        founded = [_is_founded(face, confident_scores) for face in frame.faces]
        for face, is_founded in zip(frame.faces, founded, strict=True):
            course = courses.get(face.track)
            if course is None:
                course = courses[face.track] = TrackFaces(face.track, max_gap_frames)
            course.indices.append(index)
            course.faces.append(face)
            if is_founded:
                course.founded.add(index)
        for place in _find_nested_faces(frame.faces, founded):
            courses[frame.faces[place].track].nested.add(index)
    return list(courses.values())


def _find_nested_faces(faces: Sequence[Face], founded: Sequence[bool]) -> Iterator[int]:
    """Yield the positions of the faces of a frame that lie within the face of another track that is better founded.

    Detectors find parts of a face that fills the picture, each of which may become a track of its own. What is asked
    about the whole face answers for them too.
    """
    # Each face is compared with the larger ones only: of two masks that cover each other one has to stay.
    order = sorted(range(len(faces)), key=lambda place: (-faces[place].box.area, faces[place].track))
    larger: list[Box] = []
    for place in order:
        box = faces[place].box
        (x, _), least = box.centre, _MIN_NESTED_SHARE * box.area
        # What covers so much of a face covers its centre, which rules out most of a crowd.
        if any(one.left < x < one.right and one.intersection_area(box) >= least for one in larger):
            yield place
        if founded[place]:
            larger.append(box)


def _is_founded(face: Face, confident_scores: Mapping[str, float]) -> bool:
    return face.origin == "carried" or compute_support(face.evidence, confident_scores) >= CONFIDENT_SUPPORT
