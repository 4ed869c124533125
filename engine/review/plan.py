"""From a record and its review to what a render does to each frame. Runs no model, reads no file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.core.geometry import Box
from engine.record import Record
from engine.review.amendments import Review
from engine.review.apply import AmendedFrame, AmendedRecord


@dataclass(frozen=True, slots=True)
class FramePlan:
    """What becomes of one frame.

    Attributes:
        index: its place in presentation order.
        pts: its presentation timestamp in the video's time base.
        boxes: faces to mask, in display pixels.
        covered: the whole frame is covered: it could not be decoded whole, a live run covered it, or a reviewer does.
        visible: faces that a reviewer keeps visible, in display pixels; a box of `boxes` that overlaps still masks.
    """

    index: int
    pts: int
    boxes: tuple[Box, ...]
    covered: bool
    visible: tuple[Box, ...] = ()


def plan_frames(record: Record, review: Review | None = None) -> Iterator[FramePlan]:
    """The plan of every frame, in order.

    Raises:
        RecordError: an amendment does not fit the record; the message names its line.
    """
    return plan_amended_record(AmendedRecord(record, review))


def plan_amended_record(amended_record: AmendedRecord) -> Iterator[FramePlan]:
    """The plan of every frame of a record with its amendments, in order."""
    return map(plan_frame, amended_record.iterate_frames())


def plan_frame(frame: AmendedFrame) -> FramePlan:
    """The plan of one frame as its reviewers left it."""
    boxes = tuple(face.box for face in frame.faces if not face.visible)
    visible = tuple(face.box for face in frame.faces if face.visible)
    return FramePlan(frame.index, frame.pts, boxes, frame.covered, visible)
