"""The detections of one frame, as a detection run holds them before the timeline is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.detectors.base import Receipt
from engine.record import Detection
from engine.timeline.carried import CarriedPath


@dataclass(frozen=True, slots=True)
class FrameDetections:
    """The detections of one frame by all detectors that were given it.

    Attributes:
        pts: presentation time stamp in the video's time base.
        damaged: True if the decoder could not restore the frame completely.
        change: change from the frame before (see `engine.timeline.cuts.measure_change`).
        by_detector: detections in display pixels by detector name; a detector that was not given the frame is absent,
            one that found nothing has an empty tuple.
        receipts: proof of each call to a remote detector, by detector name.
        carried: paths of faces that were carried from looks, complete with this frame.
    """

    pts: int
    damaged: bool
    change: float
    by_detector: Mapping[str, Sequence[Detection]]
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    carried: tuple[CarriedPath, ...] = ()

    def __iter__(self) -> Iterator[Detection]:
        for detections in self.by_detector.values():
            yield from detections


def merge_passes(passes: Sequence[Sequence[FrameDetections]]) -> tuple[FrameDetections, ...]:
    """Merge the detections of a first pass with those of a second, if there was one.

    Args:
        passes: one or two passes over the same frames; the second may have ended early.
    """
    first, *later = passes
    if not later:
        return tuple(first)
    (second,) = later
    merged = (
        FrameDetections(
            one.pts, one.damaged, one.change, {**one.by_detector, **other.by_detector}, other.receipts, one.carried
        )
        for one, other in zip(first, second, strict=False)
    )
    # A run that fails in the second pass still needs its transfer ledger: keep the frames that were not reached.
    return (*merged, *first[len(second) :])
