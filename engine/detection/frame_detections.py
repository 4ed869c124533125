"""The detections of one frame, as a detection run holds them before the timeline is built."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

import msgspec

from engine.core.geometry import Box
from engine.core.json_decoder import decode_json
from engine.core.packed_sequence import PackedSequence
from engine.detectors.base import Receipt
from engine.record import Detection, Document, Score
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


class _StoredFrame(Document, frozen=True, omit_defaults=True):
    """One frame as it is stored: detections by detector, as pairs of box and score."""

    pts: int
    damaged: bool
    change: float
    sightings: Mapping[str, tuple[tuple[Box, Score], ...]]
    receipts: Mapping[str, Receipt] = {}
    carried: tuple[CarriedPath, ...] = ()


def encode_frames(frames: Sequence[FrameDetections]) -> bytes:
    """Encode detections as JSON, for a file, for another process or for little memory."""
    return msgspec.json.encode([_store_frame(frame) for frame in frames])


def decode_frames(data: bytes) -> tuple[FrameDetections, ...]:
    """Decode what `encode_frames` returned."""
    return tuple(_restore_frame(frame) for frame in decode_json(data, type=tuple[_StoredFrame, ...], unique_keys=False))


def _store_frame(frame: FrameDetections) -> _StoredFrame:
    pairs = {name: tuple((one.box, one.score) for one in found) for name, found in frame.by_detector.items()}
    return _StoredFrame(frame.pts, frame.damaged, frame.change, pairs, frame.receipts, frame.carried)


def _restore_frame(stored: _StoredFrame) -> FrameDetections:
    by_detector = {
        name: tuple(Detection(name, box, score) for box, score in pairs) for name, pairs in stored.sightings.items()
    }
    return FrameDetections(stored.pts, stored.damaged, stored.change, by_detector, stored.receipts, stored.carried)


class FrameTable(PackedSequence[FrameDetections]):
    """The detections of many frames in little memory.

    Args:
        frames: the frames, which are not kept.
    """

    def __init__(self, frames: Iterable[FrameDetections] = ()) -> None:
        super().__init__(frames, encode_frames, decode_frames)


def merge_passes(passes: Sequence[Collection[FrameDetections]]) -> Collection[FrameDetections]:
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
    return FrameTable(chain(merged, islice(first, len(second), None)))
