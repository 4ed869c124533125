"""Comparison of the frames that two ranges have in common: both must say the same of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from engine.detection.frame_detections import FrameDetections


class OverlapDifference(NamedTuple):
    """The first frame of an overlap of which two ranges say different things.

    Attributes:
        frame: its position in the overlap.
        kind: "decoded": decoding from a keyframe gave another picture than decoding from the beginning; "detected": the
            detectors gave other answers for the same picture.
    """

    frame: int
    kind: Literal["decoded", "detected"]


def find_difference(
    before: Sequence[FrameDetections], after: Sequence[FrameDetections], first: int
) -> OverlapDifference | None:
    """Compare the end of one range with the overlap of the next; None if they agree.

    Args:
        before: detections of the last frames of a range, decoded from further ahead.
        after: those of the same frames in the range that follows.
        first: position of the first frame that is compared; the range that follows could not decide about looks at
            those before.
    """
    if len(before) != len(after):
        return OverlapDifference(0, "decoded")
    pairs = list(enumerate(zip(before, after, strict=True)))[first:]
    # The pictures first: detections of different pictures differ, too.
    for position, (one, other) in pairs:
        if (one.pts, one.damaged, one.change) != (other.pts, other.damaged, other.change):
            return OverlapDifference(position, "decoded")
        if one.by_detector.keys() != other.by_detector.keys():
            return OverlapDifference(position, "decoded")
    for position, (one, other) in pairs:
        if one.by_detector != other.by_detector:
            return OverlapDifference(position, "detected")
    return None
