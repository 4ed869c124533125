"""The detections of one frame, as a detection run holds them before the timeline is built."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import overload

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


class FrameTable(Sequence[FrameDetections]):
    """The detections of many frames in little memory: most frames of a long video have none.

    Args:
        frames: the frames, which are not kept.
    """

    def __init__(self, frames: Iterable[FrameDetections] = ()) -> None:
        self._pts, self._change, self._damaged = array("q"), array("d"), bytearray()
        self._filled: dict[int, FrameDetections] = {}
        # Most looks find nothing, so there are a few kinds of empty answers and very many frames with one.
        self._empty: dict[tuple[str, ...], Mapping[str, Sequence[Detection]]] = {}
        self._empty_answers: dict[int, Mapping[str, Sequence[Detection]]] = {}
        for index, frame in enumerate(frames):
            self._append(index, frame)

    def __len__(self) -> int:
        return len(self._pts)

    @overload
    def __getitem__(self, index: int) -> FrameDetections: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[FrameDetections, ...]: ...

    def __getitem__(self, index: int | slice) -> FrameDetections | tuple[FrameDetections, ...]:
        if isinstance(index, slice):
            return tuple(self[number] for number in range(*index.indices(len(self))))
        number = range(len(self))[index]
        if number in self._filled:
            return self._filled[number]
        answers = self._empty_answers.get(number, {})
        return FrameDetections(self._pts[number], bool(self._damaged[number]), self._change[number], answers)

    def _append(self, index: int, frame: FrameDetections) -> None:
        self._pts.append(frame.pts)
        self._change.append(frame.change)
        self._damaged.append(frame.damaged)
        if frame.receipts or frame.carried or any(frame.by_detector.values()):
            self._filled[index] = frame
        elif frame.by_detector:
            answers = self._empty.setdefault(tuple(frame.by_detector), frame.by_detector)
            self._empty_answers[index] = answers


def merge_passes(passes: Sequence[FrameTable]) -> FrameTable:
    """Merge the detections of a first pass with those of a second, if there was one.

    Args:
        passes: one or two passes over the same frames; the second may have ended early.
    """
    first, *later = passes
    if not later:
        return first
    (second,) = later
    merged = (
        FrameDetections(
            one.pts, one.damaged, one.change, {**one.by_detector, **other.by_detector}, other.receipts, one.carried
        )
        for one, other in zip(first, second, strict=False)
    )
    # A run that fails in the second pass still needs its transfer ledger: keep the frames that were not reached.
    return FrameTable(chain(merged, first[len(second) :]))
