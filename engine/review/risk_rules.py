"""What in a record leaves doubt whether a face shows: found from the record alone, each with its cause in words.

A risk is a judgement on a scale from 0 to 1, made to rank: how likely, and how badly, a face could show there. A cause
has a base; a larger face and a longer run raise it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

from engine.core.frame_ranges import Span, named, runs
from engine.core.geometry import Box, Size
from engine.record import DetectorFacts, Evidence, Face, Record

Kind = Literal[
    "doubtful", "hole", "start", "end", "gap", "cut", "unseen", "weak", "disagreement", "border", "small", "unasked",
    "damaged",
]  # fmt: skip

_BASE: Mapping[Kind, float] = {
    "doubtful": 0.9,
    "hole": 0.85,
    "start": 0.6,
    "end": 0.6,
    "gap": 0.6,
    "cut": 0.5,
    "unseen": 0.5,
    "weak": 0.45,
    "disagreement": 0.4,
    "border": 0.35,
    "small": 0.35,
    "unasked": 0.15,
    "damaged": 0.1,
}
_BRIDGE = 5
"""Frames by which runs of one cause may be apart and still be one spot."""
_ASKING_BRIDGE = 30
"""The same for frames about which a detector was not asked: a policy leaves out frame after frame."""
_AROUND = 8
"""Frames to look at before a track begins, after it ends, and beside a cut."""
_SMALL = 24.0
"""Shorter side in display pixels under which detectors miss much (docs/recall.md)."""
_LARGE = 48.0
"""Shorter side in display pixels from which on a larger face adds no risk."""
_LONG = 25
"""Frames from which on a longer run adds no risk."""
_SAME = 0.5
"""Share of a box that another track covers when it goes on with the same face."""
_HIDDEN = 0.9
"""Share of a doubtful sighting that is covered when its face cannot show."""


class Suspicion(NamedTuple):
    """A place that leaves doubt.

    Attributes:
        kind: its cause.
        track: whose; None when it is nobody's in particular.
        start: first frame.
        stop: first frame after it.
        frame: where to look first.
        box: what to look at there, if anything.
        reason: for a person.
        risk: 0 to 1.
    """

    kind: Kind
    track: int | None
    start: int
    stop: int
    frame: int
    box: Box | None
    reason: str
    risk: float


Flag = tuple[int, Box, float]
"""A frame in which a cause was found: its index, the face there, and how bad it is (0 to 1)."""


@dataclass(slots=True)
class _Course:
    """The faces of one track, by rising frame index."""

    indices: list[int] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, Face]]:
        return zip(self.indices, self.faces, strict=True)


def suspicions(record: Record) -> Iterator[Suspicion]:
    """Every place of a record that leaves doubt, in no order."""
    whole = frozenset(record.damaged + record.covered)
    asked = _Asked(record)
    sure = {detector.name: _sure(detector) for detector in record.detection.detectors}
    scenes = _Scenes(record)
    for track, course in _courses(record, whole).items():
        for flagged in (_gaps, _small, _at_border):
            yield from flagged(track, course, record.display)
        yield from _weak(track, course, sure)
        yield from _disagreement(track, course, asked)
        yield from _holes(track, course, whole)
        yield from _ends(track, course, scenes, record)
    yield from _doubtful(_uncovered(record, whole, sure))
    yield from _at_cuts(record, scenes, whole)
    yield from asked.suspicions(whole)
    for start, stop in runs(record.damaged):
        reason = f"{_capital(named(start, stop))} could not be decoded whole and will be covered"
        yield Suspicion("damaged", None, start, stop, start, None, reason, _BASE["damaged"])


def _courses(record: Record, whole: frozenset[int]) -> dict[int, _Course]:
    """The tracks, without the frames that are covered whole."""
    courses: dict[int, _Course] = {}
    for frame in record.frames:
        index = frame.index
        if index in whole:
            continue
        for face in frame.faces:
            course = courses.get(face.track)
            if course is None:
                course = courses[face.track] = _Course()
            course.indices.append(index)
            course.faces.append(face)
    return courses


def _gaps(track: int, course: _Course, _: Size) -> Iterator[Suspicion]:
    flags = [(i, face.box, 1.0) for i, face in course if face.origin == "interpolated"]
    return _flagged("gap", track, flags, "track {track} was not seen in {these}: its place there is a guess")


def _small(track: int, course: _Course, _: Size) -> Iterator[Suspicion]:
    flags = [
        (i, box, 1.0)
        for i, face in course
        if (box := face.box).right - box.left < _SMALL or box.bottom - box.top < _SMALL
    ]
    return _flagged("small", track, flags, "track {track} is small in {these}: {width:.0f}x{height:.0f} pixels")


def _at_border(track: int, course: _Course, size: Size) -> Iterator[Suspicion]:
    right, bottom = size.width, size.height
    flags = [
        (i, box, 1.0)
        for i, face in course
        if (box := face.box).left <= 0 or box.top <= 0 or box.right >= right or box.bottom >= bottom
    ]
    return _flagged("border", track, flags, "track {track} is at the border of the picture in {these}")


def _weak(track: int, course: _Course, sure: Mapping[str, float]) -> Iterator[Suspicion]:
    """Where all evidence together does not make a face by itself."""
    flags = [
        (i, face.box, 1.0 - support)
        for i, face in course
        if (seen := face.evidence)
        and seen[0].score < sure[seen[0].detector]
        and (support := sum(one.score / sure[one.detector] for one in seen)) < 1.0
    ]
    return _flagged("weak", track, flags, "track {track} was seen only weakly in {these}")


def _disagreement(track: int, course: _Course, asked: _Asked) -> Iterator[Suspicion]:
    """Where a detector that was asked did not see what another saw."""
    count = asked.count
    flags = [
        (i, face.box, missing)
        for i, face in course
        if (seen := face.evidence) and len(seen) < count and (missing := asked.missing(i, seen))
    ]
    return _flagged("disagreement", track, flags, "not every detector saw track {track} in {these}")


def _flagged(kind: Kind, track: int, flags: Sequence[Flag], words: str) -> Iterator[Suspicion]:
    """The runs of a cause, each shown where it is worst."""
    place = 0
    for start, stop in runs((index for index, _, _ in flags), _BRIDGE):
        first = place
        while place < len(flags) and flags[place][0] < stop:
            place += 1
        index, box, value = max(flags[first:place], key=_badness)
        reason = words.format(track=track, these=named(start, stop), width=box.width, height=box.height)
        yield Suspicion(
            kind, track, start, stop, index, box, reason, _risk(kind, box, place - first) * (0.5 + value / 2)
        )


def _holes(track: int, course: _Course, whole: frozenset[int]) -> Iterator[Suspicion]:
    for place, (before, after) in enumerate(pairwise(course.indices)):
        if after > before + 1 and not whole.issuperset(range(before + 1, after)):
            box = course.faces[place].box
            reason = f"track {track} has no mask in {named(before + 1, after)}, and goes on after that"
            risk = _risk("hole", box, after - before - 1)
            yield Suspicion("hole", track, before + 1, after, before + 1, box, reason, risk)


def _ends(track: int, course: _Course, scenes: _Scenes, record: Record) -> Iterator[Suspicion]:
    """Where a track begins or ends though its scene goes on, and no other track is there."""
    seen = [place for place, face in enumerate(course.faces) if face.origin != "extended"] or [0]
    first, last = course.indices[0], course.indices[-1]
    scene = scenes.around(first)
    before, after = max(scene[0], first - _AROUND), min(scene[1], last + 1 + _AROUND)
    box = course.faces[0].box
    if before < first and not _taken_over(record, track, range(before, first), box):
        reason = f"track {track} begins in frame {first}, within a scene: its face may show before"
        risk = _risk("start", box, _LONG) * _entering(box, record.display)
        yield Suspicion("start", track, before, course.indices[seen[0]] + 1, first - 1, box, reason, risk)
    box = course.faces[-1].box
    if last + 1 < after and not _taken_over(record, track, range(last + 1, after), box):
        reason = f"track {track} ends in frame {last}, within a scene: its face may show after"
        risk = _risk("end", box, _LONG) * _entering(box, record.display)
        yield Suspicion("end", track, course.indices[seen[-1]], after, last + 1, box, reason, risk)


def _taken_over(record: Record, track: int, frames: Iterable[int], box: Box) -> bool:
    """Whether a place is covered in every one of these frames, by other tracks or because the frame is."""
    whole = record.damaged + record.covered
    return all(
        index in whole
        or any(face.track != track and face.box.overlap(box) >= _SAME * box.area for face in record.frames[index].faces)
        for index in frames
    )


def _entering(box: Box, size: Size) -> float:
    """Less risk where people come into the picture and leave it."""
    return 0.6 if box.left <= 0 or box.top <= 0 or box.right >= size.width or box.bottom >= size.height else 1.0


def _uncovered(record: Record, whole: frozenset[int], sure: Mapping[str, float]) -> list[tuple[int, Evidence, float]]:
    """The doubtful sightings that no mask covers, each with its frame and its support."""
    return [
        (frame.index, seen, seen.score / sure[seen.detector])
        for frame in record.frames
        if frame.doubtful and frame.index not in whole
        for seen in frame.doubtful
        if not any(face.box.overlap(seen.box) >= _HIDDEN * seen.box.area for face in frame.faces)
    ]


def _doubtful(found: Sequence[tuple[int, Evidence, float]]) -> Iterator[Suspicion]:
    place = 0
    for start, stop in runs(dict.fromkeys(index for index, _, _ in found), _BRIDGE):
        first = place
        while place < len(found) and found[place][0] < stop:
            place += 1
        index, seen, support = max(found[first:place], key=lambda one: one[2])
        count = place - first
        said = "a sighting" if count == 1 else f"{count} sightings"
        reason = f"{said} in {named(start, stop)} that the frames around do not bear out, and that no mask covers"
        risk = _BASE["doubtful"] * _prominence(seen.box) * min(1.0, 0.5 + support / 4)
        yield Suspicion("doubtful", None, start, stop, index, seen.box, reason, risk)


def _at_cuts(record: Record, scenes: _Scenes, whole: frozenset[int]) -> Iterator[Suspicion]:
    for cut in record.cuts:
        if cut == 0 or cut in whole or cut - 1 in whole:
            continue
        before, after = record.frames[cut - 1].faces, record.frames[cut].faces
        if bool(before) != bool(after):
            start, stop = scenes.around(cut if before else cut - 1)
            span = (cut, min(stop, cut + _AROUND)) if before else (max(start, cut - _AROUND), cut)
            bare = "after" if before else "before"
            reason = f"there are faces on one side of the scene cut at frame {cut}, and none {bare} it"
            yield Suspicion("cut", None, *span, span[0] if before else span[1] - 1, None, reason, _BASE["cut"])


class _Scenes:
    """Which scene a frame belongs to."""

    def __init__(self, record: Record) -> None:
        self._bounds = (0, *(cut for cut in record.cuts if cut), len(record.frames))

    def around(self, index: int) -> Span:
        place = bisect_right(self._bounds, index, hi=len(self._bounds) - 1)
        return self._bounds[place - 1], self._bounds[place]


class _Asked:
    """Which detectors were asked about which frames."""

    def __init__(self, record: Record) -> None:
        self._detectors = [detector.name for detector in record.detection.detectors]
        self.count = len(self._detectors)
        self._length = len(record.frames)
        self._frames = {
            name: frozenset(index for start, stop in spans for index in range(start, stop))
            for name, spans in record.detection.asked.items()
        }

    def missing(self, index: int, evidence: Sequence[Evidence]) -> float:
        """Share of the detectors that were asked about a frame and did not see a face there."""
        if not self._frames:
            return 1.0 - len(evidence) / self.count
        asked = sum(name not in self._frames or index in self._frames[name] for name in self._detectors)
        return 1.0 - len(evidence) / asked

    def suspicions(self, whole: frozenset[int]) -> Iterator[Suspicion]:
        """Frames about which some detector, or none, was asked."""
        if not self._frames:
            return
        names = " and ".join(self._frames)
        bare: list[int] = []
        partly: list[int] = []
        for index in range(self._length):
            left_out = sum(index not in frames for frames in self._frames.values())
            if left_out and index not in whole:
                (bare if left_out == len(self._detectors) else partly).append(index)
        for start, stop in runs(bare, _ASKING_BRIDGE):
            reason = f"no detector looked at some of {named(start, stop)}: masks there follow from the frames around"
            yield Suspicion("unseen", None, start, stop, start, None, reason, _BASE["unseen"])
        for start, stop in runs(partly, _ASKING_BRIDGE):
            reason = f"{names} did not look at some of {named(start, stop)}"
            yield Suspicion("unasked", None, start, stop, start, None, reason, _BASE["unasked"])


def _sure(detector: DetectorFacts) -> float:
    """The score from which on a detector is sure; where it is at any score, halfway from its threshold to 1."""
    sure, threshold = detector.parameters.get("sure"), detector.parameters.get("threshold")
    if isinstance(sure, int | float) and sure > 0:
        return float(sure)
    return (1.0 + float(threshold)) / 2 if isinstance(threshold, int | float) else 0.5


def _badness(flag: Flag) -> float:
    return flag[2] * _prominence(flag[1])


def _risk(kind: Kind, box: Box, frames: int) -> float:
    return _BASE[kind] * _prominence(box) * (0.6 + 0.4 * min(1.0, frames / _LONG))


def _prominence(box: Box) -> float:
    return 0.5 + 0.5 * min(1.0, min(box.width, box.height) / _LARGE)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
