"""A record and its review side by side, for whoever works without a browser: a notebook, a script, the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.core.geometry import Box
from engine.errors import RecordError
from engine.record import Record, decode_record, read_document_bytes, sha256_hex
from engine.review.amendments import (
    Accept,
    Action,
    Add,
    Amendment,
    Author,
    Cover,
    Delete,
    Extend,
    KeepVisible,
    Keyframe,
    Resize,
    Review,
    Undo,
)
from engine.review.apply import AmendedFrame, AmendedRecord
from engine.review.queue import ReviewItem, find_review_items, mark_items
from engine.review.review_file import append_amendment, read_review, repair_review

BoxEdges = Box | Sequence[float]
"""A box, or its left, top, right and bottom, in display pixels."""


class ReviewEditor:
    """A record with its review, and one author who amends it.

    Every amendment is on stable storage when its method returns. Ranges are half-open: `stop` is the first frame after.

    Attributes:
        path: of the record.
        record: what was found.
        record_sha256: of the record's stored bytes.
        review_path: where the amendments are, or will be.
    """

    def __init__(self, record: Path | str, review: Path | str, by: Author) -> None:
        """Open a record and its review; the review's file need not exist yet.

        Raises:
            RecordError: the record is invalid.
        """
        self.path, self.review_path = Path(record), Path(review)
        data = read_document_bytes(self.path)
        self.record: Record = decode_record(data, str(record))
        self.record_sha256 = sha256_hex(data)
        self._author = by
        self._items: tuple[ReviewItem, ...] | None = None

    @property
    def review(self) -> Review:
        """The amendments as they are stored now.

        Raises:
            RecordError: the review cannot be read, or is of another record.
        """
        return read_review(self.review_path, self.record_sha256, missing_ok=True)

    def load_frame(self, index: int) -> AmendedFrame:
        """A frame as the reviewers left it."""
        return AmendedRecord(self.record, self.review).build_frame(index)

    def list_review_items(self) -> tuple[ReviewItem, ...]:
        """What leaves doubt, the greatest risk first, each with its state."""
        if self._items is None:
            self._items = find_review_items(self.record)
        return mark_items(self._items, self.review)

    def add_face(self, boxes: Mapping[int, BoxEdges], reason: str = "") -> Amendment:
        """Add a face that was missed; `boxes` by frame, interpolated between.

        Raises:
            RecordError: as every amendment: it does not fit the record, and nothing was written.
            TargetError: as every amendment: the review cannot be written.
        """
        return self._append_action(lambda: Add(_build_keyframes(boxes)), reason)

    def resize_face(self, track: int, boxes: Mapping[int, BoxEdges], reason: str = "") -> Amendment:
        """Give the faces of a track other boxes, from the first frame of `boxes` to the last."""
        return self._append_action(lambda: Resize(track, _build_keyframes(boxes)), reason)

    def delete_face(self, track: int, start: int, stop: int, reason: str = "") -> Amendment:
        """Take what a track has in these frames for no face."""
        return self._append_action(lambda: Delete(track, start, stop), reason)

    def keep_visible(self, track: int, start: int, stop: int, reason: str) -> Amendment:
        """Show whom a track follows in these frames."""
        return self._append_action(lambda: KeepVisible(track, start, stop), reason)

    def extend_track(self, track: int, start: int, stop: int, reason: str = "") -> Amendment:
        """Let a track go on through these frames."""
        return self._append_action(lambda: Extend(track, start, stop), reason)

    def cover_frames(self, start: int, stop: int, reason: str = "") -> Amendment:
        """Cover these frames whole."""
        return self._append_action(lambda: Cover(start, stop), reason)

    def accept_item(self, item: ReviewItem | str, reason: str = "") -> Amendment:
        """Say that a spot, or the one with that key, was looked at and is right."""
        key = item.key if isinstance(item, ReviewItem) else item
        if key not in {one.key for one in self.list_review_items()}:
            raise RecordError(f"{self.path} has no spot {key}; `veil review` lists those it has.")
        return self._append_action(lambda: Accept(key), reason)

    def undo_amendment(self, amendment: Amendment | int, reason: str = "") -> Amendment:
        """Take back an amendment; taking back an undo brings its amendment back."""
        number = amendment.number if isinstance(amendment, Amendment) else amendment
        return self._append_action(lambda: Undo(number), reason)

    def repair_file(self) -> Review:
        """Put right a last line that a crash tore."""
        return repair_review(self.review_path, self.record_sha256)

    def _append_action(self, make_action: Callable[[], Action], reason: str) -> Amendment:
        try:
            action = make_action()
        except ValueError as error:
            raise RecordError(f"That cannot be amended: {error}.") from error
        return append_amendment(self.review_path, self.record, self.record_sha256, action, self._author, reason)


def _build_keyframes(boxes: Mapping[int, BoxEdges]) -> tuple[Keyframe, ...]:
    return tuple(
        Keyframe(index, box if isinstance(box, Box) else _build_box(index, box)) for index, box in boxes.items()
    )


def _build_box(index: int, edges: Sequence[float]) -> Box:
    try:
        return Box(*map(float, edges))
    except (TypeError, ValueError) as error:
        raise RecordError(f"The box in frame {index} is none: {error}.") from error
