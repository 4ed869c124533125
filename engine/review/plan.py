"""The plan of a render: what is covered in each frame, from a record and its review. Runs no model, reads no file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.core.geometry import Box
from engine.record import Record
from engine.review.amendments import Review
from engine.review.apply import AmendedFrame, AmendedRecord


@dataclass(frozen=True, slots=True)
class FramePlan:
    """What is covered in one frame.

    Attributes:
        index: Position in presentation order.
        pts: Presentation timestamp in the video's time base.
        boxes: Faces to mask, in display pixels.
        covered: Whether the whole frame is covered: it is damaged, or a live run or a reviewer covered it.
        visible: Faces that a reviewer keeps visible, in display pixels. A box of `boxes` that overlaps still masks.
    """

    index: int
    pts: int
    boxes: tuple[Box, ...]
    covered: bool
    visible: tuple[Box, ...] = ()


def plan_frames(record: Record, review: Review | None = None) -> Iterator[FramePlan]:
    """Plan every frame, in order.

    Raises:
        RecordError: An amendment does not fit the record; the message names its line.
    """
    return plan_amended_record(AmendedRecord(record, review))


def plan_amended_record(amended_record: AmendedRecord) -> Iterator[FramePlan]:
    """Plan every frame of an amended record, in order."""
    return map(plan_frame, amended_record.iterate_frames())


def plan_frame(frame: AmendedFrame) -> FramePlan:
    """Plan one frame of an amended record."""
    boxes = tuple(face.box for face in frame.faces if not face.visible)
    visible = tuple(face.box for face in frame.faces if face.visible)
    return FramePlan(frame.index, frame.pts, boxes, frame.covered, visible)
