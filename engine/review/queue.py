"""The review queue: items to check in a record, greatest risk first, and which of them are closed.

Items follow from the record alone, so that no amendment changes their keys. An item is closed by an amendment that
accepts it, or by one that changes what is masked there. The exceptions come from the review: each mask that a reviewer
removed leaves an item of its own, so that a second look is asked for before anyone signs, and so does each place that a
reviewer flagged because it looks like a missed face.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from engine.core.frame_ranges import FrameRange, describe_range
from engine.core.geometry import Box
from engine.record import Count, Document, Record
from engine.review.amendments import (
    Accept,
    Add,
    Amendment,
    Cover,
    Delete,
    Extend,
    Flag,
    FlaggedPlace,
    KeepVisible,
    Resize,
    Review,
    find_effective_amendments,
)
from engine.review.apply import AmendedRecord, RemovedMask
from engine.review.item_key import ReviewItemKey, ReviewItemKeyText
from engine.review.risk_rules import RiskKind, compute_risk, find_flagged_ranges

ReviewItemState = Literal["open", "accepted", "amended"]

_CLOSED_BY_NEW_FACE: frozenset[RiskKind] = frozenset(
    {"doubtful", "hole", "start", "end", "gap", "cut", "removed", "similar"}
)
"""Kinds of items that an added face closes."""


class ReviewItem(Document, frozen=True):
    """A range of frames that a reviewer should check, for one reason.

    Attributes:
        key: The key that amendments name the item by; see `engine.review.item_key`.
        kind: The rule that found it.
        track: The track, None if the item belongs to no track in particular.
        start: First frame.
        stop: First frame after it.
        frame: The frame to look at first.
        box: The place to look at in that frame, in display pixels; None for the whole frame.
        reason: The reason in words.
        risk: Estimate from rules, 0 to 1, of how likely and how badly a face shows. For ranking; not a probability.
        state: "accepted" or "amended" if the item is closed.
        closed_by: Number of the amendment that closed it.
    """

    key: ReviewItemKeyText
    kind: RiskKind
    track: Count | None
    start: Count
    stop: Count
    frame: Count
    box: Box | None
    reason: str
    risk: float
    state: ReviewItemState = "open"
    closed_by: int | None = None


def build_review_queue(record: Record, review: Review | None = None) -> tuple[ReviewItem, ...]:
    """Return the items to check of a record, greatest risk first, each with its state after the review.

    Raises:
        RecordError: The review belongs to another record.
    """
    return list_items(find_review_items(record), AmendedRecord(record, review), review)


def list_items(
    items: Sequence[ReviewItem], amended: AmendedRecord, review: Review | None = None
) -> tuple[ReviewItem, ...]:
    """Return the items of a record and those that its review adds, greatest risk first, each with its state.

    Args:
        items: The items from `find_review_items`.
        amended: The record with its amendments applied.
        review: These amendments.
    """
    added = [_build_removal_item(amended, mask) for mask in amended.find_removed()]
    added += [_build_flag_item(*flagged) for flagged in _find_flagged(amended.amendments)]
    # Sorted only if there is something to merge: a page does this for every amendment, over thousands of items.
    merged = _sort_items([*items, *added]) if added else items
    return mark_items(merged, review)


def _build_removal_item(amended: AmendedRecord, mask: RemovedMask) -> ReviewItem:
    """Build the item that a removed mask leaves, shown in the middle of its frames."""
    frame = (mask.start + mask.stop) // 2
    box = next(face.box for face, _ in amended.list_removed_faces(frame) if face.track == mask.track)
    frames = describe_range(mask.start, mask.stop)
    because = f": {mask.reason}" if mask.reason else ", without a reason"
    return ReviewItem(
        key=ReviewItemKey("removed", mask.track, mask.start, mask.stop).format(),
        kind="removed",
        track=mask.track,
        start=mask.start,
        stop=mask.stop,
        frame=frame,
        box=box,
        reason=f"{mask.by.name} removed the mask of track {mask.track} in {frames}{because}",
        risk=round(compute_risk("removed", box, mask.stop - mask.start), 3),
    )


def _find_flagged(amendments: tuple[Amendment, ...]) -> Iterator[tuple[int, Amendment, FlaggedPlace]]:
    """Yield the places that reviewers flagged, each with its number and the amendment that names it.

    The number counts the places of all such amendments from 0, also of those that were undone, so that it never means
    another place.
    """
    effective = {amendment.number for amendment in find_effective_amendments(amendments)}
    number = 0
    for amendment in amendments:
        if isinstance(amendment.action, Flag):
            for place in amendment.action.places:
                if amendment.number in effective:
                    yield number, amendment, place
                number += 1


def _build_flag_item(number: int, amendment: Amendment, place: FlaggedPlace) -> ReviewItem:
    """Build the item for a place that a reviewer flagged."""
    assert isinstance(amendment.action, Flag)
    chosen = f"the face that {amendment.by.name} chose in frame {amendment.action.frame}"
    risk = compute_risk("similar", place.box, place.stop - place.start) * (0.5 + place.similarity / 2)
    return ReviewItem(
        key=ReviewItemKey("similar", number, place.start, place.stop).format(),
        kind="similar",
        track=None,
        start=place.start,
        stop=place.stop,
        frame=place.frame,
        box=place.box,
        reason=f"looks like {chosen} (similarity {place.similarity:.2f}), and no mask covers it",
        risk=round(risk, 3),
    )


def find_review_items(record: Record) -> tuple[ReviewItem, ...]:
    """Return the items to check of a record without a review, greatest risk first."""
    found = (
        ReviewItem(
            key=ReviewItemKey(one.kind, one.track, one.start, one.stop).format(),
            kind=one.kind,
            track=one.track,
            start=one.start,
            stop=one.stop,
            frame=one.frame,
            box=one.box,
            reason=one.reason,
            risk=round(one.risk, 3),
        )
        for one in find_flagged_ranges(record)
    )
    return _sort_items(found)


def _sort_items(items: Iterable[ReviewItem]) -> tuple[ReviewItem, ...]:
    return tuple(sorted(items, key=lambda item: (-item.risk, item.start, item.key)))


def mark_items(items: Iterable[ReviewItem], review: Review | None) -> tuple[ReviewItem, ...]:
    """Return the items in the same order, each with its state after the review."""
    closing = _ClosingAmendments(find_effective_amendments(review.amendments) if review else ())
    return tuple(closing.mark_item(spot) for spot in items)


class _ClosingAmendments:
    """The amendments that count, arranged by the items that they can close."""

    def __init__(self, amendments: Sequence[Amendment]) -> None:
        self._accepted: dict[str, int] = {}
        self._tracks: defaultdict[int, list[tuple[FrameRange, int]]] = defaultdict(list)
        self._covers: list[tuple[FrameRange, int]] = []
        self._adds: list[tuple[Add, int]] = []
        for amendment in amendments:
            self._add_amendment(amendment)

    def _add_amendment(self, amendment: Amendment) -> None:
        number = amendment.number
        match amendment.action:
            case Accept(spot):
                self._accepted[spot] = number
            case Resize(track, keyframes):
                self._tracks[track].append(((keyframes[0].index, keyframes[-1].index + 1), number))
            case Delete(track, start, stop) | KeepVisible(track, start, stop) | Extend(track, start, stop):
                self._tracks[track].append(((start, stop), number))
            case Cover(start, stop):
                self._covers.append(((start, stop), number))
            case Add() as add:
                self._adds.append((add, number))

    def mark_item(self, item: ReviewItem) -> ReviewItem:
        """Return the item with its state."""
        # An acceptance is about this very item and comes first; a change nearby may close the item by chance.
        if item.key in self._accepted:
            return msgspec.structs.replace(item, state="accepted", closed_by=self._accepted[item.key])
        number = self._find_closing_amendment(item)
        return item if number is None else msgspec.structs.replace(item, state="amended", closed_by=number)

    def _find_closing_amendment(self, item: ReviewItem) -> int | None:
        """Return the last amendment that changes the masks of an item: on its track, over all of it, or a new face."""
        # A cover has to hide every frame of the item; a change of its track only has to touch it, because it shows that
        # the reviewer looked at this place of the track.
        touching = [number for (start, stop), number in self._covers if start <= item.start and item.stop <= stop]
        # What removed a mask, or changed the track before, is no second look at the removal.
        if item.track is not None and item.kind != "removed":
            spans = self._tracks.get(item.track, ())
            touching += [number for (start, stop), number in spans if start < item.stop and item.start < stop]
        if item.kind in _CLOSED_BY_NEW_FACE:
            touching += [number for add, number in self._adds if _is_missed_face(add, item)]
        return max(touching, default=None)


def _is_missed_face(add: Add, item: ReviewItem) -> bool:
    """Whether an added face is the one that an item is about: in its frames, and at its place."""
    keyframes = add.keyframes
    if keyframes[0].index >= item.stop or keyframes[-1].index < item.start:
        return False
    return item.box is None or any(keyframe.box.intersection_area(item.box) > 0 for keyframe in keyframes)
