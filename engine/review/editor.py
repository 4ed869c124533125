"""A record with its review, for use without a browser: in a notebook, a script or on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.core.geometry import Box
from engine.errors import RecordError
from engine.record import read_hashed_record
from engine.review.amendments import (
    Accept,
    Action,
    Add,
    Amendment,
    Author,
    Cover,
    Delete,
    Extend,
    Flag,
    FlaggedPlace,
    KeepVisible,
    Keyframe,
    Resize,
    Review,
    Undo,
)
from engine.review.apply import AmendedFrame, AmendedRecord
from engine.review.queue import ReviewItem, find_review_items, list_items
from engine.review.review_file import append_amendment, read_review, repair_review

BoxEdges = Box | Sequence[float]
"""A box, or its left, top, right and bottom, in display pixels."""


class ReviewEditor:
    """A record with its review, and one author who amends it.

    Every amendment is on stable storage when its method returns. Ranges are half-open: `stop` is the first frame after.

    Attributes:
        path: Path of the record.
        record: The record.
        record_sha256: SHA-256 of the record's stored bytes.
        review_path: Path of the review.
    """

    def __init__(
        self,
        record: Path | str,
        review: Path | str,
        by: Author,
        append: Callable[[Action, str], Amendment] | None = None,
    ) -> None:
        """Open a record and its review; the file of the review need not exist yet.

        Args:
            record: Path of the record.
            review: Path of the review.
            by: The author.
            append: Appends an action with a reason; None: it is appended to the file alone. In a run, amendments are
                logged as well (`engine.approval.reviewer_actions`).

        Raises:
            RecordError: The record is invalid.
        """
        self.path, self.review_path = Path(record), Path(review)
        self.record, self.record_sha256 = read_hashed_record(self.path)
        self._author, self._append = by, append
        self._items: tuple[ReviewItem, ...] | None = None

    @property
    def review(self) -> Review:
        """The amendments as they are stored now.

        Raises:
            ReviewError: The review cannot be read, or belongs to another record.
        """
        return read_review(self.review_path, self.record_sha256, missing_ok=True)

    @property
    def amended(self) -> AmendedRecord:
        """The record with the amendments applied as they are stored now.

        Raises:
            ReviewError: The review cannot be read, or belongs to another record.
        """
        return AmendedRecord(self.record, self.review)

    def load_frame(self, index: int) -> AmendedFrame:
        """Return a frame with its amendments applied."""
        return self.amended.build_frame(index)

    def list_review_items(self) -> tuple[ReviewItem, ...]:
        """Return the items to check, greatest risk first, each with its state."""
        if self._items is None:
            self._items = find_review_items(self.record)
        review = self.review
        return list_items(self._items, AmendedRecord(self.record, review), review)

    def add_face(self, boxes: Mapping[int, BoxEdges], reason: str = "") -> Amendment:
        """Add a face that was missed; `boxes` are by frame, and are interpolated between these frames.

        Raises:
            RecordError: As for every amendment: it does not fit the record, and nothing was written.
            TargetError: As for every amendment: the review cannot be written.
        """
        return self._append_action(lambda: Add(_build_keyframes(boxes)), reason)

    def resize_face(self, track: int, boxes: Mapping[int, BoxEdges], reason: str = "") -> Amendment:
        """Give the faces of a track other boxes, from the first frame of `boxes` to the last."""
        return self._append_action(lambda: Resize(track, _build_keyframes(boxes)), reason)

    def delete_face(self, track: int, start: int, stop: int, reason: str) -> Amendment:
        """Remove the masks of a track in these frames, because they hide no face; the reason says what they hide."""
        return self._append_action(lambda: Delete(track, start, stop), reason)

    def keep_visible(self, track: int, start: int, stop: int, reason: str) -> Amendment:
        """Keep the person of a track visible in these frames."""
        return self._append_action(lambda: KeepVisible(track, start, stop), reason)

    def extend_track(self, track: int, start: int, stop: int, reason: str = "") -> Amendment:
        """Extend a track through these frames."""
        return self._append_action(lambda: Extend(track, start, stop), reason)

    def cover_frames(self, start: int, stop: int, reason: str = "") -> Amendment:
        """Cover these frames completely."""
        return self._append_action(lambda: Cover(start, stop), reason)

    def accept_item(self, item: ReviewItem | str, reason: str = "") -> Amendment:
        """Accept an item to check, given as such or by its key: it was viewed and is right."""
        key = item.key if isinstance(item, ReviewItem) else item
        if key not in {one.key for one in self.list_review_items()}:
            raise RecordError(f"{self.path} has no item to check with the key {key}; `veil review` lists the keys.")
        return self._append_action(lambda: Accept(key), reason)

    def flag_places(self, frame: int, box: BoxEdges, places: Sequence[FlaggedPlace], reason: str = "") -> Amendment:
        """Ask to check places that look like a face, given by the frame and the box of that face."""
        return self._append_action(
            lambda: Flag(frame, box if isinstance(box, Box) else _build_box(frame, box), tuple(places)), reason
        )

    def undo_amendment(self, amendment: Amendment | int, reason: str = "") -> Amendment:
        """Undo an amendment; undoing an undo makes its amendment count again."""
        number = amendment.number if isinstance(amendment, Amendment) else amendment
        return self._append_action(lambda: Undo(number), reason)

    def repair_file(self) -> Review:
        """Complete or remove an unfinished last line, as a crash leaves it."""
        return repair_review(self.review_path, self.record_sha256)

    def _append_action(self, make_action: Callable[[], Action], reason: str) -> Amendment:
        try:
            action = make_action()
        except ValueError as error:
            raise RecordError(f"That cannot be amended: {error}.") from error
        if self._append is not None:
            return self._append(action, reason)
        return append_amendment(self.review_path, self.record, self.record_sha256, action, self._author, reason)


def _build_keyframes(boxes: Mapping[int, BoxEdges]) -> tuple[Keyframe, ...]:
    return tuple(
        Keyframe(index, box if isinstance(box, Box) else _build_box(index, box)) for index, box in boxes.items()
    )


def _build_box(index: int, edges: Sequence[float]) -> Box:
    try:
        return Box(*map(float, edges))
    except (TypeError, ValueError) as error:
        raise RecordError(
            f"The box in frame {index} is invalid: {error}. Give left, top, right and bottom in display pixels."
        ) from error
