"""From a record to what a render does to each frame. Runs no model, reads no file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.geometry import Box
from engine.record import Record


@dataclass(frozen=True, slots=True)
class FramePlan:
    """What becomes of one frame.

    Attributes:
        index: its place in presentation order.
        pts: its presentation timestamp in the video's time base.
        boxes: faces to mask, in display pixels.
        covered: the whole frame is covered, because it could not be decoded whole or a live run covered it.
    """

    index: int
    pts: int
    boxes: tuple[Box, ...]
    covered: bool


def plan_frames(record: Record) -> Iterator[FramePlan]:
    """The plan of every frame, in order."""
    covered = frozenset(record.damaged + record.covered)
    for frame in record.frames:
        boxes = tuple(face.box for face in frame.faces)
        yield FramePlan(frame.index, frame.pts, boxes, frame.index in covered)
