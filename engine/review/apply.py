"""Apply amendments to a record, in order; a later amendment overrides an earlier one. Reads no file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

from engine.core.frame_ranges import describe_range, group_frames
from engine.core.geometry import Box, Size
from engine.errors import AmendmentError
from engine.record import Detection, Document, Face, Frame, Origin, Record
from engine.review.amendments import (
    Accept,
    Add,
    Amendment,
    Author,
    Cover,
    Delete,
    Extend,
    Flag,
    KeepVisible,
    Keyframe,
    Resize,
    Review,
    Undo,
    find_effective_amendments,
)
from engine.review.item_key import ReviewItemKey


class AmendedFace(Document, frozen=True, gc=False):
    """A face with the amendments applied.

    Attributes:
        track: A track of the record, or a new one with a greater number.
        box: The area to cover, in display pixels.
        origin: "reviewer" if a reviewer drew the box, else as in the record.
        evidence: The detections behind it; a resized face keeps its evidence.
        amendment: Number of the last amendment that changed it, None if none did.
        visible: Whether a reviewer decided, with a reason, to keep it visible.
    """

    track: int
    box: Box
    origin: Origin
    evidence: tuple[Detection, ...]
    amendment: int | None = None
    visible: bool = False


class AmendedFrame(Document, frozen=True, gc=False):
    """A frame with the amendments applied.

    Attributes:
        index: Position in presentation order.
        pts: Presentation timestamp in the video's time base.
        faces: The faces, in the order of their tracks.
        covered: Whether the whole frame is covered.
        doubtful: Possible faces of the record, which are not masked.
        amendment: Number of the last amendment that covers it whole; None if no amendment does.
    """

    index: int
    pts: int
    faces: tuple[AmendedFace, ...]
    covered: bool
    doubtful: tuple[Detection, ...] = ()
    amendment: int | None = None


class KeptVisible(Document, frozen=True):
    """A face that is kept visible on purpose.

    Attributes:
        track: The track of the face.
        start: First frame.
        stop: First frame after it.
        amendment: Number of the amendment that keeps it visible.
        by: The author of that amendment.
        reason: The reason for it.
    """

    track: int
    start: int
    stop: int
    amendment: int
    by: Author
    reason: str


class RemovedMask(Document, frozen=True):
    """A face of the record whose mask a reviewer removed, because it is no face.

    Attributes:
        track: The track of the face.
        start: First frame.
        stop: First frame after it.
        amendment: Number of the amendment that removed it.
        by: The author of that amendment.
        reason: The reason for it, empty in reviews of earlier versions.
    """

    track: int
    start: int
    stop: int
    amendment: int
    by: Author
    reason: str


class AmendedRecord:
    """A record with the effective amendments applied.

    Raises:
        AmendmentError: An amendment names frames or tracks that do not exist, or a box that crosses the border.
    """

    def __init__(self, record: Record, review: Review | None = None) -> None:
        self.record = record
        self.amendments = review.amendments if review else ()
        self._changed_faces: dict[int, dict[int, AmendedFace]] = {}
        self._covering_amendments: dict[int, int] = {}
        # The faces that a removal took out of a frame, each with the number of that amendment, by frame and track.
        self._removed_faces: dict[int, dict[int, tuple[AmendedFace, int]]] = {}
        self._covered_in_record = frozenset(record.damaged + record.covered)
        self._added_tracks = _assign_new_tracks(record, self.amendments)
        # In order, and each on the result of those before: a resize may move a face that an earlier amendment added.
        for amendment in find_effective_amendments(self.amendments):
            self._apply(amendment)

    def build_frame(self, index: int) -> AmendedFrame:
        """Build one frame, by its index."""
        frame = self.record.frames[index]
        by = self._covering_amendments.get(index)
        faces = tuple(face for _, face in sorted(self._get_faces(index).items()))
        return AmendedFrame(
            index, frame.pts, faces, index in self._covered_in_record or by is not None, frame.doubtful, by
        )

    def iterate_frames(self) -> Iterator[AmendedFrame]:
        """Build every frame, in order."""
        return map(self.build_frame, range(len(self.record.frames)))

    def find_kept_visible(self) -> tuple[KeptVisible, ...]:
        """Find every face that is kept visible, by amendment and frame, outside of frames that are covered whole."""
        said: dict[tuple[int, int], int] = {}
        for amendment in find_effective_amendments(self.amendments):
            if isinstance(action := amendment.action, KeepVisible):
                frames = (
                    index for index in range(action.start, action.stop) if self._is_kept_visible(index, action.track)
                )
                said |= dict.fromkeys(((action.track, index) for index in frames), amendment.number)
        shown: dict[tuple[int, int], list[int]] = {}
        for (track, index), number in sorted(said.items()):
            shown.setdefault((number, track), []).append(index)
        return tuple(
            KeptVisible(track, *span, number, self.amendments[number - 1].by, self.amendments[number - 1].reason)
            for (number, track), indices in sorted(shown.items())
            for span in group_frames(indices)
        )

    def find_removed(self) -> tuple[RemovedMask, ...]:
        """Find every face of the record whose mask was removed, by amendment and frame, outside of covered frames."""
        removed: dict[tuple[int, int], list[int]] = {}
        for index in sorted(self._removed_faces):
            for face, number in self.list_removed_faces(index):
                removed.setdefault((number, face.track), []).append(index)
        return tuple(
            RemovedMask(track, *span, number, self.amendments[number - 1].by, self.amendments[number - 1].reason)
            for (number, track), indices in sorted(removed.items())
            for span in group_frames(indices)
        )

    def list_removed_faces(self, index: int) -> tuple[tuple[AmendedFace, int], ...]:
        """List the faces without their mask in a frame, each with the number of the amendment that removed it."""
        if index in self._covering_amendments or index in self._covered_in_record:
            return ()
        return tuple(removed for _, removed in sorted(self._removed_faces.get(index, {}).items()))

    def _is_kept_visible(self, index: int, track: int) -> bool:
        face = self._changed_faces.get(index, {}).get(track)
        return (
            face is not None
            and face.visible
            and index not in self._covering_amendments
            and index not in self._covered_in_record
        )

    @property
    def changed_frames(self) -> frozenset[int]:
        """Indices of the frames whose faces an amendment changed."""
        return frozenset(self._changed_faces)

    def get_added_track(self, amendment: int) -> int:
        """Return the track that the amendment with this number added."""
        return self._added_tracks[amendment]

    def _get_faces(self, index: int) -> dict[int, AmendedFace]:
        changed = self._changed_faces.get(index)
        return _copy_recorded_faces(self.record.frames[index]) if changed is None else changed

    def _has_face(self, index: int, track: int) -> bool:
        changed = self._changed_faces.get(index)
        if changed is not None:
            return track in changed
        return any(face.track == track for face in self.record.frames[index].faces)

    def _get_editable_faces(self, index: int) -> dict[int, AmendedFace]:
        # Faces are copied when a frame is first changed. Most frames of a long video are not, and need no memory.
        if index not in self._changed_faces:
            self._changed_faces[index] = _copy_recorded_faces(self.record.frames[index])
        return self._changed_faces[index]

    def _apply(self, amendment: Amendment) -> None:
        try:
            self._apply_action(amendment)
        except _MisfitError as complaint:
            raise AmendmentError(amendment.number, str(complaint)) from complaint

    def _apply_action(self, amendment: Amendment) -> None:
        number = amendment.number
        match amendment.action:
            case Add(keyframes):
                self._check_keyframes(keyframes)
                self._put_faces(self._added_tracks[number], _interpolate_boxes(keyframes, self.record.display), number)
            case Resize(track, keyframes):
                self._check_keyframes(keyframes)
                self._resize_faces(track, keyframes, number)
            case Delete(track, start, stop):
                self._delete_faces(track, start, stop, number)
            case KeepVisible(track, start, stop):
                self._keep_faces_visible(track, start, stop, number)
            case Extend(track, start, stop):
                self._put_faces(track, self._compute_extension(track, start, stop), number)
            case Cover(start, stop):
                self._check_frames(start, stop)
                self._covering_amendments |= dict.fromkeys(range(start, stop), number)
            case Accept(spot):
                self._check_review_item(spot)
            case Flag():
                self._check_flag(amendment.action)
            case Undo():
                pass

    def _put_faces(self, track: int, boxes: Iterator[tuple[int, Box]], number: int) -> None:
        """Put faces of a reviewer into a track, without evidence."""
        for index, box in boxes:
            self._get_editable_faces(index)[track] = AmendedFace(track, box, "reviewer", (), number)
            # The place is masked again, so that nothing is missing any more.
            self._removed_faces.get(index, {}).pop(track, None)

    def _resize_faces(self, track: int, keyframes: Sequence[Keyframe], number: int) -> None:
        for keyframe in keyframes:
            if not self._has_face(keyframe.index, track):
                raise _MisfitError(f"track {track} has no face in frame {keyframe.index}")
        # Between two keyframes a track may have gaps: a resize changes faces, it never adds one where none was.
        for index, box in _interpolate_boxes(keyframes, self.record.display):
            if self._has_face(index, track):
                faces = self._get_editable_faces(index)
                faces[track] = msgspec.structs.replace(faces[track], box=box, origin="reviewer", amendment=number)

    def _delete_faces(self, track: int, start: int, stop: int, number: int) -> None:
        is_recorded = track not in self._added_tracks.values()
        for index in self._find_present_frames(track, start, stop):
            face = self._get_editable_faces(index).pop(track)
            # A face that a reviewer had added and takes back was never found by a detector.
            if is_recorded:
                self._removed_faces.setdefault(index, {})[track] = (face, number)

    def _keep_faces_visible(self, track: int, start: int, stop: int, number: int) -> None:
        for index in self._find_present_frames(track, start, stop):
            faces = self._get_editable_faces(index)
            faces[track] = msgspec.structs.replace(faces[track], visible=True, amendment=number)

    def _compute_extension(self, track: int, start: int, stop: int) -> Iterator[tuple[int, Box]]:
        """Compute a box for each frame of a range in which the track has none.

        A gap that the range fills from end to end is interpolated, elsewhere the nearest box is held.
        """
        self._check_frames(start, stop)
        known = self._find_known_frames(track, start, stop)
        missing = [index for index in range(start, stop) if not self._has_face(index, track)]
        if not known:
            raise _MisfitError(f"there is no track {track}")
        if not missing:
            raise _MisfitError(f"track {track} has a face in each of {describe_range(start, stop)} already")
        boxes = {index: self._get_faces(index)[track].box for index in known}
        return ((index, self._interpolate_or_hold(index, known, boxes, start, stop)) for index in missing)

    def _interpolate_or_hold(
        self, index: int, known: Sequence[int], boxes: dict[int, Box], start: int, stop: int
    ) -> Box:
        place = bisect_left(known, index)
        before = known[place - 1] if place else None
        after = known[place] if place < len(known) else None
        # Interpolated only if the range covers the whole gap. A reviewer who fills a part of it has seen the face stay
        # near one end; the box at the other end says nothing about it.
        if before is not None and after is not None and before >= start - 1 and after <= stop:
            return _round_outward(
                boxes[before].interpolate(boxes[after], (index - before) / (after - before)), self.record.display
            )
        ends = [end for end in (before, after) if end is not None]
        return _round_outward(boxes[min(ends, key=lambda end: abs(end - index))], self.record.display)

    def _find_known_frames(self, track: int, start: int, stop: int) -> list[int]:
        """Find the frames with a face of the track: all in a range, and the nearest on each side of it."""
        before = next((index for index in reversed(range(start)) if self._has_face(index, track)), None)
        after = next((index for index in range(stop, len(self.record.frames)) if self._has_face(index, track)), None)
        inside = (index for index in range(start, stop) if self._has_face(index, track))
        return [index for index in (before, *inside, after) if index is not None]

    def _find_present_frames(self, track: int, start: int, stop: int) -> list[int]:
        """Find the frames of a range in which the track has a face."""
        self._check_frames(start, stop)
        found = [index for index in range(start, stop) if self._has_face(index, track)]
        if not found:
            raise _MisfitError(f"track {track} has no face in {describe_range(start, stop)}")
        return found

    def _check_frames(self, start: int, stop: int) -> None:
        if stop > (count := len(self.record.frames)):
            raise _MisfitError(
                f"{describe_range(start, stop)} are asked for, and the video has {count}, from 0 to {count - 1}"
            )

    def _check_keyframes(self, keyframes: Sequence[Keyframe]) -> None:
        self._check_frames(keyframes[0].index, keyframes[-1].index + 1)
        self._check_boxes((keyframe.index, keyframe.box) for keyframe in keyframes)

    def _check_boxes(self, boxes: Iterable[tuple[int, Box]]) -> None:
        size = self.record.display
        for index, box in boxes:
            if not box.is_within(size):
                edges = list(msgspec.structs.astuple(box))
                frame = f"a {size.width}x{size.height} frame"
                raise _MisfitError(f"the box {edges} in frame {index} crosses the border of {frame}")

    def _check_flag(self, flag: Flag) -> None:
        self._check_frames(flag.frame, flag.frame + 1)
        for place in flag.places:
            self._check_frames(place.start, place.stop)
        boxes = [(flag.frame, flag.box), *((place.frame, place.box) for place in flag.places)]
        self._check_boxes(boxes)

    def _check_review_item(self, key: str) -> None:
        item_key = ReviewItemKey.parse(key)
        if item_key.start >= item_key.stop:
            raise _MisfitError(f"the item {key} has no frames")
        self._check_frames(item_key.start, item_key.stop)


class _MisfitError(ValueError):
    """An amendment does not fit the record that it is applied to; the message is a clause that says why."""


def amend_frames(record: Record, review: Review | None = None) -> tuple[AmendedFrame, ...]:
    """Build every frame of a record with its amendments.

    Raises:
        RecordError: An amendment does not fit the record; the message names its line.
    """
    return tuple(AmendedRecord(record, review).iterate_frames())


def _copy_recorded_faces(frame: Frame) -> dict[int, AmendedFace]:
    return {face.track: _face_from_record(face) for face in frame.faces}


def _face_from_record(face: Face) -> AmendedFace:
    return AmendedFace(face.track, face.box, face.origin, face.evidence)


def _assign_new_tracks(record: Record, amendments: Sequence[Amendment]) -> dict[int, int]:
    """Number the tracks that amendments add; an undone amendment keeps its number, so that numbers stay stable."""
    adding = [amendment.number for amendment in amendments if isinstance(amendment.action, Add)]
    if not adding:
        return {}
    # After the greatest track of the record, so that a new track never takes the number of a detected one.
    first = 1 + max((face.track for frame in record.frames for face in frame.faces), default=-1)
    return {number: first + place for place, number in enumerate(adding)}


def _interpolate_boxes(keyframes: Sequence[Keyframe], size: Size) -> Iterator[tuple[int, Box]]:
    """Yield every frame from the first keyframe to the last, with its interpolated box."""
    yield keyframes[0].index, _round_outward(keyframes[0].box, size)
    for before, after in pairwise(keyframes):
        span = after.index - before.index
        for step in range(1, span + 1):
            yield before.index + step, _round_outward(before.box.interpolate(after.box, step / span), size)


def _round_outward(box: Box, size: Size) -> Box:
    """Round a box outwards to whole pixels inside the frame."""
    inside = box.round_outwards(size)
    assert inside is not None  # it was checked that keyframes do not cross the border, and so nothing between them does
    return Box(*map(float, inside.to_pixel_bounds()))
