"""Confirmation of tracks: weak evidence counts if another detector or the rest of the track confirms it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.core.geometry import Box
from engine.record import Detection, FusionSettings, TrackingInFrames
from engine.record.support import CONFIDENT_SUPPORT, compute_support
from engine.timeline.fuse import fuse_detections


def find_supported_faces(
    detections: Iterable[Detection], fusion: FusionSettings, confident_scores: Mapping[str, float], least: float
) -> list[Box]:
    """Return the faces of one frame that have a least support, sorted by box.

    Args:
        detections: detections of the frame by any detectors, in display pixels.
        fusion: conditions under which two boxes are the same face.
        confident_scores: confident score by detector, as in `compute_support`.
        least: the support.
    """
    return [
        face.box
        for face in fuse_detections(detections, fusion)
        if compute_support(face.evidence, confident_scores) >= least
    ]


def is_face(supported: Iterable[tuple[int, float]], settings: TrackingInFrames) -> bool:
    """Return True if some stretch of a track has more support than its looks, with or without a detection, cost.

    Foliage that looks like a face now and then does not reach this; a face does.

    Args:
        supported: looks in which the track was detected, as rising positions among the frames that detectors looked
            at, each with its support: a frame that no detector saw speaks neither for a face nor against it.
        settings: cost of a look, and support that must be left.
    """
    # The greatest sum of any stretch, in one pass (Kadane's algorithm); a sum below 0 starts anew.
    best = total = 0.0
    before: int | None = None
    for index, value in supported:
        missed = 0 if before is None else index - before - 1
        total = max(0.0, total - missed * settings.toll) + value - settings.toll
        best, total, before = max(best, total), max(0.0, total), index
    return best >= settings.support


def find_held_detections(frames: Sequence[int], support: Sequence[float], hold_frames: int) -> range:
    """Return the positions of the detections of a track from its confident ones outwards, over weak ones close enough.

    Weak detections between two confident ones are always kept. Without a confident detection nothing is kept.

    Args:
        frames: frames in which the track was detected, rising.
        support: the support of each.
        hold_frames: greatest distance in frames of a weak detection from the next one that is kept.
    """
    count = len(frames)
    first = next((place for place in range(count) if support[place] >= CONFIDENT_SUPPORT), None)
    if first is None:
        return range(0)
    last = next(place for place in reversed(range(count)) if support[place] >= CONFIDENT_SUPPORT)
    # Outwards only: between two confident detections the face was there, so weak detections in between are believed.
    while first > 0 and frames[first] - frames[first - 1] <= hold_frames:
        first -= 1
    while last + 1 < count and frames[last + 1] - frames[last] <= hold_frames:
        last += 1
    return range(first, last + 1)
