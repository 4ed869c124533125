"""What a reviewer says of a record: amendments, one canonical JSON line each, never edited, only added to.

The types below are the parser, the writer and the published JSON Schema at once. Ranges of frames are half-open ranges
of indices. A keyframe says where a face is in one frame; between two of them its box is interpolated linearly.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec

from engine.core.geometry import Box
from engine.record import Count, Document, Sha256, Timestamp
from engine.review.item_key import ReviewItemKeyText

SCHEMA: Literal["veil/amendment/1"] = "veil/amendment/1"

MIN_BOX_SIDE_PX = 2.0
"""Least width and height of a reviewer's box in display pixels; less is a slip of the hand."""
_ROUNDING_TOLERANCE_PX = 1e-6

AmendmentNumber = Annotated[int, msgspec.Meta(ge=1)]
PersonName = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S")]
Reason = Annotated[str, msgspec.Meta(max_length=2000)]


class Author(Document, frozen=True):
    """Who amends: the account, and the name as it is to be printed."""

    account: PersonName
    name: PersonName


class Keyframe(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a face is in one frame: index of the frame, box in display pixels."""

    index: Count
    box: Box


Keyframes = Annotated[tuple[Keyframe, ...], msgspec.Meta(min_length=1, description="frame indices rise")]


class Add(Document, frozen=True, tag_field="kind", tag="add"):
    """A face that was missed: a new track from the first keyframe to the last, both included."""

    keyframes: Keyframes

    def __post_init__(self) -> None:
        _check_keyframes(self.keyframes)


class Resize(Document, frozen=True, tag_field="kind", tag="resize"):
    """Other boxes for the faces that a track has from the first keyframe to the last, both included."""

    track: Count
    keyframes: Keyframes

    def __post_init__(self) -> None:
        _check_keyframes(self.keyframes)


class Delete(Document, frozen=True, tag_field="kind", tag="delete"):
    """What a track has in these frames is no face."""

    track: Count
    start: Count
    stop: Count

    def __post_init__(self) -> None:
        _check_range(self.start, self.stop)


class KeepVisible(Document, frozen=True, tag_field="kind", tag="keep_visible"):
    """The person whom a track follows is to be seen in these frames; the amendment's reason says why."""

    track: Count
    start: Count
    stop: Count

    def __post_init__(self) -> None:
        _check_range(self.start, self.stop)


class Extend(Document, frozen=True, tag_field="kind", tag="extend"):
    """A track is to go on through these frames: where it has no face, its nearest box is held."""

    track: Count
    start: Count
    stop: Count

    def __post_init__(self) -> None:
        _check_range(self.start, self.stop)


class Cover(Document, frozen=True, tag_field="kind", tag="cover"):
    """These frames are to be covered whole."""

    start: Count
    stop: Count

    def __post_init__(self) -> None:
        _check_range(self.start, self.stop)


class Accept(Document, frozen=True, tag_field="kind", tag="accept"):
    """A doubtful spot was looked at and is right as it is."""

    spot: ReviewItemKeyText


class FlaggedPlace(Document, frozen=True):
    """A place that should be looked at: frames, the one that shows it best, its box there, and how similar it is."""

    start: Count
    stop: Count
    frame: Count
    box: Box
    similarity: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]

    def __post_init__(self) -> None:
        _check_range(self.start, self.stop)
        if not self.start <= self.frame < self.stop:
            raise ValueError(f"frame {self.frame} of a place is not in its frames {self.start} to {self.stop - 1}")


class Flag(Document, frozen=True, tag_field="kind", tag="flag"):
    """These places look like the face that a reviewer chose, and are to be checked; changes no mask."""

    frame: Count
    box: Box
    places: Annotated[tuple[FlaggedPlace, ...], msgspec.Meta(min_length=1, max_length=1000)]


class Undo(Document, frozen=True, tag_field="kind", tag="undo"):
    """An earlier amendment, by its number, is to count no longer; that of an undo makes its amendment count again."""

    amendment: AmendmentNumber


Action = Add | Resize | Delete | KeepVisible | Extend | Cover | Accept | Flag | Undo


class Amendment(Document, frozen=True):
    """One line of a review.

    Attributes:
        schema: always "veil/amendment/1".
        number: 1 for the first line, and so on.
        previous: SHA-256 of the line before without its newline; for the first line, of the record's stored bytes.
        by: who.
        at: when.
        reason: why, in words; may be empty but for `keep_visible`.
        action: what.
    """

    schema: Literal["veil/amendment/1"]
    number: AmendmentNumber
    previous: Sha256
    by: Author
    at: Timestamp
    reason: Reason
    action: Action

    def __post_init__(self) -> None:
        if isinstance(self.action, KeepVisible) and not self.reason.strip():
            raise ValueError("keeping a person visible needs a reason")
        if isinstance(self.action, Undo) and self.action.amendment >= self.number:
            raise ValueError(f"amendment {self.number} can undo an earlier one only, not {self.action.amendment}")


class Review(Document, frozen=True):
    """All amendments of a record, in order.

    Attributes:
        record_sha256: of the record's stored bytes.
        amendments: in order.
        sha256: of the stored bytes of the file; of no bytes when there are no amendments.
    """

    record_sha256: Sha256
    amendments: tuple[Amendment, ...]
    sha256: Sha256


def build_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line of a review, generated from the types that parse it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "Veil amendment",
        **msgspec.json.schema(Amendment),
    }


def find_effective_amendments(amendments: tuple[Amendment, ...]) -> tuple[Amendment, ...]:
    """The amendments that count: those that no counting undo names. An undo that counts is among them."""
    undone: set[int] = set()
    counting = []
    # From the newest to the oldest: whether an undo counts is known before the amendment that it names is reached, so
    # that an undo of an undo needs no second pass.
    for amendment in reversed(amendments):
        if amendment.number not in undone:
            counting.append(amendment)
            if isinstance(amendment.action, Undo):
                undone.add(amendment.action.amendment)
    return tuple(reversed(counting))


def _check_keyframes(keyframes: tuple[Keyframe, ...]) -> None:
    for before, after in pairwise(keyframes):
        if after.index <= before.index:
            raise ValueError(f"keyframes must rise, and frame {after.index} comes after frame {before.index}")
    for keyframe in keyframes:
        if min(keyframe.box.width, keyframe.box.height) < MIN_BOX_SIDE_PX - _ROUNDING_TOLERANCE_PX:
            raise ValueError(
                f"the box in frame {keyframe.index} must be at least {MIN_BOX_SIDE_PX:g} pixels wide and high"
            )


def _check_range(start: int, stop: int) -> None:
    if start >= stop:
        raise ValueError(f"a range of frames needs start < stop, got {start} and {stop}")
