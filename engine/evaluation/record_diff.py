"""Find where two accounts of the same video differ: detectors, runs, or a record before and after its review."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Literal, NamedTuple

from engine.core.face_sizes import SIZE_CLASSES
from engine.core.frame_ranges import group_frames
from engine.core.geometry import Box
from engine.evaluation.matching import assign_boxes
from engine.record import Document, Record
from engine.review.apply import AmendedRecord

DifferenceKind = Literal["first", "second", "moved"]
_SAME_IOU = 0.35
"""IoU from which two boxes of a frame are of the same face."""
_MOVED_IOU = 0.7
"""IoU under which the boxes of the same face count as moved."""


class PlacedBox(NamedTuple):
    """A box of one frame, and its track; below 0 for a possible face, which is not masked and in no track."""

    track: int
    box: Box


class Difference(Document, frozen=True):
    """A stretch in which the two accounts differ in one track.

    Attributes:
        kind: "first" or "second": only that one has the face. "moved": both have it, at other places or sizes.
        track: Track of the account that has it, of the first one if both have.
        start: First frame.
        stop: Frame after the last one.
        frame: Frame in which its box is largest.
        box: The box in that frame.
    """

    kind: DifferenceKind
    track: int
    start: int
    stop: int
    frame: int
    box: Box


class RecordDiff(Document, frozen=True):
    """The comparison of two accounts. A face is counted once in each frame.

    Attributes:
        both: Faces that both have, by size class.
        first: Faces that only the first has, by size class.
        second: Faces that only the second has, by size class.
        moved: Faces of `both` at other places or sizes.
        frames: Frames compared.
        frames_differing: Frames in which anything differs.
        differences: The stretches, the largest and longest first.
    """

    both: dict[str, int]
    first: dict[str, int]
    second: dict[str, int]
    moved: int
    frames: int
    frames_differing: int
    differences: tuple[Difference, ...]


Account = Sequence[Sequence[PlacedBox]]
"""What somebody says about a video: the boxes of each frame."""


def list_masked(record: AmendedRecord) -> Account:
    """List what a render of an amended record would mask; without a review, what the record masks.

    Frames that are covered whole are listed by their faces.
    """
    return [
        tuple(PlacedBox(face.track, face.box) for face in frame.faces if not face.visible)
        for frame in record.iterate_frames()
    ]


def list_detected(record: Record, detector: str) -> Account:
    """List what one detector of a record reported, possible faces among it."""
    return [
        (
            *(
                PlacedBox(face.track, one.box)
                for face in frame.faces
                for one in face.evidence
                if one.detector == detector
            ),
            *(PlacedBox(-1 - number, one.box) for number, one in enumerate(frame.doubtful) if one.detector == detector),
        )
        for frame in record.frames
    ]


def compare_accounts(first: Account, second: Account, frames: range | None = None) -> RecordDiff:
    """Compare two accounts of the same video.

    Args:
        first: The boxes of each frame.
        second: The same of the other account.
        frames: Frames to compare; all if left out.
    """
    counts: dict[str, dict[str, int]] = {name: dict.fromkeys(SIZE_CLASSES, 0) for name in ("both", "first", "second")}
    places: dict[tuple[DifferenceKind, int], dict[int, Box]] = defaultdict(dict)
    differing, moved = set(), 0
    frames = range(max(len(first), len(second))) if frames is None else frames
    for index, (one, other) in enumerate(zip_longest(first, second, fillvalue=())):
        if index not in frames:
            continue
        pairs = _match(one, other)
        for position, mate in pairs.items():
            counts["both"][_classify(one[position].box)] += 1
            if one[position].box.iou(other[mate].box) < _MOVED_IOU:
                moved += 1
                places["moved", one[position].track][index] = one[position].box
                differing.add(index)
        for kind, placed in _list_unmatched(one, other, pairs):
            counts[kind][_classify(placed.box)] += 1
            places[kind, placed.track][index] = placed.box
            differing.add(index)
    differences = sorted(_build_stretches(places), key=lambda one: -(one.box.height * (one.stop - one.start)))
    return RecordDiff(
        **counts, moved=moved, frames=len(frames), frames_differing=len(differing), differences=tuple(differences)
    )


def _match(first: Sequence[PlacedBox], second: Sequence[PlacedBox]) -> dict[int, int]:
    # Most frames of a reviewed record are as they were, and comparing every box with every other is slow.
    if first == second:
        return {position: position for position in range(len(first))}
    return assign_boxes([placed.box for placed in first], [placed.box for placed in second], _SAME_IOU)


def _list_unmatched(
    first: Sequence[PlacedBox], second: Sequence[PlacedBox], pairs: dict[int, int]
) -> Iterator[tuple[Literal["first", "second"], PlacedBox]]:
    mates = set(pairs.values())
    yield from (("first", placed) for position, placed in enumerate(first) if position not in pairs)
    yield from (("second", placed) for position, placed in enumerate(second) if position not in mates)


def _build_stretches(places: dict[tuple[DifferenceKind, int], dict[int, Box]]) -> Iterable[Difference]:
    for (kind, track), boxes in places.items():
        for start, stop in group_frames(sorted(boxes)):
            frame = max(range(start, stop), key=lambda index: (boxes[index].area, -index))
            yield Difference(kind, track, start, stop, frame, boxes[frame])


def _classify(box: Box) -> str:
    return next(name for name, (least, limit) in SIZE_CLASSES.items() if least <= box.height < limit)
