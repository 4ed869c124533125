"""A record and its review side by side, for whoever works without a browser: a notebook, a script, the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine import record as records
from engine.core.geometry import Box
from engine.errors import RecordError
from engine.record import Record
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
from engine.review.apply import AmendedFrame, Folded
from engine.review.queue import Spot, find_spots, marked
from engine.review.review_file import append, read_review, repair

Edges = Box | Sequence[float]
"""A box, or its left, top, right and bottom, in display pixels."""


class Sheet:
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
        data = records.read_bytes(self.path)
        self.record: Record = records.decode(data, str(record))
        self.record_sha256 = records.digest(data)
        self._by = by
        self._spots: tuple[Spot, ...] | None = None

    @property
    def review(self) -> Review:
        """The amendments as they are stored now.

        Raises:
            RecordError: the review cannot be read, or is of another record.
        """
        return read_review(self.review_path, self.record_sha256, missing_ok=True)

    def frame(self, index: int) -> AmendedFrame:
        """A frame as the reviewers left it."""
        return Folded(self.record, self.review).frame(index)

    def spots(self) -> tuple[Spot, ...]:
        """What leaves doubt, the greatest risk first, each with its state."""
        if self._spots is None:
            self._spots = find_spots(self.record)
        return marked(self._spots, self.review)

    def add(self, boxes: Mapping[int, Edges], reason: str = "") -> Amendment:
        """Add a face that was missed; `boxes` by frame, interpolated between.

        Raises:
            RecordError: as every amendment: it does not fit the record, and nothing was written.
            TargetError: as every amendment: the review cannot be written.
        """
        return self._amend(lambda: Add(_keyframes(boxes)), reason)

    def resize(self, track: int, boxes: Mapping[int, Edges], reason: str = "") -> Amendment:
        """Give the faces of a track other boxes, from the first frame of `boxes` to the last."""
        return self._amend(lambda: Resize(track, _keyframes(boxes)), reason)

    def delete(self, track: int, start: int, stop: int, reason: str = "") -> Amendment:
        """Take what a track has in these frames for no face."""
        return self._amend(lambda: Delete(track, start, stop), reason)

    def keep_visible(self, track: int, start: int, stop: int, reason: str) -> Amendment:
        """Show whom a track follows in these frames."""
        return self._amend(lambda: KeepVisible(track, start, stop), reason)

    def extend(self, track: int, start: int, stop: int, reason: str = "") -> Amendment:
        """Let a track go on through these frames."""
        return self._amend(lambda: Extend(track, start, stop), reason)

    def cover(self, start: int, stop: int, reason: str = "") -> Amendment:
        """Cover these frames whole."""
        return self._amend(lambda: Cover(start, stop), reason)

    def accept(self, spot: Spot | str, reason: str = "") -> Amendment:
        """Say that a spot, or the one with that key, was looked at and is right."""
        key = spot.key if isinstance(spot, Spot) else spot
        if key not in {one.key for one in self.spots()}:
            raise RecordError(f"{self.path} has no spot {key}; `veil review` lists those it has.")
        return self._amend(lambda: Accept(key), reason)

    def undo(self, amendment: Amendment | int, reason: str = "") -> Amendment:
        """Take back an amendment; taking back an undo brings its amendment back."""
        number = amendment.number if isinstance(amendment, Amendment) else amendment
        return self._amend(lambda: Undo(number), reason)

    def repair(self) -> Review:
        """Put right a last line that a crash tore."""
        return repair(self.review_path, self.record_sha256)

    def _amend(self, made: Callable[[], Action], reason: str) -> Amendment:
        try:
            action = made()
        except ValueError as error:
            raise RecordError(f"That cannot be amended: {error}.") from error
        return append(self.review_path, self.record, self.record_sha256, action, self._by, reason)


def _keyframes(boxes: Mapping[int, Edges]) -> tuple[Keyframe, ...]:
    return tuple(Keyframe(index, box if isinstance(box, Box) else _box(index, box)) for index, box in boxes.items())


def _box(index: int, edges: Sequence[float]) -> Box:
    try:
        return Box(*map(float, edges))
    except (TypeError, ValueError) as error:
        raise RecordError(f"The box in frame {index} is none: {error}.") from error
